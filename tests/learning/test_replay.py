"""A recorded pass on a GPU: the same logits and gradients as the network itself, which stays as it was."""

import pytest
import torch

from paperlib.learning.models import ARCHITECTURES, build_model
from paperlib.learning.replay import replayed

CPU = torch.device("cpu")


def test_on_a_cpu_nothing_is_recorded():
    model = build_model("mlp", 5, 200)
    assert replayed(model, 8, "float32", CPU) is model


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_recorded_pass_is_the_pass(name):
    device = torch.device("cuda")
    options = {} if name == "mlp" else {"dropout": 0.0}
    model, plain = (build_model(name, 5, 1000, **options).to(device).train() for _ in range(2))
    if name == "mlp":
        model, plain = model.eval(), plain.eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    drawn = torch.cuda.get_rng_state()
    forward = replayed(model, 16, "float32", device)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(drawn, torch.cuda.get_rng_state()) and "forward" not in vars(model)
    for n in (16, 16, 7):
        patterns = torch.rand(n, 1000, device=device)
        outputs = [call(patterns) for call in (forward, plain)]
        for net, logits in zip((model, plain), outputs, strict=True):
            net.zero_grad()
            logits.square().mean().backward()
        torch.testing.assert_close(*outputs, rtol=1e-3, atol=1e-4)
        for (key, a), b in zip(model.named_parameters(), plain.parameters(), strict=True):
            scale = float(b.grad.abs().max()) + 1e-6
            assert float((a.grad - b.grad).abs().max()) < 0.02 * scale, key
