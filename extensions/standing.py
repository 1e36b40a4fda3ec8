"""What set-ups of this project stand on this machine although their harness is dead: told and torn down.

Notes lie below `build_dir`; those of living harnesses are locked. Starts no test.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import typed
from pipeline.model.swept import Swept

if TYPE_CHECKING:
    from extensions.fleet import Fleet


def folders_of(fleet: Fleet) -> list[Path]:
    """Where notes of suites are."""
    return sorted(Path(fleet.project.build_dir.get()).glob("command/*/standing*"))


def count_standing(fleet: Fleet) -> int:
    """How many set-ups are noted, those of living harnesses among them. Never raises for what it cannot read."""
    try:
        return sum(1 for folder in folders_of(fleet) for _ in folder.glob("*.json"))
    except OSError:
        return 0


def left_at_once(fleet: Fleet, launcher: str, run: str, fate: str, lease_seconds: float) -> str:
    """What nobody tidies up when the agent leaves at once, for people: where it is, what ends it, and what removes it."""
    if launcher not in ("local", "ssh"):
        return typed(
            f"left at once: run {run!r} {fate}; left behind: its workers, which end by themselves, or `doit sweep` removes them"
        )
    lines = [f"left at once: run {run!r} {fate}; tests of this machine are killed"]
    standing = count_standing(fleet)
    if standing:
        folders = ", ".join(map(str, folders_of(fleet)))
        lines.append(
            f"left behind: {standing} set-up{'s' if standing > 1 else ''} not torn down, noted in {folders}: `doit sweep` tears down, "
            "and so does the next run"
        )
    if launcher == "ssh":
        lines.append(
            "left behind: what runs on hosts; each ends it, tears down and removes its folder when it misses us, within "
            f"{lease_seconds / 2:g} s; `doit sweep` removes what stays"
        )
    return typed("\n".join(lines))


def sweep_standing(fleet: Fleet) -> Swept:
    """Tear down what is nobody's. A tear-down that fails is named; its note is gone, for it has been tried."""
    from extensions.found_suites import environment_of
    from pipeline.harness.command_standing import tear_down_in_child

    removed: list[str] = []
    kept: dict[str, str] = {}
    for folder in folders_of(fleet):
        suite = folder.parent.name
        env = {**fleet.environment, **environment_of(fleet, suite)}
        for told in tear_down_in_child([str(folder)], env):
            name = f"set-up {told['name']} of suite {suite!r}"
            if told["trouble"]:
                kept[name] = str(told["trouble"])
            else:
                removed.append(name)
    return Swept(removed=tuple(removed), kept=kept)
