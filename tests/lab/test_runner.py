"""The runner end to end, on a miniature repository with real kernels where the kernel matters."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import nbclient
import nbformat
import papermill
import pytest

from paperlib.lab import freshness, paths, publish, runner
from paperlib.lab.locks import BusyError
from paperlib.lab.results import Results
from paperlib.lab.run import restore_interrupted
from tests.conftest import write_notebook
from tests.lab.conftest import command, edit, manifests, run_all_here, run_here, statuses

JOB = runner.Job("smoke")


def values(profile="smoke"):
    return {path.parent.name: json.loads(text)["values"] for path, text in manifests(profile).items()}


def test_everything_runs_once_then_is_fresh_then_only_what_depends_on_a_change(clone):
    assert set(statuses(runner.reproduce(JOB)).values()) == {"ran"}
    assert values()["03_sum"]["sum"] == {"value": 5.0, "low": None, "high": None, "n": 3, "kind": "number"}
    again = runner.reproduce(JOB)
    assert set(statuses(again).values()) == {"fresh"}
    assert "fresh" in runner.report(again)
    edit(clone / "notebooks" / "01_count.ipynb", "n = 3", "n = 4")
    assert statuses(runner.reproduce(JOB)) == {"01_count": "ran", "02_slow": "fresh", "03_sum": "ran"}
    assert values()["03_sum"]["sum"]["value"] == 14.0


def test_an_override_goes_to_custom_and_touches_nothing_else(clone):
    run_all_here()
    before = manifests()
    done = command("reproduce", "--notebook", "01_count", "--set", "n=7")
    assert done.returncode == 0, done.stdout + done.stderr
    assert values("custom")["01_count"]["n"]["value"] == 7
    assert manifests() == before
    assert (paths.work_executed("custom") / "01_count.ipynb").is_file()


def test_bare_papermill_keeps_to_the_same_rule(clone):
    book = str(paths.notebook("01_count"))
    papermill.execute_notebook(book, str(clone / "out.ipynb"), parameters={"n": 4}, progress_bar=False)
    assert values("custom")["01_count"]["n"]["value"] == 4 and not manifests("smoke")
    papermill.execute_notebook(book, str(clone / "out.ipynb"), progress_bar=False, cwd=str(clone / "notebooks"))
    assert values("smoke")["01_count"]["n"]["value"] == 3


@pytest.mark.parametrize(
    "fail, message",
    [("raise", "ValueError: the sample is upside down"), ("kill", "its kernel was killed")],
)
def test_a_failure_is_explained_and_leaves_earlier_results(clone, fail, message):
    run_all_here()
    before = manifests()
    book = clone / "notebooks" / "01_count.ipynb"
    book.write_text(book.read_text().replace('fail = \\"\\"', f'fail = \\"{fail}\\"'))
    done = command("reproduce")
    assert done.returncode == 1
    assert message in done.stdout
    table = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines() if line[:3] in ("01_", "02_", "03_")}
    assert table == {"01_count": "failed", "02_slow": "fresh", "03_sum": "waits"}
    assert manifests() == before
    assert (paths.work("smoke") / "failed" / "01_count.ipynb").is_file()


def test_a_full_disk_is_named_and_leaves_earlier_results(clone):
    run_all_here()
    before = manifests()
    book = clone / "notebooks" / "01_count.ipynb"
    book.write_text(book.read_text().replace("n = 3", "n = 200000"))
    limit = 400_000  # bytes; the squares of the stage need more, a notebook far less
    done = command("reproduce", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert done.returncode == 1
    assert "no room to write" in done.stdout and "values.npz" in done.stdout
    assert "make room" in done.stdout
    assert manifests() == before


def test_a_run_killed_in_the_middle_resumes_from_what_its_stages_kept(clone):
    book = clone / "notebooks" / "02_slow.ipynb"
    book.write_text(book.read_text().replace("steps = 1", "steps = 8").replace("seconds = 0.0", "seconds = 0.5"))
    line = [sys.executable, "-m", "paperlib.cli", "reproduce", "--notebook", "02_slow"]
    process = subprocess.Popen(line, env=os.environ, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list((paths.stages() / "step").glob("*/record.json"))) < 3:
        assert time.monotonic() < deadline, "the run never got to its third step"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert freshness.survey("smoke")["02_slow"].state == "missing"
    assert not Results.of_profile("smoke").has("02_slow")

    done = command(*line[3:])
    assert done.returncode == 0, done.stdout + done.stderr
    assert 3 <= values()["02_slow"]["resumed_after"]["value"] < 8
    assert values()["02_slow"]["steps"]["value"] == 8


def test_results_set_aside_by_a_killed_finish_come_back(clone):
    run_here("01_count")
    good = paths.work_results("smoke") / "01_count"
    good.rename(good.with_name(".01_count.old"))
    restore_interrupted("smoke")
    assert freshness.survey("smoke")["01_count"].fresh


def test_two_runs_of_one_profile_exclude_each_other(clone):
    hold = "with runner._lock('smoke'):\n    print('held', flush=True)\n    sys.stdin.readline()"
    line = [sys.executable, "-c", f"import sys\nfrom paperlib.lab import runner\n{hold}"]
    other = subprocess.Popen(line, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    with pytest.raises(
        BusyError, match=f"another run of the smoke profile is going on in another process, {other.pid}"
    ):
        runner.reproduce(JOB)
    other.communicate("\n", timeout=60)
    with runner._lock("smoke"):
        pass


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--notebook", "01_count", "--set", "m=1"], "unknown parameter 'm'"),
        (["--set", "n=1"], "needs one notebook"),
        (["--notebook", "07_none"], "no notebook '07_none'"),
    ],
)
def test_a_bad_command_exits_with_one_and_says_why(clone, arguments, message):
    done = command("reproduce", *arguments)
    assert done.returncode == 1
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not manifests()


def test_publish_takes_a_complete_run_and_a_clone_finds_it_fresh(clone):
    with pytest.raises(publish.PublishError, match="wiring check"):
        publish.publish("smoke")
    with pytest.raises(publish.PublishError, match="01_count: missing"):
        publish.publish("laptop")
    run_all_here("laptop")
    assert {item.status for item in publish.publish("laptop")} == {"published"}
    assert {item.status for item in publish.publish("laptop")} == {"unchanged"}
    text = (clone / "notebooks" / "executed" / "01_count.ipynb").read_text()
    assert str(clone) not in text and "papermill" not in text and "01_count finished" in text

    manifest = Results.published().manifest("01_count")
    assert Results.published().value("03_sum/sum").value == 5.0
    for folder in (clone / "data" / "work").iterdir():
        os.rename(folder, clone / f"gone-{folder.name}")
    states = freshness.survey("laptop")
    assert all(state.fresh and state.reason == "published result" for state in states.values())
    assert states["01_count"].manifest == manifest
    assert freshness.survey("smoke")["01_count"].state == "missing", "a laptop result is no smoke result"


def test_a_smaller_profile_does_not_replace_a_bigger_one(clone):
    run_all_here("laptop")
    publish.publish("laptop")
    path = clone / "data" / "results" / "01_count" / "manifest.json"
    content = json.loads(path.read_text())
    content["record"] |= {"profile": "paper", "run_id": "another"}
    path.write_text(json.dumps(content))
    plan = {item.stem: item.status for item in publish.publish("laptop")}
    assert plan["01_count"] == "kept" and plan["02_slow"] == "unchanged"


def test_results_of_another_notebook_copy_are_not_published(clone):
    run_all_here("laptop")
    shown = paths.work_executed("laptop") / "01_count.ipynb"
    kept = shown.read_text()
    run_here("01_count", "laptop")
    shown.write_text(kept)
    with pytest.raises(publish.PublishError, match="were not written by"):
        publish.publish("laptop")


def test_a_run_that_gathers_results_is_stale_once_there_are_more_and_never_sees_later_ones(clone):
    opening = 'from paperlib.lab.run import Run\nrun = Run("90_all", globals())\n'
    gather = opening + 'run.value("seen", " ".join(run.results.stems()))'
    write_notebook(clone / "notebooks" / "90_all.ipynb", 'profile = "smoke"', gather, "run.finish()")
    write_notebook(
        clone / "notebooks" / "91_last.ipynb", 'profile = "smoke"', gather.replace("90_all", "91_last"), "run.finish()"
    )
    for stem in ("01_count", "90_all", "91_last"):
        run_here(stem)
    assert values()["90_all"]["seen"]["value"] == "01_count 90_all"
    assert values()["91_last"]["seen"]["value"] == "01_count 90_all 91_last"
    assert freshness.survey("smoke")["90_all"].fresh
    run_here("02_slow")
    assert freshness.survey("smoke")["90_all"].reason == "02_slow has results now"
    run_all_here()
    assert values()["90_all"]["seen"]["value"] == "01_count 02_slow 03_sum 90_all"
    assert all(state.fresh for state in freshness.survey("smoke").values())


def alive(process):
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        return open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


BUSY = """\
import os
from paperlib.lab.run import Run
run = Run("04_busy", globals())
with open(told, "w") as file:
    file.write(str(os.getpid()))
