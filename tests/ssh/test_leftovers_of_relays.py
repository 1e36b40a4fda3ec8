"""What relays that were killed leave on a host, whenever that was: the next one of the same store removes it, and only that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.harness.relay_house import ABOUT, LOCK, UNKNOWN_SECONDS, House, tidy

LONG = 1e9
"""Nothing that is kept is so old."""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A host's folder."""
    return tmp_path / "base"


def left_by_the_dead(base: Path, name: str, label: str, after: str = "true") -> Path:
    """The folder of a relay that was killed when tests were there."""
    script = (
        "import os, sys\n"
        "from pipeline.harness.relay_house import House\n"
        f"house = House({str(base)!r}, {name!r})\n"
        f"house.open({{'label': {label!r}, 'after': [{after!r}]}})\n"
        "house.note(before=True)\n"
        "os.mkdir(house.folder + '/project')\n"
        "open(house.folder + '/project/test_it.py', 'w').close()\n"
        "os.chmod(house.folder + '/project', 0o500)\n"
        "os._exit(9)\n"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 9
    return base / "runs" / name


def test_what_the_dead_of_this_store_have_left_is_removed(base: Path, tmp_path: Path) -> None:
    """Read-only folders too, and what was to run afterwards runs."""
    folder = left_by_the_dead(base, "one", "mine", f"echo after $WHO > {tmp_path / 'note'}")

    assert tidy(str(base), "mine", LONG, {"WHO": "them"}) == ["one"]
    assert not folder.exists()
    assert (tmp_path / "note").read_text() == "after them\n"


def test_others_and_the_living_are_left_alone(base: Path) -> None:
    """Another store's, and one whose relay lives."""
    other = left_by_the_dead(base, "other", "theirs")
    living = House(str(base), "living")
    living.open({"label": "mine", "after": []})

    assert tidy(str(base), "mine", LONG, {}) == []
    assert other.exists()
    assert Path(living.folder).exists()
    assert living.leave() == {"after": None, "left": [], "down": []}
    assert not Path(living.folder).exists()


def test_who_is_killed_while_it_removes_leaves_what_says_whose_it_was(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets no further than the first entry; another removes the rest."""
    house = House(str(base), "one")
    house.open({"label": "mine", "after": []})
    for name in ("a", "z"):
        Path(house.folder, name).mkdir()

    def die(path: str) -> list[str]:
        raise KeyboardInterrupt(path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pipeline.harness.relay_house.remove", die)
        house.leave()
    os.close(house._lock)

    assert Path(house.folder, ABOUT).exists()
    assert tidy(str(base), "mine", LONG, {}) == ["one"]


def test_a_folder_of_nobody_goes_when_it_is_old(base: Path) -> None:
    """Its relay died before it could say whose it is; a young one may be just being made."""
    folder = base / "runs" / ".new"
    folder.mkdir(parents=True)
    (folder / LOCK).touch()
    assert tidy(str(base), "mine", LONG, {}) == []
    then = folder.stat().st_mtime - 2 * UNKNOWN_SECONDS
    os.utime(folder, (then, then))

    assert tidy(str(base), "mine", LONG, {}) == [".new"]
    assert not folder.exists()


def test_what_is_kept_goes_when_nobody_has_used_it_for_long(base: Path) -> None:
    """By the time of its last use."""
    old, young = base / "objects" / "ab" / "old", base / "objects" / "ab" / "young"
    old.parent.mkdir(parents=True)
    old.touch()
    young.touch()
    os.utime(old, (1.0, 1.0))
    tidy(str(base), "mine", 3600.0, {})

    assert not old.exists()
    assert young.exists()
