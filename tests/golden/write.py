"""Write golden samples anew: ``python -m tests.golden.write patterns streams``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from paperlib.lab.store import atomic_path

from .compare import FOLDER, moved, stored
from .samples import SAMPLES, version_of


def write(
    name: str, version: int, arrays: Mapping[str, np.ndarray], tolerance: float = 0.0, folder: Path = FOLDER
) -> str:
    """Write the sample ``name`` unless it is up to date, and return what was done in words.

    Raises ValueError where the numbers moved since the sample was written and ``version`` did not.
    """
    sample = stored(name, folder)
    if sample is not None and sample[0] == version:
        if not (differences := moved(sample[1], arrays, tolerance)):
            return f"{name}: version {version}, nothing to write"
        raise ValueError(f"{name}: {'; '.join(differences)}; first raise the version of the stage, which is {version}")
    with atomic_path(folder / f"{name}.npz") as partial:
        np.savez_compressed(partial, version=version, **arrays)
    return f"{name}: written for version {version}"


def main(names: Sequence[str]) -> int:
    """Write the samples ``names``; returns the exit status."""
    if not names or not SAMPLES.keys() >= set(names):
        print(f"give names of samples: {', '.join(SAMPLES)}", file=sys.stderr)
        return 2
    for name in names:
        try:
            print(write(name, version_of(name), SAMPLES[name].make(), SAMPLES[name].tolerance))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
