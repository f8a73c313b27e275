"""Tables of the studies, all from one schema of scores, and the table of claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_count, tex_escape
from paperlib.reporting.names import ARMS, SPACES, TESTS
from paperlib.reporting.scores import pooled
from paperlib.reporting.tables.layout import breakable, longtable, origin_note, score, tabular


def labels(results: Results) -> str:
    """Top-1, 3 and 5 of the label experiment, all trainings together."""
    picks = {f"Top-{k}": {"k": k} for k in (1, 3, 5)}

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
    scores = pooled(results.table(stem, "scores"))
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