n = sum(range(10**12))"""


@pytest.fixture
def busy(clone):
    """A runner in a process of its own, whose notebook keeps its kernel in compiled code; and that kernel's id."""
    write_notebook(
        clone / "notebooks" / "04_busy.ipynb", f'profile = "smoke"\ntold = "{clone}/pid"', BUSY, "run.finish()"
    )
    line = [sys.executable, "-m", "paperlib.cli", "reproduce", "--notebook", "04_busy"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(line, env=os.environ, text=True, start_new_session=True, **pipes)
    told = clone / "pid"
    wait_for(lambda: told.is_file() and told.read_text(), "the notebook never began")
    kernel = int(told.read_text())
    assert alive(kernel)
    yield process, kernel
    for left in (process.pid, kernel):
        if alive(left):
            os.kill(left, signal.SIGKILL)
    process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's own thread has to do elsewhere")
def test_a_kernel_ends_with_its_runner_even_in_compiled_code(busy):
    process, kernel = busy
    process.kill()
    process.wait()
    wait_for(lambda: not alive(kernel), "the kernel outlived its runner")


def test_an_interrupt_is_one_line_and_ends_the_kernel(busy):
    process, kernel = busy
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in out + err and err == ""
    assert out.splitlines()[-1].startswith("interrupted: finished notebooks, kept stages and checkpoints stay")
    assert "killed" not in out and "failed" not in out
    assert not alive(kernel)


def test_tables_figures_and_objects_are_readable_in_the_terminal(clone):
    shows = [
        'import pandas as pd\nfrom paperlib.lab.run import Run\nrun = Run("04_shows", globals())',
        'pd.DataFrame({"name": ["corundum"], "R": [0.125]}).style.format({"R": "{:.1%}"}).hide(axis="index")',
        "import matplotlib.pyplot as plt\nplt.figure()",
        "object()",
        "print('half a', end='', flush=True)\nimport time\ntime.sleep(0.5)\nprint(' line')",
        "from paperlib.lab import progress\nprogress.SECONDS = 0",
        "n = len(list(progress.progress(range(2), desc='steps')))",
    ]
    write_notebook(clone / "notebooks" / "04_shows.ipynb", 'profile = "smoke"', *shows, "run.finish()")
    done = command("reproduce", "--notebook", "04_shows")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    04_shows · smoke"))
    assert lines[first + 1 : first + 4] == ["    name          R", "    corundum  12.5%", "    half a line"]
    assert lines[first + 5].startswith("    steps: 2 of 2 items, ")
    assert "<" not in done.stdout and "<" not in done.stderr


def test_missing_data_are_named_before_a_kernel_starts(clone, monkeypatch):
    monkeypatch.setattr(runner, "_kernel_environment", lambda: pytest.fail("a kernel starts"))
    reads = 'from paperlib.lab.run import Run\nrun = Run("04_reads", globals())\nrun.data(source)\n'
    reads += "for name in sources:\n    run.data(name)\nrun.data('fixed.csv')"
    declared = 'profile = "smoke"\nsource = "prototypes"\nsources = ["prototypes"]'
    write_notebook(clone / "notebooks" / "04_reads.ipynb", declared, reads, "run.finish()")
    (outcome,) = runner.reproduce(runner.Job("smoke", ["04_reads"]))
    assert outcome.status == "failed" and "'fixed.csv' is neither in data/registry.txt nor" in outcome.message
    (clone / "fixed.csv").touch()
    (clone / "data" / "registry.txt").write_text(f"structures/big.gz {'0' * 64}\n")
    for text, says in [
        (
            "source=~/no such folder/a b.cif",
            r"'~/no such folder/a b\.cif' is neither .* there is no folder 'no such folder'",
        ),
        ("sources=[prototypes, nowhere]", "'nowhere' is neither"),
        ("source=structures/big.gz", "structures/big.gz is not on this machine"),
    ]:
        with pytest.raises(FileNotFoundError, match=says):
            runner.reproduce(runner.Job("smoke", ["04_reads"], overrides=[text]))


def test_a_cell_changed_after_the_run_began_sends_a_kernels_result_to_custom(clone):
    run_here("01_count")
    before = manifests()
    book = nbformat.read(paths.notebook("01_count"), as_version=4)
    book.cells.insert(2, nbformat.v4.new_code_cell("n = 4  # by hand"))
    book.cells.insert(3, nbformat.v4.new_code_cell("n = 3"))
    # somebody's own cells in the notebook that is open; the file is as it was
    nbclient.NotebookClient(book, kernel_name="python3", resources={"metadata": {"path": str(clone)}}).execute()
    said = book.cells[-1].outputs[0].text
    assert "01_count: the cell `n = 4  # by hand` is not in the notebook as the run took it: kept apart" in said
    assert manifests() == before
    (apart,) = manifests("custom").values()
    assert json.loads(apart)["record"]["differs"].startswith("the cell `n = 4")
