"""Released weights: a round trip, and a clear word about every file that does not fit."""

import pytest
import torch
from safetensors.torch import save_file

from paperlib.learning.weights import load_weights, save_weights

from .problems import doublets, tiny_model


@pytest.fixture
def released(tmp_path):
    model = tiny_model(3, seed=8)
    path = tmp_path / "small.safetensors"
    save_weights(path, model, "absences", ["a", "b", "c"], trained_on="doublets", top1=0.5)
    return model, path


def test_a_round_trip_gives_the_same_answers(released):
    model, path = released
    read = load_weights(path, class_scheme="absences", n_points=160)
    x = torch.from_numpy(doublets(6, 0)[0])
    with torch.no_grad():
        assert torch.equal(model.eval()(x), read.model(x))
    assert read.class_names == ("a", "b", "c") and read.class_scheme == "absences"
    assert read.notes == {"trained_on": "doublets", "top1": 0.5}


def test_the_wrong_scheme_or_grid_is_refused(released):
    _, path = released
    with pytest.raises(ValueError, match="classes of 'absences' apart, not of 'published'"):
        load_weights(path, class_scheme="published")
    with pytest.raises(ValueError, match="160 points, not of n_points=1000"):
        load_weights(path, n_points=1000)


@pytest.mark.parametrize("keep", [0, 4, 200, -1])
def test_a_truncated_file_is_named(released, keep):
    _, path = released
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"small\.safetensors is not a complete"):
        load_weights(path)


def test_one_changed_bit_is_noticed(released):
    _, path = released
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="do not agree with their checksum"):
        load_weights(path)


def test_weights_of_unknown_origin_are_refused(tmp_path):
    save_file({"w": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ValueError, match="does not say which network it fits"):
        load_weights(tmp_path / "foreign.safetensors")


def test_a_missing_file_and_a_wrong_suffix(tmp_path):
    with pytest.raises(FileNotFoundError, match="there are no weights"):
        load_weights(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match=r"kept as \.safetensors"):
        save_weights(tmp_path / "w.pt", tiny_model(2), "absences", ["a", "b"])
    with pytest.raises(ValueError, match="3 class names for 2 classes"):
        save_weights(tmp_path / "w.safetensors", tiny_model(2), "absences", ["a", "b", "c"])
