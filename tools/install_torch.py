"""PyTorch in the build that is asked for, before everything else is installed.

On Linux the package index offers the build for CUDA, gigabytes of it; the CPU build, which the paper needs, lies on an
index of PyTorch's own. Run by ``make install`` with the Python of the environment: ``install_torch.py [cpu|cuda]``.
Without a word the build that is there stays, and the CPU build comes where there is none.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
BUILDS = ("", "cpu", "cuda")


def pinned() -> str:
    """The version that ``constraints.txt`` names."""
    text = (Path(__file__).parents[1] / "constraints.txt").read_text(encoding="utf-8")
    return re.search(r"^torch==(\S+)$", text, re.MULTILINE).group(1)


def installed() -> str:
    """The version in this environment, "" where there is none; that of a CPU build ends in +cpu."""
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""


def wanted(build: str, there: str, version: str, platform: str, conda: bool) -> list[str]:
    """Arguments for ``pip install``, none where nothing has to be done.

    ``there`` is the installed version and ``version`` the pinned one; elsewhere than on Linux there is one build only,
    and in a conda environment conda's own stays unless a build is asked for.
    """
    if platform != "linux" or (not build and conda and there):
        return []
    is_pinned, is_cpu = there.partition("+")[0] == version, there.endswith("+cpu")
    if is_pinned and (not build or is_cpu == (build == "cpu")):
        return []
    source = [] if build == "cuda" else ["--index-url", CPU_INDEX, "--retries", "1", "--timeout", "15"]
    return ["--no-deps", *(["--force-reinstall"] if is_pinned else []), *source, f"torch=={version}"]


def main(build: str = "") -> int:
    """Install, and say so; 2 for a build that there is not. An index that does not answer is no failure: what follows
    takes the build that pip finds."""
    if build not in BUILDS:
        print(f"error: TORCH={build!r} is no build of PyTorch; cpu or cuda", file=sys.stderr)
        return 2
    conda = (Path(sys.prefix) / "conda-meta").is_dir()
    if not (arguments := wanted(build, installed(), pinned(), sys.platform, conda)):
        return 0
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *arguments], capture_output=True, text=True)
    if done.returncode:
        print(f"note: {CPU_INDEX if build != 'cuda' else 'pip'} gave no PyTorch {pinned()}:", file=sys.stderr)
        print(*done.stderr.strip().splitlines()[-1:], sep="\n", file=sys.stderr)
        print("the build that the package index offers is taken; on Linux that may be the large one", file=sys.stderr)
        return 1 if build else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
