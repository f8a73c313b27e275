"""A network for the page, and patterns in files."""

import pytest

from paperlib.answers.answer import NETWORK, released_asker
from paperlib.answers.card import Card, write_card
from tests.answers.conftest import files, prototypes, simulated
from tests.answers.released import network, write

__all__ = ["files", "prototypes", "simulated"]


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A network with fresh weights and a card, as they are released."""
    path = tmp_path_factory.mktemp("root") / "data" / "models" / f"{NETWORK}.safetensors"
    path.parent.mkdir(parents=True)
    write(path, network())
    write_card(path.with_suffix(".json"), Card(1.5, 0.02, {"simulated": 0.5}, ("fresh weights",), {}))
    return path


@pytest.fixture(scope="session")
def asker(weights):
    return released_asker(weights)
