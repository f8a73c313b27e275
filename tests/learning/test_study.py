"""A study trains what is not there, finds what is, and says which is which."""

import dataclasses
import multiprocessing
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib.datasets.labels import Labels
from paperlib.lab import stages
from paperlib.lab.run import Paused
from paperlib.learning import comparison, device, work
from paperlib.learning.arms import Arm, Passes, StoredRows
from paperlib.learning.configuration import TrainConfig
from paperlib.learning.kept import FACTS, TIMES
from paperlib.learning.ranked import load_ranked
from paperlib.learning.study import study
from paperlib.learning.weights import load_weights, weights_header

from .made_up import MODEL, STEM, TEST, TRAIN, KeepingRun, arms, asked, prepared

PLACE = ["arm", "split", "seed"]
OTHER_ROWS = {0: np.arange(50, 64), 1: np.arange(50, 60)}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A root without trainings."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def data(root):
    """The made-up patterns."""
    return prepared(root)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A root in which both arms were trained on two splits with one seed, and the run of it."""
    folder = tmp_path_factory.mktemp("done")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_ROOT", str(folder))
        data, run = prepared(folder), KeepingRun(folder / "run")
        return folder, data, run, study(run, arms(data), [asked(data)], [0], [0, 1])


@pytest.fixture
def there(done, monkeypatch):
    """What :func:`done` made; nothing may be trained in it again."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(done[0]))
    return done


@pytest.fixture
def no_steps(monkeypatch):
    """Any step of an optimizer fails the test."""
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda *_: pytest.fail("a training goes on"))


@pytest.fixture
def no_steps_after(monkeypatch):
    """Called, it makes any later step of an optimizer fail the test."""
    return lambda: monkeypatch.setattr(torch.optim.AdamW, "step", lambda *_: pytest.fail("a training goes on"))


@pytest.fixture
def no_training(monkeypatch):
    """Any task that is carried out fails the test."""
    monkeypatch.setattr(work, "train", lambda *_: pytest.fail("a training is done again"))


def quickly(data, **values):
    """One arm, one split and one seed, of one pass."""
    return arms(data, passes=1, **values)[:1], [asked(data)], [0], [0]


def same_answers(one, other):
    assert one.keys() == other.keys()
    for cell in one:
        for space in one[cell]:
            for name, values in vars(one[cell][space]).items():
                assert np.array_equal(values, getattr(other[cell][space], name)), (cell, space, name)


def test_one_schema_of_tables(there):
    folder, _, run, trained = there
    cells = [("direct", 0, 0), ("by_group", 0, 0), ("direct", 1, 0), ("by_group", 1, 0)]
    assert trained.cells == cells and trained.repeats() == [(0, 0), (1, 0)]
    assert list(trained.trainings) == [*PLACE, "key", *FACTS, "test_test"]
    assert list(trained.times) == [*PLACE, *TIMES]
    assert list(trained.history) == [*PLACE, "step", "items", "loss", "validation_top1", "lr"]
    assert trained.trainings.labels.tolist() == ["absences", "space_group"] * 2
    assert trained.trainings.steps.tolist() == [6] * 4 and trained.trainings["items"].tolist() == [80] * 4
    assert trained.trainings.precision.tolist() == ["float32"] * 4 and trained.trainings.threads.tolist() == [1] * 4
    assert trained.history.step.tolist() == [3, 6] * 4
    last = trained.history.groupby(PLACE, sort=False).loss.last()
    assert np.allclose(last, trained.trainings.loss), "the loss is that of the last pass"
    for name in ("trainings", "history", "training_times"):
        assert len(pd.read_csv(run.folder / f"{name}.csv")) == len(trained.history if name == "history" else cells)
    assert not (folder / "data" / "work" / "smoke").exists()


