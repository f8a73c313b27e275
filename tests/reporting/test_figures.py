"""Every published figure draws from the results that the notebooks write, without texts on top of one another."""

import itertools
import re
import shutil

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from paperlib.lab.results import MissingResultError, Results
from paperlib.lab.store import write_arrays, write_table
from paperlib.reporting import marks, style
from paperlib.reporting.figures import (
    fig_agreement,
    fig_architectures,
    fig_attribution_groups,
    fig_bias,
    fig_bias_matrix,
    fig_duplicate_effect,
    fig_error_graph,
    fig_groups_apart,
    fig_imperfections,
    fig_labels,
    fig_neutrons,
    fig_one_pattern,
    fig_resolution,
    fig_scaling,
    fig_similar_structures,
    fig_simulator,
)
from paperlib.reporting.names import ANSWERED_BY, ARMS, NETWORKS, RADIATIONS, READERS, RELATIONS, TRAINED_ON, WITHIN
from paperlib.reporting.produce import FIGURES, draw_figures

PROFILE_PARTS = (("xray", False), ("alike", False), ("neutron", False), ("neutron", True))
"""What is compared with another program, and whether crystals have another neutron length there, as drawn."""

IDS = [module.__name__.rpartition(".")[2] for module in FIGURES]


@pytest.fixture(scope="module")
def drawn(smoke_results):
    """All figures of the smoke results, laid out."""
    figures = {}
    for module, name in zip(FIGURES, IDS, strict=True):
        figures[name] = module.draw(smoke_results)
        FigureCanvasAgg(figures[name]).draw()
    return figures


def _texts(fig):
    """Texts that are seen, and their boxes (pixels); those of ticks are matplotlib's own care."""
    ticks = {
        id(label)
        for ax in fig.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
    }
    seen = [t for t in fig.findobj(Text) if t.get_visible() and t.get_text().strip() and id(t) not in ticks]
    renderer = fig.canvas.get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in seen]


@pytest.mark.parametrize("name", IDS)
def test_texts_neither_overlap_nor_leave_the_figure(drawn, name):
    fig = drawn[name]
    boxes, page = _texts(fig), fig.bbox
    for text, box in boxes:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1
        assert inside, f"{text!r} leaves the figure: {box}"
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        # a pixel of common margin is no overlap of ink
        assert width <= 1.5 or height <= 1.5, f"{one!r} lies on {other!r}"


@pytest.mark.parametrize("name", IDS)
def test_smoke_figures_say_so(drawn, name):
    stamps = [text.get_text() for text in drawn[name].texts if text.get_gid() == "stamp"]
    assert len(stamps) == 1
    assert re.fullmatch(r"smoke run, wiring check, n = [1-9]\d*", stamps[0])


def test_every_class_that_occurs_has_a_label(drawn, smoke_results):
    maps = smoke_results.arrays("12_interpretability", "maps")
    panels = [t for ax in drawn["fig_attribution_classes"].axes for t in ax.texts]
    assert len(panels) == (maps["class_count"] > 0).sum()


def test_all_230_groups_fit_on_a_page(results):
    fig = fig_attribution_groups.draw(results)
    assert fig.get_figheight() <= 9.6
    assert sum(len(ax.get_yticklabels()) for ax in fig.axes) == 230


def test_dashed_positions_are_those_that_the_third_pattern_does_not_share(results):
    lines = results.table("01_extinction_groups", "one_pattern_lines")
    marked = fig_one_pattern._not_shared(lines)
    # on one primitive cubic cell: mixed indices, which the two face-centred patterns lack
    third = lines[lines["row"] == 2]
    mixed = third[~((third["h"] % 2 == third["k"] % 2) & (third["k"] % 2 == third["l"] % 2))]
    assert list(marked) == list(mixed["two_theta"].round(3).unique())


def _points_and_ends(ax):
    """Heights of the points that seaborn drew, and of the two ends of each interval."""
    points = [y for line in ax.lines if line.get_marker() == "o" for y in line.get_ydata()]
    bars = [line.get_ydata() for line in ax.lines if line.get_marker() != "o"]
    ends = [end for bar in bars if np.isfinite(bar).any() for end in (np.nanmin(bar), np.nanmax(bar))]
    return sorted(points), sorted(ends)


