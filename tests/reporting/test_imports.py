"""Reporting reads results; it must start without the heavy libraries."""

import pkgutil
import subprocess
import sys

from paperlib import reporting

MODULES = [module.name for module in pkgutil.walk_packages(reporting.__path__, "paperlib.reporting.")]
HEAVY = {"torch", "pymatgen", "pyxtal", "captum"}


def test_no_reporting_module_loads_torch_pymatgen_or_pyxtal():
    assert {f"paperlib.reporting.{name}" for name in ("pdf", "figures.fig_labels", "tables.all")} <= set(MODULES)
    imports = "\n".join(f"import {name}" for name in MODULES)
    code = f"{imports}\nimport sys\nprint(*{HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
