"""What a model looks at: attribution maps on the points of a pattern, by Captum.

The score that is explained is z_t − mean(z): the logit of class t less the mean over the classes, since a
number added to all logits changes no probability. For groups of classes (an extinction group of a 230-class
model) z_t is the logarithm of the summed exponentials of the members.

*Integrated gradients* (Sundararajan, Taly and Yan, arXiv:1703.01365): with the path p(a) = b + a (x − b) from
a baseline b to the pattern x, point i is given (x_i − b_i) ∫ ∂score/∂p_i da. The maps add up to the
difference in score between x and b (completeness), which measures the error of the integral. A LayerNorm
sees the shape of its input and hardly the size, so that close to an empty baseline the score changes within
a small part of the path. The path is therefore cut, the integral is additive over its segments, and in each
the Gauss-Legendre steps are doubled until the segment's share of the error is small enough.

*Grad-CAM* (Selvaraju et al., arXiv:1610.02391): activations of one stage, weighted by their mean gradient. Its
maps are as coarse as the positions of the stage, and no sum rule controls them. The mean over positions is
harmless in the last stage before the maximum; in earlier ones it mixes places that work against each other,
and the map need not point to the peaks that decide (measured on single and double peaks in the tests'
problem: at the last stage all of 30 patterns, one stage earlier between 0 and 67 %).

*Saliency* (Simonyan, Vedaldi and Zisserman, arXiv:1312.6034): the size of the gradient of the score. *Occlusion*
(Zeiler and Fergus, arXiv:1311.2901): what the score loses where a window of points is set to the baseline, shared out
over the windows that a point lies in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion, Saliency
from torch import Tensor, nn

from paperlib.learning.prediction import group_of_each_class

METHODS = ("integrated_gradients", "grad_cam", "saliency", "occlusion")
SEGMENTS = (0.0, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 1.0)
"""Where the path of integrated gradients is cut, as fractions of the way from baseline to pattern."""
MIRRORED = tuple(1 - cut for cut in reversed(SEGMENTS))
"""Cuts for a baseline that holds something where the pattern holds nothing: what is left of it shrinks to nothing at
the end of the path."""
_BATCH = 512
"""Patterns that go through the model together with gradients: a few hundred megabytes at 1000 points."""
_FIRST_STEPS = 8
_MIN_POSITIONS = 8


@dataclass(frozen=True, eq=False)
class Attributions:
    """Maps for n patterns, and how far they can be trusted."""

    method: str
    """One of :data:`METHODS`."""
    maps: np.ndarray
    """(n, n_points) float32; Grad-CAM's are interpolated between the centres of its positions, saliency has no sign."""
    delta: np.ndarray
    """(n,) error of completeness: the sum over the segments of |sum of the map − difference in score|, which
    no cancellation makes smaller; NaN for other methods than integrated gradients."""
    score_difference: np.ndarray
    """(n,) score of the pattern less score of the baseline; NaN for other methods."""
    converged: np.ndarray
    """(n,) bool: delta is within the tolerance; False for other methods, which have no such test."""
    steps: np.ndarray
    """(n,) gradients that were averaged for each map, over all its segments; 1 for other methods."""
    resolution: float
    """Points between neighbouring values before interpolation: 1 but for Grad-CAM."""
    stage: str
    """The stage that Grad-CAM looked at; else empty."""
    position_maps: np.ndarray
    """(n, n_positions) maps before interpolation; but for Grad-CAM the maps themselves."""


class _Scores(nn.Module):
    """(n, n_points) patterns to the (n, n_groups) scores of the module's head."""

    def __init__(self, model: nn.Module, class_of: np.ndarray | None) -> None:
        super().__init__()
        self.model = model
        self.members: list[Tensor] | None = None
        if class_of is not None:
            groups = torch.from_numpy(group_of_each_class(class_of, model.n_classes))
            groups = groups.to(next(model.parameters()).device)
            self.members = [torch.nonzero(groups == g)[:, 0] for g in range(int(groups.max()) + 1)]

    @property
    def n_scores(self) -> int:
        return self.model.n_classes if self.members is None else len(self.members)

    def forward(self, patterns: Tensor) -> Tensor:
        logits = self.model(patterns)
        centre = logits.mean(1, keepdim=True)
        if self.members is None:
            return logits - centre
        return torch.stack([logits[:, m].logsumexp(1) for m in self.members], 1) - centre


