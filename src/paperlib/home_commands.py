"""The commands ``paperlib data home …``: crystals and measured patterns from their public homes, for your own work."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from paperlib.lab import paths

EXAMINATION = (
    "note: these files hold patterns of this project's examination, which nothing is tuned to. They are for your own "
    "work; no notebook of the project reads them (data/README.md)"
)


def add_homes(what: argparse._SubParsersAction) -> None:
    """Add ``home`` and the homes to the commands of ``paperlib data``."""
    told = "bring crystals or measured patterns from a public home"
    homes = what.add_parser("home", help=told, description=told).add_subparsers(required=True, metavar="HOME")

    def add(name: str, action: Callable[[argparse.Namespace], int], to: str) -> argparse.ArgumentParser:
        command = homes.add_parser(name, help=action.__doc__, description=action.__doc__)
        command.set_defaults(action=functools.partial(_explained, action), default_to=to)
        command.add_argument("--to", default="", metavar="PATH", help=f"default: data/raw/{to}")
        return command

    def add_server(command: argparse.ArgumentParser) -> None:
        command.add_argument("--rate", type=float, default=1.0, help="requests a second, at most (1)")
        command.add_argument(
            "--home", default="", metavar="URL", help="another address, file:// too, for the public one"
        )

    minerals = add("rruff", rruff, "homes/rruff")
    minerals.add_argument("--processed", action="store_true", help="patterns without background, not the raw ones")
    minerals.add_argument("--more", nargs="*", default=[], metavar="NAME", help="other archives, as Refinement_Data")
    add_server(minerals)
    laboratories = add("opxrd", opxrd, "homes/opxrd")
    laboratories.add_argument("--in-situ", action="store_true", help="series of changing samples as well")
    laboratories.add_argument("--record", default="", metavar="ID", help="a version at Zenodo (the newest)")
    add_server(laboratories)
    benchmarks = add("informedxrd", informedxrd, "homes/informedxrd")
    benchmarks.add_argument("--revision", default="main", help="a branch or commit (main)")
    benchmarks.add_argument("--only", default="*", metavar="PATTERN", help="paths of the wanted files, as '*473*'")
    add_server(benchmarks)
    cifs = add("cod", cod, "cod")
    _add_ids(cifs, "COD")
    cifs.add_argument("--where", nargs="*", default=[], metavar="NAME=VALUE", help="a query, as el1=Na strictmax=2")
    add_server(cifs)
    _add_ids(add("mp", mp, "structures/mp.jsonl.gz"), "Materials Project")


def rruff(arguments: argparse.Namespace) -> int:
    """Measured mineral patterns of RRUFF, as XY_RAW.npz; calculated ones are left out."""
    from paperlib.datasets.public_homes import bring_rruff
    from paperlib.lab.asking import Manners

    print(EXAMINATION, file=sys.stderr)
    profile = "XY_Processed" if arguments.processed else "XY_RAW"
    came = bring_rruff(_to(arguments), profile, arguments.more, arguments.home, Manners(rate=arguments.rate))
    return _told(came.paths, came.patterns, came.left_out)


def opxrd(arguments: argparse.Namespace) -> int:
    """Measured patterns of opXRD (CC BY 4.0), as opxrd.npz."""
    from paperlib.datasets.public_homes import bring_opxrd
    from paperlib.lab.asking import Manners

    record = {"record": arguments.record} if arguments.record else {}
    manners = Manners(rate=arguments.rate)
    came = bring_opxrd(_to(arguments), arguments.in_situ, home=arguments.home, manners=manners, **record)
    return _told(came.paths, came.patterns, came.left_out)


def informedxrd(arguments: argparse.Namespace) -> int:
    """The frozen benchmarks RRUFF-325 and RRUFF-473 of InformedXRD, as they are."""
    from paperlib.datasets.public_homes import bring_informedxrd
    from paperlib.lab.asking import Manners

    print(EXAMINATION, file=sys.stderr)
    came = bring_informedxrd(
        _to(arguments), arguments.revision, arguments.only, arguments.home, Manners(rate=arguments.rate)
    )
    _told(came.paths, 0, came.left_out)
    return 1 if came.left_out or not came.paths else 0


def cod(arguments: argparse.Namespace) -> int:
    """CIFs of the Crystallography Open Database (CC0): by id, from a list of ids, or by a query."""
    from paperlib.crystals.reading.download import cod_cifs, cod_ids
    from paperlib.lab.asking import Manners

    manners = Manners(rate=arguments.rate)
    ids = _ids(arguments)
    if arguments.where:
        if wrong := [word for word in arguments.where if "=" not in word]:
            raise FileNotFoundError(f"expected NAME=VALUE after --where, as el1=Na; got {wrong[0]}")
        ids += cod_ids(dict(word.split("=", 1) for word in arguments.where), arguments.home, manners)
    if not ids:
        raise FileNotFoundError("no ids: give some, --ids FILE, or --where with a query that finds entries")
    came = cod_cifs(ids, _to(arguments), arguments.home, manners)
    print(f"{len(came.fetched)} fetched, {len(came.already_there)} here before, of {len(set(ids))} in {came.path}")
    _tell_left_out((one.name, one.reason) for one in came.failed)
    return 1 if came.failed else 0


def mp(arguments: argparse.Namespace) -> int:
    """Structures of the Materials Project (CC BY 4.0) by id, with your own key in MP_API_KEY."""
    from paperlib.crystals.reading.download import materials_project

    if not (ids := _ids(arguments)):
        raise FileNotFoundError("no ids: give some, as mp-149, or --ids FILE")
    came = materials_project(ids, os.environ.get("MP_API_KEY", ""), _to(arguments))
    print(f"{len(came.fetched)} fetched, {len(came.already_there)} here before, of {len(set(ids))} in {came.path}")
    _tell_left_out((one.name, one.reason) for one in came.failed)
    return 1 if came.failed else 0


def _explained(action: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a command; of what its data or its options lack, the message says enough."""
    try:
        return action(arguments)
    except (ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _add_ids(command: argparse.ArgumentParser, database: str) -> None:
    command.add_argument("ids", nargs="*", metavar="ID", help=f"ids of the {database}")
    command.add_argument(
        "--ids", dest="list", default="", metavar="FILE", help="one id a line, or a CSV with ids first"
    )


def _ids(arguments: argparse.Namespace) -> list[str]:
    ids = list(arguments.ids)
    if arguments.list:
        lines = Path(arguments.list).expanduser().read_text(encoding="utf-8").splitlines()
        first = [line.split(",")[0].strip().strip('"') for line in lines]
        # the name of the column, and empty lines
        ids += [text for text in first if any(letter.isdigit() for letter in text)]
    return ids


def _to(arguments: argparse.Namespace) -> Path:
    return Path(arguments.to).expanduser() if arguments.to else paths.root() / "data" / "raw" / arguments.default_to


def _told(came: Iterable[Path], patterns: int, left_out: Iterable[tuple[str, str]]) -> int:
    for path in came:
        print(path)
    if patterns:
        print(f"{patterns:,} measured patterns; paperlib.datasets.measured_sets.load_measured reads them")
    _tell_left_out(left_out)
    return 0


def _tell_left_out(left_out: Iterable[tuple[str, str]]) -> None:
    """How many were left out for which reason, with the first of each."""
    found = list(left_out)
    for reason, n in Counter(reason for _, reason in found).most_common():
        example = next(name for name, other in found if other == reason)
        print(f"left out, {reason}: {n:,}, such as {example}", file=sys.stderr)