def test_scores_are_drawn_where_the_table_puts_them(results):
    fig = fig_labels.draw(results)
    scores = results.table("06_labels", "scores").query("space == 'published' and arm != 'ceiling' and test == 'test'")
    pooled = scores.query("seed == -1")
    points, ends = _points_and_ends(fig.axes[0])
    assert points == pytest.approx(sorted(100 * pooled["value"]))
    assert ends == pytest.approx(sorted([*(100 * pooled["low"]), *(100 * pooled["high"])]))
    dots = np.concatenate([dots.get_offsets() for dots in fig.axes[0].collections if len(dots.get_offsets()) > 1])
    assert sorted(dots[:, 1]) == pytest.approx(sorted(100 * scores.query("seed != -1")["value"]))
    labels = {text.get_text() for text in fig.legends[0].texts}
    assert labels == {ARMS[arm].label for arm in ("direct", "summed", "frequency", "ceiling")}
    every = results.table("06_labels", "scores").query("space == 'space_group' and k == 1 and test in ('line', 'laue')")
    heights = [y for bars in fig.axes[1].containers for y in bars.lines[0].get_ydata()]
    shown = every.query("seed == -1 and arm != 'ceiling'")["value"]
    assert set(np.round(100 * shown, 6)) <= set(np.round(heights, 6)), "the first answers of both families"


def test_a_score_without_interval_is_a_point_alone():
    rows = pd.DataFrame({"arm": ["direct", "direct"], "value": [0.5, 0.6], "low": [0.4, None], "high": [0.8, None]})
    ax = style.figure().subplots()
    marks.intervals(ax, rows, pd.Series([0.0, 1.0]))
    assert _points_and_ends(ax) == ([50, 60], [40, 80])


def test_points_of_one_arm_are_joined_though_another_has_others():
    rows = pd.DataFrame({"arm": ["direct", "summed"] * 2, "value": [0.5, 0.6, 0.7, 0.8], "low": 0.4, "high": 0.9})
    ax = style.figure().subplots()
    marks.intervals(ax, rows, pd.Series([0.0, 1.0, 2.0, 3.0]), joined=True)
    assert [list(line.get_xdata()) for line in ax.lines if line.get_marker() == "o"] == [[0, 2], [1, 3]]


def test_every_repeat_stands_beside_the_effect_that_it_measured(results):
    ax = fig_duplicate_effect.draw(results).axes[0]
    effects = results.table("07_duplicate_effect", "effects").set_index("effect")
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    before = 100 * results.value("07_duplicate_effect/before_top1").value
    (memory,) = [line.get_ydata() for line in dots if round(line.get_xdata()[0]) == 2]
    expected = before + 100 * (effects.loc["less_data", "value"] + effects.loc["memory", ["split0", "split1"]])
    assert sorted(memory) == pytest.approx(sorted(expected))


def test_every_training_set_stands_on_every_test_set(results):
    matrix, exchanged, _ = fig_bias_matrix.draw(results).axes
    scores = results.table("08_bias", "scores")
    whole = scores[(scores["seed"] == -1) & (scores["space"] == "published") & (scores["k"] == 1)]
    cells = whole[~whole["arm"].str.startswith("frequency")]["value"]
    shown = [text.get_text() for text in matrix.texts if "/" not in text.get_text()]
    assert sorted(shown) == sorted(f"{100 * value:.1f}" for value in cells) and len(shown) == 18
    labels = [label.get_text() for label in matrix.get_yticklabels()]
    assert labels[0] == "real crystals\n(24,425)" and len(labels) == 6
    assert len(exchanged.containers) == 18, "three training sets on three test sets, as they answer and exchanged"


def test_scores_stand_at_their_level_for_every_network_and_training(results):
    noise, width, sampling = fig_resolution.draw(results).axes
    scores = results.table("10_resolution", "scores").query("seed == -1").set_index(["arm", "test"])["value"]
    tests = ["clean", *(f"noise_{digits}" for digits in (5, 4, 3, 2))]
    assert [tick.get_text() for tick in noise.get_xticklabels()] == [
        "0", *(f"$10^{{-{d}}}$" for d in (5, 4, 3, 2)), "no lines\nbelow 1%"
    ]  # fmt: skip
    assert [tick.get_text() for tick in width.get_xticklabels()] == ["1", "1.1", "1.2", "1.5"]
    curves = [line for line in noise.lines if line.get_marker() == "o" and len(line.get_ydata()) > 1]
    apart = [line for line in noise.lines if line.get_marker() == "o" and len(line.get_ydata()) == 1]
    arms = [f"{reader}_{kind}" for reader in READERS for kind in TRAINED_ON]
    for arm, line in zip(arms, curves, strict=True):
        assert list(line.get_ydata()) == pytest.approx([100 * scores[arm, test] for test in tests])
        assert (line.get_markerfacecolor() == "white") == arm.endswith("clean")
    alone = [float(line.get_ydata()[0]) for line in apart]
    assert alone == pytest.approx([100 * scores[arm, "strong_lines"] for arm in arms])
    table = results.table("10_resolution", "samplings").query("stem == 'degrees'")
    drawn = np.concatenate([line.get_ydata() for line in sampling.lines if line.get_marker() in ("o", "s", "^")])
    assert sorted(drawn) == pytest.approx(sorted(100 * table["value"])), "each sampling once"