def attribute(
    model: nn.Module,
    patterns: np.ndarray | Tensor,
    targets: np.ndarray | Tensor,
    method: str = "integrated_gradients",
    *,
    class_of: np.ndarray | None = None,
    baseline: np.ndarray | Tensor | None = None,
    tolerance: float = 0.01,
    max_steps: int = 1024,
    stage: str | None = None,
    window: int = 3,
    cuts: Sequence[float] = SEGMENTS,
) -> Attributions:
    """Attribution maps of the score of ``targets`` (n,) for (n, n_points) patterns.

    ``class_of`` scores groups of classes as in :func:`paperlib.learning.prediction.group_of_each_class`;
    targets are then groups. Integrated gradients start from ``baseline``, (n_points,) or (n, n_points), by default the
    empty pattern, and try to bring ``delta`` within ``tolerance`` of the difference in score with at most
    ``max_steps`` steps in each segment between ``cuts``; where they fail ``converged`` is False. Grad-CAM looks at
    ``stage``, by default the deepest with at least 8 positions. Occlusion sets ``window`` points at a time to the
    baseline. The model keeps its mode and gradients.

    Raises ValueError for an unknown method or stage, a stage with a single position, wrong shapes, targets
    that are no class, and numbers that are not finite.
    """
    if method not in METHODS:
        raise ValueError(f"unknown attribution method {method!r}; choose one of {', '.join(METHODS)}")
    device = next(model.parameters()).device
    scores = _Scores(model, class_of)
    x = torch.as_tensor(patterns).to(device, torch.float32)
    t = torch.as_tensor(targets).to(device, torch.int64)
    if x.ndim != 2 or t.shape != (len(x),):
        raise ValueError(f"expected (n, n_points) patterns and (n,) targets, got {tuple(x.shape)} and {tuple(t.shape)}")
    if len(t) and not 0 <= int(t.min()) <= int(t.max()) < scores.n_scores:
        raise ValueError(f"targets must lie in 0 … {scores.n_scores - 1}: {int(t.min())=}, {int(t.max())=}")
    if not torch.isfinite(x).all():
        raise ValueError(f"pattern {int(torch.argwhere(~torch.isfinite(x))[0, 0])} is not finite; leave it out")
    was_training = model.training
    scores.eval()
    try:
        if method == "grad_cam":
            return _grad_cam(scores, x, t, stage)
        if method == "saliency":
            parts = zip(x.split(_BATCH), t.split(_BATCH), strict=True)
            return _without_sum_rule(
                method, [Saliency(scores).attribute(rows.clone().requires_grad_(), target=c) for rows, c in parts]
            )
        b = (
            torch.zeros_like(x)
            if baseline is None
            else torch.as_tensor(baseline).to(device, torch.float32).expand_as(x)
        )
        if method == "occlusion":
            return _without_sum_rule(method, _occluded(scores, x, b, t, window))
        return _integrated_gradients(scores, x, b, t, tolerance, max_steps, cuts)
    finally:
        model.train(was_training)


