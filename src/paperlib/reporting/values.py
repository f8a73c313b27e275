"""Every number of the manuscript as a LaTeX macro, and the check that none is missing before TeX runs."""

from __future__ import annotations

import re
from pathlib import Path

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_part, origin_text

MACROS = {"val": "value", "vallow": "low", "valhigh": "high", "valn": "n", "valint": "interval"}
r"""What each macro prints: ``\val{06_labels/direct_top1}`` the number, ``\valint`` number and interval."""

_PREAMBLE = r"""% Written from the results by paperlib.reporting.values; do not edit.
\makeatletter
\newcommand*{\paper@value}[2]{\ifcsname paper@#1@#2\endcsname\csname paper@#1@#2\endcsname\else
  \PackageError{values}{Unknown #1 '\detokenize{#2}'}{The results hold no such entry; see generated/values.tex.}\fi}
\DeclareRobustCommand*{\val}[1]{\paper@value{value}{#1}}
\DeclareRobustCommand*{\vallow}[1]{\paper@value{low}{#1}}
\DeclareRobustCommand*{\valhigh}[1]{\paper@value{high}{#1}}
\DeclareRobustCommand*{\valn}[1]{\paper@value{n}{#1}}
\DeclareRobustCommand*{\valint}[1]{\paper@value{interval}{#1}}
\DeclareRobustCommand*{\valprofile}[1]{\paper@value{profile}{#1}}
\DeclareRobustCommand{\ifval}[3]{\ifcsname paper@value@#1\endcsname#2\else#3\fi}
"""

_KEY = re.compile(r"\\(val|vallow|valhigh|valn|valint|valprofile)\{([^{}#]*)\}")
_IFVAL = re.compile(r"\\ifval\{([^{}]*)\}")
_INPUT = re.compile(r"\\input\{([^{}]*)\}")
_FIGURE = re.compile(r"\\includegraphics(?:\[[^\]]*\])?\{([^{}]*)\}")
_COMMENT = re.compile(r"(?<!\\)%.*")


def values_tex(results: Results, stems: list[str]) -> str:
    """The LaTeX definitions of all values of ``stems``; an unknown key stops the build with its name."""
    lines = []
    for stem in stems:
        lines.append(_define("profile", stem, origin_text(results, stem)))
        for name, value in sorted(results.values(stem).items()):
            for part in dict.fromkeys(MACROS.values()):
                if text := format_part(value, part):
                    lines.append(_define(part, f"{stem}/{name}", text))
    return "\n".join([_PREAMBLE + "\n".join(lines), r"\makeatother", ""])


def _define(part: str, key: str, text: str) -> str:
    return rf"\expandafter\def\csname paper@{part}@{key}\endcsname{{{text}}}"


def check_manuscript(paper_folder: Path, results: Results, figures_folder: Path) -> list[str]:
    """What the manuscript asks for and does not get: unknown keys, missing figures and missing inputs.

    Reads ``main.tex`` and everything that it inputs. In ``\\ifval{key}{with}{without}`` only the branch that
    LaTeX will take is checked. Returns one line per problem, none where the manuscript can be built.
    """
    problems: list[str] = []
    queue, seen = ["main.tex"], set()
    while queue:
        name = queue.pop(0)
        if name in seen:
            continue
        seen.add(name)
        path = paper_folder / name
        if not path.is_file():
            problems.append(f"{name} is missing; make publish or make figures writes what is in generated/")
            continue
        if name.endswith("values.tex"):
            continue
        text = "\n".join(_COMMENT.sub("", line) for line in path.read_text(encoding="utf-8").splitlines())
        text = _taken_branches(text, results)
        queue += [found if found.endswith(".tex") else f"{found}.tex" for found in _INPUT.findall(text)]
        for macro, key in _KEY.findall(text):
            if problem := _missing(macro, key, results):
                problems.append(f"{name}: {problem}")
        for figure in _FIGURE.findall(text):
            if not (figures_folder / Path(figure).name).is_file():
                problems.append(f"{name}: the figure {figure} is not in {figures_folder.name}/")
    return problems


def _missing(macro: str, key: str, results: Results) -> str:
    stem, _, name = key.partition("/")
    if not results.has(stem):
        return f"\\{macro}{{{key}}}: there are no results of {stem!r}"
    if macro == "valprofile":
        return ""
    values = results.values(stem)
    if name not in values:
        return f"\\{macro}{{{key}}}: {stem} has no value {name!r}"
    if not format_part(values[name], MACROS[macro]):
        return f"\\{macro}{{{key}}}: the value has no {MACROS[macro]}"
    return ""


def _taken_branches(text: str, results: Results) -> str:
    r"""``text`` with each ``\ifval{key}{with}{without}`` replaced by the branch that applies."""
    while (found := _IFVAL.search(text)) is not None:
        yes, after = _group(text, found.end())
        no, after = _group(text, after)
        known = not _missing("val", found.group(1), results)
        text = text[: found.start()] + (yes if known else no) + text[after:]
    return text


def _group(text: str, start: int) -> tuple[str, int]:
    """The content of the braces that open at or after ``start`` (white space apart), and where they end."""
    opening = start + len(text[start:]) - len(text[start:].lstrip())
    depth = 0
    for i in range(opening, len(text)):
        if text[i] in "{}" and text[i - 1] != "\\":
            depth += 1 if text[i] == "{" else -1
            if depth == 0:
                return text[opening + 1 : i], i + 1
    raise ValueError(
        f"\\ifval needs {{key}}{{with}}{{without}}; braces are not closed after {text[start : start + 60]!r}"
    )