def test_predictions_and_weights_are_outputs(there):
    _, data, run, trained = there
    names = sorted(path.name for path in (run.folder / "predictions").iterdir())
    assert names == sorted(f"test-{arm}-split{split}-seed0.npz" for arm, split, _ in trained.cells)
    assert run.released == ["direct_seed0.safetensors", "by_group_seed0.safetensors"], "of the first split and seed"
    answers = load_ranked(run.folder / "predictions" / "test-by_group-split1-seed0.npz")
    assert list(answers) == ["space_group", "absences"]
    assert answers["space_group"].target.tolist() == (data.crystals.space_group[TEST[1]] - 1).tolist()
    released = load_weights(run.folder / "by_group_seed0.safetensors", "space_group", data.instrument.n_points)
    assert released.notes == {"training": trained.trainings.key[1]}
    with torch.no_grad():
        first = released.model(torch.from_numpy(data.patterns[TEST[0]])).argmax(1)
    assert np.array_equal(first, trained.answers["test", "by_group", 0, 0]["space_group"].top[:, 0])


def test_summed_probabilities_are_those_of_the_coarser_classes(there):
    answers = there[3].answers["test", "by_group", 0, 0]
    fine, coarse = np.exp(answers["space_group"].log_p), np.exp(answers["absences"].log_p)
    assert np.all(coarse >= fine - 1e-6) and (coarse > fine + 1e-4).any()


def test_a_second_call_trains_nothing_and_says_the_same(there, no_training, capsys):
    folder, data, _, trained = there
    run = KeepingRun(folder / "second")
    again = study(run, arms(data), [asked(data)], [0], [0, 1])
    for name in ("trainings", "times", "history"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(trained, name))
    same_answers(again.answers, trained.answers)
    assert capsys.readouterr().out == "" and run.released == there[2].released
    assert (run.folder / "trainings.csv").read_bytes() == (there[2].folder / "trainings.csv").read_bytes()


def test_fewer_arms_splits_and_passes_that_were_not_made(there, no_training):
    folder, data, _, _ = there
    some = study(KeepingRun(folder / "some"), arms(data)[1:], [asked(data)], [0], [1])
    assert some.cells == [("by_group", 1, 0)]
    with pytest.raises(pytest.fail.Exception, match="done again"):
        study(KeepingRun(folder / "some"), arms(data, passes=3), [asked(data)], [0], [0])


def test_a_new_test_set_asks_the_trainings_that_are_there(there, no_steps):
    folder, data, _, trained = there
    both = [asked(data), asked(data, "other", OTHER_ROWS)]
    more = study(KeepingRun(folder / "more"), arms(data), both, [0], [0, 1])
    assert len(more.answers["other", "direct", 0, 0]["absences"]) == 14
    assert len(more.answers["other", "direct", 1, 0]["absences"]) == 10
    same_answers({cell: of for cell, of in more.answers.items() if cell[0] == "test"}, dict(trained.answers))
    assert [name for name in more.trainings if name.startswith("test_")] == ["test_test", "test_other"]


def test_an_arm_is_asked_the_tests_that_it_names(there, no_steps):
    folder, data, _, trained = there
    direct, by_group = arms(data)
    some = [dataclasses.replace(direct, tests=("other",)), by_group]
    both = [asked(data), asked(data, "other", OTHER_ROWS)]
    found = study(KeepingRun(folder / "named"), some, both, [0], [0, 1])
    assert {(test, arm) for test, arm, _, _ in found.answers} == {
        ("other", "direct"), ("other", "by_group"), ("test", "by_group")
    }  # fmt: skip
    assert found.trainings.key.tolist() == trained.trainings.key.tolist(), "what is asked is no part of a training"
    assert list(comparison.scored(found, "test", "absences").values) == ["by_group"]
    again = study(KeepingRun(folder / "named"), some, both, [0], [0, 1])
    pd.testing.assert_frame_equal(again.trainings, found.trainings)


