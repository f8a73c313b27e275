"""Tables of the studies, all from one schema of scores, and the table of claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_count, tex_escape
from paperlib.reporting.names import ARMS, SPACES, TESTS
from paperlib.reporting.scores import pooled
from paperlib.reporting.tables.layout import breakable, longtable, origin_note, score, share, tabular


def labels(results: Results) -> str:
    """Top-1, 3 and 5 of the label experiment, all trainings together."""
    picks: dict[str, dict[str, str | int]] = {f"Top-{k}": {"k": k, "test": "test"} for k in (1, 3, 5)}

    def lead(space: str, arm: str) -> Sequence[str]:
        return space, ARMS[arm].label

    return _score_table(results, "06_labels", "llrrr", ("Scored on", "Model"), lead, picks)


def duplicate_effect(results: Results) -> str:
    """Scores of the five training sets on both test sets, and how much each was trained on."""
    stem = "07_duplicate_effect"
    entries = results.table(stem, "leakage").groupby("arm")["n_train"].mean()
    steps = results.table(stem, "trainings").groupby("arm")["steps"].mean()
    picks: dict[str, dict[str, str | int]] = {
        "Top-1, all": {"test": "all", "k": 1},
        "Top-1, one of each": {"test": "single", "k": 1},
        "Top-5, all": {"test": "all", "k": 5},
    }

    def lead(_space: str, arm: str) -> Sequence[str]:
        size = (format_count(entries[arm]), format_count(steps[arm])) if arm in steps.index else ("--", "--")
        return ARMS[arm].label, *size

    return _score_table(results, stem, "lrrrrr", ("Training set", "Entries", "Steps"), lead, picks)


def bias(results: Results) -> str:
    """Every training set on every test set: top-1, 3 and 5, top-1 with the class frequencies exchanged, balanced
    accuracy and macro-F1; and what class frequencies alone give."""
    stem = "08_bias"
    scores, sizes = pooled(results.table(stem, "scores")), results.table(stem, "sets").set_index("arm")["n_train"]
    means = results.table(stem, "balance").set_index(["test", "arm"])
    rows = []
    for test in ("real", "histogram", "balanced"):
        for arm, part in scores[scores["test"] == test].groupby("arm", sort=False):
            own = part[part["space"] != "corrected"].set_index("k")
            after = part[(part["space"] == "corrected") & (part["k"] == 1)]
            line = [TESTS[test], ARMS[str(arm)].label, format_count(sizes[arm]) if arm in sizes else "--"]
            line += [score(own.loc[1]), *(share(own.loc[k, "value"]) for k in (3, 5))]
            line.append(score(after.iloc[0]) if len(after) else "--")
            trained = (test, arm) in means.index
            line += [share(means.loc[(test, arm), mean]) if trained else "--" for mean in ("balanced_top1", "macro_f1")]
            rows.append(line)
    header = ("Tested on", "Trained on", "Crystals", "Top-1", "Top-3", "Top-5", "Exchanged", "Balanced", "Macro-F1")
    counts = scores.groupby("test", sort=False)["n"].max()
    tests = ", ".join(f"{format_count(n)} ({TESTS[str(test)]})" for test, n in counts.items())
    items = (
        rf"in \%, 95\,\% intervals over test items and trainings, n = {tests} test items, "
        f"{format_count(scores['n_trainings'].max())} trainings of each"
    )
    return tabular("llrrrrrrr", header, rows, origin_note(results, stem, items))


def _score_table(
    results: Results,
    stem: str,
    columns: str,
    header: Sequence[str],
    lead: Callable[[str, str], Sequence[str]],
    picks: Mapping[str, Mapping[str, str | int]],
) -> str:
    """One row for each space and arm: what ``lead`` says of it under ``header``, then the pooled score that each of
    ``picks`` selects by columns of the table of scores."""
    every = results.table(stem, "scores")
    asked = {pick["test"] for pick in picks.values() if "test" in pick}
    scores = pooled(every[every["test"].isin(asked)] if asked else every)
    scores = scores.assign(space=scores["space"].map(SPACES)).sort_values("space", kind="stable")
    rows = []
    for (space, arm), part in scores.groupby(["space", "arm"], sort=False):
        cells = [score(part[(part[list(pick)] == list(pick.values())).all(axis=1)].iloc[0]) for pick in picks.values()]
        rows.append((*lead(str(space), str(arm)), *cells))
    sizes = scores.groupby("test", sort=False)["n"].max()
    tests = [f"{format_count(n)} ({TESTS[test]})" if len(sizes) > 1 else format_count(n) for test, n in sizes.items()]
    items = (
        rf"in \%, 95\,\% intervals over test entries and trainings, n = {' and '.join(tests)} test entries, "
        f"{format_count(scores['n_trainings'].max())} trainings of each"
    )
    return tabular(columns, (*header, *picks), rows, origin_note(results, stem, items))


def claims(results: Results) -> str:
    """The claims of the paper with what the results say."""
    stem = "00_overview"
    table = results.table(stem, "claims")
    rows = [(tex_escape(row.claim), tex_escape(row.holds), breakable(row.evidence)) for row in table.itertuples()]
    columns = r"L{0.4\textwidth}L{0.08\textwidth}L{0.44\textwidth}"
    note = origin_note(results, stem, f"n = {len(table)} claims")
    return longtable(columns, ("Claim", "Holds", "Evidence"), rows, note)
