"""Crystals, and the released networks of this repository."""

import numpy as np
import pytest

from paperlib.crystals.sources import load_crystals
from paperlib.explore import bench
from paperlib.explore.loading import crystal_subject
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """At the root of this repository, as a notebook is; and with torch alone, as an explorer computes."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(ROOT))
    monkeypatch.setattr(bench.cpu, "ENABLED", False)


@pytest.fixture(scope="session")
def crystals():
    return load_crystals("prototypes").crystals


@pytest.fixture(scope="session")
def crystal_called(crystals):
    """A crystal of the prototypes by formula and space group, as a subject."""

    def find(formula, number):
        (rows,) = np.nonzero((crystals.formula == formula) & (crystals.space_group == number))
        return crystal_subject(crystals, rows[0])

    return find


@pytest.fixture
def salt(crystal_called):
    return crystal_called("NaCl", 225)
