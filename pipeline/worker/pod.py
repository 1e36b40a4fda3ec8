"""What a pod knows of itself by the downward API, and which of an Indexed Job's workers it is.

| variable | meaning |
|---|---|
| `DOIT_FLEET_POD_NAME`, `_POD_NAMESPACE`, `_POD_UID`, `_POD_NODE` | the pod, and where it is |
| `DOIT_FLEET_WORKERS` | `logic.worker_ranges` of all workers of the Job, in place of `_WORKER` and `_SLOT` |
| `JOB_COMPLETION_INDEX` | which of them this is; the Job controller sets it |

A Job's pods are made from one template, so a pod that takes another's place is told a name that is taken, or out of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.errors import UsageError
from pipeline.logic.worker_ranges import worker_at

NAMES = ("POD_NAME", "POD_NAMESPACE", "POD_UID", "POD_NODE", "WORKERS")
INDEX = "JOB_COMPLETION_INDEX"


def worker_of(ranges: str, index: str) -> tuple[str, int]:
    """(name, slot) of the worker with that index. Raises `UsageError`."""
    try:
        return worker_at(ranges, int(index))
    except (ValueError, IndexError) as error:
        raise UsageError(f"{INDEX}={index!r} is none of {ranges!r}: {error}") from error


def identity_of(told: Mapping[str, str | int], environment: Mapping[str, str], prefix: str) -> dict[str, str | int]:
    """What goes into the birth: what the agent told, and in a pod what any agent needs to find it again."""
    mine = {name: environment.get(f"{prefix}{name}", "") for name in NAMES}
    if not mine["POD_UID"]:
        return dict(told)
    return {
        **told,
        "namespace": mine["POD_NAMESPACE"],
        "pod": mine["POD_NAME"],
        "uid": mine["POD_UID"],
        "node": mine["POD_NODE"],
        "place": f"pod {mine['POD_NAME']} on {mine['POD_NODE']}",
        **({"log": f"{told['logs']}/{mine['POD_NAME']}.log"} if told.get("logs") else {}),
    }


def name_of(told: str, born: Iterable[str], hired: Iterable[str]) -> str:
    """The name to be born with in that slot: the newest that a leader has given there (`hired`), else the one that the
    template tells, where no other pod was `born` with it or a later one; else the next."""
    slot, _, ordinal = told.rpartition("-")
    last = max((_ordinal(name) for name in born), default=0)
    newest = max((_ordinal(name) for name in hired), default=int(ordinal))
    return f"{slot}-{max(newest, int(ordinal), last + 1)}"


def _ordinal(name: str) -> int:
    return int(name.rpartition("-")[2])