def _integrated_gradients(
    scores: _Scores, x: Tensor, b: Tensor, t: Tensor, tolerance: float, max_steps: int, at: Sequence[float]
) -> Attributions:
    n, n_points, n_segments = *x.shape, len(at) - 1
    cuts = torch.tensor(at, device=x.device, dtype=torch.float32)
    at_cuts = torch.stack([_score(scores, b + a * (x - b), t) for a in cuts], 1)  # (n, n_segments + 1)
    gains = at_cuts.diff(dim=1)
    allowed = tolerance * (at_cuts[:, -1] - at_cuts[:, 0]).abs() / n_segments

    captum = IntegratedGradients(scores)
    maps = torch.zeros(n, n_segments, n_points, device=x.device)
    error = torch.full((n, n_segments), torch.inf, device=x.device)
    used = torch.zeros(n, n_segments, dtype=torch.int64)
    steps = _FIRST_STEPS
    while steps <= max_steps and (error > allowed[:, None]).any():
        todo = torch.argwhere(error > allowed[:, None])
        for rows in todo.split(max(1, _BATCH // steps)):
            i, s = rows[:, 0], rows[:, 1]
            way = x[i] - b[i]
            part = captum.attribute(
                b[i] + cuts[s + 1, None] * way,
                baselines=b[i] + cuts[s, None] * way,
                target=t[i],
                n_steps=steps,
                internal_batch_size=_BATCH,
            )
            maps[i, s] = part
            error[i, s] = (part.sum(1) - gains[i, s]).abs()
            used[i.cpu(), s.cpu()] = steps
        steps *= 2
    delta, difference = error.sum(1), at_cuts[:, -1] - at_cuts[:, 0]
    whole = maps.sum(1).cpu().numpy()
    return Attributions(
        method="integrated_gradients",
        maps=whole,
        delta=delta.cpu().numpy(),
        score_difference=difference.cpu().numpy(),
        converged=(delta <= tolerance * difference.abs()).cpu().numpy(),
        steps=used.sum(1).numpy(),
        resolution=1.0,
        stage="",
        position_maps=whole,
    )


@torch.no_grad()
def _score(scores: _Scores, x: Tensor, t: Tensor) -> Tensor:
    parts = [scores(rows) for rows in x.split(_BATCH)]
    return torch.cat(parts)[torch.arange(len(x), device=x.device), t]


@torch.no_grad()
def _occluded(scores: _Scores, x: Tensor, b: Tensor, t: Tensor, window: int) -> list[Tensor]:
    """Maps pattern by pattern: the windows of one fill the batches."""
    at_once, occlusion = min(_BATCH, x.shape[1]), Occlusion(scores)
    return [
        occlusion.attribute(x[i : i + 1], (window,), baselines=b[i : i + 1], target=t[i : i + 1],
                            perturbations_per_eval=at_once)
        for i in range(len(x))
    ]  # fmt: skip


def _without_sum_rule(method: str, parts: list[Tensor]) -> Attributions:
    maps = torch.cat(parts).detach().cpu().numpy().astype(np.float32)
    unknown = np.full(len(maps), np.nan, dtype=np.float32)
    no, one = np.zeros(len(maps), dtype=bool), np.ones(len(maps), dtype=np.int64)
    return Attributions(method, maps, unknown, unknown, no, one, 1.0, "", maps)


def _grad_cam(scores: _Scores, x: Tensor, t: Tensor, stage: str | None) -> Attributions:
    table = scores.model.resolution()
    if stage is None:
        stage = next((name for name in reversed(table) if table[name].n_positions >= _MIN_POSITIONS), next(iter(table)))
    if stage not in table or table[stage].n_positions < 2:
        choices = ", ".join(f"{name} ({r.n_positions})" for name, r in table.items() if r.n_positions > 1)
        raise ValueError(f"Grad-CAM needs a stage with positions, got {stage!r}; choose one of {choices or 'none'}")
    captum = LayerGradCam(scores, getattr(scores.model.stages, stage))
    maps = [
        captum.attribute(rows, target=classes, relu_attributions=True).detach().flatten(1)
        for rows, classes in zip(x.split(_BATCH), t.split(_BATCH), strict=True)
    ]
    coarse = torch.cat(maps).cpu().numpy()
    where = table[stage].first_centre + table[stage].span * np.arange(table[stage].n_positions)
    points = np.arange(x.shape[1])
    unknown = np.full(len(x), np.nan, dtype=np.float32)
    return Attributions(
        method="grad_cam",
        maps=np.stack([np.interp(points, where, row) for row in coarse]).astype(np.float32),
        delta=unknown,
        score_difference=unknown,
        converged=np.zeros(len(x), dtype=bool),
        steps=np.ones(len(x), dtype=np.int64),
        resolution=float(table[stage].span),
        stage=stage,
        position_maps=coarse,
    )
