"""Progress in a log: lines, not bars; bars where somebody watches."""

import sys
from types import SimpleNamespace

import pytest
import tqdm.auto

from paperlib.lab import progress


@pytest.fixture
def now(monkeypatch):
    """Every item is worth a line."""
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    monkeypatch.setenv("TQDM_DISABLE", "1")


def test_a_log_gets_whole_lines_with_count_total_and_unit(now, capsys):
    with progress.progress(total=30587, desc="crystals", unit="entries") as bar:
        bar.update(12288)
        bar.update(30587 - 12288)
    err, out = capsys.readouterr()  # what a command answers goes to the other one
    assert out.splitlines()[0].startswith("crystals: 12,288 of 30,587 entries, ") and out.splitlines()[0].endswith(" s")
    assert out.splitlines()[-1].startswith("crystals: 30,587 of 30,587 entries, ")
    assert err == "" and "\r" not in out


def test_an_iterable_is_passed_through_and_may_have_no_length(now, capsys):
    assert list(progress.progress(iter("abc"), desc="letters")) == ["a", "b", "c"]
    assert capsys.readouterr().err.splitlines()[-1].startswith("letters: 3 items, ")


def test_what_is_done_soon_says_nothing(capsys):
    assert list(progress.progress(range(1000), desc="quick")) == list(range(1000))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("watched, kind", [(True, tqdm.auto.tqdm), (False, progress._Lines)])
def test_a_kernel_shows_a_bar_where_its_client_can_be_asked(monkeypatch, watched, kind):
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=watched))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(tqdm.auto, "tqdm", kind if watched else None)
    if watched:
        monkeypatch.setattr(tqdm.auto, "tqdm", lambda *a, **k: "bar")
        assert progress.progress(range(3)) == "bar"
    else:
        assert isinstance(progress.progress(range(3)), kind)


def test_lines_of_progress_are_told_from_what_a_notebook_says(now, capsys):
    with progress.progress(total=30587, desc="crystals", unit="entries") as bar:
        bar.update(12288)
        bar.update(18299)
    lines = capsys.readouterr().err
    assert len(lines.splitlines()) >= 1
    said = "30,587 entries: 30,587 read, 0 refused\ncrystals: 12 s\n"
    assert progress.without_lines(lines) == "" and progress.without_lines(lines + said + lines) == said
