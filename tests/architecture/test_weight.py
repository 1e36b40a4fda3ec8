"""What a start costs: heavy modules are imported by the task that needs them."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

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
    "kubernetes",
}
ALLOWED = {
    "doit", "attrs", "cattrs", "rich", "jinja2", "junitparser",
    "docker", "boto3", "requests", "installer", "packaging", "kubernetes",
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


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose last run was green."""
    root = tmp_path_factory.mktemp("finished")
    (root / "pyproject.toml").write_text("[project]\nname = 'finished'\n")
    (root / "test_one.py").write_text("def test_one(): pass\n")
    done = subprocess.run([sys.executable, "-m", "pipeline"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.mark.parametrize("command", ["list", "gather"])
@pytest.mark.parametrize(
    "settings", [(), ("workers.launcher=docker", "registry.url=127.0.0.1:1/x", "store.url=s3://x/y")]
)
def test_commands_that_do_nothing_load_nothing_heavy(finished: Path, settings: tuple[str, ...], command: str) -> None:
    """Neither a list nor a run that is up to date asks for an engine, whatever the workers would need."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline", *settings, command],
        cwd=finished, capture_output=True, text=True, check=False,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    doits = modules_after("import doit.doit_cmd, doit.cmd_list, doit.cmd_run")

    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert command == "list" or "up to date" in done.stdout + done.stderr
    assert "extensions.fleet" in loaded
    assert (loaded - doits) & HEAVY == set()


def test_the_tool_needs_few_packages() -> None:
    """Each dependency was chosen; a new one is a decision."""
    needed = {re.split(r"[;<>!= ]", line)[0].lower() for line in requires("doit-fleet") or () if "extra ==" not in line}

    assert needed <= ALLOWED
