"""Networks with fresh weights in files like the released ones, for tests of what is said of their answers."""

import numpy as np
import torch

from paperlib.datasets.labels import Labels
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT
from paperlib.learning.models import build_model
from paperlib.learning.weights import save_weights

STEP = MINERAL_INSTRUMENT.step
SMALL = {"channels": (6, 8, 8, 12), "strides": (2, 2, 2, 2), "hidden": 24, "norm": "batch"}
AS_RELEASED = SMALL | {
    **{"stem_kernel": 15, "stem_stride": 4, "input": "above_baseline", "coverage": True, "step": STEP},
}
"""The released architecture but for its size."""


def network(n_classes=230, n_points=MINERAL_INSTRUMENT.n_points, seed=0, **size):
    """A position_resnet whose norms have seen patterns, so that its answers differ from one to another."""
    model = build_model("position_resnet", n_classes, n_points, seed=seed, **(AS_RELEASED | {"dropout": 0.0} | size))
    generator = torch.Generator().manual_seed(seed)
    seen = torch.rand((24, n_points), generator=generator) ** 30
    for module in model.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.momentum = None
            module.weight.data = 0.5 + torch.rand(module.weight.shape, generator=generator)
            module.bias.data = torch.randn(module.bias.shape, generator=generator) / 2
    with torch.no_grad():
        model.train()(seen)
        model.head.weight *= 4
    return model.eval()


def write(path, model, scheme="space_group", **notes):
    names = Labels(scheme).names if model.n_classes == len(Labels(scheme)) else range(model.n_classes)
    save_weights(path, model, scheme, names, **notes)
    return path


def torch_probabilities(model, patterns):
    with torch.no_grad():
        return model(torch.from_numpy(np.asarray(patterns, dtype=np.float32))).softmax(1).numpy()