def test_weights_alone_answer_a_new_test_set(data, root, no_steps_after):
    arm, tests, seeds, splits = quickly(data)
    study(KeepingRun(root / "run"), arm, tests, seeds, splits)
    for path in (root / "data" / "work" / "trainings").glob("*/*.pt"):
        path.unlink()
    no_steps_after()
    more = [*tests, asked(data, "more", {0: TRAIN[0]})]
    found = study(KeepingRun(root / "run"), arm, more, seeds, splits)
    answers = found.answers["more", "direct", 0, 0]["absences"]
    assert len(answers.rank) == len(TRAIN[0])


def test_a_test_set_of_the_same_name_with_other_items_is_asked_anew(there, no_steps):
    folder, data, _, trained = there
    other = study(KeepingRun(folder / "other"), arms(data), [asked(data, "test", OTHER_ROWS)], [0], [0, 1])
    assert len(other.answers["test", "direct", 0, 0]["absences"]) == 14
    assert other.trainings.key.tolist() == trained.trainings.key.tolist()
    assert (other.trainings.test_test != trained.trainings.test_test).all()


def key_and_folder(arm, split=0, seed=0):
    task = work.make_task(arm, split, seed, [], {})
    return task.key, task.folder.name


def test_the_key_is_that_of_the_recipe(data):
    arm = arms(data)[0]
    rows = StoredRows(data, TRAIN, Labels("absences"), 16)
    reference = key_and_folder(arm)[0]
    other_crystals = dataclasses.replace(data, digests=data.digests[::-1])
    other_instrument = dataclasses.replace(data, instrument=dataclasses.replace(data.instrument, eta=0.3))
    changed = {
        "model": {"model": MODEL | {"dropout": 0.1}},
        "learning rate": {"config": Passes(2, 1e-3, "cpu")},
        "steps": {"config": Passes(3, 3e-3, "cpu")},
        "warm-up": {"config": Passes(2, 3e-3, "cpu", warmup=0.5)},
        "labels": {"labels": Labels("published"), "stream": dataclasses.replace(rows, labels=Labels("published"))},
        "batches": {"stream": dataclasses.replace(rows, batch_size=8)},
        "order": {"stream": dataclasses.replace(rows, shuffle=False)},
        "rows": {"stream": dataclasses.replace(rows, rows={0: TRAIN[0][::-1]})},
        "crystals": {"stream": dataclasses.replace(rows, prepared=other_crystals)},
        "instrument": {"stream": dataclasses.replace(rows, prepared=other_instrument)},
    }
    keys = {what: key_and_folder(dataclasses.replace(arm, **values))[0] for what, values in changed.items()}
    keys |= {"seed": key_and_folder(arm, seed=1)[0], "split": key_and_folder(arm, split=1)[0]}
    assert len({reference, *keys.values()}) == 1 + len(keys), keys


def test_the_key_does_not_know_how_a_training_is_executed(data):
    arm = arms(data)[0]
    config = arm.config(arm.stream(0, 0))
    key, folder = key_and_folder(arm)
    where = {
        "max_minutes": 1.0,
        "checkpoint_minutes": 1.0,
        "device": "auto" if not torch.cuda.is_available() else "cpu",
    }
    assert key_and_folder(dataclasses.replace(arm, config=dataclasses.replace(config, **where))) == (key, folder)
    looks = {"key": "another", "release": False, "spaces": (), "validation": arm.stream}
    assert key_and_folder(dataclasses.replace(arm, **looks)) == (key, folder)
    noise = np.nextafter(data.patterns, np.float32(2))
    stream = StoredRows(dataclasses.replace(data, patterns=noise), TRAIN, Labels("absences"), 16)
    assert key_and_folder(dataclasses.replace(arm, stream=stream)) == (key, folder), "the last bits of patterns"
    assert folder == f"{key}-float32-1"
    for values, name in (({"threads": 2}, f"{key}-float32-2"), ({"precision": "bfloat16"}, f"{key}-bfloat16-1")):
        changed = dataclasses.replace(arm, config=dataclasses.replace(config, **values))
        assert key_and_folder(changed) == (key, name)


