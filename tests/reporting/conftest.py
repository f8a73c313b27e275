import importlib.util
from pathlib import Path

import pytest

from paperlib.lab.results import Results

_spec = importlib.util.spec_from_file_location("synthetic_results", Path(__file__).with_name("synthetic_results.py"))
synthetic_results = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(synthetic_results)


@pytest.fixture(scope="session")
def results_folder(tmp_path_factory):
    """Made-up results of every notebook, as a laptop run would leave them."""
    return synthetic_results.write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def results(results_folder):
    return Results(results_folder)


@pytest.fixture(scope="session")
def smoke_results(tmp_path_factory):
    """The same of a smoke run, with few classes in the attribution maps."""
    return Results(synthetic_results.write_results(tmp_path_factory.mktemp("smoke"), "smoke", classes=9))
