"""Released weights in half precision: half the size, nearly the same answers, found again in a clone."""

import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib.datasets.labels import Labels
from paperlib.learning.models import build_model
from paperlib.learning.prediction import predict
from paperlib.learning.rounded import ROUNDED, release_rounded
from paperlib.learning.weights import load_weights, save_weights, weights_header

from .made_up import KeepingRun

LABELS = Labels("published")
NAMES = [str(name) for name in LABELS.names]
TRAINED = SimpleNamespace(trainings=pd.DataFrame({"arm": ["a", "b"], "seed": [0, 0], "key": ["t1", "t2"]}))


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    model = build_model("position_resnet", len(NAMES), 400, seed=1, channels=(8,), strides=(4,), hidden=64)
    model.train()(torch.rand(32, 400))  # running means that are not those of the start
    folder = tmp_path / "data" / "work" / "trainings" / "t2-bfloat16-0"
    folder.mkdir(parents=True)
    save_weights(folder / "weights.safetensors", model.eval(), "published", NAMES, training="t2")
    return tmp_path


def test_half_the_size_and_nearly_the_same_answers(root):
    run = KeepingRun(root / "run")
    file = release_rounded(run, TRAINED, "b", 0)
    source = root / "data" / "work" / "trainings" / "t2-bfloat16-0" / "weights.safetensors"
    assert file.name == "b_seed0.safetensors" and file.stat().st_size < 0.6 * source.stat().st_size
    assert weights_header(file)["notes"] == {"training": "t2", "rounded": ROUNDED}
    patterns = np.random.default_rng(0).random((20, 400), np.float32)
    before, after = (predict(load_weights(path).model, patterns).log_probabilities for path in (source, file))
    assert 0 < np.abs(np.exp(before) - np.exp(after)).max() < 2e-3
    assert (before.argmax(1) == after.argmax(1)).all()


def test_a_clone_releases_what_was_released(root):
    run = KeepingRun(root / "run", "13_measured")
    first = release_rounded(run, TRAINED, "b", 0).read_bytes()
    run.publish(root)
    shutil.rmtree(root / "data" / "work")
    again = KeepingRun(root / "run", "13_measured")
    assert release_rounded(again, TRAINED, "b", 0).read_bytes() == first


def test_weights_that_are_nowhere_are_missed(root):
    with pytest.raises(FileNotFoundError, match=r"training t1.*delete.*run the notebook again"):
        release_rounded(KeepingRun(root / "run", "13_measured"), TRAINED, "a", 0)
