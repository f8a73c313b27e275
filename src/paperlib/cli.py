"""Command line of the repository: what ``make`` calls. It stands above the rooms and may import them all.

Each command imports what it needs: one that answers at once should not wait for pandas and torch.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from paperlib.classify_command import add_classify
from paperlib.home_commands import add_homes
from paperlib.lab import paths
from paperlib.release_command import add_release


def known_errors() -> tuple[type[Exception], ...]:
    """Errors whose message says what to do; a traceback would only hide it."""
    from paperlib.lab import parameters, publish
    from paperlib.lab.fetch import ChecksumError
    from paperlib.lab.locks import BusyError
    from paperlib.lab.results import MissingResultError

    own = (parameters.ParameterError, publish.PublishError, paths.MisplacedError)
    return (*own, BusyError, ChecksumError, MissingResultError, OSError)


def reproduce(arguments: argparse.Namespace) -> int:
    """Execute the notebooks of a profile that are not fresh."""
    from paperlib.lab import runner

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
    from paperlib.lab import publish

    for item in publish.publish(arguments.profile, arguments.notebook):
        print(f"{item.stem}: {item.status}")
    draw(arguments)
    for stem in publish.orphans():
        print(f"data/results/{stem} has no notebook any more: remove it")
    return 0


def draw(arguments: argparse.Namespace) -> int:
    """Figures, tables, numbers and the README's table again, from the published results alone."""
    from paperlib.lab import publish
    from paperlib.reporting import produce, readme

    results = publish.published_results()
    written = produce.draw_figures(results, paths.root() / "figures")
    written += produce.write_generated(results, paths.root() / "paper" / "generated")
    readme.write_block(paths.root() / "README.md", results)
    print(f"{len(written)} files written to figures and paper/generated; the table in README.md is up to date")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Which results are fresh, stale because of what, or missing."""
    from paperlib.lab import freshness

    for stem, state in freshness.survey(arguments.profile).items():
        print(f"{stem:24s} {state.state:8s} {state.reason}")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Run what is published again, from stored trainings, and say whether this machine gets the same."""
    from paperlib.lab import verify

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
    add_classify(commands)
    add_release(commands)
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
    except (OSError, paths.MisplacedError) as error:
        # before the others, whose modules a small installation cannot load
        print(f"error: {error}", file=sys.stderr)
        return 1
    except known_errors() as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
