"""The register of released models says what their files say, and loads them by name."""

import pytest
import torch
from safetensors.torch import save_file

from paperlib.learning.released import COLUMNS, load_released, released_models
from paperlib.learning.weights import save_weights

from .problems import doublets, tiny_model


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A root with two released models."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    folder = tmp_path / "data" / "models"
    save_weights(
        folder / "06_labels-space_group_seed10.safetensors", tiny_model(3), "space_group", "abc", training="t1"
    )
    save_weights(folder / "06_labels-direct_seed0.safetensors", tiny_model(2, seed=4), "absences", "ab")
    return folder


def test_one_row_per_file(models):
    table = released_models()
    assert tuple(table) == COLUMNS and len(table) == 2
    said = ["06_labels", "space_group", 10, "resnet", "space_group", 3, 160, "t1"]
    assert table.iloc[1, :-1].tolist() == ["06_labels-space_group_seed10.safetensors", *said]
    assert table.arm[0] == "direct" and table.training[0] == "", "an older release does not say"
    assert table.megabytes[0] == (models / table.file[0]).stat().st_size / 1e6


def test_no_models_make_an_empty_register(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    assert len(released_models()) == 0 and tuple(released_models()) == COLUMNS


def test_a_model_is_loaded_by_name_with_or_without_suffix(models):
    x = torch.from_numpy(doublets(3, 0)[0])
    for name in ("06_labels-direct_seed0", "06_labels-direct_seed0.safetensors"):
        released = load_released(name, "absences", 160)
        with torch.no_grad():
            assert torch.equal(released.model(x), tiny_model(2, seed=4).eval()(x))
    with pytest.raises(ValueError, match="classes of 'absences' apart, not of 'published'"):
        load_released("06_labels-direct_seed0", "published")
    with pytest.raises(ValueError, match="160 points, not of n_points=1000"):
        load_released("06_labels-direct_seed0", n_points=1000)


def test_an_unknown_name_lists_those_there_are(models):
    there = "06_labels-direct_seed0, 06_labels-space_group_seed10"
    with pytest.raises(FileNotFoundError, match=f"is called '06_labels-direct'; there are: {there}"):
        load_released("06_labels-direct")


@pytest.mark.parametrize("damage", ["truncated", "foreign", "misnamed"])
def test_a_file_that_does_not_belong_there_is_named(models, damage):
    path = models / "06_labels-direct_seed0.safetensors"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "foreign":
        save_file({"w": torch.zeros(3)}, path)
    else:
        path = path.rename(models / "net.safetensors")
    with pytest.raises(ValueError, match=path.name):
        released_models()
