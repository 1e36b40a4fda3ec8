"""Unpack wheels into the folder of an image's environment, as https://packaging.python.org/en/latest/specifications/binary-distribution-format/ says.

Wheels are hostile input: nothing outside the environment is ever written.
"""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

from pipeline.errors import EngineError
from pipeline.model.environments import VirtualEnvironment

INSTALLER = b"doit-fleet\n"
LARGEST = 16 * 2**30
"""Bytes that one wheel may unpack to."""
BOMB = 1000
"""More bytes than this times the wheel's own size are no honest content, above the size that is always borne."""
BORNE = 256 * 2**20


def unpack_wheel(wheel: Path, filename: str, venv: VirtualEnvironment, folder: Path) -> None:
    """Install one wheel below `folder`. Raises `EngineError` that names it when it is damaged or reaches outside."""
    from installer import install
    from installer.destinations import SchemeDictionaryDestination
    from installer.sources import WheelFile

    name = filename.split("-")[0]
    schemes = {
        "purelib": venv.packages,
        "platlib": venv.packages,
        "scripts": f"{venv.prefix}/bin",
        "data": venv.prefix,
        "headers": f"{venv.prefix}/include/site/python{venv.short}/{name}",
    }
    destination = SchemeDictionaryDestination(
        schemes, interpreter=venv.python, script_kind="posix", destdir=str(folder), overwrite_existing=True
    )
    try:
        with zipfile.ZipFile(wheel) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It skips byte-code in wheels, which is what we want.
            _check(archive, wheel, filename)
            archive.filename = filename
            install(WheelFile(archive), destination, {"INSTALLER": INSTALLER})
    except EngineError:
        raise
    except Exception as error:  # A wheel may be wrong in any way, and its reader has an exception for each.
        text = str(error) or type(error).__name__
        raise EngineError(
            f"wheel {filename!r} cannot be unpacked: {text}", hint="ask its publisher, or pin another version"
        ) from error


def _check(archive: zipfile.ZipFile, wheel: Path, filename: str) -> None:
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > LARGEST or size > max(BORNE, BOMB * wheel.stat().st_size):
        raise EngineError(f"wheel {filename!r} would unpack to {size} bytes and is refused")
    for member in members:
        parts = member.filename.split("/")
        if member.filename.startswith("/") or ".." in parts or "\\" in member.filename or "\0" in member.filename:
            raise EngineError(f"wheel {filename!r} is refused: it holds the path {member.filename!r}")
