"""What is taken anew each time: distributions installed in place or from a folder, from version control, or not released.

Those of the agent's interpreter are carried over; what only a lock names is built. Knows no layers.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from pipeline.adapters.environment_copy import copy_distribution, rewritten
from pipeline.adapters.environment_tree import inside
from pipeline.adapters.wheel_building import build_wheel
from pipeline.adapters.wheel_unpacking import unpack_wheel
from pipeline.errors import UsageError
from pipeline.logic.origins import folder_of, is_editable, why_not_kept
from pipeline.model.dependencies import Pin
from pipeline.model.environments import Installed

if TYPE_CHECKING:
    from pipeline.adapters.environment_layers import Making


@frozen(kw_only=True)
class FreshPackages:
    """Such packages, laid out in a folder of their own."""

    digest: str
    about: str
    folder: Path

    def lay(self, folder: Path) -> None:
        """Put them below a folder."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)


def fresh_packages(fresh: Sequence[Pin], making: Making) -> FreshPackages | None:
    """All of them, made now; None when there is nothing. What is developed outside the project is left out, and told."""
    carried = [one for one in making.installation.distributions if folder_of(one) or why_not_kept(one)]
    if fresh:
        named = {_normal(pin.name) for pin in fresh}
        carried = [one for one in carried if folder_of(one) or _normal(one.name) in named]
    carried = [one for one in carried if _may_come(one, making)]
    place = Path(tempfile.mkdtemp(prefix="packages-", dir=making.scratch))
    _carry(carried, making, place)
    built = _build(fresh, {_normal(one.name) for one in carried}, making, place)
    loose = _loose(making, place)
    names = sorted({*(one.name for one in carried), *built, *loose})
    if not names:
        return None
    return FreshPackages(
        digest=_digest(place), about=f"installed in place or not released: {', '.join(names)}", folder=place
    )


def _may_come(one: Installed, making: Making) -> bool:
    origin = folder_of(one)
    if not is_editable(one) or _is_within(origin, making.root):
        return True
    making.progress(
        f"{one.name!r} is installed in place in {origin!r}, outside the project, and is not in the images: "
        "tests that need it want it installed without -e"
    )
    return False


def _carry(carried: Sequence[Installed], making: Making, place: Path) -> None:
    moved = {str(making.root): making.project}
    for one in carried:
        lost = copy_distribution(one, making.installation, making.venv, place, moved)
        if lost and not is_editable(one):
            making.progress(f"{one.name}: {lost[0]!r} lies outside its environment and is not in the image")
        if is_editable(one):
            home = inside(place, making.venv.packages) / Path(one.home).name
            home.mkdir(parents=True, exist_ok=True)
            (home / "direct_url.json").write_bytes(rewritten(one.origin.encode(), moved))


def _build(fresh: Sequence[Pin], there: set[str], making: Making, place: Path) -> Sequence[str]:
    built = []
    for pin in fresh:
        own = pin.editable or not pin.requirement or _is_own(pin, making.root)
        if _normal(pin.name) in there or own:
            continue  # What is developed here is found in its folder, as it is on the agent.
        if not making.is_alike:
            raise UsageError(
                f"{pin.place}: {pin.name!r} must be built ({pin.fresh}), and the agent has no interpreter like the image's",
                hint="pin a release of it",
            )
        making.progress(f"building {pin.name}: {pin.fresh}")
        with tempfile.TemporaryDirectory(prefix="build-", dir=making.scratch) as scratch:
            wheel = build_wheel(making.installation.python, pin.requirement, Path(scratch), making.root)
            unpack_wheel(wheel, wheel.name, making.venv, place)
        built.append(pin.name)
    return built


def _is_own(pin: Pin, root: Path) -> bool:
    """Whether a lock's folder is the project itself, which a project that is not installed imports as it stands."""
    return (
        "://" not in pin.requirement
        and " @ " not in pin.requirement
        and (root / pin.requirement).resolve() == root.resolve()
    )


def _loose(making: Making, place: Path) -> Sequence[str]:
    """Path files that belong to no distribution and lead into the project: somebody's own way to install in place."""
    owned = {path for one in making.installation.distributions for path in one.files}
    moved = {str(making.root): making.project}
    found = []
    for packages in making.installation.packages:
        for path in sorted(Path(packages).glob("*.pth")):
            data = path.read_bytes()
            if str(path) not in owned and rewritten(data, moved) != data:
                target = inside(place, making.venv.packages) / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(rewritten(data, moved))
                found.append(path.name)
    return found


def _digest(place: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(place.rglob("*")):
        if path.is_file():
            name = path.relative_to(place).as_posix()
            digest.update(
                f"{name}\0{path.stat().st_mode & 0o100}\0".encode() + hashlib.sha256(path.read_bytes()).digest()
            )
    return digest.hexdigest()


def _is_within(path: str, root: Path) -> bool:
    return Path(path) == root or root in Path(path).parents


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