def _marks(ax, along):
    """Colour, marker and place along an axis of every mark with a bar, in the order in which they are drawn."""
    marks = [bars.lines[0] for bars in ax.containers]
    return [(mark.get_color(), mark.get_marker(), round(*getattr(mark, f"get_{along}data")(), 6)) for mark in marks]


def test_every_network_stands_on_both_radiations_and_changes_are_paired_differences(results, smoke_results):
    scored, changed, profiles = fig_neutrons.draw(results).axes
    markers = {"xray": "o", "neutron": "s"}
    scores = results.table("15_neutrons", "scores").query("seed == -1 and k == 1").set_index(["arm", "test"])["value"]
    tests = [f"{kind}{altered}" for altered in ("", "_permuted") for kind in markers]
    assert _marks(scored, "y") == [
        (RADIATIONS[arm].colour, markers[test.removesuffix("_permuted")], round(100 * scores[arm, test], 6))
        for arm, test in itertools.product(RADIATIONS, tests)
    ]

    tables = [results.table("15_neutrons", name) for name in ("effects", "program_effects")]
    effects = 100 * pd.concat(tables).set_index("effect")["value"]
    drawn = _marks(changed, "x")
    assert len(drawn) == 2 + 2 + 6 + 4, "other, both, heights, program"
    first = [("other_xray", "neutron", "xray"), ("other_neutron", "xray", "neutron"), ("both_xray", "both", "xray")]
    last = [("program_neutron_neutron", "neutron", "neutron"), ("program_both_neutron", "both", "neutron")]
    for mark, (key, arm, kind) in zip(drawn[:3] + drawn[-2:], first + last, strict=True):
        assert mark == (RADIATIONS[arm].colour, markers[kind], round(effects[key], 6)), key

    table = results.table("15_neutrons", "profiles")
    columns = [dots.get_offsets()[:, 1] for dots in profiles.collections if len(dots.get_offsets()) > 1]
    parts = [table.query("compared == @key and other_length == @other") for key, other in PROFILE_PARTS]
    assert all(np.allclose(points, part["max_difference"]) for points, part in zip(columns, parts, strict=True))

    scored, changed = fig_neutrons.draw(smoke_results).axes
    assert _marks(changed, "x") == drawn[:-4], "without the other program its block and its panel are left out"


def test_scores_within_a_class_stand_under_their_control(results):
    controls, sizes, types, classes = fig_groups_apart.draw(results).axes
    table = results.table("17_groups_apart", "controls").query("split == -1").set_index(["score", "control"])["value"]
    shown = ["test", "permuted", "scaled_900", "scaled_1100", "shape", "all"]
    factors = ["scaled_900", "scaled_970", "test", "scaled_1030", "scaled_1100"]
    for score, here, there in zip(WITHIN, controls.containers, sizes.containers, strict=True):
        assert list(here.lines[0].get_ydata()) == pytest.approx([100 * table[score, control] for control in shown])
        assert list(there.lines[0].get_xdata()) == [0.9, 0.97, 1, 1.03, 1.1]
        assert list(there.lines[0].get_ydata()) == pytest.approx([100 * table[score, control] for control in factors])
    parts = results.table("17_groups_apart", "parts").set_index(["by", "kind", "score"])
    first = types.containers[0].lines[0].get_ydata()
    assert list(first) == pytest.approx([100 * parts.loc[("type", kind, "test"), "value"] for kind in "0123"])
    n = parts.xs("class").xs("test", level="score")["n"].nlargest(12)
    assert [label.get_text().rpartition(" ")[2] for label in classes.get_yticklabels()] == [f"({count})" for count in n]


