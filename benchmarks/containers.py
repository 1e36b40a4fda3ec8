"""Ten workers as containers: from images in the registry to the first test of each, against `docker run` of one plain image.

Ours is the command `doit-fleet launch` once `push` is done. Docker's: `docker pull`, then ten `docker run … pytest` of one file at the same
time; the image has the same files and byte-code for its packages. Of both the daemon has the layers that did not change, and
lacks what did. Each test writes when it began and in which container. Needs `python -m tests.engines start docker registry images`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.output import Row, show
from benchmarks.racing import parser, row
from benchmarks.rebuild import WORKERS, Ground, ground

AIM = 1.2
TEST = """import pathlib, socket, time
def test_stamp():
    began = time.time()
    pathlib.Path({stamps!r}, "{number}").write_text(f"{{socket.gethostname()}} {{began}}")
    time.sleep(0.5)
"""
"""Long enough that no worker takes the tests of others."""


def stamped(stamps: Path, work: Callable[[], object]) -> list[float]:
    """Seconds from the beginning of that work to the first test in each container, in order. Raises `RuntimeError`."""
    for path in stamps.iterdir():
        path.unlink()
    began = time.time()
    work()
    first: dict[str, float] = {}
    for path in stamps.iterdir():
        host, at = path.read_text("utf-8").split()
        first[host] = min(first.get(host, float("inf")), float(at) - began)
    if len(first) != WORKERS:
        raise RuntimeError(f"tests ran in {len(first)} containers, not in {WORKERS}")
    return sorted(first.values())


def by_docker(on: Ground, image: str, stamps: Path) -> None:
    """Pull it, and run one file in each of ten containers."""
    on.run(["docker", "pull", "-q", image])
    packages = "/opt/venv/lib/python3.11/site-packages"
    command = ["docker", "run", "--rm", "-v", f"{stamps}:{stamps}", "-e", f"PYTHONPATH={packages}", "-w", "/project"]
    pytest = [image, "python3", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    running = [
        subprocess.Popen(
            ["docker", "--host", on.host, *command[1:], *pytest, f"tests/test_stamp_{number}.py"],
            stdout=subprocess.DEVNULL,
        )
        for number in range(WORKERS)
    ]
    codes = [one.wait() for one in running]
    if any(codes):
        raise RuntimeError("docker run failed")


def prepare(on: Ground, stamps: Path, store: Path) -> tuple[str, ...]:
    """Tests that tell when they began; the settings of ours."""
    for path in (on.root / "tests").iterdir():
        path.unlink()
    for folder in (stamps, store):
        folder.mkdir()
        folder.chmod(0o777)
    for number in range(WORKERS):
        text = TEST.format(stamps=str(stamps), number=number)
        (on.root / "tests" / f"test_stamp_{number}.py").write_text(text, encoding="utf-8")
    mounts = [f"{folder}:{folder}" for folder in (stamps, store)]
    return (f"store.url={store}", f"docker.mounts={json.dumps(mounts)}")


def measure(rounds: int) -> list[Row]:
    """In each round the project changes; then everybody once."""
    walls: dict[str, dict[str, list[float]]] = {"first": {}, "last": {}}
    with tempfile.TemporaryDirectory() as scratch:
        on, stamps, store = ground(Path(scratch)), Path(scratch, "stamps"), Path(scratch, "store")
        settings = prepare(on, stamps, store)
        below = f"{on.repository}/compiled:below"
        for number in range(-1, rounds):  # The first is not counted: nobody has anything yet.
            (on.root / "data.txt").write_text(str(number), encoding="utf-8")
            on.ours("push", *settings)
            image = on.dockers("compiled")
            if number < 0:
                on.run(["docker", "tag", image, below])  # Keeps the layers that do not change.
            on.run(["docker", "rmi", image])
            found = {
                "ours": stamped(stamps, lambda: on.ours("launch", *settings)),
                "docker run": stamped(stamps, lambda image=image: by_docker(on, image, stamps)),  # type: ignore[misc]
            }
            for name, seconds in found.items() if number >= 0 else ():
                walls["first"].setdefault(name, []).append(seconds[0])
                walls["last"].setdefault(name, []).append(seconds[-1])
    what = {"first": "first test of the first of 10 workers", "last": "first test of the last of 10 workers"}
    return [row(text, walls[key]["ours"], "docker run", walls[key]["docker run"], AIM) for key, text in what.items()]


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    chosen = parser("containers", __doc__, 3).parse_args(arguments)
    show("containers", measure(chosen.rounds), as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
