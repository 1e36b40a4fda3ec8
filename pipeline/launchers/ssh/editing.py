"""A list of hosts that is edited while tests run: looked at now and then, taken over when it is whole, kept as it was when it is not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from attrs import frozen

from pipeline.errors import FleetError
from pipeline.launchers.ssh.terms import HostTerms, laid_out

LOOK_SECONDS = 0.5
Seen = tuple[int, int, int] | None


@frozen(kw_only=True)
class HostsFile:
    """Where the list is, and how it is read."""

    path: Path
    read: Callable[[], Sequence[HostTerms]]
    """All hosts there are now. Raises `FleetError` for nonsense."""

    async def watch(self, take: Callable[[Sequence[HostTerms]], None], tell: Callable[[str], None]) -> None:
        """Until cancelled: `take` what is read after each change that two looks have seen, `tell` what is wrong with it."""
        known = before = _seen(self.path)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = _seen(self.path)
            if now != known and now == before:
                known = now
                try:
                    hosts = await asyncio.to_thread(self.read)
                except FleetError as error:
                    tell(f"{error.message}: hosts stay as they were; {error.hint}".rstrip("; "))
                else:
                    take(hosts)
            before = now


@frozen(kw_only=True)
class Edited:
    """What a change comes to."""

    opened: Sequence[HostTerms]
    """The host of each slot that is new."""
    draining: Collection[int]
    """All slots that are wanted no more."""


def edited(
    of_slot: Sequence[HostTerms],
    draining: Collection[int],
    hosts: Sequence[HostTerms],
    most: int | None,
    busy: Collection[int] = (),
) -> Edited:
    """Compare the slots that there are with the hosts that are wanted; `most`: so many slots at most. Pure.

    `busy` are slots in which somebody may work: those that drain count until nobody does, and what finds no room is opened
    when this is asked again.
    """
    wanted = laid_out(hosts, sum(host.slots for host in hosts) if most is None else most)
    names = [host.name for host in wanted]
    active: dict[str, list[int]] = {}
    for slot, host in enumerate(of_slot):
        if slot not in draining:
            active.setdefault(host.name, []).append(slot)
    surplus = {slot for name, slots in active.items() for slot in slots[names.count(name) :]}
    have = {name: len(slots) for name, slots in active.items()}
    opened = []
    for host in wanted:
        if have.get(host.name, 0) > 0:
            have[host.name] -= 1
        else:
            opened.append(host)
    gone = {*draining, *surplus}
    if most is not None:
        held = len(of_slot) - len(gone) + len(gone.intersection(busy))
        opened = opened[: max(0, most - held)]
    return Edited(opened=opened, draining=gone)


def _seen(path: Path) -> Seen:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
