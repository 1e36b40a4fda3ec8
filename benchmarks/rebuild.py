"""Images again after a change, against `docker build` and `docker push` of one plain image of the same content.

Ours is the command `doit-fleet push` for ten workers once the tests have been collected, and the same with all that comes before. Docker's image
has the same environment and the same files, in the usual order, with a warm cache; once as it is copied, and once with the
byte-code that `pip install` leaves in an image, as ours has it. Needs `python -m tests.engines start docker registry images`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from attrs import frozen

from benchmarks.output import Row, show
from benchmarks.racing import SCRIPTS, environment, parser, row
from tests.docker.house import make_environment
from tests.engines import images
from tests.engines.docker import Docker
from tests.engines.registries import PlainRegistry

WORKERS = 10
AIM = 1.0
FILES = 100
PAYLOAD_MIB = 20
"""Of a package that a change of dependencies replaces."""

KINDS = {"copied": "", "compiled": "RUN python3 -m compileall -q /opt/venv/lib\n"}
"""Of Docker's image: as it is, and with byte-code as `pip install` leaves it."""


@frozen(kw_only=True)
class Ground:
    """A project with its environment, and where its images go."""

    root: Path
    venv: Path
    repository: str
    base: str
    host: str

    def change_test(self, number: int) -> None:
        """Another content of one test file."""
        path = self.root / "tests" / "test_0.py"
        path.write_text(f"def test_changing():\n    assert {number} >= 0\n", encoding="utf-8")

    def change_dependencies(self, number: int) -> None:
        """Another version of one package."""
        (site,) = self.venv.glob("lib/python*/site-packages")
        for old in site.glob("payload*"):
            shutil.rmtree(old)
        info = site / f"payload-{number}.dist-info"
        (site / "payload").mkdir()
        info.mkdir()
        (site / "payload" / "__init__.py").write_text(f"VERSION = {number}\n", encoding="utf-8")
        (site / "payload" / "data.bin").write_bytes(os.urandom(PAYLOAD_MIB << 20))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: payload\nVersion: {number}\n", encoding="utf-8")
        names = ("payload/__init__.py", "payload/data.bin", f"{info.name}/METADATA", f"{info.name}/RECORD")
        (info / "RECORD").write_text("".join(f"{name},,\n" for name in names), encoding="utf-8")

    def ours(self, task: str, *more: str) -> None:
        """The command of users; `more` are settings."""
        settings = (
            "workers.launcher=docker",
            f"workers.count={WORKERS}",
            f"registry.url={self.repository}/ours",
            f"images.base={self.base}",
            "images.dependencies=environment",
            f"suites.pytest.python={self.venv / 'bin' / 'python'}",
        )
        self.run([str(SCRIPTS / "doit-fleet"), task, *settings, *more])

    def dockers(self, kind: str) -> str:
        """Build and push an image of `KINDS`; its name."""
        name = f"{self.repository}/{kind}:latest"
        self.run(["docker", "build", "-q", "-t", name, "-f", f"{self.root}/Dockerfile.{kind}", str(self.root.parent)])
        self.run(["docker", "push", "-q", name])
        return name

    def run(self, command: Sequence[str]) -> None:
        """Run it in the project, as a user would. Raises `RuntimeError`."""
        mine = {**environment(str(self.venv / "bin" / "python")), "DOCKER_HOST": self.host}
        done = subprocess.run(command, cwd=self.root, env=mine, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[:2]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def ground(folder: Path) -> Ground:
    """Make it."""
    root = folder / "project"
    (root / "tests").mkdir(parents=True)
    base = images.find(images.BASE, PlainRegistry())
    if base is None:
        raise RuntimeError("start the engines first: python -m tests.engines start docker registry images")
    for number in range(FILES):
        text = "".join(f"def test_{n}():\n    assert True\n" for n in range(10))
        (root / "tests" / f"test_{number}.py").write_text(text, encoding="utf-8")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["tests"]\n', encoding="utf-8")
    (root / ".gitignore").write_text("build\n.fleet\n__pycache__\n", encoding="utf-8")
    (folder / ".dockerignore").write_text("**/__pycache__\nproject/build\nproject/.fleet\n", encoding="utf-8")
    for kind, step in KINDS.items():
        text = f"FROM {base}\nCOPY venv /opt/venv\n{step}COPY project /project\n"
        (root / f"Dockerfile.{kind}").write_text(text, encoding="utf-8")
    repository = f"{PlainRegistry().address}/benchmark/rebuild-{uuid.uuid4().hex[:8]}"
    return Ground(
        root=root, venv=make_environment(folder / "venv"), repository=repository, base=base, host=Docker().host
    )


def measure(rounds: int) -> list[Row]:
    """Everything once, then after each kind of change."""
    with tempfile.TemporaryDirectory() as scratch:
        on = ground(Path(scratch))
        on.change_dependencies(0)
        on.ours("push")
        for kind in KINDS:
            on.dockers(kind)
        changes = {"one test file changed": on.change_test, "dependencies changed": on.change_dependencies}
        return [found for what, change in changes.items() for found in _race(on, what, change, rounds)]


def _race(on: Ground, what: str, change: Callable[[int], None], rounds: int) -> list[Row]:
    """Images alone, then all that the command does: compile, collect and plan before."""
    works: dict[str, Callable[[], object]] = {
        "before": lambda: on.ours("group"),
        "ours": lambda: on.ours("push"),
        **{kind: partial(on.dockers, kind) for kind in KINDS},
    }
    walls: dict[str, list[float]] = {name: [] for name in works}
    for number in range(1, rounds + 1):
        change(number)
        for name, work in works.items():
            began = time.perf_counter()
            work()
            walls[name].append(time.perf_counter() - began)
    whole = [sum(both) for both in zip(walls["before"], walls["ours"], strict=True)]
    rows = [row(what, walls["ours"], f"docker build + push, {kind}", walls[kind], AIM) for kind in KINDS]
    return [*rows, row(f"{what}, with all before", whole, "docker build + push, compiled", walls["compiled"], AIM)]


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    chosen = parser("rebuild", __doc__, 3).parse_args(arguments)
    show("rebuild", measure(chosen.rounds), as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
