"""A root with a network in it, and patterns of known crystals in files."""

import numpy as np
import pytest

from paperlib.answers.answer import INSTRUMENT, NETWORK, released_asker
from paperlib.crystals.sources import load_crystals
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT
from paperlib.diffraction.simulate import powder_patterns
from tests.answers.released import network, write


def write_xy(path, intensity, two_theta=None):
    grid = INSTRUMENT.grid() if two_theta is None else two_theta
    np.savetxt(path, np.column_stack([grid, intensity]), fmt="%.6f %.8g")
    return path


@pytest.fixture(scope="session")
def prototypes():
    return load_crystals("prototypes").crystals


@pytest.fixture(scope="session")
def simulated(prototypes):
    """Eight crystals of different systems, and their patterns."""
    chosen = (225, 227, 166, 139, 62, 14, 194, 129)
    crystals = prototypes[[int(np.flatnonzero(prototypes.space_group == number)[0]) for number in chosen]]
    return crystals, powder_patterns(crystals, MINERAL_INSTRUMENT).numpy()


@pytest.fixture(scope="session")
def root_with_network(tmp_path_factory):
    """A root of a repository in which the released network is one with fresh weights."""
    root = tmp_path_factory.mktemp("root")
    write(root / "data" / "models" / f"{NETWORK}.safetensors", network(), training="t1")
    return root


@pytest.fixture
def asker(root_with_network):
    return released_asker(root_with_network / "data" / "models" / f"{NETWORK}.safetensors")


@pytest.fixture
def at_root(root_with_network, monkeypatch):
    """The command line at that root."""
    from paperlib.lab import paths

    monkeypatch.setenv("PAPERLIB_ROOT", str(root_with_network))
    monkeypatch.setattr(paths, "check_installation", lambda: None)
    return root_with_network


@pytest.fixture
def files(tmp_path, simulated):
    """The patterns as two-column text."""
    return [write_xy(tmp_path / f"p{i}.xy", 1000 * row) for i, row in enumerate(simulated[1])]
