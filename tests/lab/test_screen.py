"""Outputs of notebooks as lines of a terminal."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

from paperlib.lab import screen
from paperlib.lab.screen import WIDTH, Screen


@pytest.fixture
def shown():
    """shown(*outputs) are the lines; an output is an object, displayed as a kernel would, or (stream, text)."""

    def shown(*outputs):
        lines = []
        terminal = Screen(lines.append)
        for output in outputs:
            if isinstance(output, tuple):
                terminal.show({"output_type": "stream", "name": output[0], "text": output[1]})
            else:
                data, _ = DisplayFormatter(active_types=["text/plain", "text/html"]).format(output)
                terminal.show({"output_type": "display_data", "data": data})
        terminal.flush()
        return lines

    return shown


def test_pieces_of_a_line_are_put_together(shown):
    assert shown(("stdout", "a cry"), ("stderr", "warn"), ("stdout", "stal\n\nand"), ("stderr", "ing\n")) == [
        "    a crystal",
        "    warning",
        "    and",
    ]
    assert shown(("stdout", "10%\r50%\r"), ("stdout", "100%\n")) == ["    100%"]


def test_a_styled_table_is_a_table_of_text(shown):
    table = pd.DataFrame({"program": ["GSAS-II", "x & y"], "R": [0.25, 1.5], "text": ["one\ntwo", "a &lt; b"]})
    lines = shown(table.style.format({"R": "{:.1%}"}).hide(axis="index"))
    assert lines == [
        "    program       R  text",
        "    GSAS-II   25.0%  one two",
        "    x & y    150.0%  a < b",
    ]


def test_a_wide_table_fits_and_says_what_it_leaves_out(shown):
    wide = pd.DataFrame(np.arange(60).reshape(2, 30) * 1_000_003, columns=[f"column {i}" for i in range(30)])
    with pd.option_context("display.max_columns", 40):
        lines = shown(wide)
    assert max(map(len, lines)) <= WIDTH + len(screen.INDENT)
    assert len(lines) == 4 and lines[-1].strip() == f"… {30 - lines[0].count('column')} more columns"
    sentence = pd.DataFrame({"claim": ["word " * 60, "short"], "holds": ["yes", "no"]})
    with pd.option_context("display.max_colwidth", None):
        lines = shown(sentence)
    assert "…" in lines[1] and lines[1].endswith("yes") and lines[2].split() == ["1", "short", "no"]


def test_a_long_table_is_cut_and_counted(shown):
    lines = shown(pd.DataFrame({"x": range(400)}).style)
    assert len(lines) == screen.ROWS + 2 and lines[-1] == "    … 376 more rows"


def test_levels_of_an_index_stay_in_their_columns(shown):
    index = pd.MultiIndex.from_product([["a", "b"], ["x", "y"]])
    lines = shown(pd.DataFrame({"n": [1, 2, 3, 4]}, index=index))
    assert [line.split() for line in lines] == [["n"], ["a", "x", "1"], ["y", "2"], ["b", "x", "3"], ["y", "4"]]
    assert lines[1].index("x") == lines[2].index("y")


def test_objects_without_a_text_and_pictures_are_left_out(shown):
    figure = plt.figure()
    lines = []
    Screen(lines.append).show({"output_type": "display_data", "data": {"image/png": "", "text/plain": "<Figure>"}})
    bar = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "  0%|"}
    Screen(lines.append).show({"output_type": "display_data", "data": bar})
    assert lines == shown(object(), figure) == []
    plt.close(figure)
    assert shown(np.arange(3), {"a": 1}) == ["    array([0, 1, 2])", "    {'a': 1}"]