def test_answers_stand_at_their_distance_and_relations_beside_those_of_guesses(results):
    groups, classes, relations = fig_error_graph.draw(results).axes
    table = results.table("17_groups_apart", "distances").query("split == -1")
    table = table.set_index(["arm", "who", "distance"]).sort_index()
    for ax, arm in ((groups, "space_group"), (classes, "direct")):
        bars = [bar for bar in ax.containers if hasattr(bar, "patches")]
        for who, of in zip(ANSWERED_BY, bars, strict=True):
            heights = table.loc[(arm, who), "value"]
            assert [patch.get_height() for patch in of.patches] == pytest.approx(list(100 * heights))
    near = results.table("17_groups_apart", "near").query("split == -1 and arm == 'space_group'")
    near = near.set_index(["who", "relation"])["value"]
    for who, marks_of in zip(ANSWERED_BY, relations.containers, strict=True):
        assert list(marks_of.lines[0].get_xdata()) == pytest.approx([100 * near[who, name] for name in RELATIONS])


def _line(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line.get_xdata().tolist(), line.get_ydata().tolist()


def test_curves_are_drawn_where_the_table_puts_them(results):
    left, right = fig_architectures.draw(results).axes
    scores = results.table("11_architectures", "scores").query("k == 1 and seed == -1 and rate == 0")
    for ax, family in ((left, "resnet_batch"), (right, "convnext"), (right, "trees")):
        rows = scores[(scores["family"] == family)].sort_values("items")
        x, y = _line(ax, NETWORKS[family].label)
        assert x == rows["items"].tolist() and y == pytest.approx(100 * rows["value"])
    shown = {line.get_label() for ax in (left, right) for line in ax.lines}
    assert {named.label for named in NETWORKS.values()} <= shown


def test_errors_and_repeated_sets_are_drawn_where_the_table_puts_them(results):
    left, right = fig_scaling.draw(results).axes
    scores = results.table("09_scaling", "scores").query("k == 1 and seed == -1 and family == 'resnet'")
    fresh = scores.query("size == 'middle' and passes == 1").sort_values("items")
    colour = NETWORKS["resnet"].colour
    dots = [line for line in left.lines if line.get_color() == colour and line.get_linestyle() == "None"]
    assert [list(line.get_ydata()) for line in dots if len(line.get_xdata()) == 5] == [
        pytest.approx(100 - 100 * fresh["value"])
    ]
    again = scores.query("items == 99000 and size == 'middle'").sort_values("passes")
    seen = (again["items"] * again["passes"]).tolist()
    drawn = [line for line in right.lines if line.get_color() == colour and list(line.get_xdata()) == seen]
    assert [list(line.get_ydata()) for line in drawn] == [pytest.approx(100 * again["value"])]


HOSTILE = {
    "axes.grid": True, "axes.facecolor": "yellow", "font.size": 20, "lines.marker": "x", "savefig.transparent": True,
    "axes.spines.left": False, "path.simplify": False, "image.cmap": "jet", "legend.loc": "center",
    "axes.prop_cycle": cycler(color=["red"]), "pdf.compression": 0, "xtick.direction": "in",
}  # fmt: skip
"""What a user's matplotlibrc may say."""


@pytest.mark.parametrize("module", [fig_labels, fig_bias], ids=lambda m: m.STEM)
def test_settings_of_the_user_change_no_published_figure(module, results, tmp_path):
    plain = [path.read_bytes() for path in style.save(module.draw(results), tmp_path / "plain")]
    with mpl.rc_context(HOSTILE):
        again = [path.read_bytes() for path in style.save(module.draw(results), tmp_path / "hostile")]
        assert mpl.rcParams["axes.facecolor"] == "yellow", "the user's settings are in force again"
    assert again == plain


@pytest.mark.parametrize("module", FIGURES, ids=IDS)
def test_every_figure_is_drawn_under_the_look_of_the_paper(module):
    assert hasattr(module.draw, "__wrapped__")
    with pytest.raises(_LookedAt), mpl.rc_context(HOSTILE):
        module.draw(_Looking())


class _LookedAt(Exception):
    pass


class _Looking(Results):
    """Results that, when first asked, look at what is in force."""

    def folder(self, stem):
        assert {name: mpl.rcParams[name] for name in ("axes.grid", "font.size")} == {"axes.grid": False, "font.size": 7}
        raise _LookedAt


def test_last_digits_do_not_change_the_picture_of_similar_structures(results, tmp_path):
    stem = "04_duplicates"
    shutil.copytree(results.folder(stem), tmp_path / stem)
    atoms, arrays = results.table(stem, "similar_atoms"), results.arrays(stem, "similar")
    for name in "xyz":
        atoms[name] = atoms[name] * (1 + 1e-13)
    write_table(tmp_path / stem / "similar_atoms.csv", atoms)
    for name in ("patterns", "similarity"):
        arrays[name] = arrays[name] * (1 + 1e-13)
    write_arrays(tmp_path / stem / "similar.npz", arrays)
    (first, _), (second, _) = (
        style.save(fig_similar_structures.draw(source), tmp_path / name)
        for name, source in (("first", results), ("second", Results(tmp_path)))
    )
    assert first.read_bytes() == second.read_bytes()


def test_a_figure_without_results_is_left_out_and_reported(tmp_path, results, capsys):
    only = tmp_path / "results"
    only.mkdir()
    (only / "03_databases").symlink_to(results.folder("03_databases"))
    written = draw_figures(Results(only), tmp_path / "figures")
    assert {path.name for path in written} == {
        f"fig_{name}.{kind}" for name in ("bias", "three_crystals") for kind in ("pdf", "png")
    }
    said = capsys.readouterr().out
    assert "fig_labels left out: no results of 06_labels" in said
    assert [line for line in said.splitlines() if "left out" not in line] == [
        "figure fig_bias",
        "figure fig_three_crystals",
    ], "a line as each is drawn"


def test_results_without_the_needed_table_are_an_error(tmp_path, results):
    stem = tmp_path / "06_labels"
    stem.mkdir()
    (stem / "manifest.json").write_bytes((results.folder("06_labels") / "manifest.json").read_bytes())
    with pytest.raises(MissingResultError, match=r"scores\.csv"):
        fig_labels.draw(Results(tmp_path))


def test_agreement_is_drawn_with_the_programs_that_the_run_had(results, smoke_results):
    only_pymatgen = fig_agreement.draw(smoke_results)
    assert len(only_pymatgen.axes) == 1
    labels = [label.get_text() for label in only_pymatgen.axes[0].get_yticklabels()]
    assert len(labels) == 3 and all(label.startswith("pymatgen") for label in labels)
    strip = fig_agreement.draw(results).axes[0]
    labels = [label.get_text() for label in strip.get_yticklabels()]
    assert [label.partition(":")[0] for label in labels] == ["pymatgen"] * 3 + ["cctbx"] * 3 + ["CrysFML"] * 2 + [
        "FullProf"
    ]
    assert labels[-1].endswith("(n = 4)")
    correlation = results.table("02_simulator", "fullprof")["correlation"]
    drawn = strip.collections[-2].get_offsets()[:, 0].tolist()
    assert drawn == pytest.approx((1 - correlation).clip(lower=1e-14).tolist(), rel=1e-6)


def test_the_difference_curve_is_theirs_less_ours(results):
    arrays = results.arrays("02_simulator", "fullprof")
    profile = fig_agreement.draw(results).axes[1]
    curve = next(line for line in profile.lines if line.get_label() == "difference").get_ydata()
    expected = (arrays["theirs"] - arrays["ours"]) / arrays["theirs"].max()
    assert curve - curve[0] == pytest.approx(expected - expected[0], abs=1e-12)


def test_each_imperfection_is_printed_with_its_own_value(results):
    table = results.table("02_simulator", "imperfections")
    values = fig_imperfections._values(table)
    assert values["zero_shift"] == "0.03°" and values["high_counts/counts"] == "200,000 counts"
    assert values["detector/detector_step"] == "0.05°"
    assert len(values) == len(table)


def test_patterns_of_one_class_are_said_to_differ_by_what_they_differ(results):
    patterns = results.arrays("02_simulator", "one_pattern")
    drawn = {ax.get_title("right"): [text.get_text() for text in ax.texts] for ax in fig_simulator.draw(results).axes}
    for title, family in (("one height per line of the lattice", "line"), ("one height per Laue family", "laue")):
        for row in (1, 2):
            largest = abs(patterns[family][row] - patterns[family][0]).max()
            assert drawn[title][row].endswith(f"largest difference {largest:.2g}")
    assert drawn["one height per line of the lattice"][1].endswith("largest difference 0")
