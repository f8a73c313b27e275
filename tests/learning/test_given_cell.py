"""Tables of what a known cell shows: by the rival itself, and why a network missed it."""

import numpy as np
import pandas as pd
import pytest

from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import Instrument
from paperlib.learning.given_cell import detection_table, reason_table
from paperlib.learning.made_arms import ReflectionData
from paperlib.learning.oracle import REASONS
from paperlib.learning.ranked import ranked
from paperlib.learning.study import Trained

LABELS = Labels("published")
INSTRUMENT = Instrument()
TEST = ReflectionData(LABELS, INSTRUMENT, 64, 40).test("ideal", 40)


def test_noise_takes_away_what_can_be_read_and_each_miss_has_its_reason():
    items = TEST.items(0)
    table, answers = detection_table(items, TEST.cells(), INSTRUMENT, LABELS, noises=(1e-6, 0.1))
    clean, noisy = table.to_dict("records")
    assert clean["top1"] > 0.9 and noisy["top1"] < clean["top1"] - 0.1 and noisy["overlap or noise"] > 0.1
    assert noisy["expected"] < 0.9 < clean["expected"] and clean["overlap or noise"] == 0
    for row, found in zip((clean, noisy), answers.values(), strict=True):
        assert sum(row[reason] for reason in REASONS) == pytest.approx(1)
        assert row["right"] == row["top1"] == found.hit(1).mean() and row["top1"] <= row["top3"] <= row["top5"]
        assert row["low"] <= row["top1"] <= row["high"] and row["n"] == 40


def test_a_network_misses_for_reasons_that_add_up():
    items = TEST.items(0)
    truth = LABELS.of(items.space_group)
    log_p = np.full((40, 99), -9.0)
    log_p[np.arange(40), np.where(np.arange(40) < 30, truth, LABELS.of([2])[0])] = 0
    kept = {("ideal", "net", 0, 0): {"published": ranked(log_p, truth)}}
    cells = pd.DataFrame([("net", 0, 0)], columns=["arm", "split", "seed"])
    trained = Trained(cells, pd.DataFrame(), pd.DataFrame(), kept, {("ideal", 0): items})
    table = reason_table(trained, "ideal", "published", TEST.cells(), INSTRUMENT).set_index("reason").value
    triclinic = (truth[30:] == LABELS.of([2])[0]).sum()
    assert table["right"] == (30 + triclinic) / 40 and table["another family"] == (10 - triclinic) / 40
    assert list(table.index) == list(REASONS) and table.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match=r"len\(cells\)=39"):
        reason_table(trained, "ideal", "published", TEST.cells()[:39], INSTRUMENT)
