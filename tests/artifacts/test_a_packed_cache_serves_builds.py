"""The cache as an image layer: same bytes anywhere, and builds inside find what they need without any network."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.artifact_packing import links, pack
from pipeline.adapters.layer_writer import small_layer
from pipeline.contracts.artifact_cache_contract import kept, key_of
from pipeline.errors import UsageError
from pipeline.ports.artifacts import ActionRecord, ArtifactGone


def wheel(name: str) -> bytes:
    """A wheel of one module, https://packaging.python.org/en/latest/specifications/binary-distribution-format/."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": b"ANSWER = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return target.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


WHEELS = {name: wheel(name) for name in ("one", "two", "three")}


def filled(folder: Path, scratch: Path, names: list[str], about: str) -> tuple[TieredCache, dict[str, ActionRecord]]:
    """A machine's cache, filled in that order."""
    for name in names:
        kept(
            TieredCache(folder),
            key_of(name),
            {f"{name}-1.0-py3-none-any.whl": WHEELS[name]},
            scratch,
            kind="fetched",
            about=about,
        )
    cache = TieredCache(folder)
    return cache, dict(cache.find_all([key_of(name) for name in names]))


def layer(folder: Path, scratch: Path, names: list[str], about: str) -> bytes:
    """The blob of the layer that machine makes."""
    cache, records = filled(folder, scratch, names, about)
    entries = [*pack(cache, records), *links(records.values(), "opt/doit-fleet/cache/wheels")]
    blob = small_layer(entries)[1]
    cache.close()
    return blob


def test_two_machines_make_the_same_layer(tmp_path: Path) -> None:
    """Whatever the order of keeping, the folder and the words for people; another wheel makes another layer."""
    first = layer(tmp_path / "first", tmp_path, ["one", "two", "three"], "fetched by the first")
    second = layer(tmp_path / "second" / "deeper", tmp_path, ["three", "two", "one"], "by the second")

    assert first == second
    assert first != layer(tmp_path / "third", tmp_path, ["one", "two"], "")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A root file system with the layer in it."""
    with tarfile.open(fileobj=BytesIO(layer(tmp_path / "agent", tmp_path, list(WHEELS), "")), mode="r:gz") as archive:
        modes = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}  # Since 3.11.4.
        archive.extractall(tmp_path / "image", **modes)  # type: ignore[arg-type]
    return tmp_path / "image"


def test_a_cache_opened_on_the_layer_has_it_all(image: Path) -> None:
    """Found under the same keys, checked at each read as at home."""
    cache = TieredCache(image / "opt/doit-fleet/cache")
    records = cache.find_all([key_of(name) for name in WHEELS])

    read = {path: cache.file(one).read_bytes() for record in records.values() for path, one in record.outputs.items()}
    cache.close()

    assert read == {f"{name}-1.0-py3-none-any.whl": data for name, data in WHEELS.items()}


def test_a_damaged_layer_gives_nothing_wrong(image: Path) -> None:
    """A byte changed in the worker's own file system is found out there."""
    cache = TieredCache(image / "opt/doit-fleet/cache")
    record = cache.find(key_of("one"))
    assert record is not None
    (output,) = record.outputs.values()
    path = cache.file(output)
    path.chmod(0o644)
    path.write_bytes(bytes(output.size))

    with pytest.raises(ArtifactGone):
        cache.file(output)


def test_pip_installs_from_the_layer_alone(image: Path, tmp_path: Path) -> None:
    """With no index, pip finds wheels by their names in the folder of links."""
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-cache-dir", "--disable-pip-version-check"]
    folder = image / "opt/doit-fleet/cache/wheels"

    subprocess.run(
        [*command, "--find-links", str(folder), "--target", str(tmp_path / "site"), "one", "three"],
        check=True,
        capture_output=True,
    )

    assert sorted(path.name for path in (tmp_path / "site").glob("*.py")) == ["one.py", "three.py"]


def test_two_files_cannot_have_one_name(tmp_path: Path) -> None:
    """Different content under one path is a mistake to be told, not to be decided by order."""
    first = kept(TieredCache(tmp_path / "c"), key_of("1"), {"x": b"1"}, tmp_path)
    second = kept(TieredCache(tmp_path / "c"), key_of("2"), {"x": b"2"}, tmp_path)

    with pytest.raises(UsageError, match="different files 'x'"):
        links([first, second], "wheels")
    assert len(links([first, first], "wheels")) == 1
