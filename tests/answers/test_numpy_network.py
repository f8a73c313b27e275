"""The network in numpy is the network: the same probabilities as torch, for whatever a released file may hold."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from paperlib.answers.card import read_card
from paperlib.answers.network_input import above_baseline, is_measured
from paperlib.answers.numpy_network import read_network
from paperlib.diffraction import baseline
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.diffraction.draws import draw
from paperlib.diffraction.measurement import detector_mask
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT, MINERALS
from paperlib.diffraction.simulate import powder_patterns
from paperlib.lab.results import released_model
from paperlib.learning.models import build_model
from paperlib.learning.weights import load_weights, save_weights, tensors_digest

from .released import STEP, network, torch_probabilities, write


@pytest.fixture(scope="module")
def patterns(prototypes):
    """Simulated minerals with all that is wrong with a measurement, and noise; some were not measured everywhere."""
    crystals = prototypes[:60:10]
    made = powder_patterns(crystals, MINERAL_INSTRUMENT, seed=1, imperfections=MINERALS)
    reached = detector_mask(draw(MINERALS, 1, np.arange(len(crystals))), MINERAL_INSTRUMENT)
    simulated = made.masked_fill(~reached, NOT_MEASURED).numpy()
    rng = np.random.default_rng(2)
    random = rng.uniform(0, 1, (5, MINERAL_INSTRUMENT.n_points)).astype(np.float32) ** 4
    random[1, 300:500] = NOT_MEASURED
    random[2, :1000] = NOT_MEASURED
    random[3] = NOT_MEASURED
    return np.concatenate([simulated, random])


def test_the_baseline_is_that_of_torch(patterns):
    tensor = torch.from_numpy(patterns)
    assert not is_measured(patterns).all() and is_measured(patterns).any()
    np.testing.assert_array_equal(is_measured(patterns), baseline.is_measured(tensor).numpy())
    np.testing.assert_allclose(
        above_baseline(patterns, STEP), baseline.above_baseline(tensor, STEP).numpy(), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "size",
    [
        {},
        {"coverage": False},
        {"coordinate": True},
        {"input": "square_root", "step": 0.0},
        {"input": "linear", "coverage": False},
        {"activation": "gelu", "strides": (2, 3), "channels": (8, 8)},
        {"channels": (8, 8, 16), "strides": (1, 1, 2), "kernel": 3},
    ],
    ids=lambda size: "-".join(map(str, size)) or "as released",
)
def test_the_probabilities_are_those_of_torch(tmp_path, patterns, size, seed):
    model = network(seed=seed, **size)
    ours = read_network(write(tmp_path / "net.safetensors", model))
    logits = ours.logits(patterns)
    p = np.exp(logits - logits.max(1, keepdims=True))
    expected = torch_probabilities(model, patterns)
    np.testing.assert_allclose(p / p.sum(1, keepdims=True), expected, atol=1e-4)
    assert expected.max() > 0.05 and np.ptp(expected, axis=0).max() > 0.05, "the answers differ between patterns"


def test_the_released_network_answers_as_in_torch(patterns):
    if not (file := released_model("13_measured", "fine_tuned_all_seed0.safetensors")).is_file():
        pytest.skip("no network that reads measured patterns is released")
    logits = read_network(file).logits(patterns)
    p = np.exp(logits - logits.max(1, keepdims=True))
    expected = torch_probabilities(load_weights(file, "space_group", MINERAL_INSTRUMENT.n_points).model, patterns)
    np.testing.assert_allclose(p / p.sum(1, keepdims=True), expected, atol=1e-4)
    assert read_card(file.with_suffix(".json"), complete=True).refuse_below > 0 and file.stat().st_size < 10e6


def test_many_patterns_are_answered_as_one_by_one(tmp_path, patterns, monkeypatch):
    ours = read_network(write(tmp_path / "net.safetensors", network()))
    together = ours.logits(patterns)
    monkeypatch.setattr("paperlib.answers.numpy_network.AT_ONCE", 3)
    np.testing.assert_allclose(ours.logits(patterns), together, atol=1e-4)
    np.testing.assert_allclose(np.concatenate([ours.logits(row[None]) for row in patterns]), together, atol=1e-4)
    assert ours.logits(patterns[:0]).shape == (0, 230)
    with pytest.raises(ValueError, match=r"reads patterns of shape \(n, 2125\), got \(11, 2124\)"):
        ours.logits(patterns[:, 1:])


def test_the_file_says_what_it_is(tmp_path):
    ours = read_network(write(tmp_path / "13_x-y_seed0.safetensors", network(), training="t1"))
    assert (ours.name, ours.class_scheme, ours.n_points) == ("13_x-y_seed0", "space_group", 2125)
    assert ours.class_names[224] == "Fm-3m" and ours.notes == {"training": "t1"}


@pytest.mark.parametrize(
    ("name", "size", "says"),
    [
        ("resnet", {}, "architecture 'resnet', not 'position_resnet'"),
        ("position_resnet", {"norm": "group"}, "norms of the kind 'group', not 'batch'"),
        ("position_resnet", {"norm": "layer"}, "norms of the kind 'layer', not 'batch'"),
    ],
)
def test_another_architecture_is_refused_with_the_way_to_ask_it(tmp_path, name, size, says):
    path = tmp_path / "net.safetensors"
    save_weights(path, build_model(name, 3, 400, **size), "absences", "abc")
    with pytest.raises(ValueError, match=rf"net.safetensors has.*{says}|net.safetensors holds.*{says}.*load_weights"):
        read_network(path)


def test_a_size_of_a_later_version_is_refused(tmp_path):
    model = network()
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    header = {"architecture": {"name": "position_resnet", "attention": 3}, "sha256": tensors_digest(tensors)}
    save_file(tensors, tmp_path / "net.safetensors", metadata={"paperlib": json.dumps(header)})
    with pytest.raises(ValueError, match="the size 'attention', which came later"):
        read_network(tmp_path / "net.safetensors")


@pytest.mark.parametrize("damage", ["gone", "truncated", "foreign", "changed"])
def test_a_file_that_is_not_whole_is_named(tmp_path, damage):
    path = write(tmp_path / "net.safetensors", network())
    content = path.read_bytes()
    if damage == "gone":
        path = path.rename(tmp_path / "other.safetensors").with_name("net.safetensors")
        with pytest.raises(FileNotFoundError, match=r"net.safetensors \(beside it: other\)"):
            read_network(path)
        return
    if damage == "truncated":
        path.write_bytes(content[:1000])
    elif damage == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        save_file({"w": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"net\.safetensors"):
        read_network(path)


def test_reading_and_asking_needs_no_torch(tmp_path):
    path = write(tmp_path / "net.safetensors", network())
    code = (
        "import sys, numpy as np\nfrom paperlib.answers.numpy_network import read_network\n"
        f"print(read_network({str(path)!r}).logits(np.ones((2, 2125))).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "(2, 230) False", done.stderr
