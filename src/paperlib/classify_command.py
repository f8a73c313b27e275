"""The command ``paperlib classify``: what released networks say about measured patterns, or about crystals."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_classify(commands: argparse._SubParsersAction) -> None:
    """Add ``classify`` to the commands of ``paperlib``."""
    asking = commands.add_parser("classify", help=classify.__doc__, description=classify.__doc__)
    asking.set_defaults(action=classify)
    asking.add_argument(
        "sources",
        nargs="+",
        metavar="FILE",
        help="measured patterns; or crystals: CIFs, folders or archives of CIFs, JSON lines",
    )
    asking.add_argument("--csv", default="", metavar="OUT", help="write the answers as a table too")
    patterns = asking.add_argument_group("measured patterns only")
    patterns.add_argument("--wavelength", type=float, metavar="Å", help="where the files do not state it, as 1.5406")
    patterns.add_argument("--radiation", choices=("xray", "neutron"), help="where the files do not state it")
    patterns.add_argument("--json", default="", metavar="OUT", help="write all classes and space groups as JSON")
    patterns.add_argument("--figure", default="", metavar="OUT", help="draw patterns and classes (.png, .pdf, .svg)")
    patterns.add_argument("--cell", default="", metavar="CELL", help="'a b c alpha beta gamma', to index the lines")


def classify(arguments: argparse.Namespace) -> int:
    """What the released networks say about your measured patterns, or about simulated patterns of your crystals."""
    from paperlib.answers.recognised import holds_pattern

    sources, kinds = arguments.sources, [holds_pattern(source) for source in arguments.sources]
    try:
        if not any(kinds):
            return _crystals(arguments)
        if not all(kinds):
            crystal = sources[kinds.index(False)]
            raise ValueError(f"{crystal} holds crystals, {sources[kinds.index(True)]} a pattern; ask about one kind")
        return _patterns(arguments)
    except ImportError as error:
        print(f"error: {error}; pictures need matplotlib, crystals the whole installation: make", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _patterns(arguments: argparse.Namespace) -> int:
    """Ask about measured patterns; the exit status is 1 where any of them failed."""
    from paperlib.answers import written
    from paperlib.answers.answer import Answer, released_asker
    from paperlib.answers.indexing import parse_cell
    from paperlib.answers.pattern_files import Failed, ask_files

    # before anything that takes long
    wanted = {"csv": arguments.csv, "json": arguments.json, "figure": arguments.figure}
    outputs = {name: Path(text).expanduser() for name, text in wanted.items() if text}
    cell = parse_cell(arguments.cell) if arguments.cell else None
    if (figure := outputs.get("figure")) and figure.suffix.lower() not in written.PICTURES:
        raise ValueError(f"--figure {figure} is no picture; end its name in {', '.join(written.PICTURES)}")
    asker = released_asker()

    def told(failed: Failed) -> None:
        print(f"error: {failed.error}", file=sys.stderr)

    answers = ask_files(asker, arguments.sources, arguments.wavelength, arguments.radiation, cell, told)
    good = [answer for answer in answers if isinstance(answer, Answer)]
    if good:
        print("\n\n".join([written.about(asker), *map(written.as_text, good)]))
    if "json" in outputs:
        written.write_answers(outputs["json"], answers)
    if "csv" in outputs:
        written.write_rows(outputs["csv"], answers)
    if figure and good:
        from paperlib.answers.picture import save_picture

        save_picture(figure, good)
    for path in outputs.values():
        if path.is_file():
            print(f"written: {path}")
    return 0 if len(good) == len(answers) else 1


def _crystals(arguments: argparse.Namespace) -> int:
    """Ask about simulated patterns of crystals; the exit status is 1 where none could be read."""
    asked = {name: getattr(arguments, name) for name in ("wavelength", "radiation", "json", "figure", "cell")}
    if given := [name for name, value in asked.items() if value]:
        raise ValueError(f"--{given[0]} is for measured patterns; {arguments.sources[0]} holds crystals: leave it out")
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
