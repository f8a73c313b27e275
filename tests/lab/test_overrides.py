"""Parameters from the command line: as Python writes them, with blanks and brackets, and checked."""

import pytest

from paperlib.lab import overrides
from paperlib.lab.parameters import ParameterError
from tests.conftest import write_notebook

DECLARED = """\
profile = "smoke"
learning_rate = 0.1
steps = 3
quick = False
source = "prototypes"
elements = ["Na", "Cl"]
sizes = [1, 2]
rates = [0.5]"""


@pytest.fixture
def parse(clone):
    names = "learning_rate, steps, quick, source, elements, sizes, rates"
    write_notebook(clone / "notebooks" / "04_all.ipynb", DECLARED, f"print({names})")
    return lambda *texts: overrides.parse("04_all", list(texts))


@pytest.mark.parametrize(
    "text, value",
    [
        ("learning_rate=1e-3", {"learning_rate": 0.001}),
        ("learning_rate=4", {"learning_rate": 4.0}),
        ("learning_rate=-.5", {"learning_rate": -0.5}),
        ("steps=1_000", {"steps": 1000}),
        ("steps=0x10", {"steps": 16}),
        ("steps = 7", {"steps": 7}),
        ("quick=True", {"quick": True}),
        ("quick=true", {"quick": True}),
        ("source=path/to/my_cifs", {"source": "path/to/my_cifs"}),
        ("source=my cifs (new), Bob's", {"source": "my cifs (new), Bob's"}),
        ("source=010", {"source": "010"}),
        ("source='a steps=3'", {"source": "a steps=3"}),
        ("source=", {"source": ""}),
        ('elements=["Na", "Cl"] steps=10', {"elements": ["Na", "Cl"], "steps": 10}),
        ("elements=[Na, my cifs/b.cif]", {"elements": ["Na", "my cifs/b.cif"]}),
        ("sizes=[1, 2, 3]", {"sizes": [1, 2, 3]}),
        ("sizes=[]", {"sizes": []}),
        ("rates=[1e-3, 2]  source=a b  steps=4", {"rates": [0.001, 2.0], "source": "a b", "steps": 4}),
    ],
)
def test_values_are_read_as_python_writes_them(parse, text, value):
    found = parse(text)
    assert found == value and all(type(found[name]) is type(value[name]) for name in value)


def test_several_texts_are_several_parameters(parse):
    assert parse("steps=4", "sizes=[4] quick=True") == {"steps": 4, "sizes": [4], "quick": True}


@pytest.mark.parametrize(
    "text, message",
    [
        ("m=3", "unknown parameter 'm'; the notebook declares profile, learning_rate"),
        ("steps", "write name=value, for example epochs=3"),
        ("4 steps=1", "write name=value"),
        ("steps=010", "steps=010: leading zeros in decimal integer literals are not permitted"),
        ("sizes=[1, 010]", "sizes=010: leading zeros"),
        ("steps=three", "cannot read steps=three; write it as Python does"),
        ("steps=3.5", "steps=3.5 is float, but the default 3 is int"),
        ("steps=True", "steps=True is bool"),
        ("learning_rate=1e400", "too large for a number"),
        ("rates=[1e400]", "too large for a number"),
        ("learning_rate=1,5", "is tuple, but the default"),
        ("sizes=[1, x]", "cannot read sizes=x"),
        ("sizes=3", r"sizes=3 is no list; write sizes=\\[3\\]"),
        ("sizes=[1, 2", "a bracket is not closed"),
        ('elements=["Na, Cl]', '" is not closed'),
        ("steps=1 steps=2", "steps is given twice"),
    ],
)
def test_what_cannot_be_read_is_explained(parse, text, message):
    with pytest.raises(ParameterError, match=message.replace("\\\\", "\\")):
        parse(text)
