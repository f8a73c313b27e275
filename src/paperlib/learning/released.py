"""The register of released models: the weights in ``data/models``, each with what it fits and where it comes from.

Publishing a run puts the weights of an arm's first seed there (:mod:`paperlib.learning.study`). A file is called
``<stem>-<arm>_seed<seed>.safetensors``; everything else that the register says stands in the header of the file.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from paperlib.lab import paths
from paperlib.learning.weights import Released, load_weights, weights_header

COLUMNS = ("file", "stem", "arm", "seed", "model", "scheme", "classes", "points", "training", "megabytes")

_NAME = re.compile(r"(?P<stem>[^-]+)-(?P<arm>\w+)_seed(?P<seed>\d+)\.safetensors")


def released_models() -> pd.DataFrame:
    """One row per released model, by name: ``file``; ``stem`` of the notebook, ``arm`` and ``seed`` that it was trained
    as; ``model`` (its architecture), ``scheme`` of its classes and how many ``classes`` and ``points``; the key of its
    ``training``, as in the table ``trainings`` of its study; and ``megabytes``. No weights are read.

    Raises ValueError, naming the file, for one that is damaged, of another origin, or called otherwise.
    """
    return pd.DataFrame([_row(path) for path in sorted(_folder().glob("*.safetensors"))], columns=list(COLUMNS))


def load_released(name: str, class_scheme: str | None = None, n_points: int | None = None) -> Released:
    """The released model ``name``, a file of the register with or without its suffix, in evaluation mode.

    Raises FileNotFoundError, with the names that there are, for another name, and ValueError where the file is damaged
    or has another ``class_scheme`` or ``n_points`` than the caller needs.
    """
    path = _folder() / f"{name.removesuffix('.safetensors')}.safetensors"
    if not path.is_file():
        there = ", ".join(sorted(other.stem for other in _folder().glob("*.safetensors"))) or "none"
        raise FileNotFoundError(f"no released model is called {name!r}; there are: {there}")
    return load_weights(path, class_scheme, n_points)


def _folder() -> Path:
    return paths.root() / "data" / "models"


def _row(path: Path) -> dict[str, object]:
    if (name := _NAME.fullmatch(path.name)) is None:
        raise ValueError(f"{path} is not called <stem>-<arm>_seed<seed>.safetensors, as publishing would")
    header = weights_header(path)
    architecture = header["architecture"]
    return {
        "file": path.name,
        "stem": name["stem"],
        "arm": name["arm"],
        "seed": int(name["seed"]),
        "model": architecture["name"],
        "scheme": header["class_scheme"],
        "classes": architecture["n_classes"],
        "points": architecture["n_points"],
        "training": header["notes"].get("training", ""),
        "megabytes": path.stat().st_size / 1e6,
    }
