"""The table of the study of radiations: every network on every set of patterns, both programs among them."""

from __future__ import annotations

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_count, tex_escape
from paperlib.reporting.names import PROGRAM_TESTS, RADIATION_TESTS, RADIATIONS
from paperlib.reporting.tables.layout import origin_note, score, share, tabular

STEM = "15_neutrons"


def neutrons(results: Results) -> str:
    """Top-1 of the three networks on patterns of both radiations, as they are and with the heights handed round, and,
    where they were computed, on patterns of some of the crystals by two programs; what class frequencies give."""
    scores = results.table(STEM, "scores")
    scores = scores[(scores["seed"] == -1) & (scores["k"] == 1)].set_index(["test", "arm"])
    tests = {**RADIATION_TESTS, **PROGRAM_TESTS}
    rows = []
    for test in (test for test in tests if test in scores.index.get_level_values("test")):
        cells = [score(scores.loc[(test, arm)]) for arm in RADIATIONS]
        guess = share(scores.loc[(test, "frequency"), "value"])
        n = format_count(scores.loc[(test, "frequency"), "n"])
        rows.append((tex_escape(tests[test]), n, *cells, guess))
    trainings = scores["n_trainings"].loc[:, [*RADIATIONS]].max()
    items = (
        rf"top-1 in \%, n = {format_count(scores['n'].max())} test patterns at most, {trainings} trainings of each; "
        r"95\,\% intervals over structure types and trainings"
    )
    heads = ("Test patterns", "$n$", *(named.label for named in RADIATIONS.values()), "Freq.")
    return tabular("lrrrrr", heads, rows, origin_note(results, STEM, items))
