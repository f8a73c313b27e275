"""The command ``paperlib release``: what a training leaves becomes what classify asks, or nothing changes."""

import json

import numpy as np
import pytest
import torch

from paperlib import cli, release_command
from paperlib.answers.answer import NETWORK, released_asker
from paperlib.answers.card import Card
from paperlib.lab import paths
from paperlib.learning.models import build_model, describe_model
from paperlib.learning.weights import load_weights, weights_header
from paperlib.release_command import RELEASED, release
from tests.answers.released import network, torch_probabilities, write

CARD = {"temperature": 1.3, "refuse_below": 0.25, "scores": {"top-1": 0.4}, "limits": ["no neutrons"]}


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "card.json"
    path.write_text(json.dumps(CARD | {"about": {"seed": 0}}))
    return path


def saved(path, model, how):
    """``model`` as trainings and people keep it."""
    if how == "study":
        return write(path.with_suffix(".safetensors"), model, training="t1")
    described = describe_model(model)
    content = {
        "checkpoint": {"model": model.state_dict(), "identity": {"model": described}, "step": 3},
        "described": {"state_dict": model.state_dict(), "architecture": described},
    }
    torch.save(content[how], path)
    return path


@pytest.mark.parametrize("how", ["study", "checkpoint", "described"])
def test_what_is_released_answers_as_what_was_trained(tmp_path, card, how):
    model = network()
    to = release(saved(tmp_path / "trained.pt", model, how), card, tmp_path / "models" / "net.safetensors")
    asker = released_asker(to)
    assert asker.card == Card(1.3, 0.25, {"top-1": 0.4}, ("no neutrons",), {"seed": 0})
    assert len(asker.network.notes["weights"]) == 64 and (how != "study" or asker.network.notes["training"] == "t1")
    patterns = np.random.default_rng(1).uniform(0, 1, (3, 2125)) ** 20
    logits = asker.network.logits(patterns)
    ours = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    np.testing.assert_allclose(ours, torch_probabilities(model, patterns), atol=1e-4)
    assert load_weights(to, "space_group", 2125).class_names[224] == "Fm-3m", "in torch as well"
    assert sorted(path.name for path in to.parent.iterdir()) == ["net.json", "net.safetensors"]


def test_plain_weights_are_those_of_the_released_sizes_and_the_command_puts_them_in_place(
    tmp_path, card, monkeypatch, capsys
):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setattr(paths, "check_installation", lambda: None)
    model = build_model(**RELEASED, seed=5).eval()
    torch.save(model.state_dict(), tmp_path / "minerals.pt")
    assert cli.main(["release", str(tmp_path / "minerals.pt"), "--card", str(card)]) == 0
    place = tmp_path / "data" / "models" / f"{NETWORK}.safetensors"
    assert str(place) in capsys.readouterr().out and place.stat().st_size < 10e6
    assert released_asker().network.architecture["channels"] == list(RELEASED["channels"])
    assert weights_header(place)["notes"]["rounded"] == "float16", "in float32 the file would be too large"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder: (folder / "card.json").unlink(), "there is no card"),
        (lambda folder: (folder / "card.json").write_text('{"temperature": 1}'), "has no 'refuse_below'"),
        (lambda folder: (folder / "card.json").write_text('{"temprature": 1}'), "has 'temprature'"),
        (lambda folder: (folder / "trained.pt").unlink(), "there are no weights"),
        (lambda folder: (folder / "trained.pt").write_bytes(b"PK nonsense"), "no weights that torch can read"),
        (lambda folder: torch.save({"w": torch.zeros(2)}, folder / "trained.pt"), "do not fit"),
        (lambda folder: saved(folder / "trained.pt", network(n_points=2000), "described"), "reads 2000 points"),
        (lambda folder: saved(folder / "trained.pt", network(norm="layer"), "described"), "norms of the kind 'layer'"),
    ],
)
def test_nothing_is_released_that_would_not_be_asked(tmp_path, card, damage, says, monkeypatch, capsys):
    monkeypatch.setattr(paths, "check_installation", lambda: None)
    saved(tmp_path / "trained.pt", network(), "described")
    to = tmp_path / "models" / "net.safetensors"
    words = ["release", str(tmp_path / "trained.pt"), "--card", str(card), "--to", str(to)]
    assert cli.main(words) == 0
    before = [path.read_bytes() for path in sorted(to.parent.iterdir())]
    damage(tmp_path)
    assert cli.main(words) == 1
    shown = capsys.readouterr().err
    assert says in shown and "Traceback" not in shown
    assert [path.read_bytes() for path in sorted(to.parent.iterdir())] == before


def test_too_large_a_file_and_a_twin_that_is_off_are_refused(tmp_path, card, monkeypatch):
    path = saved(tmp_path / "trained.pt", network(), "described")
    with monkeypatch.context() as changed:
        changed.setattr("paperlib.learning.kept.MAX_RELEASED_BYTES", 1000)
        with pytest.raises(ValueError, match="at most"):
            release(path, card, tmp_path / "net.safetensors")
    monkeypatch.setattr(release_command, "_difference", lambda model, twin: 0.01)
    with pytest.raises(ValueError, match=r"is 0\.01 off torch's"):
        release(path, card, tmp_path / "net.safetensors")
    assert not (tmp_path / "net.safetensors").exists() and not (tmp_path / "net.json").exists()
