"""PyXtal's own generator behind the signature of :mod:`paperlib.crystals.synthesis`, to compare with.

``pyxtal.from_random`` runs in a child process that is killed when one structure takes longer than the time limit:
it has loops that need not end, and a Python thread cannot be interrupted inside them. Compositions are those that
``synthesis`` draws for the same seed, item and trial. The space group of a crystal is the one that was asked for,
as users of PyXtal label theirs; it need not be the symmetry that the crystal has.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.generator.composition import Compositions, draw_compositions
from paperlib.crystals.rules import Rules, rules_from
from paperlib.crystals.species import species_symbol
from paperlib.crystals.synthesis import ImpossibleRulesError, checked_groups, formula_of_atoms
from paperlib.lab import rng

STREAM = "random crystals/pyxtal"
TIMED_OUT = "time limit reached"
_OWN_RULES = ("angles", "axial_ratio", "n_sites", "shortest_edge", "volume_per_atom", "symmetry_margin", "statistics")


class Reference(NamedTuple):
    """PyXtal's crystals and what it took to make them."""

    crystals: CrystalSet
    rejections: Counter[str]
    site_start: np.ndarray
    """(n + 1,) int64: occupied positions of crystal i are rows ``site_start[i]:site_start[i + 1]``."""
    multiplicity: np.ndarray
    """(s,) int64 of each occupied position."""
    trial: np.ndarray
    """(n,) int64: which composition of the item it was; 0 the first."""


def random_crystals(
    space_groups: Sequence[int] | np.ndarray, seed: int, first: int = 0, time_limit: float = 60.0, **rules: Any
) -> CrystalSet:
    """One crystal of ``pyxtal.from_random`` for each of ``space_groups`` (n,).

    As :func:`paperlib.crystals.synthesis.random_crystals`, with at most ``time_limit`` seconds for each structure,
    after which the next composition is tried. Raises ValueError also for rules that PyXtal does not have, and
    :class:`ImpossibleRulesError` where a bounded number of compositions gives none.
    """
    return synthesise(space_groups, seed, rules_from(**rules), first, time_limit).crystals


def synthesise(
    space_groups: Sequence[int] | np.ndarray, seed: int, rules: Rules, first: int = 0, time_limit: float = 60.0
) -> Reference:
    """:func:`random_crystals` with what was rejected and the occupied positions."""
    groups = checked_groups(space_groups)
    default = Rules()
    for name in _OWN_RULES:
        if getattr(rules, name) != getattr(default, name):
            raise ValueError(f"PyXtal's generator has no rule {name}; leave it out, or use crystals.synthesis")
    if not time_limit > 0:
        raise ValueError(f"time_limit must be a positive number of seconds, got {time_limit}")
    rejections: Counter[str] = Counter()
    answers, trials = [], []
    with _Child(time_limit) as child:
        for i, group in enumerate(groups):
            for trial in range(rules.max_compositions):
                item = np.array([first + i])
                composition = draw_compositions(groups[i : i + 1], item, seed, trial, rules)
                if not composition.possible[0]:
                    rejections["no composition fits the group"] += 1
                    continue
                start = int(rng.integers(seed, f"{STREAM}/{trial}", item)[0, 0])
                answer = child.ask(_request(int(group), composition, start, rules))
                if "reason" not in answer:
                    answers.append(answer)
                    trials.append(trial)
                    break
                rejections[answer["reason"]] += 1
            else:
                raise ImpossibleRulesError(
                    f"PyXtal makes no crystal of space group {group} (item {first + i}) in {rules.max_compositions} "
                    f"compositions; rejected so far: {dict(rejections)}. Loosen the rules or raise time_limit"
                )
    n_atoms = [len(answer["species"]) for answer in answers]
    site_start = np.concatenate([[0], np.cumsum(n_atoms)]).astype(np.int64)
    m = site_start[-1]
    species = np.array([code for answer in answers for code in answer["species"]], dtype=np.int16)
    crystals = CrystalSet(
        cell=np.array([answer["cell"] for answer in answers]).reshape(-1, 6),
        space_group=groups.astype(np.int16),
        standard=np.ones(len(groups), dtype=bool),
        site_start=site_start,
        frac=np.array([xyz for answer in answers for xyz in answer["frac"]]).reshape(m, 3) % 1.0,
        species=species,
        occupancy=np.ones(m),
        b_iso=np.zeros(m),
        formula=formula_of_atoms(species, site_start),
        source_id=np.array([f"pyxtal-{seed}-{first + i}" for i in range(len(groups))], dtype=np.str_),
    )
    n_positions = [len(answer["multiplicity"]) for answer in answers]
    return Reference(
        crystals,
        rejections,
        np.concatenate([[0], np.cumsum(n_positions)]).astype(np.int64),
        np.array([m for answer in answers for m in answer["multiplicity"]], dtype=np.int64),
        np.array(trials, dtype=np.int64),
    )


