"""Why no worker can be had in some slots, for people: each reason once. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def reasons(hopeless: Mapping[int, str]) -> str:
    """By slot; what differs in the slot's number only is said once."""
    alike: dict[str, dict[str, None]] = {}
    for slot, why in hopeless.items():
        alike.setdefault(why.replace(f"slot {slot}:", "slot:"), {})[why] = None
    return "\n  ".join(_told([*whys]) for whys in alike.values())


def _told(whys: Sequence[str]) -> str:
    others = len(whys) - 1
    return whys[0] + (f"\n  so in {others} more {'slot' if others == 1 else 'slots'}" if others else "")
