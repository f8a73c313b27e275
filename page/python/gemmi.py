"""What stands for gemmi in a browser, for which it is not compiled: the page reads no CIF, and says so."""

from __future__ import annotations

from typing import NoReturn

from geddes import HERE


class cif:
    """The one function that reading begins with."""

    @staticmethod
    def read_string(_text: str) -> NoReturn:
        """Raises ImportError: which formats the page reads."""
        raise ImportError(f"a CIF: {HERE}, or export the scan as text with two columns")
