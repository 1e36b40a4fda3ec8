"""Say what is installed for this interpreter, as one JSON line: run as a file by the project's own Python.

Standard library only, Python 3.8 syntax. Must not import anything of ours. Reads only what installers have written.
"""

import json
import os
import platform
import sys
import sysconfig
from importlib import metadata
from typing import Any, Dict, List, Optional


def describe(distribution: metadata.Distribution) -> Optional[Dict[str, Any]]:
    """Name, version, origin and files of a distribution; None for what has no name."""
    name = distribution.metadata["Name"]
    if not name:
        return None
    home = str(getattr(distribution, "_path", ""))
    return {
        "name": name,
        "version": distribution.version,
        "home": home,
        "origin": distribution.read_text("direct_url.json") or "",
        "installer": (distribution.read_text("INSTALLER") or "").strip(),
        "recorded": distribution.read_text("RECORD") is not None,
        "files": files_of(distribution, home),
    }


def files_of(distribution: metadata.Distribution, home: str) -> List[str]:
    """Absolute paths of the distribution's files, as its installer has listed them."""
    listed = [str(distribution.locate_file(path)) for path in distribution.files or ()]
    return [os.path.normpath(path) for path in listed]


def paths() -> List[str]:
    """Folders that packages are installed in: of `sys.path`, without this file's own and the standard library."""
    own = os.path.dirname(os.path.abspath(__file__))
    return [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages") and path != own]


def main() -> None:
    """Print what is there; of two distributions of one name, the one that is imported."""
    found: Dict[str, Any] = {}
    for path in paths():
        for distribution in sorted(metadata.distributions(path=[path]), key=lambda one: str(getattr(one, "_path", ""))):
            told = describe(distribution)
            if told is not None:
                found.setdefault(told["name"].lower().replace("_", "-").replace(".", "-"), told)
    print(
        json.dumps(
            {
                "version": list(sys.version_info[:3]),
                "cache_tag": sys.implementation.cache_tag,
                "machine": platform.machine(),
                "system": platform.system(),
                "libc": "-".join(platform.libc_ver()),
                "prefix": sys.prefix,
                "executable": sys.executable,
                "scripts": sysconfig.get_path("scripts"),
                "packages": paths(),
                "distributions": [found[name] for name in sorted(found)],
            }
        )
    )


if __name__ == "__main__":
    main()
