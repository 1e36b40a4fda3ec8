"""500 wheels of a lock: from the index, from this machine's cache, from S3 into an empty cache; against `pip download`.

Wheels are made on the spot and served on loopback, so no registry is loaded and pip has no network to wait for: a
real one only slows it down. S3 is the engine of the tests (`python -m tests.engines start s3`).
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.output import Row, show
from benchmarks.racing import parser, row
from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.artifact_s3 import S3Tier
from pipeline.adapters.index_settings import IndexSettings
from pipeline.adapters.wheel_fetching import Source, fetch_wheels
from pipeline.logic.requirement_lock import read_requirements
from pipeline.model.dependencies import Lock, Target
from pipeline.ports.artifacts import RemoteTier
from tests.dependencies.index import serving
from tests.engines.s3 import S3Server

AIM = 0.1
WHEELS = 500
KIBIBYTES = (2, 300)
"""Sizes of what is in them, spread evenly on a logarithmic scale: small pure Python packages."""
TARGET = Target(python=(sys.version_info[0], sys.version_info[1], sys.version_info[2]))


def make_wheel(folder: Path, number: int) -> str:
    """A wheel of ten modules that do not compress to nothing; its line in the lock."""
    chance = random.Random(number)
    name = f"package_{number:03}"
    info = f"{name}-1.0.dist-info"
    size = int(KIBIBYTES[0] * (KIBIBYTES[1] / KIBIBYTES[0]) ** (number / WHEELS) * 1024 / 10)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    members = {f"{name}/part_{part}.py": b"# " + base64.b64encode(chance.randbytes(size)) for part in range(10)}
    members[f"{name}/__init__.py"] = b""
    members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: benchmark\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members[f"{info}/RECORD"] = "".join(f"{member},,\n" for member in (*members, f"{info}/RECORD")).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def pip_download(lock: Path, index: str, folder: Path, cache: Path) -> float:
    """Seconds that pip takes into an empty folder, with its own cache as it is."""
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:",
               "--disable-pip-version-check", "--cache-dir", str(cache), "--index-url", index, "-d", str(folder), "-r", str(lock)]  # fmt: skip
    started = time.monotonic()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env=bare)
    return time.monotonic() - started


def ours(lock: Lock, index: str, folder: Path, cache: Path, remote: RemoteTier | None = None) -> float:
    """Seconds that we take, the process's start left out: it is part of the agent. Closing, so uploading, counts too."""
    folder.mkdir()
    started = time.monotonic()
    opened = TieredCache(cache, remote=remote)
    settings = IndexSettings(indexes=(index,), is_set=True)
    source = Source(
        cache=opened, settings=settings, target=TARGET, root=folder, scratch=folder, progress=lambda text: None
    )
    wheels = fetch_wheels(lock.pins, source)
    assert len(wheels) == WHEELS
    opened.close()
    return time.monotonic() - started


def measure(folder: Path, rounds: int) -> list[Row]:
    """Each way, in turn, as often as asked."""
    shelf = folder / "shelf"
    shelf.mkdir()
    text = "".join(make_wheel(shelf, number) for number in range(WHEELS))
    (folder / "requirements.txt").write_text(text, encoding="utf-8")
    lock = read_requirements("requirements.txt", lambda path: text, TARGET, {})
    walls: dict[str, list[float]] = {}
    with serving(shelf) as index:
        for at in range(rounds):
            place = folder / str(at)
            place.mkdir()
            pip = (folder / "requirements.txt", index.url)
            walls.setdefault("pip cold", []).append(pip_download(*pip, place / "pip-cold", place / "pip-cache"))
            walls.setdefault("pip warm", []).append(pip_download(*pip, place / "pip-warm", place / "pip-cache"))
            walls.setdefault("cold", []).append(ours(lock, index.url, place / "cold", place / "cache"))
            asked = len(index.requests)
            walls.setdefault("warm", []).append(ours(lock, index.url, place / "warm", place / "cache"))
            assert len(index.requests) == asked, "warm means that nobody is asked"
            _with_s3(lock, index.url, place, walls)
    pip_wall = walls["pip warm"]
    return [
        row("cold", walls["cold"], "pip download, cold", walls["pip cold"], 1.0),
        row("warm", walls["warm"], "pip download, its cache warm", pip_wall, AIM),
        *(
            [row("S3-warm, empty cache", walls["s3"], "pip download, its cache warm", pip_wall, 1.0)]
            if "s3" in walls
            else []
        ),
    ]


def _with_s3(lock: Lock, index: str, place: Path, walls: dict[str, list[float]]) -> None:
    engine = S3Server()
    if not engine.running():
        return
    environment = {
        "AWS_ACCESS_KEY_ID": engine.facts["access_key"],
        "AWS_SECRET_ACCESS_KEY": engine.facts["secret_key"],
        "AWS_REGION": "us-east-1",
    }
    with engine.bucket() as bucket:
        url = f"s3://{bucket}/cache?endpoint={engine.url}"
        ours(lock, index, place / "filling", place / "filling-cache", S3Tier(url, environment))
        walls.setdefault("s3", []).append(ours(lock, index, place / "s3", place / "s3-cache", S3Tier(url, environment)))


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    chosen = parser("artifacts", __doc__, 1).parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        show("artifacts", measure(Path(folder), chosen.rounds), as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
