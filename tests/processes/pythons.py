"""Which interpreters the tests of processes run with: this one, and older and newer ones where the machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def find_pythons() -> list[str]:
    """This interpreter, and those that DOIT_FLEET_TEST_PYTHONS names (by default python3.8:python3.13), if they run."""
    named = os.environ.get("DOIT_FLEET_TEST_PYTHONS") or "python3.8:python3.13"
    found = [sys.executable]
    for command in filter(None, map(shutil.which, named.split(":"))):
        asked = subprocess.run(
            [command, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0:
            found.append(asked.stdout.strip())
    return found


PYTHONS = find_pythons()
