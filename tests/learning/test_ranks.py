"""A training shared by two processes: the loss curve of one, and what cannot be shared."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from paperlib.learning.ranks import ALONE, Ranks, started_ranks
from tests.conftest import ROOT

from .problems import tiny_model
from .shared_training import train


def test_two_processes_have_the_loss_curve_of_one(tmp_path):
    both, one = tmp_path / "both", tmp_path / "one"
    both.mkdir()
    one.mkdir()
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    command = [*launcher, "-m", "tests.learning.shared_training", str(both)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    train(one)
    alone, first, second = (json.loads(p.read_text()) for p in (one / "process0.json", *sorted(both.glob("*.json"))))
    assert (alone["world"], first["world"], second["world"]) == (1, 2, 2)
    assert first["items"] == alone["items"] == 3 * 49 and first["steps"] == 12
    for made in (first, second):
        assert np.allclose(made["rounds"]["loss"], alone["rounds"]["loss"], rtol=0, atol=1e-5)
        assert np.allclose(made["weights"], alone["weights"], rtol=0, atol=1e-4)
    assert first["weights"] == second["weights"] and first["rounds"] == second["rounds"]
    assert alone["rounds"]["loss"][-1] < 0.9 * alone["rounds"]["loss"][0], "something was learnt"
    assert (first["lines"], second["lines"]) == (3, 0), "the first process reports"
    assert json.loads((both / "run" / "run.json").read_text())["ranks"] == 2


def test_the_parts_of_a_batch_are_all_of_it_once_with_its_weights():
    patterns, targets = torch.arange(14.0).reshape(7, 2), torch.arange(7)
    parts = [Ranks(rank, 3).part(patterns, targets) for rank in range(3)]
    assert sorted(torch.cat([own for _, own, _ in parts]).tolist()) == list(range(7))
    assert all(torch.equal(own[:, 0] / 2, classes.float()) for own, classes, _ in parts)
    mean = sum(weight * classes.float().mean() for _, classes, weight in parts) / 3
    assert float(mean) == pytest.approx(3)
    _, left, weight = Ranks(2, 3).part(patterns[:2], targets[:2])
    assert len(left) == 1 and weight == 0
    assert ALONE.part(patterns, targets)[0] is patterns and ALONE.identity() == {} and started_ranks() == ALONE
    assert len({Ranks(rank, 2).dropout_seed(0, step) for rank in (0, 1) for step in range(5)}) == 10


def test_batchnorm_is_not_shared():
    with pytest.raises(ValueError, match=r"ResNet has BatchNorm .*norm='group'"):
        Ranks(0, 2).joined(tiny_model(norm="batch"), torch.device("cpu"))
