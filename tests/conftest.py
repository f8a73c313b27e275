"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that one of several workers is not left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("end_to_end") is None)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository under test."""
    return ROOT


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with real structures and reference patterns; tests that need it skip without it."""
    folder = os.environ.get("PAPERLIB_DATA")
    if not folder:
        pytest.skip("PAPERLIB_DATA is not set: no real structures or reference calculations to compare with")
    path = (ROOT / folder).resolve()
    if not path.is_dir():
        pytest.fail(f"PAPERLIB_DATA={folder} is no folder; unset it or correct it")
    return path


def write_notebook(path: Path, parameters: str, *cells: str) -> None:
    """A notebook with a parameters cell and some code cells."""
    first = v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
    book = v4.new_notebook(cells=[first, *map(v4.new_code_cell, cells)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
