"""Wheels are hostile input: nothing outside the environment is ever written."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipeline.adapters.wheel_unpacking import unpack_wheel
from pipeline.errors import EngineError
from pipeline.model.environments import VirtualEnvironment
from tests.dependencies.wheels import make_wheel

VENV = VirtualEnvironment(base="/usr/bin/python3.11", version=(3, 11, 0))
DATA = "bad-1.0.data"


@pytest.mark.parametrize(
    "member",
    [
        "/etc/cron.d/evil",
        "../../../../../../evil.py",
        "bad/../../../../../../../evil.py",
        f"{DATA}/scripts/../../../../../evil",
        f"{DATA}/data/../../../../evil",
        f"{DATA}/nonsense/evil",
        "bad\\..\\..\\evil.py",
    ],
)
def test_paths_that_lead_out_are_refused(tmp_path: Path, member: str) -> None:
    """Absolute names, `..` and unknown schemes end the installation with the wheel's name, and leave nothing outside."""
    wheel = make_wheel(tmp_path / "shelf", "bad", files={member: "evil"})
    folder = tmp_path / "a" / "b" / "c" / "tree"
    folder.mkdir(parents=True)

    with pytest.raises(EngineError, match=r"bad-1\.0-py3-none-any\.whl"):
        unpack_wheel(wheel, wheel.name, VENV, folder)
    assert not [path for path in tmp_path.rglob("evil*") if folder not in path.parents]
    assert not Path("/etc/cron.d/evil").exists()


@pytest.mark.parametrize("name", ["../../evil", "/tmp/doit-fleet-evil"])
def test_names_of_scripts_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    """An entry point cannot be named so that its script lies elsewhere."""
    wheel = make_wheel(tmp_path / "shelf", "bad", scripts=f"{name} = bad:main")
    folder = tmp_path / "tree"
    folder.mkdir()

    with pytest.raises(EngineError, match="cannot be unpacked"):
        unpack_wheel(wheel, wheel.name, VENV, folder)
    assert not [path for path in tmp_path.rglob("*evil*") if "shelf" not in path.parts]


def test_bombs_are_refused(tmp_path: Path) -> None:
    """A few kilobytes that would unpack to gigabytes are not unpacked."""
    path = make_wheel(tmp_path / "shelf", "bad")
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("zeros", "w") as file,
    ):
        for _ in range(300):
            file.write(bytes(2**20))
    folder = tmp_path / "tree"
    folder.mkdir()

    with pytest.raises(EngineError, match="refused"):
        unpack_wheel(path, path.name, VENV, folder)
    assert not list(folder.rglob("zeros"))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_wheel_is_named(tmp_path: Path, content: bytes) -> None:
    """Files that are no archives, or hold no wheel, are an error without a traceback."""
    path = tmp_path / "bad-1.0-py3-none-any.whl"
    path.write_bytes(content)

    with pytest.raises(EngineError, match="cannot be unpacked"):
        unpack_wheel(path, path.name, VENV, tmp_path)
