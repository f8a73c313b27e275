"""Publishing: the second act. A complete, fresh run of a profile becomes the paper's results."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from paperlib.lab import freshness, parameters, paths, provenance
from paperlib.lab.progress import without_lines
from paperlib.lab.results import Results, released_model
from paperlib.lab.run import swap
from paperlib.lab.store import atomic_path, write_json, write_text


class PublishError(RuntimeError):
    """A run that cannot be published; the message says why and what to do."""


@dataclass(frozen=True)
class Published:
    """What became of one stem: "published", "unchanged" or "kept" (a bigger profile made it)."""

    stem: str
    status: str


def publish(profile: str, only: Sequence[str] = ()) -> list[Published]:
    """Copy the small outputs and the executed notebooks of a profile's run into the repository.

    Every notebook must be fresh (or each of ``only``, where what they read was published from the same runs), each
    executed notebook the one that wrote the results, and the record of each run that of committed sources. A stem
    that a bigger profile has published stays. Raises PublishError before anything is written. Each stem is put in
    place in one step.
    """
    paths.check_installation()
    if profile == "smoke":
        raise PublishError("the smoke profile is a wiring check and is never published; use PROFILE=laptop or paper")
    states = freshness.survey(profile)
    if only:
        _check_alone(only, states, profile)
        states = {stem: state for stem, state in states.items() if stem in only}
    if bad := [f"  {stem}: {state.state} ({state.reason})" for stem, state in states.items() if not state.fresh]:
        raise PublishError("\n".join([f"the {profile} run is not complete; make reproduce PROFILE={profile}", *bad]))
    plans = [_plan(stem, profile) for stem in states]
    for stem, status in plans:
        if status == "published":
            _copy(stem, profile)
        _show(stem, profile)
    return [Published(stem, status) for stem, status in plans]


def _check_alone(only: Sequence[str], known: Collection[str], profile: str) -> None:
    """Raise PublishError for a stem that is none, or that reads what is neither published with it nor was before."""
    for stem in only:
        if stem not in known:
            raise PublishError(f"there is no notebook {stem!r}; there are {', '.join(known)}")
        for upstream in sorted(parameters.read_notebook(stem).upstream - set(only)):
            own, there = (folder / upstream for folder in (paths.work_results(profile), paths.published_results()))
            runs = [provenance.read_manifest(folder) for folder in (own, there)]
            if runs[1] is None or len({run["record"]["run_id"] for run in runs if run}) > 1:
                both = f"NOTEBOOK='{upstream} {stem}'"
                raise PublishError(f"{stem} reads {upstream}, of which another run is published; publish both: {both}")


def _plan(stem: str, profile: str) -> tuple[str, str]:
    own = paths.work_results(profile) / stem
    there = provenance.read_manifest(paths.published_results() / stem)
    manifest = provenance.read_manifest(own)
    if manifest is None or (there and there["record"]["run_id"] == manifest["record"]["run_id"]):
        return stem, "unchanged"
    if there and paths.PROFILES.index(there["record"]["profile"]) > paths.PROFILES.index(profile):
        return stem, "kept"
    executed = paths.work_executed(profile) / f"{stem}.ipynb"
    if not executed.is_file() or manifest["record"]["run_id"] not in executed.read_text(encoding="utf-8"):
        raise PublishError(
            f"the results of {stem} were not written by {executed.relative_to(paths.root())}; run "
            f"make reproduce PROFILE={profile} NOTEBOOK={stem} FORCE=1"
        )
    if changed := manifest["record"]["uncommitted"]:
        raise PublishError(
            f"{stem} was run with changes that no commit holds ({', '.join(changed[:5])}), so that nobody could run it "
            f"again; commit, then make reproduce PROFILE={profile} NOTEBOOK={stem} FORCE=1"
        )
    return stem, "published"


def _copy(stem: str, profile: str) -> None:
    source, target = paths.work_results(profile) / stem, paths.published_results() / stem
    manifest = provenance.read_manifest(source)
    assert manifest is not None  # _plan has read it
    staging = target.with_name(f".{stem}.part")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    with ExitStack() as weights:
        for name, entry in manifest["outputs"].items():
            if entry["published"]:
                (staging / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, staging / name)
            if entry["released"]:
                # in place when all else is copied: new weights are no use to the old manifest
                shutil.copyfile(source / name, weights.enter_context(atomic_path(released_model(stem, name))))
        write_json(staging / "manifest.json", manifest)
    swap(staging, target)


def _show(stem: str, profile: str) -> None:
    # also for an unchanged result: how executed copies are cleaned may have changed
    executed = paths.work_executed(profile) / f"{stem}.ipynb"
    manifest = provenance.read_manifest(paths.published_results() / stem)
    if manifest and executed.is_file() and manifest["record"]["run_id"] in executed.read_text(encoding="utf-8"):
        clean_executed(executed, paths.root() / "notebooks" / "executed" / f"{stem}.ipynb")


def clean_executed(source: Path, target: Path) -> None:
    """Copy an executed notebook without what changes from run to run or names this machine: timings, progress,
    papermill's metadata, paths, and ids of displays."""
    import nbformat  # four seconds, which no other command should cost

    book = nbformat.read(source, as_version=4)
    book.metadata = nbformat.NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    for cell in book.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](../", "](../../")  # the copy lies one folder deeper
        for output in cell.get("outputs", []):
            if "text" in output:
                output["text"] = without_lines(output["text"])
            if picture := output.get("data", {}).get("image/png"):
                output["data"]["image/png"] = _fewer_bytes(picture)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("text", "something")]
        cell.metadata = nbformat.NotebookNode({k: v for k, v in cell.metadata.items() if k == "tags"})
    text = nbformat.writes(book)
    for place, name in ((paths.root(), "."), (Path.home(), "~")):
        if place.name:  # a container may have / as its home
            text = text.replace(str(place), name)
    write_text(target, text + "\n")


def _fewer_bytes(picture: str) -> str:
    """A PNG (base64) with 256 colours, if that makes it smaller: the copies lie in the repository for good."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        reduced = image.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(buffer, format="PNG", optimize=True)
    return min(base64.b64encode(buffer.getvalue()).decode(), picture, key=len)


def orphans() -> list[str]:
    """Published stems whose notebook is gone."""
    known = set(paths.stems())
    return [stem.name for stem in sorted(paths.published_results().glob("[0-9][0-9]_*")) if stem.name not in known]


def published_results() -> Results:
    """The published results, or an error where there are none at all."""
    if not any(paths.published_results().glob("*/manifest.json")):
        raise PublishError("nothing has been published yet; make reproduce PROFILE=laptop, then make publish")
    return Results.published()
