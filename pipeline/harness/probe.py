"""Say what this interpreter is, as one JSON line: run as a file by the project's own Python, before it is trusted.

Standard library only, Python 3.6 syntax (so that a too old one can still be named). Must not import anything of ours.
Arguments: names of distributions whose versions are wanted.
"""

import json
import sys
from typing import Dict, List


def versions(names: List[str]) -> Dict[str, str]:
    """Versions of the installed distributions among `names`; what is missing is left out."""
    try:
        from importlib import metadata
    except ImportError:
        return {}
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return found


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "path": sys.executable,
                "version": list(sys.version_info[:3]),
                "prefix": sys.prefix,
                "packages": versions(sys.argv[1:]),
            }
        )
    )
