"""Answers about measured patterns as text for a terminal, as JSON and as a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paperlib.answers.answer import INSTRUMENT, Answer, Asker, DecidingLine, class_name, members, systems
from paperlib.answers.indexing import Indexed
from paperlib.answers.pattern_files import Failed
from paperlib.lab.store import atomic_path, write_json
from paperlib.symmetry.groups import symbol

TOP = 5
"""Classes that are listed."""
LINES = 8
"""Lines that are listed."""
REFLECTIONS = 3
"""Reflections that are listed of a line."""
UNKNOWN = "I do not know"
PICTURES = (".png", ".pdf", ".svg")
"""Suffixes of figures."""

_WIDTH = 100


def about(asker: Asker) -> str:
    """What the network is, what its card says of its training and scores, and its limits, in a few lines."""
    low, high = INSTRUMENT.two_theta
    lines = [
        f"Network {asker.network.name}: reads measured patterns ({INSTRUMENT.radiation}, put on {low:g}–{high:g}° at "
        f"{INSTRUMENT.wavelength:.6g} Å, {INSTRUMENT.n_points} points), answers with extinction classes."
    ]
    lines += [f"  {_words(name)}: {_told(value)}" for name, value in asker.card.about.items()]
    lines += [f"  scores, {_words(name)}: {_told(value)}" for name, value in asker.card.scores.items()]
    return "\n".join(lines + [f"  limit: {text}" for text in asker.card.limits])


def _told(value: Any) -> str:
    """What a card says under one name, in a line: shares of answers among whose first k the truth is, by k, in per
    cent, and whatever else is there by its name."""
    if not isinstance(value, Mapping):
        return str(value)
    if value and all(str(name).startswith("top") for name in value):
        shares = "/".join(f"{100 * share:.1f}" for share in value.values())
        return f"{shares} % ({'/'.join(name.replace('top', 'top-', 1) for name in value)})"
    return ", ".join(f"{_words(name)} {_told(of_it)}" for name, of_it in value.items())


def _words(name: str) -> str:
    return {"published": "extinction class"}.get(name, name.replace("_", " "))


def as_text(answer: Answer | Failed) -> str:
    """An answer for a terminal: classes, warnings, and the lines that decide; of a failure the reason."""
    if isinstance(answer, Failed):
        return f"{answer.file}\n  no answer: {answer.error}"
    first, second = answer.classes[:2]
    p = answer.class_p
    lines = [answer.file]
    if answer.known:
        lines.append(f"  {class_name(first)} ({systems(first)}), {_percent(p[first])}")
    else:
        least = _percent(answer.refuse_below)
        lines.append(f"  {UNKNOWN}: the best class has {_percent(p[first])}, and less than {least} is not answered")
    lines += [f"  warning: {text}" for text in answer.warnings]
    lines += ["", "  extinction classes"]
    for k in answer.classes[:TOP]:
        groups = ", ".join(f"{symbol(number)} ({number})" for number in members(k))
        lines.append(f"  {_percent(p[k]):>7}  {class_name(k):<22} {systems(k):<20} {_cut(groups)}")
    best = ", ".join(f"{symbol(int(n))} ({n}) {_percent(answer.group_p[n - 1])}" for n in answer.groups[:TOP])
    lines += [f"  space groups: {best}"]
    if answer.lines:
        lines += ["", f"  lines that decide between {class_name(first)} (1) and {class_name(second)} (2)"]
        lines += ["  2θ / °   d / Å    height   ln(P1/P2)"]
        lines += [_line(one) for one in answer.lines[:LINES]]
        unfit = {k for one in answer.lines for r in one.reflections for k in (0, 1) if r.allowed[k] is None}
        both = systems(first), systems(second)
        lines += [f"  the given cell has not the metric of {k + 1} ({both[k]})" for k in sorted(unfit)]
    return "\n".join(lines)


def as_object(answer: Answer | Failed) -> dict[str, Any]:
    """An answer, or a failure, as plain values that JSON can hold; all classes and space groups, the best first."""
    if isinstance(answer, Failed):
        return {"file": answer.file, "error": answer.error, "predictions": [], "space_groups": [], "warnings": []}
    return {
        "file": answer.file,
        "known": answer.known,
        "predictions": [
            {
                "extinction_class": int(k),
                "symbol": class_name(k),
                "space_groups": list(members(k)),
                "crystal_system": systems(k),
                "probability": float(answer.class_p[k]),
            }
            for k in answer.classes
        ],
        "space_groups": [{"number": int(n), "probability": float(answer.group_p[n - 1])} for n in answer.groups],
        "lines": [_line_object(one) for one in answer.lines],
        "warnings": list(answer.warnings),
    }


def write_answers(path: str | Path, answers: Sequence[Answer | Failed]) -> None:
    """Write :func:`as_object` of each answer as a JSON list, in order."""
    write_json(path, [as_object(answer) for answer in answers])


def write_rows(path: str | Path, answers: Sequence[Answer | Failed]) -> None:
    """Write a CSV with one row per file: ``file``; ``answer`` (the symbol of the best class, or that it is not known);
    ``class_1`` … ``class_5``, ``class_p1`` … and ``group_1`` … ``group_p1`` …, the best five; ``space_groups`` and
    ``crystal_system`` of the best class; ``warnings``; and ``error``."""
    kinds = [f"{kind}_{p}{k}" for kind in ("class", "group") for p in ("", "p") for k in range(1, TOP + 1)]
    names = ["file", "answer", *kinds, "space_groups", "crystal_system", "warnings", "error"]
    with atomic_path(path) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(_row(answer) for answer in answers)


def _row(answer: Answer | Failed) -> dict[str, Any]:
    if isinstance(answer, Failed):
        return {"file": answer.file, "error": answer.error}
    best = answer.classes[0]
    row: dict[str, Any] = {"file": answer.file, "answer": class_name(best) if answer.known else UNKNOWN}
    for i, (k, number) in enumerate(zip(answer.classes[:TOP], answer.groups[:TOP], strict=True), start=1):
        row |= {f"class_{i}": class_name(k), f"class_p{i}": repr(float(answer.class_p[k]))}
        row |= {f"group_{i}": int(number), f"group_p{i}": repr(float(answer.group_p[number - 1]))}
    row |= {"space_groups": " ".join(map(str, members(best))), "crystal_system": systems(best)}
    return row | {"warnings": "; ".join(answer.warnings)}


def _line(one: DecidingLine) -> str:
    speaks = "for 1" if one.effect > 0 else "for 2"
    facts = f"  {one.two_theta:6.2f} {one.line.d:8.4f} {100 * one.line.height:7.1f} %   {one.effect:+8.2f}  {speaks}"
    shown = [_reflection(r) for r in one.reflections[:REFLECTIONS]] + ["…"] * (len(one.reflections) > REFLECTIONS)
    return f"{facts}   {'; '.join(shown)}".rstrip()


def _reflection(indexed: Indexed) -> str:
    said = [
        f"{'allowed' if allowed else 'forbidden'} by {k}" + (f" ({condition})" if condition else "")
        for k, allowed, condition in zip((1, 2), indexed.allowed, indexed.forbidden_by, strict=True)
        if allowed is not None
    ]
    hkl = " ".join(map(str, indexed.hkl))
    return f"{hkl}: allowed by both" if all(indexed.allowed) else f"{hkl}{':' * bool(said)} {', '.join(said)}".rstrip()


def _line_object(one: DecidingLine) -> dict[str, Any]:
    return {
        "two_theta": one.two_theta,
        "d": one.line.d,
        "height": one.line.height,
        "effect": one.effect,
        "reflections": [
            {"hkl": list(r.hkl), "allowed": list(r.allowed), "forbidden_by": list(r.forbidden_by)}
            for r in one.reflections
        ],
    }


def _percent(p: float) -> str:
    return f"{100 * p:.1f} %"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: text.rindex(',', 0, _WIDTH)]}, …"
