import re
import shutil

import pytest

from paperlib.lab.results import Results
from paperlib.lab.store import write_table
from paperlib.reporting import claims
from paperlib.reporting.produce import write_generated
from paperlib.reporting.tables.all import TABLES
from paperlib.reporting.tables.radiations import neutrons

WITHOUT_CLAIMS = [table for table in TABLES if table.name != "claims"]


@pytest.mark.parametrize("table", WITHOUT_CLAIMS, ids=lambda table: table.name)
def test_tables_are_balanced_latex_with_profile_and_n(table, results):
    text = table.make(results)
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert re.sub(r"\\[{}]", "", text).count("{") == re.sub(r"\\[{}]", "", text).count("}")
    assert "laptop profile" in text
    assert re.search(r"\bn = ", text)
    columns = {line.count(" & ") for line in text.splitlines() if " & " in line}
    assert len(columns) == 1
    assert "nan" not in text.replace("anatase", "")


@pytest.mark.parametrize("table", WITHOUT_CLAIMS, ids=lambda table: table.name)
def test_tables_of_a_smoke_run_say_so(table, smoke_results):
    assert "wiring check only" in table.make(smoke_results)


def test_every_extinction_class_has_its_row(results):
    text = next(table for table in TABLES if table.name == "extinction_classes").make(results)
    rows = [line for line in text.splitlines() if re.match(r"\d+ & ", line)]
    assert len(rows) == 99
    members = [int(n) for row in rows for n in row.rpartition(" & ")[2].removesuffix(r" \\").split(", ")]
    assert sorted(members) == list(range(1, 231))


def test_scores_stand_with_their_intervals(results):
    text = next(table for table in TABLES if table.name == "labels").make(results)
    assert "extinction group & extinction-group labels & 61.2 [60.1, 62.3]" in text
    assert "ceiling, balanced data & 98.0 & 100.0 & 100.0" in text


def test_the_effect_of_duplicates_stands_with_what_each_arm_was_trained_on(results):
    text = next(table for table in TABLES if table.name == "duplicate_effect").make(results)
    assert r"all, random split & 37\,342 & 3555 & 71.0 [69.9, 72.1] & 71.0 [69.9, 72.1]" in text
    assert "class frequencies & -- & -- & 9.0" in text
    assert "n = 8298 (all) and 7724 (one of each group) test entries, 2 trainings of each" in text


def test_every_training_set_stands_on_every_test_set_as_it_answers_and_exchanged(results):
    text = next(table for table in TABLES if table.name == "bias").make(results)
    row = (
        r"random, balanced & random, balanced, middle & 230\,000 & 71.0 [69.9, 72.1] & 90.5 & 96.9 & 74.0 [72.9, 75.1]"
    )
    assert f"{row} & 61.0 & 59.0" in text
    assert text.count("real, new structure types & ") == 9 and "frequencies of real crystals & -- & 10.0" in text


def test_scores_of_worlds_stand_by_what_a_network_was_trained_on(results):
    tables = {table.name: table.make(results) for table in TABLES if table.name in ("worlds", "samplings")}
    row = r"noise of 0.01 \% of the maximum & inside & 51.0 & 53.0 & 50.0 & 56.0 & 53.0 & 55.0 & 52.0 & 58.0 & 6.0"
    assert row in tables["worlds"] and "reach at most 1.1 points to either side" in tables["worlds"]
    assert r"1000 & 5--90 & 0.066 & 0.8 & bins & degrees & 1\,411\,427 & " in tables["samplings"]


def test_networks_of_both_radiations_stand_on_the_patterns_of_both_programs(results, smoke_results):
    text = neutrons(results)
    assert "neutrons & 6000 & 21.0 [19.9, 22.1] & 61.0 [59.9, 62.1] & 58.0 [56.9, 59.1] & 6.0" in text
    assert "X-rays, CrysFML & 600 & 55.0 [53.9, 56.1] & " in text and "2 trainings of each" in text
    assert "CrysFML" not in neutrons(smoke_results), "which asks no other program"


def test_a_family_stands_with_its_work_its_speed_and_its_scores(results):
    lines = next(table for table in TABLES if table.name == "architectures").make(results).splitlines()
    published = next(line for line in lines if line.startswith("ResNet, published"))
    assert published.startswith(
        r"ResNet, published & 632\,771 & 2.90 & 400 & 41.2 & 35.5 & 64.7 & 86.6 [85.6, 87.6] & 97.2 &"
    )
    large = next(i for i, line in enumerate(lines) if line.startswith(r"\quad twice the width, 2\,170\,000 &"))
    assert lines[large].endswith(r"-- & -- & 95.1 [94.1, 96.1] & 99.0 & -- \\")
    assert lines[large - 1].startswith(r"positions kept, $\surd$intensity &")
    told = next(line for line in lines if line.startswith("given the cell"))
    assert told.endswith(r"& -- & -- & 97.6 [96.6, 98.6] & 99.5 & -- \\")


