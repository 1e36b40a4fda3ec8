"""`python -m pipeline`: the same as the script `doit-fleet`, without needing the current directory on `sys.path`.

Finds the composition root through its entry point, because nothing in this package may import it.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points


def main() -> int:
    """Run the command line."""
    (script,) = entry_points(group="console_scripts", name="doit-fleet")
    run = script.load()
    return int(run() or 0)


if __name__ == "__main__":
    sys.exit(main())
