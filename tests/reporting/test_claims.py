import pytest

from paperlib.reporting.claims import ClaimError, Comparison, Side, evaluate, parse_comparisons, read_claims

ENTRY = "- id: {id}\n  text: a claim\n  notebook: 06_labels\n  compare: {compare}\n"


def _evaluate(tmp_path, results, compare):
    path = tmp_path / "claims.yml"
    path.write_text(ENTRY.format(id="one", compare=compare))
    (row,) = evaluate(results, path).to_dict("records")
    return row["holds"], row["evidence"]


def test_the_grammar():
    assert parse_comparisons("06_labels/a low > 06_labels/b high and 03_x/c<=-1.5e-3", "one") == (
        Comparison(Side("06_labels/a", "low"), ">", Side("06_labels/b", "high")),
        Comparison(Side("03_x/c"), "<=", Side("", number=-0.0015)),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "06_labels/a",
        "06_labels/a > ",
        "06_labels/a => 0.5",
        "06_labels/a != 0.5",
        "06_labels/a mean > 0.5",
        "labels/a > 0.5",
        "06_labels/a > 0.5 or 06_labels/b > 1",
        "06_labels/a > 0.5 and",
        "0.1 < 06_labels/a < 0.5",
        "1 < 2",
        "__import__('os') > 0",
    ],
)
def test_what_is_outside_the_grammar_is_refused_with_the_name_of_the_claim(text):
    with pytest.raises(ClaimError, match="'overtaken'"):
        parse_comparisons(text, "overtaken")


@pytest.mark.parametrize(
    ("compare", "holds"),
    [
        ("06_labels/direct_top1 > 0.5", "yes"),
        ("06_labels/direct_top1 low > 06_labels/frequency_top1 high", "yes"),
        ("06_labels/direct_top1 low > 06_labels/direct_top1 high", "no"),
        ("06_labels/n_seeds == 2", "yes"),
        ("06_labels/n_seeds == 2 and 06_labels/direct_top1 < 0.5", "no"),
        ("06_labels/unheard_of > 0.5", "not computed"),
        ("08_bias/direct_top1 > 0.5", "not computed"),
        ("06_labels/n_train low > 3", "not computed"),
    ],
)
def test_claims_are_judged(tmp_path, results, compare, holds):
    assert _evaluate(tmp_path, results, compare)[0] == holds


def test_evidence_shows_both_sides_and_n(tmp_path, results):
    _, evidence = _evaluate(tmp_path, results, "06_labels/direct_top1 low > 0.5 and 06_labels/n_seeds > 1")
    assert evidence == ("06_labels/direct_top1 low = 60.1 % > 50 % (true, n = 4000); 06_labels/n_seeds = 2 > 1 (true)")


def test_evidence_is_in_the_units_of_its_kind(tmp_path, results):
    _, evidence = _evaluate(
        tmp_path, results, "06_labels/difference_real_top1 > 0 and 02_simulator/max_r_ours > 02_simulator/median_r_ours"
    )
    first, second = evidence.split("; ")
    assert first == "06_labels/difference_real_top1 = 4.1 points > 0 points (true, n = 4000)"
    assert second.count(" %") == 2
    assert "lines_times = 11.4 > 1 (" in _evaluate(tmp_path, results, "02_simulator/lines_times > 1")[1]


def test_what_is_not_computed_says_what_is_missing(tmp_path, results):
    assert "06_labels/n_train has no low" in _evaluate(tmp_path, results, "06_labels/n_train low > 3")[1]
    assert "08_bias" in _evaluate(tmp_path, results, "08_bias/direct_top1 > 0.5")[1]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (ENTRY.format(id="twice", compare="06_labels/a > 1") * 2, "twice"),
        ("- id: short\n  text: no comparison\n", "short"),
        (ENTRY.format(id="wrong", compare="06_labels/a >> 1"), "wrong"),
        ("- just a text\n", "entry 1"),
    ],
)
def test_a_malformed_file_is_an_error_that_names_the_claim(tmp_path, text, named):
    path = tmp_path / "claims.yml"
    path.write_text(text)
    with pytest.raises(ClaimError, match=named):
        read_claims(path)
