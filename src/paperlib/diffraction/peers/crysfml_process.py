"""CrysFML in a process of its own, which :mod:`paperlib.diffraction.peers.crysfml` starts in an empty folder.

It leaves a list of reflections, ``fort.77``, in the folder that it runs in, and a fault of its memory ends here.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

ASKED, ANSWERS = "asked.json", "answers.npz"
"""Files in the folder: ``inputs``, lists of lines, and ``grid``, degrees 2θ; and ``patterns`` (n, n_points) float32 of
the inputs up to the first that the program refuses, with what it says of that one, or "", as ``refused``."""


def main() -> None:
    """Compute what is asked for in the working directory. Raises ImportError where the package is not there."""
    from crysfml.cfml_py_utilities import patterns_simulation

    asked = json.loads(Path(ASKED).read_text(encoding="utf-8"))
    grid, refused = np.array(asked["grid"]), ""
    patterns = list[np.ndarray]()
    for lines in asked["inputs"]:
        try:
            (found,) = patterns_simulation(lines, grid)
        except RuntimeError as error:
            refused = str(error)
            break
        patterns.append(np.asarray(found["y"], dtype=np.float32))
    np.savez(ANSWERS, patterns=np.reshape(patterns, (-1, len(grid))), refused=refused)


if __name__ == "__main__":
    main()
