"""Is a result still what its notebook, parameters, analysis, stages and inputs would give?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paperlib.lab import fetch, inputs, parameters, paths, provenance, stages
from paperlib.lab.results import damaged_outputs, value_digest
from paperlib.lab.run import code_identity


@dataclass(frozen=True)
class State:
    """``state`` is "fresh", "changed" (analysis: running again takes minutes, since stages are found), "stale" (a
    stage, a parameter or an input: work has to be done again) or "missing"; ``reason`` says because of what."""

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

    The profile's own run counts first, with all outputs intact; then a published result that the same profile made, or
    a bigger one (:func:`paperlib.lab.paths.or_bigger`), with its published outputs intact and by its own parameters.
    """
    own = _check_in(paths.work_results(profile) / stem, stem, profile, upstream, published_only=False)
    if own.state == "missing":
        folder = paths.published_results() / stem
        manifest = provenance.read_manifest(folder)
        if manifest is not None and (maker := manifest["record"]["profile"]) in paths.or_bigger(profile):
            return _check_in(folder, stem, maker, upstream, published_only=True)
    return own


def _check_in(folder: Path, stem: str, profile: str, upstream: dict[str, State], published_only: bool) -> State:
    manifest = provenance.read_manifest(folder)
    if manifest is None:
        return State("missing", "no complete result")
    for state, reason in _differences(manifest, folder, stem, profile, upstream, published_only):
        return State(state, reason, manifest)
    return State("fresh", "published result" if published_only else "", manifest)


def _differences(
    manifest: dict[str, Any],
    folder: Path,
    stem: str,
    profile: str,
    upstream: dict[str, State],
    published_only: bool,
) -> Iterator[tuple[str, str]]:
    """What is not as it was, with the state that it leads to, the most expensive first."""
    identity = manifest["identity"]
    if "stages" not in identity:
        yield "stale", "it was made before results were known by content"
        return
    expected = parameters.profile_parameters(stem, profile)
    for name in sorted(expected.keys() | identity["parameters"].keys()):
        if expected.get(name) != identity["parameters"].get(name):
            yield "stale", f"parameter {name} changed"
    there = stages.declared()
    for name, known in identity["stages"].items():
        if name not in there or there[name].version != known["version"]:
            yield "stale", f"the stage {name} has another version"
    for name, known in identity["inputs"].items():
        if reason := _input_difference(name, known, upstream):
            yield "stale", reason
    if damaged := damaged_outputs(folder, manifest, published_only):
        yield "changed", f"output {damaged[0]} is missing or changed"
    code = code_identity(parameters.read_notebook(stem))
    if code["notebook"] != identity["notebook"]:
        yield "changed", "the notebook changed"
    for name in sorted(code["analysis"].keys() | identity["analysis"].keys()):
        if code["analysis"].get(name) != identity["analysis"].get(name):
            yield "changed", f"module {name} changed"
    for name, known in identity["stages"].items():
        if known["code"] and stages.code_of(there[name]) != known["code"]:
            yield "changed", f"the code of the stage {name} changed: it will be made again and compared"


def _input_difference(name: str, known: str, upstream: dict[str, State]) -> str:
    kind, _, what = name.partition(":")
    if kind in ("file", "value", "values"):
        stem, _, item = what.partition("/")
        state = upstream.get(stem)
        if state is None or not state.fresh or state.manifest is None:
            return f"{stem} is {state.state if state else 'missing'}"
        return "" if _content(state.manifest, kind, item) == known else f"{item or 'a value'} of {stem} changed"
    if kind == "absent":
        return f"{what} has results now" if what in upstream and upstream[what].state != "missing" else ""
    if kind == "data":
        registered = fetch.registry().get(what)
        if registered is not None:
            # a clone need not hold the file: the registry says what it would be
            return "" if registered.sha256 == known else f"the data {what} changed"
        path = inputs.place(what)
        if not path.exists():
            return f"the data {what} is gone"
        return "" if provenance.data_hash(path) == known else f"the data {what} changed"
    return ""


def _content(manifest: dict[str, Any], kind: str, item: str) -> str | None:
    if kind == "values":
        return value_digest(manifest["values"])
    if kind == "value":
        return value_digest(manifest["values"].get(item))
    return manifest["outputs"].get(item, {}).get("sha256")