def test_a_training_in_another_precision_is_found_and_said(data, root, monkeypatch):
    batch = {"model": MODEL | {"norm": "batch"}}
    ((arm,), tests, seeds, splits) = quickly(data, **batch)
    config = dataclasses.replace(arm.config(arm.stream(0, 0)), precision="bfloat16")
    study(KeepingRun(root / "run"), [dataclasses.replace(arm, config=config)], tests, seeds, splits)
    monkeypatch.setattr(device, "has_bfloat16", lambda _: False)
    monkeypatch.setattr(work, "train", lambda *_: pytest.fail("a training is done again"))
    found = study(KeepingRun(root / "run"), [arm], tests, seeds, splits).trainings
    assert (found.precision[0], found.threads[0]) == ("bfloat16", 1)


def test_the_execution_of_this_machine_is_preferred(data, root):
    ((arm,), tests, seeds, splits) = quickly(data)
    config = arm.config(arm.stream(0, 0))
    other = dataclasses.replace(arm, config=dataclasses.replace(config, threads=2))
    study(KeepingRun(root / "run"), [other], tests, seeds, splits)
    found = study(KeepingRun(root / "run"), [arm], tests, seeds, splits).trainings
    assert found.threads.tolist() == [2], "and it says so"
    work.carry_out([work.make_task(arm, 0, 0, tests, {("test", 0): tests[0].items(0)})], float("inf"), 1)
    for threads in (2, 1):
        changed = dataclasses.replace(arm, config=dataclasses.replace(config, threads=threads))
        found = study(KeepingRun(root / "run"), [changed], tests, seeds, splits).trainings
        assert found.threads.tolist() == [threads]


def publish(done, clone):
    """What is published of a study, in a clone without trainings; the made-up patterns are there too."""
    _, data, run, trained = done
    run.publish(clone)
    return data, trained


def test_a_clone_finds_what_is_published(done, root, no_training):
    data, trained = publish(done, root)
    run = KeepingRun(root / "run")
    found = study(run, arms(data), [asked(data)], [0], [0, 1])
    pd.testing.assert_frame_equal(found.trainings, trained.trainings)
    pd.testing.assert_frame_equal(found.history, trained.history)
    pd.testing.assert_frame_equal(found.times, trained.times)
    same_answers(found.answers, trained.answers)
    assert not (root / "data" / "work").exists()
    for name in (*run.released, "predictions/test-direct-split1-seed0.npz", "trainings.csv", "history.csv"):
        assert (run.folder / name).read_bytes() == (done[2].folder / name).read_bytes(), name


def test_two_studies_of_one_notebook_stand_side_by_side(done, root, no_training):
    data, _ = publish(done, root)
    published = root / "data" / "results" / "06_labels"
    run = KeepingRun(root / "run")
    for part, chosen in (("first", slice(0, 1)), ("second", slice(1, 2))):
        study(run, arms(data)[chosen], [asked(data)], [0], [0, 1], part=part)
    assert {name for name in run.values if "n_splits" in name} == {"first_n_splits", "second_n_splits"}
    shutil.rmtree(published)
    run.publish(root / "clone")
    shutil.copytree(root / "clone" / "data" / "results" / "06_labels", published)
    for part, chosen in (("first", slice(0, 1)), ("second", slice(1, 2))):
        found = study(KeepingRun(root / "again"), arms(data)[chosen], [asked(data)], [0], [0, 1], part=part)
        pd.testing.assert_frame_equal(found.times, pd.read_csv(published / f"{part}_training_times.csv"))


def test_another_study_finds_nothing_under_a_stem_of_its_own(done, root, no_training):
    data, _ = publish(done, root)
    with pytest.raises(pytest.fail.Exception, match="done again"):
        study(KeepingRun(root / "run", "07_other"), arms(data), [asked(data)], [0], [0, 1])


