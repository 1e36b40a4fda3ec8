"""Which interpreters the tests of processes run with: this one, and older and newer ones where the machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

NAMED_BY = "DOIT_FLEET_TEST_PYTHONS"


def find_pythons() -> list[ParameterSet]:
    """This interpreter, and those that DOIT_FLEET_TEST_PYTHONS names (by default python3.8:python3.13), if they run.

    A test's name holds no path, which would make it another test in a container.
    """
    named = os.environ.get(NAMED_BY) or "python3.8:python3.13"
    found = [pytest.param(sys.executable, id="this")]
    for command in filter(None, map(shutil.which, named.split(":"))):
        asked = subprocess.run(
            [command, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0:
            found.append(pytest.param(asked.stdout.strip(), id=Path(command).name))
    return found


PYTHONS = find_pythons()
