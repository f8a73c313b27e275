"""Compiled functions: cached, and compiled anew when a module that they call changes."""

import subprocess
import sys

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from paperlib.crystals import compiled
compiled.sources_stamp = lambda: {stamp!r}
import caller
print(caller.doubled(3), sum(caller.doubled.stats.cache_hits.values()))
"""


def run(folder, stamp):
    code = PROGRAM.format(folder=str(folder), stamp=stamp)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return [int(word) for word in done.stdout.split()]


def test_machine_code_is_kept_until_a_source_changes(tmp_path):
    (tmp_path / "called.py").write_text(
        "from paperlib.crystals.compiled import compiled\n\n\n@compiled\ndef twice(x):\n    return 2 * x\n"
    )
    (tmp_path / "caller.py").write_text(
        "from called import twice\nfrom paperlib.crystals.compiled import compiled\n\n\n"
        "@compiled\ndef doubled(x):\n    return twice(x)\n"
    )
    assert run(tmp_path, "one") == [6, 0]
    assert run(tmp_path, "one") == [6, 1]
    (tmp_path / "called.py").write_text((tmp_path / "called.py").read_text().replace("2 * x", "20 * x"))
    assert run(tmp_path, "two") == [60, 0]