@pytest.mark.parametrize("change", ["recipe", "test", "predictions"])
def test_a_clone_trains_what_is_not_published(done, root, no_training, change):
    data, _ = publish(done, root)
    tests, passes = [asked(data)], 2
    if change == "recipe":
        passes = 3
    elif change == "test":
        tests = [asked(data, rows=OTHER_ROWS)]
    else:
        (root / "data" / "results" / STEM / "predictions" / "test-direct-split0-seed0.npz").unlink()
    with pytest.raises(pytest.fail.Exception, match="done again"):
        study(KeepingRun(root / "run"), arms(data, passes=passes), tests, [0], [0, 1])


def test_weights_that_are_gone_or_of_another_training_are_not_released(done, root, no_training):
    data, _ = publish(done, root)
    models = root / "data" / "models"
    assert weights_header(models / f"{STEM}-direct_seed0.safetensors")["notes"]
    with pytest.raises(FileNotFoundError, match=r"06_labels-direct_seed0\.safetensors are gone; .*git checkout"):
        study(KeepingRun(root / "run"), arms(data), [asked(data)], [0], [1])  # there lie those of split 0
    (models / f"{STEM}-by_group_seed0.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"06_labels-by_group_seed0\.safetensors are gone"):
        study(KeepingRun(root / "run"), arms(data), [asked(data)], [0], [0])
    study(KeepingRun(root / "run"), arms(data, release=False), [asked(data)], [0], [0, 1])


def test_a_damaged_file_of_predictions_is_named(data, root):
    given = quickly(data)
    study(KeepingRun(root / "run"), *given)
    (path,) = (root / "data" / "work" / "trainings").glob("*/test-*.npz")
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(ValueError, match=rf"{path.name} does not hold answers .*delete it and run again"):
        study(KeepingRun(root / "run"), *given)
    path.unlink()
    study(KeepingRun(root / "run"), *given)


def test_a_training_that_is_not_finished_pauses_the_run_and_goes_on(data, root, capsys):
    given = arms(data), [asked(data)], [0], [0]
    whole = study(KeepingRun(root / "run"), *given)
    folders = sorted((root / "data" / "work" / "trainings").glob("t*"))
    kept = [(folder / "weights.safetensors").read_bytes() for folder in folders]
    for folder in folders:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    with pytest.raises(Paused, match="2 of 2 trainings are not finished after 1e-05 minutes"):
        study(KeepingRun(root / "run"), *given, max_minutes=1e-5)
    capsys.readouterr()
    again = study(KeepingRun(root / "run"), *given)
    said = capsys.readouterr().out
    assert "2 trainings, 0 of them found; 2 with 0.00 million items to do" in said
    assert "direct, split 0, seed 0: step 6/6" in said
    assert [(folder / "weights.safetensors").read_bytes() for folder in folders] == kept
    same_answers(again.answers, whole.answers)
    assert again.trainings["items"].tolist() == [80, 80]


def test_no_training_begins_after_the_limit(data, root):
    task = work.make_task(arms(data)[0], 0, 0, [], {})
    work.train(task, time.monotonic() - 1, print)
    assert not task.folder.exists()
    work.train(task, time.monotonic() + 1e-3, lambda _: None)
    assert (task.folder / "last.pt").is_file() and not (task.folder / "done.json").exists()


def test_paired_splits_and_seeds(data, root):
    trained = study(KeepingRun(root / "run"), arms(data, passes=1)[:1], [asked(data)], [3, 4], [0, 1], paired=True)
    assert trained.cells == [("direct", 0, 3), ("direct", 1, 4)] == [("direct", *pair) for pair in trained.repeats()]
    with pytest.raises(ValueError, match="shorter"):
        study(KeepingRun(root / "run"), arms(data)[:1], [asked(data)], [3], [0, 1], paired=True)


def test_an_arm_may_name_the_seeds_that_it_is_trained_with(data, root):
    first, second = arms(data, passes=1, release=False)
    trained = study(
        KeepingRun(root / "run"), [first, dataclasses.replace(second, seeds=(1,))], [asked(data)], [0, 1], [0]
    )
    assert trained.cells == [("direct", 0, 0), ("direct", 0, 1), ("by_group", 0, 1)]


@pytest.mark.parametrize("twice", ["arms", "tests", "repetitions"])
def test_what_occurs_twice_is_refused(data, root, no_training, twice):
    given = {"arms": arms(data), "tests": [asked(data)], "seeds": [0], "splits": [0]}
    if twice == "repetitions":
        given["seeds"] = [0, 0]
    else:
        given[twice] = 2 * given[twice][:1]
    with pytest.raises(ValueError, match=f"{twice} need keys of their own"):
        study(KeepingRun(root / "run"), **given)


def test_the_stage_of_trainings_is_noted(there, no_training):
    folder, data, _, _ = there
    stages.forget()
    study(KeepingRun(folder / "noted"), arms(data), [asked(data)], [0], [0])
    assert stages.used()["training"] == {"version": work.fit.__globals__["TRAINING"].version, "code": ""}


def test_several_processes_give_what_one_gives(done, root, capsys):
    _, data, run, trained = done
    tasks = [work.make_task(arm, 0, 0, [], {}) for arm in arms(data)]
    tasks[0].folder.parent.mkdir(parents=True)
    tasks[0].folder.with_name(f"{tasks[0].folder.name}.log").write_text("a line of an earlier process\n")
    several = study(KeepingRun(root / "run"), arms(data), [asked(data)], [0], [0, 1], workers=2)
    same_answers(several.answers, trained.answers)
    assert several.trainings.key.tolist() == trained.trainings.key.tolist()
    for name in run.released:
        assert (root / "run" / name).read_bytes() == (run.folder / name).read_bytes(), "bit for bit"
    said = capsys.readouterr().out
    assert all(f"{arm}, split {split}, seed 0: step 6/6" in said for arm, split, _ in trained.cells)
    assert "earlier process" not in said and said.count("step 3/6") == 4


def test_how_many_processes_are_worth_while(data, monkeypatch):
    monkeypatch.setattr(work.machine, "cores", lambda: 4)
    task = work.make_task(arms(data)[0], 0, 0, [], {})

    def processes(n_tasks, n_items, threads=1):
        config = dataclasses.replace(task.config, threads=threads)
        return work.processes_for([dataclasses.replace(task, n_items=n_items, config=config)] * n_tasks)

    assert [processes(8, 80), processes(8, 10**6), processes(3, 10**6), processes(8, 10**6, threads=2)] == [1, 4, 3, 2]


def test_a_process_ends_with_the_one_that_asked_for_it(data, root, monkeypatch):
    monkeypatch.setattr(work, "train", lambda *_: time.sleep(600))
    task = work.make_task(arms(data)[0], 0, 0, [], {})
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    worker = multiprocessing.get_context("fork").Process(
        target=work._train_apart, args=(task, float("inf"), parent.pid, root)
    )
    worker.start()
    try:
        worker.join(2)
        assert worker.exitcode is None, "as long as the other runs"
        parent.kill()
        parent.wait()
        worker.join(60)
        assert worker.exitcode == 1
    finally:
        parent.kill()
        worker.kill()


def test_a_configuration_may_be_given_as_it_is(data, root):
    arm = arms(data)[0]
    assert isinstance(arm, Arm)
    config = TrainConfig(steps=2, lr=1e-3, warmup_steps=0, device="cpu", seed=9)
    task = work.make_task(dataclasses.replace(arm, config=config), 0, 5, [], {})
    assert task.config.seed == 5 and task.n_items == 32, "its seed becomes that of the training"
    assert Passes(4, 1e-3, "cpu", of_items=10)(arm.stream(0, 0)).steps == 3, "one pass of 40 items is nearest to 40"
    assert Passes(4, 1e-3, "cpu", of_items=25)(arm.stream(0, 0)).steps == 6
