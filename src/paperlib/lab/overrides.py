"""Parameters given on the command line: ``SET='learning_rate=1e-3 elements=["Na", "Cl"] source=my cifs'``.

Numbers, truth values and lists are written as in Python, texts with or without quotation marks.
"""

from __future__ import annotations

import ast
import math
import re
from typing import Any

from paperlib.lab.parameters import ParameterError, check_overrides, read_notebook

_NAME = re.compile(r"\s*([^\W\d]\w*)\s*=")
_EXAMPLE = "write name=value, for example epochs=3"


def parse(stem: str, texts: list[str]) -> dict[str, Any]:
    """The parameters in ``texts``, each of which holds one or several ``name=value``, checked against the declarations
    of the notebook ``stem``. Raises ParameterError for what cannot be read, is unknown, of another type or given
    twice."""
    declared = read_notebook(stem).declared
    found: dict[str, Any] = {}
    for name, text in (pair for each in texts for pair in split(each)):
        if name in found:
            raise ParameterError(f"command line: {name} is given twice")
        if name not in declared:
            check_overrides(declared, {name: text}, where="command line")
        value = _value(name, text, declared[name])
        found |= check_overrides(declared, {name: value}, where="command line")
    return found


def split(text: str) -> list[tuple[str, str]]:
    """``"a=1 b=[2, 3]"`` as names and texts of values. A value goes on, blanks included, to the next ``name=`` outside
    brackets and quotation marks. Raises ParameterError where a bracket or quotation mark is not closed."""
    starts = _starts(text)
    if not starts or text[: starts[0].start()].strip():
        raise ParameterError(f"cannot read the parameter {text!r}; {_EXAMPLE}")
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return [(match[1], text[match.end() : end].strip()) for match, end in zip(starts, ends, strict=True)]


def _starts(text: str) -> list[re.Match[str]]:
    starts: list[re.Match[str]] = []
    depth, mark, before = 0, "", " "
    for i, sign in enumerate(text):
        if mark:
            mark = "" if sign == mark else mark
        elif sign in "'\"" and before in "=[,(":
            mark = sign  # elsewhere it is an apostrophe
        elif sign in "[(":
            depth += 1
        elif sign in "])":
            depth -= 1
        elif not depth and (i == 0 or text[i - 1].isspace()) and not sign.isspace() and (m := _NAME.match(text, i)):
            starts.append(m)
        before = before if sign.isspace() else sign
    if mark or depth > 0:
        raise ParameterError(f"cannot read the parameter {text!r}: {mark or 'a bracket'} is not closed")
    return starts


def _value(name: str, text: str, default: Any) -> Any:
    if isinstance(default, list):
        return _items(name, text, default)
    if isinstance(default, str) and text[:1] not in ("'", '"'):
        return text
    if isinstance(default, bool) and text in ("true", "false"):
        return text == "true"
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = re.sub(r" \(<unknown>.*|^malformed node.*", "", getattr(error, "msg", str(error)) or str(error))
        raise ParameterError(
            f"command line: cannot read {name}={text}{': ' + reason if reason else ''}; write it as Python does "
            f"(1e-3, 1_000, True); the default is {default!r}"
        ) from error
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"command line: {name}={text} is too large for a number")
    return value


def _items(name: str, text: str, default: list[Any]) -> Any:
    if not (text.startswith("[") and text.endswith("]")):
        raise ParameterError(f"command line: {name}={text} is no list; write {name}=[{text}]")
    try:
        whole = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        whole = None
    if isinstance(whole, list) and not any(isinstance(v, float) and not math.isfinite(v) for v in whole):
        return whole
    # texts without quotation marks, or something that its own message tells better
    items = [item.strip() for item in text[1:-1].split(",")]
    return [_value(name, item, default[0] if default else "") for item in items if item]
