"""The README does what it says."""

import re

from tests.conftest import ROOT


def test_the_python_example_runs():
    """Each pattern call of the example is checked for its shape and for numbers that make sense."""
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    calls = [line for line in example.splitlines() if "_patterns(" in line]
    assert len(calls) == 3
    names: dict = {}
    exec("\n".join(line for line in example.splitlines() if line not in calls), names)
    shapes = [(8, 4096), (8, 4251), (3, 1000)]
    for call, shape in zip(calls, shapes, strict=True):
        patterns = eval(call.partition("#")[0], names)
        assert tuple(patterns.shape) == shape, call
        assert float(patterns.max()) == 1.0 and bool(patterns.isfinite().all())
