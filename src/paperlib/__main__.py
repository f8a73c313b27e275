"""``python -m paperlib …`` is ``paperlib …``."""

from __future__ import annotations

import sys

from paperlib.cli import main

if __name__ == "__main__":
    sys.exit(main())