def _request(group: int, composition: Compositions, seed: int, rules: Rules) -> dict[str, Any]:
    return {
        "group": group,
        "species": [species_symbol(int(code)) for code in composition.species],
        "codes": composition.species.tolist(),
        "counts": composition.count.tolist(),
        "factor": rules.volume_factor,
        "distance_factor": rules.distance_factor,
        "min_distances": [[*pair, distance] for pair, distance in rules.min_distances.items()],
        "seed": seed,
    }


class _Child:
    """A Python process that makes one structure after the other and is replaced when one takes too long."""

    def __init__(self, time_limit: float) -> None:
        self._time_limit = time_limit
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """What PyXtal made of a request, or the reason why it made nothing."""
        if self._process is None:
            self._start()
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        try:
            line = self._lines.get(timeout=self._time_limit)
        except queue.Empty:
            self._stop()
            return {"reason": TIMED_OUT}
        if not line:
            self._stop()
            raise RuntimeError("the process that runs PyXtal ended; is pyxtal installed and importable?")
        return json.loads(line)

    def _start(self) -> None:
        command = [sys.executable, "-m", "paperlib.crystals.pyxtal_reference"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lines = queue.Queue()
        threading.Thread(target=_forward, args=(self._process.stdout, self._lines), daemon=True).start()
        if self._lines.get() == "":  # the first line says that imports are done: they do not count against the limit
            raise RuntimeError("the process that runs PyXtal did not start; is pyxtal installed and importable?")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process = None


def _forward(stream: Any, lines: queue.Queue[str]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put("")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run ``from_random`` in this process."""
    from pyxtal import pyxtal
    from pyxtal.msg import Comp_CompatibilityError
    from pyxtal.tolerance import Tol_matrix

    tolerances = Tol_matrix(*request["min_distances"], prototype="atomic", factor=request["distance_factor"])
    crystal = pyxtal()
    try:
        crystal.from_random(
            3,
            request["group"],
            request["species"],
            request["counts"],
            factor=request["factor"],
            tm=tolerances,
            random_state=np.random.default_rng(request["seed"]),
        )
    except Comp_CompatibilityError:
        return {"reason": "PyXtal finds the composition incompatible"}
    except RuntimeError as error:
        return {"reason": f"PyXtal gives up: {str(error).split(',')[0][:60]}"}
    if not crystal.valid:
        return {"reason": "PyXtal gives up: no valid structure"}
    code_of = dict(zip(request["species"], request["codes"], strict=True))
    sites = crystal.atom_sites
    return {
        "cell": [float(x) for x in crystal.lattice.get_para(degree=True)],
        "frac": [[float(x) for x in xyz] for site in sites for xyz in site.coords],
        "species": [code_of[site.specie] for site in sites for _ in site.coords],
        "multiplicity": [int(site.multiplicity) for site in sites],
    }


def _serve() -> None:
    """Answer the requests on standard input, one JSON object a line."""
    import pyxtal  # noqa: F401  (imported before the first request)

    answers = sys.stdout
    sys.stdout = sys.stderr  # PyXtal prints
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
