"""Which worker each index of an Indexed Job is, as a short text: a pod's template is one, and is in etcd for every pod.

`0-9:1,12:3` are `w0-1` … `w9-1` and `w12-3`, in this order: index 0 is the first. Pure; standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

NAME: Final = re.compile(r"w(\d+)-(\d+)")


def write_ranges(workers: Iterable[str]) -> str:
    """The text for workers in the order of their indexes. Raises `ValueError` for a name that is not `w<slot>-<ordinal>`."""
    runs: list[tuple[int, int, int]] = []
    for slot, ordinal in map(_parts, workers):
        if runs and (runs[-1][1] + 1, runs[-1][2]) == (slot, ordinal):
            runs[-1] = (runs[-1][0], slot, ordinal)
        else:
            runs.append((slot, slot, ordinal))
    return ",".join(
        (f"{first}-{last}" if last > first else f"{first}") + f":{ordinal}" for first, last, ordinal in runs
    )


def worker_at(text: str, index: int) -> tuple[str, int]:
    """(name, slot) of the worker with that index. Raises `ValueError` for no such text, `IndexError` for no such index."""
    left = index
    for first, last, ordinal in _runs(text):
        if left <= last - first:
            slot = first + left
            return f"w{slot}-{ordinal}", slot
        left -= last - first + 1
    raise IndexError(f"{text!r} has no worker with index {index}")


def read_ranges(text: str) -> list[str]:
    """All names, in the order of their indexes. Raises `ValueError`."""
    return [f"w{slot}-{ordinal}" for first, last, ordinal in _runs(text) for slot in range(first, last + 1)]


def _runs(text: str) -> Iterator[tuple[int, int, int]]:
    for part in filter(None, text.split(",")):
        slots, _, ordinal = part.partition(":")
        first, _, last = slots.partition("-")
        yield int(first), int(last or first), int(ordinal)


def _parts(worker: str) -> tuple[int, int]:
    found = NAME.fullmatch(worker)
    if found is None:
        raise ValueError(f"{worker!r} is no worker's name")
    return int(found[1]), int(found[2])
