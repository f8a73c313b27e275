"""Is a result still what its notebook, parameters, modules and inputs would give?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paperlib.lab import fetch, parameters, paths, provenance
from paperlib.lab.results import damaged_outputs, digest


@dataclass(frozen=True)
class State:
    """``state`` is "fresh", "stale" or "missing"; ``reason`` says because of what."""

    state: str
    reason: str
    manifest: dict[str, Any] | None = None

    @property
    def fresh(self) -> bool:
        """Whether the result can be used as it is."""
        return self.state == "fresh"


def survey(profile: str) -> dict[str, State]:
    """The state of every notebook under a profile, in running order. A notebook that reads the results of
    a stale one is stale too."""
    states: dict[str, State] = {}
    for stem in paths.stems():
        states[stem] = check(stem, profile, states)
    return states


def check(stem: str, profile: str, upstream: dict[str, State]) -> State:
    """The state of one notebook, given those of the notebooks before it.

    The profile's own run counts first, with all outputs intact; then a published result that the same
    profile made, with its published outputs intact.
    """
    own = _check_in(paths.work_results(profile) / stem, stem, profile, upstream, published_only=False)
    if own.state == "missing":
        published = _check_in(paths.published_results() / stem, stem, profile, upstream, published_only=True)
        if published.manifest and published.manifest["record"]["profile"] == profile:
            return published
    return own


def _check_in(folder: Path, stem: str, profile: str, upstream: dict[str, State], published_only: bool) -> State:
    manifest = provenance.read_manifest(folder)
    if manifest is None:
        return State("missing", "no complete result")
    reason = _difference(manifest, folder, stem, profile, upstream, published_only)
    if reason:
        return State("stale", reason, manifest)
    return State("fresh", "published result" if published_only else "", manifest)


def _difference(
    manifest: dict[str, Any],
    folder: Path,
    stem: str,
    profile: str,
    upstream: dict[str, State],
    published_only: bool,
) -> str:
    if damaged := damaged_outputs(folder, manifest, published_only):
        return f"output {damaged[0]} is missing or changed"
    identity = manifest["identity"]
    if provenance.code_hash(parameters.read_notebook(stem)) != identity["notebook"]:
        return "the notebook changed"
    expected = parameters.profile_parameters(stem, profile)
    for name in sorted(expected.keys() | identity["parameters"].keys()):
        if expected.get(name) != identity["parameters"].get(name):
            return f"parameter {name} changed"
    for name, known in identity["modules"].items():
        if provenance.module_hash(name) != known:
            return f"module {name} changed"
    for name, known in identity["inputs"].items():
        if reason := _input_difference(name, known, upstream):
            return reason
    return ""


def _input_difference(name: str, known: str, upstream: dict[str, State]) -> str:
    kind, _, what = name.partition(":")
    if kind == "result":
        state = upstream.get(what)
        if known == "absent":
            return "" if state is None or state.state == "missing" else f"{what} has results now"
        if state is None or not state.fresh or state.manifest is None:
            return f"{what} is {state.state if state else 'missing'}"
        return "" if digest(state.manifest) == known else f"the results of {what} changed"
    if kind == "data":
        registered = fetch.registry().get(what)
        if registered is not None:
            # a clone need not hold the file: the registry says what it would be
            return "" if registered.sha256 == known else f"the data {what} changed"
        path = paths.root() / what
        if not path.exists():
            return f"the data {what} is gone"
        return "" if provenance.data_hash(path) == known else f"the data {what} changed"
    return ""
