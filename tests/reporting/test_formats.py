import pytest

from paperlib.lab.results import KINDS, Value
from paperlib.reporting.formats import (
    format_count,
    format_number,
    format_part,
    format_scientific,
    format_value,
    tex_escape,
)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Value(0.612, 0.601, 0.623, kind="share"), "61.2 [60.1, 62.3]"),
        (Value(0.4304347, kind="share"), "43.0"),
        (Value(-0.012, -0.031, 0.007, kind="points"), "$-$1.2 [$-$3.1, 0.7]"),
        (Value(0.5, 0.50001, 0.50003, kind="share"), "50.000 [50.001, 50.003]"),
        (Value(0.0, 0.0, 0.0, kind="share"), "0.0 [0.0, 0.0]"),
        (Value(12.3456, 11.0, 13.7), "12.3 [11.0, 13.7]"),
        (Value(1.0e-7, kind="share"), r"$1.0\times10^{-5}$"),
        (Value(24469, kind="count"), r"24\,469"),
        (Value("P 21/c & co", kind="text"), r"P 21/c \& co"),
        (Value(31013.6, kind="rate"), r"31\,014"),
        (Value(6.8976, kind="rate"), "6.90"),
        (Value(579.913, kind="ratio"), "580"),
        (Value(2.156e-5, kind="deviation"), r"$2.2\times10^{-5}$"),
        (Value(12.3456, kind="seconds"), "12.3"),
    ],
)
def test_a_value_is_printed_as_its_kind_asks(value, printed):
    assert format_value(value) == printed


def test_every_kind_can_be_printed():
    for kind in KINDS:
        text = "text" if kind == "text" else 0.25
        assert format_value(Value(text, kind=kind)) and format_part(Value(text, n=7, kind=kind), "n") == "7"


def test_an_unknown_kind_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"'percent'.*share, points, count"):
        Value(0.5, kind="percent")
    with pytest.raises(ValueError, match="kind text"):
        Value("P 21/c")


def test_counts_have_thin_spaces_from_five_digits_on():
    assert [format_count(n) for n in (0, 4059, 24469, 1234567, -10000)] == [
        "0",
        "4059",
        r"24\,469",
        r"1\,234\,567",
        r"$-$10\,000",
    ]


def test_numbers_keep_three_digits_and_never_vanish():
    assert [format_number(x) for x in (555.6, 48.8, 1.0, 0.8123, 0.0)] == ["556", "48.8", "1.00", "0.812", "0"]
    assert format_number(0.00012) == r"$1.2\times10^{-4}$"
    assert format_scientific(0) == "0"


def test_each_part_of_a_value():
    value = Value(0.041, 0.029, 0.053, 4059, "points")
    parts = {part: format_part(value, part) for part in ("value", "low", "high", "n", "interval")}
    assert parts == {"value": "4.1", "low": "2.9", "high": "5.3", "n": "4059", "interval": "4.1 [2.9, 5.3]"}


def test_a_part_that_a_value_lacks_is_empty():
    assert [format_part(Value(4.4e-6, kind="deviation"), part) for part in ("low", "high", "n")] == ["", "", ""]
    assert format_part(Value("Fm-3m", kind="text"), "low") == ""


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="median"):
        format_part(Value(3, kind="count"), "median")


def test_no_character_keeps_a_meaning_for_tex():
    assert tex_escape("a_b & 50% #1 {x} ~^ \\ $<>") == (
        r"a\_b \& 50\% \#1 \{x\} \textasciitilde{}\textasciicircum{} \textbackslash{} \$\textless{}\textgreater{}"
    )
