"""The snippets of docs/ci.md: their commands run as written, and every file they keep is really there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "ci.md"
SERVERS = ("github", "gitlab", "jenkins")
KEPT = re.compile(r"(?:\.fleet|build)/[\w./-]*\w")

PYTHON_SHIM = """\
#!/bin/sh
# `python -m venv X` makes an environment that holds the packages of the test's own interpreter.
if [ "$1" = -m ] && [ "$2" = venv ]; then
    mkdir -p "$3/bin"
    ln -sf {python} "$3/bin/python"
    cp {shims}/pip "$3/bin/pip"; cp {shims}/doit-fleet "$3/bin/doit-fleet"
    exit 0
fi
exec {python} "$@"
"""


def snippet(server: str) -> str:
    """The snippet for one CI server."""
    found = re.search(rf"<!-- tested: {server} -->\n```\w+\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert found, f"docs/ci.md has no snippet for {server}"
    return found.group(1)


def commands(text: str) -> list[str]:
    """The shell lines of a snippet, in order."""
    lines = [line.strip().removeprefix("- ").removeprefix("run: ") for line in text.splitlines()]
    return [line for line in lines if re.match(r"(python3? -m|pipx|doit-fleet|\./doitw|/tmp/tool)", line)]


def machine_at(shims: Path, project: Path) -> str:
    """Make both folders, with commands that stand for installed ones, and `doitw`; a PATH on which nothing reaches a package index."""
    shims.mkdir(parents=True)
    project.mkdir()
    scripts = {
        "pip": "#!/bin/sh\nexit 0\n",
        "pipx": "#!/bin/sh\nexit 0\n",
        "doit-fleet": f'#!/bin/sh\nexport VIRTUAL_ENV={sys.prefix}\nexec {sys.executable} -m pipeline "$@"\n',
    }
    scripts["python"] = scripts["python3"] = PYTHON_SHIM.format(python=sys.executable, shims=shims)
    for name, text in scripts.items():
        (shims / name).write_text(text)
        (shims / name).chmod(0o755)
    (project / "doitw").write_text(scripts["doit-fleet"])
    (project / "doitw").chmod(0o755)
    return f"{shims}:/usr/bin:/bin"


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A project, and a PATH on which nothing reaches a package index."""
    project = tmp_path / "project"
    path = machine_at(tmp_path / "shims", project)
    (project / "requirements.txt").touch()
    (project / "test_one.py").write_text("def test_one():\n    pass\n")
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return project, {**kept, "PATH": path}


@pytest.mark.parametrize("server", SERVERS)
def test_the_commands_run_and_what_is_kept_is_there(
    server: str, machine: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    """Each shell line succeeds in order; each path that the snippet caches or uploads exists afterwards."""
    project, environment = machine
    text = snippet(server)
    lines = [line.replace("/tmp/tool", str(tmp_path / "tool")) for line in commands(text)]

    assert any("doit" in line for line in lines)
    for line in lines:
        done = subprocess.run(
            ["bash", "-euc", line], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    paths = set(KEPT.findall(text))
    assert paths
    assert [path for path in sorted(paths) if not (project / path).exists()] == []
