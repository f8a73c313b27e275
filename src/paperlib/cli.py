"""Command line of the repository: what ``make`` calls. It stands above the rooms and may import them all."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from paperlib.home_commands import add_homes
from paperlib.lab import freshness, parameters, paths, publish, runner, verify
from paperlib.lab.fetch import ChecksumError
from paperlib.lab.locks import BusyError
from paperlib.lab.results import MissingResultError

KNOWN_ERRORS = (
    parameters.ParameterError,
    publish.PublishError,
    paths.MisplacedError,
    BusyError,
    ChecksumError,
    MissingResultError,
    FileNotFoundError,
    OSError,
)
"""Errors whose message says what to do; a traceback would only hide it."""


def reproduce(arguments: argparse.Namespace) -> int:
    """Execute the notebooks of a profile that are not fresh."""
    job = runner.Job(arguments.profile, arguments.notebook, arguments.force, arguments.set)
    start = time.monotonic()
    outcomes = runner.reproduce(job)
    print(f"\n{runner.report(outcomes)} ({time.monotonic() - start:.0f} s in all)")
    if any(outcome.status in runner.UNFINISHED for outcome in outcomes):
        return 1
    target = paths.CUSTOM if job.overrides else arguments.profile
    print(f"results, figures and executed notebooks: {paths.work(target).relative_to(paths.root())}")
    return 0


def publish_run(arguments: argparse.Namespace) -> int:
    """Publish the run of a profile, then draw figures and write tables from what is published."""
    for item in publish.publish(arguments.profile, arguments.notebook):
        print(f"{item.stem}: {item.status}")
    draw(arguments)
    for stem in publish.orphans():
        print(f"data/results/{stem} has no notebook any more: remove it")
    return 0


def draw(arguments: argparse.Namespace) -> int:
    """Figures, tables, numbers and the README's table again, from the published results alone."""
    from paperlib.reporting import produce, readme

    results = publish.published_results()
    written = produce.draw_figures(results, paths.root() / "figures")
    written += produce.write_generated(results, paths.root() / "paper" / "generated")
    readme.write_block(paths.root() / "README.md", results)
    print(f"{len(written)} files written to figures and paper/generated; the table in README.md is up to date")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Which results are fresh, stale because of what, or missing."""
    for stem, state in freshness.survey(arguments.profile).items():
        print(f"{stem:24s} {state.state:8s} {state.reason}")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Run what is published again, from stored trainings, and say whether this machine gets the same."""
    rows = verify.verify(arguments.profile, arguments.notebook)
    print(f"\n{verify.report(rows)}")
    return 0 if rows and all(row.outcome in ("identical", "agrees") for row in rows) else 1


def pdf(arguments: argparse.Namespace) -> int:
    """Build the manuscript where TeX is installed."""
    from paperlib.reporting.pdf import build_pdf

    return build_pdf()


def data(arguments: argparse.Namespace) -> int:
    """Bring data files from their public homes, or list what is registered and what is here."""
    from paperlib.datasets import rebuild
    from paperlib.lab import fetch

    entries = fetch.registry()
    if arguments.what == "list":
        print("\n".join(rebuild.listing(entries)))
        return 0
    if unknown := [name for name in arguments.names if name not in entries and name != "all"]:
        raise FileNotFoundError(f"{unknown[0]} is not in data/registry.txt; `paperlib data list` shows what is")
    if not arguments.names:
        raise FileNotFoundError("say which: `paperlib data fetch NAME …`, or `paperlib data fetch all`")
    return rebuild.bring_all(arguments.names)


def read(arguments: argparse.Namespace) -> int:
    """What becomes of every entry of a folder, an archive or a file of crystals: a table on the screen and a CSV."""
    from paperlib.crystals import reading_report
    from paperlib.crystals.sources import load_crystals
    from paperlib.lab.store import write_table

    source = Path(arguments.source).expanduser()
    try:
        loaded = load_crystals(arguments.source, symprec=arguments.symprec)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    table = reading_report.outcomes(loaded)
    written = Path(arguments.csv or paths.work(paths.CUSTOM) / "read" / f"{source.resolve().name}.csv").expanduser()
    write_table(written, table)
    print(f"{reading_report.screen(table)}\n\n{reading_report.brief(loaded)}\n\nall of it as a table: {written}")
    return 0 if len(loaded.crystals) else 1


def classify(arguments: argparse.Namespace) -> int:
    """What the released networks say about simulated patterns of your crystals: the five most probable classes."""
    # before anything is loaded that takes seconds
    if not any(source == "prototypes" or Path(source).expanduser().exists() for source in arguments.sources):
        raise FileNotFoundError(f"{', '.join(arguments.sources)}: no such file; give CIFs, folders of CIFs or archives")
    from paperlib.lab.store import write_table
    from paperlib.learning import classify_files
    from paperlib.learning.classify import about_networks

    classified = classify_files.classify_files(arguments.sources)
    print(f"{about_networks()}\n\n{classify_files.as_text(classified)}")
    if arguments.csv:
        written = Path(arguments.csv).expanduser()
        write_table(written, classified.table)
        print(f"all of it as a table: {written}")
    return 0 if len(classified.table) else 1


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and run one command; the exit status is 1 after an error that was explained."""
    parser = argparse.ArgumentParser(prog="paperlib", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def add(name: str, action: Callable[[argparse.Namespace], int], profile: str = "") -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=action.__doc__, description=action.__doc__)
        command.set_defaults(action=action)
        if profile:
            command.add_argument("--profile", default=profile, choices=paths.PROFILES)
        return command

    run = add("reproduce", reproduce, "smoke")
    run.add_argument("--notebook", nargs="*", default=[], metavar="STEM", help="only these notebooks")
    run.add_argument("--force", action="store_true", help="run even what is fresh")
    run.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="override; goes to data/work/custom")
    putting = add("publish", publish_run, "laptop")
    putting.add_argument("--notebook", nargs="*", default=[], metavar="STEM", help="only these notebooks")
    add("figures", draw)
    add("status", status, "smoke")
    again = add("verify", check, "laptop")
    again.add_argument("--notebook", nargs="*", default=[], metavar="STEM", help="only these notebooks")
    add("pdf", pdf)
    reading = add("read", read)
    reading.add_argument("source", help="a folder or an archive of CIFs, a CIF, JSON lines, a saved set (.npz)")
    reading.add_argument("--csv", default="", metavar="PATH", help="default: data/work/custom/read/<name>.csv")
    reading.add_argument("--symprec", type=float, default=0.01, help="tolerance of the symmetry in Å (0.01)")
    asking = add("classify", classify)
    asking.add_argument("sources", nargs="+", metavar="PATH", help="CIFs, folders or archives of CIFs, JSON lines")
    asking.add_argument("--csv", default="", metavar="PATH", help="write the answers as a table too")
    files = commands.add_parser("data", help=data.__doc__, description=data.__doc__)
    what = files.add_subparsers(dest="what", required=True)
    for name, told in (("list", "what is registered, and what is here"), ("fetch", "bring registered files")):
        files = what.add_parser(name, help=told, description=told)
        files.set_defaults(action=data)
        files.add_argument("names", nargs="*", metavar="NAME", help="names of data/registry.txt, or all")
    add_homes(what)
    arguments = parser.parse_args(argv)
    try:
        paths.check_installation()
        return arguments.action(arguments)
    except KeyboardInterrupt:
        print(
            "\ninterrupted: finished notebooks, kept stages and checkpoints stay; the same command goes on", flush=True
        )
        return 130
    except KNOWN_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
