"""Training: it learns, it stops and goes on exactly, and it refuses what is not its own."""

import dataclasses
import itertools
import math
import time

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib.datasets.streams import ArrayStream
from paperlib.learning import device, training
from paperlib.learning.checkpoint import CheckpointError
from paperlib.learning.configuration import TrainConfig, learning_rate
from paperlib.learning.device import keep_freed_memory, numerics, pick_device, precision_of
from paperlib.learning.models import build_model
from paperlib.learning.training import fit

from .problems import doublets, tiny_model

CONFIG = TrainConfig(steps=12, lr=3e-3, warmup_steps=2, device="cpu")
"""Four passes over the 48 items of :func:`_stream`."""
ONE_STEP = {"max_minutes": 0.0}


def _stream(n=48, seed=1, batch_size=16):
    patterns, classes, _ = doublets(n, 0)
    return ArrayStream(patterns, classes, batch_size, seed=seed)


def _changed(**values):
    return dataclasses.replace(CONFIG, **values)


def _same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def _quiet(line):
    """Instead of printing."""


def test_a_tiny_network_learns_to_tell_one_peak_from_two(tmp_path):
    stream, (patterns, classes, _) = _stream(128), doublets(128, 9)
    config = _changed(steps=200, warmup_steps=8)
    history = fit(tiny_model(), stream, config, tmp_path, validation=stream, report=_quiet)
    assert history.rounds["validation_top1"].iloc[-1] == 1.0
    assert history.rounds["loss"].iloc[-1] < 0.1 < history.rounds["loss"].iloc[0]
    model = tiny_model()
    again = fit(model, stream, config, tmp_path, validation=stream, report=_quiet)
    pd.testing.assert_frame_equal(again.rounds, history.rounds)
    with torch.no_grad():
        assert (model(torch.from_numpy(patterns)).argmax(1).numpy() == classes).mean() > 0.9


@pytest.mark.parametrize("size", [{"dropout": 0.2}, {"dropout": 0.2, "norm": "batch", "activation": "relu"}])
def test_a_training_that_stops_within_passes_ends_in_the_same_weights_bit_for_bit(tmp_path, size):
    whole = tiny_model(**size)
    full = fit(whole, _stream(), CONFIG, tmp_path / "whole", validation=_stream(24), report=_quiet)
    assert not full.stopped_early and full.steps == 12
    for done in range(1, 6):  # one step each: within the first pass, at its end, and within the second
        torch.manual_seed(done)
        parts = tiny_model(**size)
        limited = _changed(**ONE_STEP)
        history = fit(parts, _stream(), limited, tmp_path / "parts", validation=_stream(24), report=_quiet)
        assert history.stopped_early and history.steps == done and len(history.rounds) == done // 3
    parts = tiny_model(**size)
    history = fit(parts, _stream(), CONFIG, tmp_path / "parts", validation=_stream(24), report=_quiet)
    assert not history.stopped_early and _same(whole, parts)
    pd.testing.assert_frame_equal(history.rounds, full.rounds)
    saved = pd.read_csv(tmp_path / "parts" / "history.csv")
    pd.testing.assert_frame_equal(saved, full.rounds, check_exact=True)


def test_steps_and_items_are_counted(tmp_path):
    history = fit(tiny_model(), _stream(40), _changed(steps=7), tmp_path, report=_quiet)
    assert history.rounds["step"].tolist() == [3, 6, 7], "two passes of 16, 16 and 8 items, and a batch of a third"
    assert history.rounds["items"].tolist() == [40, 80, 96]
    assert (history.steps, history.items) == (7, 96)
    rates = [learning_rate(step - 1, _changed(steps=7)) for step in (3, 6, 7)]
    assert history.rounds["lr"].tolist() == rates and history.rounds["validation_top1"].isna().all()


def test_time_spent_waiting_for_batches_is_told_apart(tmp_path):
    class Slow(ArrayStream):
        def batch(self, step, device="cpu"):
            time.sleep(0.2)
            return super().batch(step, device)

    patterns, classes, _ = doublets(32, 0)
    history = fit(tiny_model(), Slow(patterns, classes, 16, seed=1), _changed(steps=2), tmp_path, report=_quiet)
    assert 0.4 <= 60 * history.minutes and 0.4 <= history.waiting * 60 * history.minutes < 60 * history.minutes


