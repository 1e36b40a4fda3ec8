"""Carry installed distributions of an agent's interpreter over into an image's environment.

Folders of the agent never enter the image: scripts are made anew, lists of files too, and in what points into the project its root
is rewritten. Byte-code is left behind.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from pipeline.adapters.environment_tree import inside
from pipeline.model.environments import Installation, Installed, VirtualEnvironment

LEFT_BEHIND = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
"""Files of a distribution's metadata that say how it came to the agent."""
REWRITTEN = (".pth", ".py", ".egg-link", ".json")
INSTALLER = "doit-fleet\n"
_SHEBANG = re.compile(rb"\A#!(?:/bin/sh\n'''exec' )?[^\n]*python[^\n]*\n(?:' '''\n)?")


def copy_distribution(
    one: Installed, installation: Installation, venv: VirtualEnvironment, folder: Path, moved: Mapping[str, str]
) -> Sequence[str]:
    """Copy one below `folder`; files that have no place in an environment are returned instead.

    `moved` says which folders of the agent are where in the image; they are replaced in files of the distribution that
    lie directly in site-packages, where installers write how to find a project in place.
    """
    lost: list[str] = []
    placed: dict[str, Path] = {}
    for source in listed(one, installation):
        target = _target(source, installation, venv)
        if target is None:
            lost.append(source)
        elif not _is_left_behind(source, one, installation):
            placed[target] = Path(source)
    for target, path in placed.items():
        _copy(path, inside(folder, target), target, venv, moved)
    scripts = _make_scripts(one, venv, folder)
    _write_record(one, [*placed, *scripts], venv, folder)
    return lost


def listed(one: Installed, installation: Installation) -> Iterator[str]:
    """Files of a distribution that are there: as its installer listed them, else its importable folders."""
    found = [path for path in one.files if os.path.isfile(path) and _is_source(path)]
    if found and any(path.startswith(one.home + os.sep) or path == one.home for path in found):
        yield from found
    else:
        yield from _unlisted(one)


def _unlisted(one: Installed) -> Iterator[str]:
    """For what an operating system installed without a list: its metadata and what it calls its top level."""
    home = Path(one.home)
    yield from ([str(home)] if home.is_file() else [str(path) for path in home.rglob("*") if path.is_file()])
    try:
        names = (home / "top_level.txt").read_text("utf-8").split()
    except OSError:
        names = [one.name.replace("-", "_")]
    for name in names:
        if not re.fullmatch(r"\w+", name):
            continue
        yield from (str(path) for path in (home.parent / name).rglob("*") if path.is_file() and _is_source(str(path)))
        yield from (str(path) for path in home.parent.glob(f"{name}.*") if path.suffix in (".py", ".so"))


def _is_source(path: str) -> bool:
    return not path.endswith((".pyc", ".pyo")) and "/__pycache__/" not in path


def _target(source: str, installation: Installation, venv: VirtualEnvironment) -> str | None:
    places = dict.fromkeys(installation.packages, venv.packages)
    places |= {installation.scripts: f"{venv.prefix}/bin", installation.prefix: venv.prefix}
    for at, target in places.items():
        if source.startswith(at.rstrip("/") + "/"):
            return f"{target}/{source[len(at.rstrip('/')) + 1 :]}"
    return None


def _is_left_behind(source: str, one: Installed, installation: Installation) -> bool:
    folder, name = os.path.split(source)
    if folder == one.home:
        return name in LEFT_BEHIND
    return folder == installation.scripts and name in {script for script, _, _, _ in _entry_points(one)}


def _copy(source: Path, target: Path, path: str, venv: VirtualEnvironment, moved: Mapping[str, str]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    parent = str(PurePosixPath(path).parent)
    if parent == f"{venv.prefix}/bin":
        data = source.read_bytes()
        if b"\0" not in data[:200]:
            data = _SHEBANG.sub(f"#!{venv.python}\n".encode(), data, count=1)
        target.write_bytes(data)
    elif parent == venv.packages and source.suffix in REWRITTEN:
        target.write_bytes(rewritten(source.read_bytes(), moved))
    else:
        shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def rewritten(data: bytes, moved: Mapping[str, str]) -> bytes:
    """Text with each folder of `moved` replaced where it is a whole path, longest first."""
    for before in sorted(moved, key=len, reverse=True):
        whole = re.escape(os.fsencode(before)) + rb"(?![\w.-])"
        place = os.fsencode(moved[before])
        data = re.sub(whole, lambda _, place=place: place, data)  # type: ignore[misc]
    return data


def _entry_points(one: Installed) -> list[tuple[str, str, str, str]]:
    from installer.utils import parse_entrypoints

    path = Path(one.home) / "entry_points.txt"
    try:
        return [
            (name, module, attr, str(section))
            for name, module, attr, section in parse_entrypoints(path.read_text("utf-8"))
        ]
    except (OSError, ValueError, AssertionError, KeyError):
        return []


def _make_scripts(one: Installed, venv: VirtualEnvironment, folder: Path) -> Sequence[str]:
    from installer.scripts import Script

    made = []
    for name, module, attr, _ in _entry_points(one):
        if "/" in name or not name.strip("."):
            continue
        _, data = Script(name, module, attr, "console").generate(venv.python, "posix")
        path = inside(folder, f"{venv.prefix}/bin/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755)
        made.append(f"{venv.prefix}/bin/{name}")
    return made


def _write_record(one: Installed, placed: Sequence[str], venv: VirtualEnvironment, folder: Path) -> None:
    if not one.home.endswith(".dist-info"):
        return
    home = f"{venv.packages}/{os.path.basename(one.home)}"
    inside(folder, home).mkdir(parents=True, exist_ok=True)
    inside(folder, f"{home}/INSTALLER").write_text(INSTALLER, encoding="utf-8")
    lines = [_record_line(path, venv, folder) for path in sorted({*placed, f"{home}/INSTALLER"})]
    own = f"{os.path.basename(home)}/RECORD,,\n"
    inside(folder, f"{home}/RECORD").write_text("".join(sorted([*lines, own])), encoding="utf-8")


def _record_line(path: str, venv: VirtualEnvironment, folder: Path) -> str:
    """A row of https://packaging.python.org/en/latest/specifications/recording-installed-packages/."""
    data = inside(folder, path).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    name = os.path.relpath(path, venv.packages)
    name = '"' + name.replace('"', '""') + '"' if {",", '"'} & {*name} else name
    return f"{name},sha256={digest},{len(data)}\n"
