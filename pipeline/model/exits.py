"""Exit codes of a worker: whether it did its work, never whether tests failed. Standard library only.

A stop by a signal is 128 plus its number. 3 (no interpreter for our runtime) is the entry program's.
"""

from __future__ import annotations

from typing import Final

GOOD: Final = 0
USAGE: Final = 64
"""The environment does not say what a worker needs to know."""
OTHER_PLAN: Final = 65
"""The image holds another plan than the run."""
FENCED: Final = 66
"""Another party has given this worker up: its tombstone was there, or its name is another's."""
ENGINE: Final = 69
"""Something the worker needs cannot be had: an interpreter, a folder, a harness that starts."""
INTERNAL: Final = 70
"""An error of ours."""
NO_STORE: Final = 75
"""The store does not answer."""