def test_checkpoints_are_written_within_a_pass(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(training, "save_checkpoint", lambda folder, state: kept.append(state["step"]))
    config = _changed(steps=7)
    fit(tiny_model(), _stream(), dataclasses.replace(config, checkpoint_minutes=0.0), tmp_path, report=_quiet)
    fit(tiny_model(), _stream(), config, tmp_path, report=_quiet)
    assert kept == [1, 2, 3, 4, 5, 6, 7, 7], "after each step, and at the end alone"


def test_a_crash_costs_what_came_after_the_last_checkpoint(tmp_path):
    class Broken(ArrayStream):
        def batch(self, step, device="cpu"):
            if step == 5:
                raise KeyboardInterrupt
            return super().batch(step, device)

    patterns, classes, _ = doublets(48, 0)
    broken = Broken(patterns, classes, 16, seed=1)
    broken.identity = _stream().identity
    with pytest.raises(KeyboardInterrupt):
        fit(tiny_model(), broken, _changed(checkpoint_minutes=0.0), tmp_path / "run", report=_quiet)
    model, whole = tiny_model(), tiny_model()
    assert torch.load(tmp_path / "run" / "last.pt")["step"] == 5
    fit(model, _stream(), CONFIG, tmp_path / "run", report=_quiet)
    fit(whole, _stream(), CONFIG, tmp_path / "whole", report=_quiet)
    assert _same(model, whole)


def test_dropout_and_its_seed_are_at_work(tmp_path):
    models = [tiny_model(dropout=p) for p in (0.2, 0.2, 0.0)]
    for i, (model, seed) in enumerate(zip(models, (0, 1, 0), strict=True)):
        fit(model, _stream(), _changed(steps=3, seed=seed), tmp_path / str(i), report=_quiet)
    assert not _same(models[0], models[1]) and not _same(models[0], models[2])


def test_training_leaves_the_settings_of_torch_alone_and_uses_its_own(tmp_path):
    seen = []

    class Watching(ArrayStream):
        def batch(self, step, device="cpu"):
            seen.append((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))
            return super().batch(step, device)

    patterns, classes, _ = doublets(16, 0)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    for wanted in (1, 2):
        config = _changed(steps=2, threads=wanted)
        fit(tiny_model(), Watching(patterns, classes, 16, seed=1), config, tmp_path / str(wanted), report=_quiet)
    assert seen == [(1, True), (1, True), (2, True), (2, True)]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads and not torch.are_deterministic_algorithms_enabled()


def test_settings_come_back_after_an_error():
    threads, fill = torch.get_num_threads(), torch.utils.deterministic.fill_uninitialized_memory
    with pytest.raises(RuntimeError, match="on purpose"), numerics(threads + 1, deterministic=True):
        assert torch.get_num_threads() == threads + 1
        raise RuntimeError("on purpose")
    assert torch.get_num_threads() == threads and not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory == fill


def test_numbers_too_small_to_be_normal_are_zero_in_training_only():
    tiny = torch.full((16,), 1e-39)
    with numerics(1, deterministic=False):
        assert not (tiny * 0.5).any()
    assert (tiny * 0.5).all()


def test_a_complete_training_is_loaded_and_not_trained(tmp_path):
    lines, again = [], []
    trained, fresh = tiny_model(), tiny_model()
    first = fit(trained, _stream(), CONFIG, tmp_path, report=lines.append)
    assert [line.split("  ")[0] for line in lines] == ["step 3/12", "step 6/12", "step 9/12", "step 12/12"]
    history = fit(fresh, _stream(), CONFIG, tmp_path, report=again.append)
    assert again == [] and history == dataclasses.replace(first, rounds=history.rounds)
    pd.testing.assert_frame_equal(history.rounds, first.rounds)
    assert _same(trained, fresh) and not fresh.training and not trained.training


@pytest.mark.parametrize(
    "model, stream, config, message",
    [
        ({}, {}, {"lr": 1e-2}, r"config.lr was 0.003 and is now 0.01"),
        ({}, {}, {"steps": 13}, r"config.steps was 12 and is now 13"),
        ({}, {}, {"precision": "bfloat16"}, r"precision was 'float32' and is now 'bfloat16'"),
        ({}, {}, {"threads": 2}, r"threads was 1 and is now 2"),
        ({"dropout": 0.3}, {}, {}, r"model.dropout was 0.05 and is now 0.3"),
        ({}, {"seed": 5}, {}, r"stream.seed was 1 and is now 5"),
        ({}, {"n": 47}, {}, r"stream.content.sha256 was"),
        ({}, {"batch_size": 8}, {}, r"stream.batch_size was 16 and is now 8"),
        ({"seed": 4}, {}, {}, r"start was "),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, model, stream, config, message):
    fit(tiny_model(), _stream(), _changed(**ONE_STEP), tmp_path, report=_quiet)
    with pytest.raises(CheckpointError, match=message):
        fit(tiny_model(**model), _stream(**stream), _changed(**config), tmp_path, report=_quiet)


def test_a_named_start_does_not_hide_other_weights(tmp_path):
    fit(tiny_model(), _stream(), _changed(**ONE_STEP), tmp_path, start={"seed": 0}, report=_quiet)
    with pytest.raises(CheckpointError, match="starts from other weights"):
        fit(tiny_model(seed=4), _stream(), CONFIG, tmp_path, start={"seed": 0}, report=_quiet)
    with pytest.raises(CheckpointError, match=r"start\.seed was 0 and is now 1"):
        fit(tiny_model(), _stream(), CONFIG, tmp_path, start={"seed": 1}, report=_quiet)


@pytest.mark.parametrize("damage", ["truncated", "one bit", "missing"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, damage):
    whole = tiny_model()
    fit(whole, _stream(), CONFIG, tmp_path / "whole", report=_quiet)
    for _ in range(2):
        fit(tiny_model(), _stream(), _changed(**ONE_STEP), tmp_path / "run", report=_quiet)
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
    with pytest.warns(RuntimeWarning, match=r"going on from .*previous\.pt, after step 1"):
        history = fit(model, _stream(), CONFIG, tmp_path / "run", report=_quiet)
    assert history.steps == 12 and len(history.rounds) == 4 and _same(model, whole)


def test_where_no_checkpoint_can_be_read_the_remedy_is_named(tmp_path):
    fit(tiny_model(), _stream(), CONFIG, tmp_path, report=_quiet)
    for name in ("last.pt", "previous.pt"):
        (tmp_path / name).write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"last\.pt is truncated or damaged.*Delete .* to start"):
        fit(tiny_model(), _stream(), CONFIG, tmp_path, report=_quiet)


class _Spoiled(ArrayStream):
    """The fifth step holds a NaN."""

    def batch(self, step, device="cpu"):
        patterns, targets = super().batch(step, device)
        return (patterns * math.nan if step == 4 else patterns), targets


def test_a_loss_that_is_not_finite_stops_the_training_and_keeps_the_checkpoint(tmp_path):
    patterns, classes, _ = doublets(48, 0)
    stream = _Spoiled(patterns, classes, 16, seed=1)
    with pytest.raises(FloatingPointError, match=r"step 5: the loss is nan .*float32\); lower the learning rate"):
        fit(tiny_model(), stream, _changed(checkpoint_minutes=0.0), tmp_path, report=_quiet)
    kept = torch.load(tmp_path / "last.pt")
    assert kept["step"] == 4
    assert all(torch.isfinite(tensor).all() for tensor in kept["model"].values())


@pytest.mark.parametrize(
    "precision, remedy", [("float32", "lower the learning rate"), ("bfloat16", "train in float32")]
)
def test_an_infinite_gradient_of_a_finite_loss_is_found_at_its_step(tmp_path, monkeypatch, precision, remedy):
    clip, norms = training.nn.utils.clip_grad_norm_, itertools.chain([1.0, math.inf], itertools.repeat(1.0))
    monkeypatch.setattr(training.nn.utils, "clip_grad_norm_", lambda *a: clip(*a) * 0 + torch.tensor(next(norms)))
    config = _changed(precision=precision)
    with pytest.raises(
        FloatingPointError, match=rf"step 2: the loss is 0\.\d+ .*length inf \(in {precision}\); {remedy}"
    ):
        fit(tiny_model(), _stream(), config, tmp_path, report=_quiet)
    assert not (tmp_path / "last.pt").exists()


def test_automatic_precision_is_bfloat16_where_the_processor_has_it_and_the_network_bears_it(tmp_path, monkeypatch):
    published, batch = build_model("resnet", 2, 160), tiny_model(norm="batch")
    cpu = torch.device("cpu")
    for there, wanted in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(device, "has_bfloat16", lambda _, there=there: there)
        assert precision_of("auto", published, cpu) == "float32", "its norm divides by almost nothing"
        assert precision_of("auto", batch, cpu) == wanted
        assert (
            precision_of("bfloat16", published, cpu) == "bfloat16" and precision_of("float32", batch, cpu) == "float32"
        )
        history = fit(batch, _stream(), _changed(steps=2), tmp_path / wanted, report=_quiet)
        assert history.steps == 2 and f'"precision": "{wanted}"' in (tmp_path / wanted / "run.json").read_text()
        batch = tiny_model(norm="batch")


def test_bfloat16_rounds_as_it_should(tmp_path):
    models = [tiny_model(norm="batch", dropout=0.0) for _ in range(2)]
    losses = [
        fit(model, _stream(), _changed(precision=precision), tmp_path / precision, report=_quiet).rounds.loss
        for model, precision in zip(models, ("float32", "bfloat16"), strict=True)
    ]
    assert all(parameter.dtype == torch.float32 for parameter in models[1].parameters())
    assert not _same(*models) and np.abs(losses[0] - losses[1]).max() < 0.05


def test_the_processor_is_asked_for_bfloat16(monkeypatch):
    answers = {"_is_avx512_bf16_supported": False, "_is_amx_tile_supported": False, "_is_arm_bf16_supported": False}
    for chosen in (None, *answers):
        for name in answers:
            monkeypatch.setattr(torch.cpu, name, lambda name=name, chosen=chosen: name == chosen, raising=False)
        assert device.has_bfloat16(torch.device("cpu")) == (chosen is not None)


def test_a_stream_of_other_points_is_refused(tmp_path):
    stream = ArrayStream(np.zeros((4, 100), np.float32), np.zeros(4, int), 2, seed=0)
    with pytest.raises(ValueError, match="reads 160 points, the stream gives 100"):
        fit(tiny_model(), stream, CONFIG, tmp_path)
    with pytest.raises(ValueError, match="reads 160 points, the stream gives 100"):
        fit(tiny_model(), _stream(), CONFIG, tmp_path, validation=stream)


def test_the_rate_rises_to_its_peak_and_falls_to_zero():
    config = TrainConfig(steps=50, lr=2.0, warmup_steps=10)
    rates = [learning_rate(step, config) for step in range(51)]
    assert np.all(np.diff(rates[:11]) > 0) and np.all(np.diff(rates[10:]) < 0)
    assert rates[10] == 2.0 and rates[30] == pytest.approx(1.0) and rates[50] == pytest.approx(0.0, abs=1e-12)
    assert rates[0] > 0


def test_how_a_training_is_executed_is_no_part_of_its_configuration():
    elsewhere = {"device": "cuda", "precision": "bfloat16", "threads": 2, "max_minutes": 1.0, "checkpoint_minutes": 9.0}
    assert _changed(**elsewhere).identity() == CONFIG.identity()
    what = {"steps": 13, "lr": 1.0, "weight_decay": 0.1, "warmup_steps": 3, "betas": (0.9, 0.99)}
    what |= {"label_smoothing": 0.1, "clip_norm": 0.0, "seed": 1, "deterministic": False}
    assert {*elsewhere, *what} == {field.name for field in dataclasses.fields(TrainConfig)}
    assert all(_changed(**{name: value}).identity() != CONFIG.identity() for name, value in what.items())


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 0},
        {"lr": 0.0},
        {"threads": 0},
        {"warmup_steps": 13},
        {"precision": "fp16"},
        {"label_smoothing": 1.0},
        {"clip_norm": -1.0},
    ],
)
def test_numbers_that_make_no_training(values):
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
