"""What a start costs: heavy modules are imported by the task that needs them."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires

HEAVY = {
    "rich",
    "jinja2",
    "cattrs",
    "asyncio",
    "junitparser",
    "xml.etree.ElementTree",
    "ssl",
    "urllib.request",
    "unittest",
    "docker",
    "boto3",
    "botocore",
    "requests",
    "installer",
    "packaging",
}
ALLOWED = {
    "doit", "attrs", "cattrs", "rich", "jinja2", "junitparser",
    "docker", "boto3", "requests", "installer", "packaging",
}  # fmt: skip


def modules_after(statement: str) -> set[str]:
    """Names of all modules that are loaded after a statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines())


def test_the_start_path_imports_nothing_heavy_beyond_doit() -> None:
    """What listing the tasks loads, apart from what doit loads itself, is light."""
    ours = modules_after("import extensions.composition")
    doits = modules_after("import doit.doit_cmd, doit.cmd_list, doit.cmd_run")

    assert (ours - doits) & HEAVY == set()


def test_the_tool_needs_few_packages() -> None:
    """Each dependency was chosen; a new one is a decision."""
    needed = {
        line.split(";")[0].split(">")[0].split("<")[0].strip().lower()
        for line in requires("doit-fleet") or ()
        if "extra ==" not in line
    }

    assert needed <= ALLOWED
