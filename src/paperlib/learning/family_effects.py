"""What families of reflections say to a network, for or against the class of their crystal, in log-odds.

The effect is told in natural log-odds of the class, log p / (1 - p). Probabilities of patterns that are read well lie
so close to 1 that nothing can be seen to speak for them; log-odds have no such end, an effect of 1 is a factor e in
the odds wherever it happens, and integrated gradients of them add up.

Every effect is that of the *height of a family*, all else kept:

- *deletion*, of an allowed family: log-odds as it is, less log-odds without it;
- *insertion*, of a forbidden one: log-odds with a line put in, less log-odds as it is;
- *integrated gradients* of the heights. With the mean gradient g of the points on the way from a baseline b to the
  pattern x, which Captum's map M holds as M = (x - b) g, a family whose profile adds p to the difference between both
  gets sum(p g). Where lines overlap, points are so shared by what each contributes, the sum over all families is that
  over all points, and no width around a line has to be chosen. The difference x - b is the pattern itself for the
  empty baseline; the pattern less the background for a flat one, in which the families get their part and the
  background the rest; and less the forbidden lines for the pattern with these filled in: allowed families are the
  same at both ends of that way and get nothing, forbidden ones what their absence says.

Positive speaks for the class: a line that is taken away and missed, or one put in that is welcome. For the last
baseline the sign is turned, so that it tells, as insertion does, what the line would say if it were there.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from paperlib.learning.attribution import MIRRORED, SEGMENTS, Attributions, attribute
from paperlib.learning.family_trials import FamilyTrials
from paperlib.learning.map_judgement import PUT_IN
from paperlib.learning.trial_worlds import TrialWorld

_BLOCK = 512
_NO_WAY = 1e-7
"""Points that differ less between pattern and baseline have no part in the way."""


class LogOdds(nn.Module):
    """The log-odds of every class of a network as scores of their own.

    Logits (n, c) become (n, 2 c): the log-odds of each class, and the same with the other sign, so that the mean over
    them, which attributions take off (:mod:`paperlib.learning.attribution`), is 0.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.n_classes = 2 * model.n_classes

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, 2 c) scores."""
        logits = self.model(patterns)
        none = torch.full_like(logits[:, :1], -torch.inf)
        # the sum over all other classes, without taking the own one off a sum that it may be nearly all of
        before = torch.cat([none, logits.logcumsumexp(1)[:, :-1]], 1)
        after = torch.cat([logits.flip(1).logcumsumexp(1).flip(1)[:, 1:], none], 1)
        odds = logits - torch.logaddexp(before, after)
        return torch.cat([odds, -odds], 1)


@torch.no_grad()
def log_odds(model: nn.Module, patterns: Tensor, targets: np.ndarray) -> np.ndarray:
    """(n,) float64: natural log-odds of the classes ``targets`` (n,) for (n, n_points) patterns."""
    model.eval()
    device = next(model.parameters()).device
    logits = torch.cat([model(rows.to(device)) for rows in patterns.split(256)]).double().cpu()
    wanted = torch.from_numpy(np.asarray(targets, dtype=np.int64))[:, None]
    others = logits.scatter(1, wanted, -torch.inf).logsumexp(1)
    return (logits.gather(1, wanted)[:, 0] - others).numpy()


def experiment(
    models: Mapping[str, nn.Module],
    targets: Mapping[str, np.ndarray],
    world: TrialWorld,
    made: FamilyTrials,
    gradients: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """What becomes of the log-odds of ``targets`` (n,) of each of ``models``, by name, when the line of each trial is
    taken away (as it is less without it) or put in with the height :data:`PUT_IN` (with it less as it is), (t,). For
    each of the mean ``gradients`` (n, n_points), by name, what the family gets of it, (t,); NaN where they are."""
    trials, gradients = made.trials, gradients or {}
    crystal = trials.table["crystal"].to_numpy()
    before = {name: log_odds(model, world.patterns(), targets[name]) for name, model in models.items()}
    found = {name: np.full(len(trials), np.nan) for name in (*models, *gradients)}
    for begin in range(0, len(trials), _BLOCK):
        chosen = np.arange(begin, min(begin + _BLOCK, len(trials)))
        rows, lines = crystal[chosen], np.isin(trials.trial, chosen)
        fixed, changed = world.parts(trials, chosen)
        taken = bool(np.isfinite(trials.intensity[lines]).all())
        patterns = world.made(fixed, changed, 0.0 if taken else PUT_IN, rows)
        for name, model in models.items():
            change = log_odds(model, patterns, targets[name][rows]) - before[name][rows]
            found[name][chosen] = -change if taken else change
        for name, gradient in gradients.items():
            found[name][chosen] = (1.0 if taken else PUT_IN) * (changed.numpy() * gradient[rows]).sum(1)
    return found


def mean_gradients(
    model: nn.Module,
    world: TrialWorld,
    targets: np.ndarray,
    baselines: Mapping[str, Tensor],
    *,
    tolerance: float,
    max_steps: int,
) -> tuple[dict[str, np.ndarray], dict[str, Attributions]]:
    """The mean gradients (n, n_points) of the log-odds of ``targets`` (n,) on the way from each of the ``baselines``
    (n, n_points) to the patterns of ``world``, and the maps that they come from, both by name. ``tolerance`` and
    ``max_steps`` as in :func:`paperlib.learning.attribution.attribute`."""
    scores, patterns = LogOdds(model), world.patterns()
    maps, gradients = {}, {}
    for name, start in baselines.items():
        cuts = SEGMENTS if name == "zero" else MIRRORED
        maps[name] = attribute(
            scores, patterns, targets, baseline=start, tolerance=tolerance, max_steps=max_steps, cuts=cuts
        )
        way = (patterns - start).double().numpy()
        far = np.abs(way) > _NO_WAY
        gradients[name] = np.where(far, maps[name].maps / np.where(far, way, 1.0), 0.0)
    return gradients, maps
