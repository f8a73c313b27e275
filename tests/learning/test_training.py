"""Training: it learns, it stops and goes on exactly, and it refuses what is not its own."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib.datasets.streams import ArrayStream
from paperlib.learning.checkpoint import CheckpointError
from paperlib.learning.device import keep_freed_memory, pick_device
from paperlib.learning.training import TrainConfig, fit, learning_rate

from .problems import doublets, tiny_model

CONFIG = TrainConfig(epochs=4, lr=3e-3, warmup_epochs=0.5, device="cpu")


def _stream(n=48, seed=0, batch_size=16):
    patterns, classes, _ = doublets(n, seed)
    return ArrayStream(patterns, classes, batch_size, seed=1)


def _changed(**values):
    from dataclasses import replace

    return replace(CONFIG, **values)


def _same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_tiny_network_learns_to_tell_one_peak_from_two(tmp_path):
    stream, unseen = _stream(128, 0), _stream(128, 9)
    config = _changed(epochs=25, warmup_epochs=1.0)
    history = fit(tiny_model(), stream, config, tmp_path, validation=stream)
    assert history.epochs["validation_top1"].iloc[-1] == 1.0
    assert history.epochs["loss"].iloc[-1] < 0.1 < history.epochs["loss"].iloc[0]
    model = tiny_model()
    again = fit(model, stream, config, tmp_path, validation=stream)
    pd.testing.assert_frame_equal(again.epochs, history.epochs)
    right = sum(int((model(x).argmax(1) == t).sum()) for x, t in unseen.epoch(0))
    assert right / 128 > 0.9


def test_a_run_that_stops_and_goes_on_ends_in_the_same_weights_bit_for_bit(tmp_path):
    whole, parts = tiny_model(dropout=0.2), tiny_model(dropout=0.2)
    full = fit(whole, _stream(), CONFIG, tmp_path / "whole")
    assert not full.stopped_early
    for done in (1, 2):
        torch.manual_seed(done)
        history = fit(parts, _stream(), _changed(max_minutes=0.0), tmp_path / "parts")
        assert history.stopped_early and len(history.epochs) == done
    parts = tiny_model(dropout=0.2)
    history = fit(parts, _stream(), CONFIG, tmp_path / "parts")
    assert not history.stopped_early
    assert _same(whole, parts)
    assert history.epochs["loss"].tolist() == full.epochs["loss"].tolist()
    saved = pd.read_csv(tmp_path / "parts" / "history.csv")
    assert saved["loss"].tolist() == full.epochs["loss"].tolist()
    assert saved["epoch"].tolist() == [1, 2, 3, 4]


def test_dropout_and_its_seed_are_at_work(tmp_path):
    models = [tiny_model(dropout=p) for p in (0.2, 0.2, 0.0)]
    for i, (model, seed) in enumerate(zip(models, (0, 1, 0), strict=True)):
        fit(model, _stream(), _changed(epochs=1, seed=seed), tmp_path / str(i))
    assert not _same(models[0], models[1]) and not _same(models[0], models[2])


def test_training_leaves_the_global_random_state_alone(tmp_path):
    before = torch.random.get_rng_state()
    fit(tiny_model(), _stream(), _changed(epochs=1), tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_complete_run_is_loaded_and_not_trained(tmp_path, capsys):
    trained = tiny_model()
    fit(trained, _stream(), CONFIG, tmp_path)
    assert capsys.readouterr().out.count("epoch ") == 4
    fresh = tiny_model()
    history = fit(fresh, _stream(), CONFIG, tmp_path)
    assert capsys.readouterr().out == "" and len(history.epochs) == 4
    assert _same(trained, fresh) and not fresh.training


@pytest.mark.parametrize(
    "model, stream, config, message",
    [
        ({}, {}, {"lr": 1e-2}, r"config.lr was 0.003 and is now 0.01"),
        ({"dropout": 0.3}, {}, {}, r"model.dropout was 0.05 and is now 0.3"),
        ({}, {"seed": 5}, {}, r"stream.sha256 was"),
        ({}, {"batch_size": 8}, {}, r"stream.batch_size was 16 and is now 8"),
        ({"seed": 4}, {}, {}, r"starts from other weights"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path, model, stream, config, message):
    fit(tiny_model(), _stream(), _changed(max_minutes=0.0), tmp_path)
    with pytest.raises(CheckpointError, match=message):
        fit(tiny_model(**model), _stream(**stream), _changed(**config), tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "one bit", "missing"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, damage):
    whole = tiny_model()
    fit(whole, _stream(), CONFIG, tmp_path / "whole")
    for _ in range(2):
        fit(tiny_model(), _stream(), _changed(max_minutes=0.0), tmp_path / "run")
    last = tmp_path / "run" / "last.pt"
    content = bytearray(last.read_bytes())
    if damage == "truncated":
        last.write_bytes(content[: len(content) // 2])
    elif damage == "one bit":
        weight = torch.load(last)["model"]["head.weight"].numpy().tobytes()
        content[content.index(weight)] ^= 1
        last.write_bytes(content)
    else:
        last.unlink()
    model = tiny_model()
    with pytest.warns(RuntimeWarning, match=r"going on from .*previous\.pt, after epoch 1"):
        history = fit(model, _stream(), CONFIG, tmp_path / "run")
    assert len(history.epochs) == 4 and _same(model, whole)


def test_where_no_checkpoint_can_be_read_the_remedy_is_named(tmp_path):
    fit(tiny_model(), _stream(), CONFIG, tmp_path)
    for name in ("last.pt", "previous.pt"):
        (tmp_path / name).write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"last\.pt is truncated or damaged.*Delete .* to start"):
        fit(tiny_model(), _stream(), CONFIG, tmp_path)


class _Spoiled(ArrayStream):
    """The second step of the second epoch holds a NaN."""

    def epoch(self, epoch):
        for i, (patterns, targets) in enumerate(super().epoch(epoch)):
            yield (patterns * math.nan if (epoch, i) == (1, 1) else patterns), targets


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(tmp_path):
    patterns, classes, _ = doublets(48, 0)
    with pytest.raises(FloatingPointError, match=r"loss is nan in epoch 2, step 2"):
        fit(tiny_model(), _Spoiled(patterns, classes, 16, seed=1), CONFIG, tmp_path)
    kept = torch.load(tmp_path / "last.pt")
    assert kept["epochs_done"] == 1
    assert all(torch.isfinite(tensor).all() for tensor in kept["model"].values())


def test_a_stream_of_other_points_is_refused(tmp_path):
    stream = ArrayStream(np.zeros((4, 100), np.float32), np.zeros(4, int), 2, seed=0)
    with pytest.raises(ValueError, match="reads 160 points, the stream gives 100"):
        fit(tiny_model(), stream, CONFIG, tmp_path)


def test_the_rate_rises_to_its_peak_and_falls_to_zero():
    config = TrainConfig(epochs=10, lr=2.0, warmup_epochs=2)
    rates = [learning_rate(step, 5, config) for step in range(51)]
    assert np.all(np.diff(rates[:11]) > 0) and np.all(np.diff(rates[10:]) < 0)
    assert rates[10] == 2.0 and rates[30] == pytest.approx(1.0) and rates[50] == pytest.approx(0.0, abs=1e-12)
    assert rates[0] > 0


@pytest.mark.parametrize(
    "values", [{"epochs": 0}, {"lr": 0.0}, {"warmup_epochs": 9}, {"mixed_precision": "fp16"}, {"label_smoothing": 1.0}]
)
def test_numbers_that_make_no_run(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        _changed(**values)


def test_devices():
    assert pick_device("cpu").type == "cpu"
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ValueError, match="choose auto, cpu or cuda"):
        pick_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="no CUDA device"):
            pick_device("cuda")


def test_keeping_freed_memory_can_be_asked_for_twice():
    assert keep_freed_memory() == keep_freed_memory()
