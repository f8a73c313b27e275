"""opXRD, measured patterns of several laboratories (CC BY 4.0; Hollarek et al. 2025), as Zenodo keeps it.

A pattern is one JSON file: ``two_theta_values``, ``intensities``, ``label`` (phases, wavelengths) and ``metadata``, of
which the last two, and each phase within, may be JSON texts themselves.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from paperlib.datasets.homes.zips import LeftOut, leads_out, patterns_in
from paperlib.datasets.measured_sets import LabelledPattern, columns
from paperlib.lab.asking import Manners, answer
from paperlib.lab.download import kept
from paperlib.lab.fetch import mirrored
from paperlib.lab.store import write_text

HOME = "https://zenodo.org"

RECORD = "14254270"
"""The record of all versions at Zenodo; its answer is that of the newest."""


def archive(folder: Path, name: str, record: str, home: str, manners: Manners) -> Path:
    """An archive of the record, in ``folder``; what is there already is checked and not asked for again.

    Zenodo's answer (version, licence, MD5 of the files) is kept beside it as ``record.json``. Raises FileNotFoundError
    where the record holds no such file, ValueError for an answer that is none of Zenodo's, and as
    :func:`paperlib.lab.download.kept` does.
    """
    home, target = home.rstrip("/") or mirrored(HOME), folder / name
    if target.is_file():
        return kept("", target)
    url = f"{home}/api/records/{record}"
    by_hand = f"Without a network: fetch {name} from https://doi.org/10.5281/zenodo.{record}, put it at {target}"
    text = answer(url, manners, f"{by_hand}, and run this again")
    try:
        stated = json.loads(text)
        files = {file["key"]: (str(file["checksum"]), int(file["size"])) for file in stated["files"]}
        version = str(int(stated["id"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{url} did not answer with a record of Zenodo but with {text[:60]!r}") from error
    if name not in files or leads_out(name):
        raise FileNotFoundError(f"record {version} of Zenodo holds {', '.join(files)}, and no {name}")
    checksum, size = files[name]
    kept(f"{home}/api/records/{version}/files/{name}/content", target, checksum, size, manners, name)
    write_text(folder / "record.json", json.dumps(stated, indent=1) + "\n")
    return target


def measured(path: Path) -> Iterator[LabelledPattern | LeftOut]:
    """The measured patterns of an archive, and what is left out and why. Raises ValueError for a damaged archive."""
    return patterns_in(path, ".json", _pattern)


def _pattern(name: str, content: bytes) -> LabelledPattern:
    try:
        stated = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError("no JSON") from error
    stated = _dictionary(stated)
    label = _dictionary(stated.get("label"))
    if label.get("is_simulated"):
        raise ValueError("simulated, not measured")
    two_theta, intensity = columns(stated.get("two_theta_values"), stated.get("intensities"))
    phases = label.get("phases")
    phases = [_dictionary(phase) for phase in phases] if isinstance(phases, list) else []
    # of a mixture no space group is the pattern's
    (phase,) = phases if len(phases) == 1 else ({},)
    group = phase.get("spacegroup")
    return LabelledPattern(
        two_theta,
        intensity,
        _wavelength(_dictionary(label.get("xray_info"))),
        str(phase.get("chemical_composition") or ""),
        name[: -len(".json")],
        group if type(group) is int and 1 <= group <= 230 else 0,
    )


def _wavelength(info: dict[str, Any]) -> float:
    """The wavelength (Å) that is stated first, or of a doublet the shorter, Kα1, since files differ in their order; NaN
    where none is."""
    stated = [info.get("primary_wavelength"), info.get("secondary_wavelength")]
    found = [float(value) for value in stated if isinstance(value, int | float) and 0 < value < 100]
    if len(found) == 2 and math.isclose(*found, rel_tol=0.02):
        return min(found)
    return found[0] if found else math.nan


def _dictionary(value: Any) -> dict[str, Any]:
    """A dictionary, or one that is written as a text; empty where it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
