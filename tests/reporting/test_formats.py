import pytest

from paperlib.lab.results import Value
from paperlib.reporting.formats import (
    format_count,
    format_named,
    format_number,
    format_scientific,
    format_value,
    is_percent,
    tex_escape,
)


@pytest.mark.parametrize(
    ("value", "percent", "printed"),
    [
        (Value(0.612, 0.601, 0.623), True, "61.2 [60.1, 62.3]"),
        (Value(0.4304347), True, "43.0"),
        (Value(-0.012, -0.031, 0.007), True, "$-$1.2 [$-$3.1, 0.7]"),
        (Value(0.5, 0.50001, 0.50003), True, "50.000 [50.001, 50.003]"),
        (Value(0.0, 0.0, 0.0), True, "0.0 [0.0, 0.0]"),
        (Value(12.3456, 11.0, 13.7), False, "12.3 [11.0, 13.7]"),
        (Value(1.0e-7), True, r"$1.0\times10^{-5}$"),
        (Value(24469), False, r"24\,469"),
        (Value("P 21/c & co"), False, r"P 21/c \& co"),
    ],
)
def test_a_value_with_its_interval(value, percent, printed):
    assert format_value(value, percent) == printed


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


@pytest.mark.parametrize(
    "name",
    "direct_top1 sg_top5 ceiling_absences_top3 difference_top1 top_ten_share share_within max_r_ours median_r_ours "
    "max_r_their_f0 balanced_direct attribution_on_lines points_on_lines max_relative_delta tolerance".split(),
)
def test_fractions_are_percentages(name):
    assert is_percent(name)


@pytest.mark.parametrize("name", ["n_train", "speed_ratio", "per_second", "cam_resolution", "n_groups_test", "epochs"])
def test_other_values_are_not(name):
    assert not is_percent(name)


def test_each_part_of_a_named_value():
    value = Value(0.041, 0.029, 0.053, 4059)
    parts = {part: format_named("difference_top1", value, part) for part in ("value", "low", "high", "n", "interval")}
    assert parts == {"value": "4.1", "low": "2.9", "high": "5.3", "n": "4059", "interval": "4.1 [2.9, 5.3]"}


def test_deviations_have_a_power_of_ten():
    assert format_named("max_position_deviation", Value(2.156e-5)) == r"$2.2\times10^{-5}$"
    assert format_named("cctbx_max_xray", Value(4.4e-6), "low") == ""


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="median"):
        format_named("n_train", Value(3), "median")


def test_no_character_keeps_a_meaning_for_tex():
    assert tex_escape("a_b & 50% #1 {x} ~^ \\ $<>") == (
        r"a\_b \& 50\% \#1 \{x\} \textasciitilde{}\textasciicircum{} \textbackslash{} \$\textless{}\textgreater{}"
    )
