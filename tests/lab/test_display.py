"""Objects that hold arrays print as one line, and as a small table in a notebook."""

from html.parser import HTMLParser

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.reading.loading import Loaded, Remark, Skipped
from paperlib.crystals.shards import write_sharded
from paperlib.crystals.sources import load_crystals
from paperlib.datasets.prepared import prepared_patterns
from paperlib.diffraction.instrument import CU_KALPHA
from paperlib.diffraction.reflections import powder_reflections
from paperlib.lab.display import one_line, small_table
from paperlib.learning.comparison import Scored
from paperlib.learning.prediction import Predictions
from paperlib.learning.ranked import ranked
from paperlib.learning.released import load_released


@pytest.fixture(scope="module")
def prototypes():
    return load_crystals("prototypes").crystals


@pytest.fixture(scope="module")
def shown(prototypes, tmp_path_factory):
    """Each object, and what its line must say."""
    few = prototypes[:7]
    answers = ranked(np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])), np.array([0, 1]))
    folder = tmp_path_factory.mktemp("set") / "seven"
    bad = (Skipped("x <1>", "not a valid CIF", "line 1\nline 2"),)
    return {
        "set": (prototypes, "CrystalSet: 288 crystals"),
        "one": (prototypes[:1], f"{prototypes.source_id[0]}: {prototypes.formula[0]}"),
        "none": (CrystalSet.empty(), "CrystalSet: 0 crystals, 0 sites"),
        "sharded": (write_sharded(folder, few, {"name": "few"}, 4), "ShardedCrystals: 7 crystals, 2 shards"),
        "reflections": (powder_reflections(few, CU_KALPHA), "of 7 crystals, 2θ "),
        "no reflections": (powder_reflections(few[:0], CU_KALPHA), "0 reflections of 0 crystals"),
        "loaded": (
            Loaded(few, np.array([1] * 7), bad, (Remark("y", "odd", "z"),)),
            "7 of 8 entries read, 7 with another space group than declared, 1 remark",
        ),
        "ranked": (answers, "2 answers, 1 right first"),
        "predictions": (Predictions(np.zeros((2, 3)), np.zeros(2, int), np.array(["a", "b"])), "2 × 3"),
        "scored": (Scored({"direct": {}}, {0: np.arange(4)}), "arms direct, 4 items"),
        "released": (load_released("06_labels-direct_seed0"), "ResNet, 632,771 parameters, 99 classes (published)"),
    }


NAMES = (
    "set", "one", "none", "sharded", "reflections", "no reflections", "loaded", "ranked", "predictions", "scored",
    "released",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_object_prints_as_one_line_that_says_what_it_holds(shown, name):
    thing, said = shown[name]
    line = repr(thing)
    assert len(line.splitlines()) == 1 and len(line) < 120
    assert said in line


class _Cells(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.data, self.open = [], [], []
        self.feed(page)
        assert not self.open, "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data.append(data)


@pytest.mark.parametrize("name", ["set", "one", "none", "sharded", "reflections", "no reflections", "loaded"])
def test_a_notebook_shows_a_small_table(shown, name):
    thing, _ = shown[name]
    cells = _Cells(thing._repr_html_())
    assert cells.tags.count("tr") <= 2 * (1 + 5)
    assert len(thing._repr_html_()) < 5000


def test_the_table_shows_the_first_crystals_and_counts_the_rest(prototypes):
    data = _Cells(prototypes._repr_html_()).data
    assert {"source_id", "formula", "space_group", "a", "γ", "sites"} <= set(data)
    assert list(map(str, prototypes.source_id[:5])) == [x for x in data if x in set(prototypes.source_id)]
    assert "… and 283 more" in data


def test_what_was_skipped_stands_below_and_is_escaped(shown):
    loaded, _ = shown["loaded"]
    page = loaded._repr_html_()
    assert "x &lt;1&gt;" in page and "skipped: not a valid CIF" in page and "odd" in page


def test_prepared_patterns_print_as_one_line(prototypes, tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    prepared = prepared_patterns(prototypes[:7], CU_KALPHA)
    assert repr(prepared) == "<Prepared: patterns of 7 crystals, 1,000 points, 0 dropped>"
    assert _Cells(prepared._repr_html_()).tags.count("tr") == 6


def test_a_long_line_is_cut_and_breaks_are_blanks():
    assert one_line("X", "a\nb", "") == "<X: a b>"
    assert len(one_line("X", "y" * 500)) == 110 and one_line("X", "y" * 500).endswith("…>")


def test_numbers_of_a_table_have_four_decimals():
    assert _Cells(small_table("t", {"x": [0.123456, 2.0]}, 2)).data == ["t", "x", "0.1235", "2"]
