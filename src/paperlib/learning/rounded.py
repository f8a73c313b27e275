"""Weights of a training rounded to half precision, to be released: a file of half the size, of the same answers but for
the third digit of a probability."""

from __future__ import annotations

import shutil
from pathlib import Path

from paperlib.lab import paths
from paperlib.lab.results import released_model
from paperlib.lab.run import Run
from paperlib.learning.kept import weights_name
from paperlib.learning.study import Trained
from paperlib.learning.weights import load_weights, save_weights, weights_header

ROUNDED = "float16"


def release_rounded(run: Run, trained: Trained, arm: str, seed: int) -> Path:
    """Release the weights of the training ``seed`` of ``arm`` (of its only split) rounded to half precision, and return
    the file; where they are not on this machine but were released before, these.

    Raises FileNotFoundError where they are neither.
    """
    rows = trained.trainings[(trained.trainings["arm"] == arm) & (trained.trainings["seed"] == seed)]
    (key,) = rows["key"]
    name = weights_name(arm, seed)
    target = run.file(name, publish=False, release=True)
    if here := sorted(paths.trainings().glob(f"{key}-*/weights.safetensors")):
        released = load_weights(here[0])
        notes = released.notes | {"rounded": ROUNDED}
        save_weights(target, released.model.half(), released.class_scheme, released.class_names, **notes)
        return target
    before = released_model(run.stem, name)
    if not before.is_file() or weights_header(before)["notes"].get("training") != key:
        raise FileNotFoundError(
            f"the weights of {arm}, seed {seed} (training {key}) are not here; delete {paths.trainings()}/{key}-* and "
            "run the notebook again to train it"
        )
    shutil.copyfile(before, target)
    return target