def test_laws_stand_with_their_intervals(results):
    text = next(table for table in TABLES if table.name == "scaling").make(results)
    assert r"ResNet, published & half the width & 3 & 800 [667, 960] & 1.20 [1.00, 1.40] &" in text
    assert r"published size & 5 & 800 [667, 960] & 1.20 [1.00, 1.40] & 97.0 [95.0, 97.8] & 1.2 \\" in text
    assert r"& 97.0 [95.0, 97.8] & -- \\" in text, "three numbers follow three points exactly"


def test_times_come_from_the_record(results):
    tables = {table.name: table.make(results) for table in TABLES if table.name in ("duplicates", "random_labels")}
    rules = [line for line in tables["duplicates"].splitlines() if line.endswith(r"& 374 & 12.3 \\")]
    assert len(rules) == 6
    programs = [line for line in tables["random_labels"].splitlines() if line.startswith(("PyXtal &", "real &"))]
    assert [line.rpartition(" & ")[2] for line in programs] == [r"13.4 \\", r"-- \\"]


def test_rules_stand_against_each_truth_and_the_rows_of_the_talk_with_their_letters(results):
    names = ("duplicate_truth", "determination_kinds", "talk_rows")
    tables = {table.name: table.make(results) for table in TABLES if table.name in names}
    lines = tables["duplicate_truth"].splitlines()
    assert sum(line.startswith(("parents, 1800 pairs &", "determinations, 3600 pairs &")) for line in lines) == 2
    assert sum(r"& 99.0 & 20.0 & 90.0 [88.0, 92.0] & 90.0 [88.0, 92.0] \\" in line for line in lines) == 3
    assert "structure & " + " & ".join(["87.0"] * 6) + r" \\" in tables["determination_kinds"]
    assert r"& 4.3470 & 4.3470 & 11.2415 & 184.0 & A & A & A \\" in tables["talk_rows"]


def test_an_arm_without_a_name_is_an_error(results, tmp_path):
    shutil.copytree(results.folder("06_labels"), tmp_path / "06_labels")
    scores = results.table("06_labels", "scores").replace({"arm": {"direct": "indirect"}})
    write_table(tmp_path / "06_labels" / "scores.csv", scores)
    with pytest.raises(KeyError, match="indirect"):
        next(table for table in TABLES if table.name == "labels").make(Results(tmp_path))


def test_names_from_databases_cannot_break_latex(results, tmp_path):
    folder = tmp_path / "03_databases"
    folder.mkdir()
    for path in results.folder("03_databases").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    summary = results.table("03_databases", "summary")
    summary.loc[0, "database"] = "50% of A_B & {C}"
    write_table(folder / "summary.csv", summary)
    text = next(table for table in TABLES if table.name == "databases").make(Results(tmp_path))
    assert r"50\% of A\_B \& \{C\}" in text


def test_generated_files_are_written_and_stale_ones_removed(results, repository, tmp_path, capsys):
    stale = tmp_path / "tables" / "claims.tex"
    stale.parent.mkdir()
    stale.write_text("old")
    written = write_generated(results, tmp_path)
    assert {path.name for path in written} == {"values.tex", *(f"{table.name}.tex" for table in WITHOUT_CLAIMS)}
    assert all(path.is_file() for path in written)
    assert not stale.exists()
    assert "table claims left out: no results of 00_overview" in capsys.readouterr().out
    again = {path: path.read_bytes() for path in written}
    write_generated(results, tmp_path)
    assert again == {path: path.read_bytes() for path in written}


def test_the_table_of_claims(results, tmp_path):
    path = tmp_path / "claims.yml"
    path.write_text("- {id: a, text: x_1 beats 50 %, notebook: 06_labels, compare: 06_labels/direct_top1 low > 0.5}\n")
    folder = tmp_path / "results" / "00_overview"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes((results.folder("06_labels") / "manifest.json").read_bytes())
    write_table(folder / "claims.csv", claims.evaluate(results, path))
    text = next(table for table in TABLES if table.name == "claims").make(Results(tmp_path / "results"))
    assert r"x\_1 beats 50 \% & yes & 06\_\allowbreak{}labels/\allowbreak{}direct" in text


def test_ranges_of_the_preset_are_printed_without_signs_that_latex_does_not_know(results):
    text = next(table for table in TABLES if table.name == "laboratory").make(results)
    assert r"zero shift & $-$0.03 to 0.03 & \textdegree{} $2\theta$ & chosen: 0.1\textdegree{} is 50 \%" in text
    assert "goniometer radius & 200 & mm" in text
    assert r"counts & 1000 to 200\,000 & counts & chosen: 3 \% noise \& glass, Cu K$\alpha$" in text


def test_agreement_stands_with_program_radiation_and_n(results):
    text = next(table for table in TABLES if table.name == "simulator").make(results)
    assert (
        r"cctbx & both & $\Sigma|F|^2$ (of the strongest line) & 223 & $1.3\times10^{-6}$ & $4.4\times10^{-6}$" in text
    )
    assert r"FullProf & neutrons & $1-{}$correlation of the profile & 4 &" in text
    assert text.isascii()
