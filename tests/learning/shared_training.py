"""What the processes of a shared training run: a tiny training without dropout, whose losses and weights are kept."""

import json
import sys
from pathlib import Path

import torch

from paperlib.datasets.streams import ArrayStream
from paperlib.learning.configuration import TrainConfig
from paperlib.learning.ranks import started_ranks
from paperlib.learning.training import fit

from .problems import halves, tiny_model

N_ITEMS, BATCH = 49, 16
"""Three batches of 16 and one of a single item, which leaves nothing for the second process."""


def train(folder, max_minutes=float("inf")):
    """Train, and write what came out into a file of this process."""
    ranks = started_ranks()
    patterns, classes = halves(N_ITEMS, 0)
    stream = ArrayStream(patterns, classes, BATCH, seed=0)
    model = tiny_model(dropout=0.0)
    config = TrainConfig(12, lr=3e-3, warmup_steps=2, device="cpu", max_minutes=max_minutes)
    lines = []
    history = fit(model, stream, config, folder / "run", validation=stream, report=lines.append, ranks=ranks)
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    made = {"rounds": history.rounds.to_dict("list"), "items": history.items, "steps": history.steps}
    made |= {"lines": len(lines), "weights": weights.tolist(), "world": ranks.world}
    (folder / f"process{ranks.rank}.json").write_text(json.dumps(made))


if __name__ == "__main__":
    train(Path(sys.argv[1]))
