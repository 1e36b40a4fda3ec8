"""The small values of the protocol as they lie in the store: births, claims, tombs, terms, endings.

Each is canonical JSON, so that a create can be repeated with identical bytes and read back to see whose it is. Bytes
from a store are hostile: what is no such object is `StoreDamaged`. It must not know stores or keys.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import asdict, field, fields, frozen

from pipeline.errors import StoreDamaged

if TYPE_CHECKING:
    from attrs import AttrsInstance

T = TypeVar("T", bound="AttrsInstance")


@frozen(kw_only=True)
class Birth:
    """A worker exists from now on. `identity` is what its launcher needs to find and end its leftovers."""

    worker: str
    nonce: str
    plan: str
    term: int
    slot: int
    bucket: int
    launcher: str = ""
    place: str = ""
    log: str = ""
    identity: dict[str, str | int] = field(factory=dict)
    wall: float = 0.0
    suites: tuple[str, ...] = ()
    """Those of its pool; it runs no other's tests. Empty: all."""
    queue: str = ""
    """The queue it works in; it runs no tests that may not run there. Empty: there are none."""
    layout: str = ""
    """Names which queue had what of all ranges. Empty: there were none."""


@frozen(kw_only=True)
class Claim:
    """A batch attempt belongs to `worker`. `tests` are the positions in the plan that are still to do."""

    worker: str
    nonce: str
    plan: str
    batch: int
    attempt: int
    tests: tuple[int, ...]
    careful: bool = False
    """Whether an earlier attempt was lost: then each start is durable before its test begins."""


@frozen(kw_only=True)
class Tomb:
    """A worker has ended. Its journal counts up to `position`; `salvaged` are records that its harness still held."""

    worker: str
    plan: str
    by: str
    nonce: str
    position: str
    cause: str
    proof: bool
    detail: str = ""
    salvaged: tuple[str, ...] = ()
    wall: float = 0.0
    is_clean: bool = False
    """A hint: the worker itself says that each batch it had claimed is done, so nothing can be had of it."""

    @property
    def is_orderly(self) -> bool:
        """Whether the worker ended of its own accord: then what it had not finished is released, not lost."""
        return self.cause in ORDERLY


ORDERLY = frozenset({"finished", "stopped", "closed", "engine"})
"""Causes of an end that say nothing about the tests in flight."""
TAKEN = frozenset({"preempted", "evicted", "drained", "node-lost"})
"""Causes of an end that befall machines which may be taken back at any time."""
DISRUPTIONS = TAKEN | {"deleted", "rejected", "fenced"}
"""Causes of an end that say nothing about worker or test: their engine had reasons of its own."""


@frozen(kw_only=True)
class Term:
    """An agent leads. Only avoids double launches; correctness never rests on it."""

    term: int
    nonce: str
    plan: str
    wall: float = 0.0
    slots: int = 0
    """So many slots are its agent's alone, behind those of all lower terms; 0: it shares slots with the others."""
    place: str = ""
    """Where its agent is, for people."""


@frozen(kw_only=True)
class Leave:
    """The agent of that term may end, although the run goes on: others carry it to its end."""

    term: int
    nonce: str
    plan: str


@frozen(kw_only=True)
class Told:
    """The result of a closed run has been told: reports are written, and the agent at `place` ends with this code."""

    plan: str
    nonce: str
    place: str
    exit_code: int
    reason: str


@frozen(kw_only=True)
class Conditions:
    """What workers of one term work under that live elsewhere: plain JSON, no secrets."""

    term: int
    nonce: str
    plan: str
    slots: int
    limits: dict[str, Any]
    """Fields of the protocol's limits."""
    specs: dict[str, dict[str, Any]]
    """By suite, how harnesses start where the workers live: `python`, `cwd`, `module`, `options`."""
    suites: dict[str, Any] = field(factory=dict)
    """By slot, as text, the suites that its worker may run; a slot that is not here: all."""


@frozen(kw_only=True)
class Place:
    """What an engine knew of a worker's place when it had ended, for people and for what is done about preemptions."""

    worker: str
    plan: str
    by: str
    story: dict[str, Any]
    """Fields of `ports.places.PlaceStory`."""


@frozen(kw_only=True)
class Ending:
    """Closing has begun, for the reason given."""

    reason: str
    plan: str
    nonce: str
    errors: tuple[str, ...] = ()
    wall: float = 0.0


@frozen(kw_only=True)
class Closed:
    """The merged result in short; the verdicts themselves are in the journals, up to their seals."""

    plan: str
    nonce: str
    reason: str
    exit_code: int
    mixed: bool
    counts: dict[str, int]
    verdicts: str
    """SHA-256 (hex) over the lines `test id, tab, verdict`, in plan order."""
    errors: tuple[str, ...] = ()
    seconds: float = 0.0


def to_bytes(value: Any) -> bytes:
    """Spell an object: equal values give equal bytes."""
    return json.dumps(asdict(value), sort_keys=True, separators=(",", ":")).encode("ascii")


def from_bytes(kind: type[T], data: bytes) -> T:
    """Read an object of that kind. Unknown keys are ignored. Raises `StoreDamaged`."""
    try:
        found = json.loads(data)
        known = {each.name for each in fields(kind)}
        return kind(**{key: _plain(value) for key, value in found.items() if key in known})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StoreDamaged(
            f"{kind.__name__.lower()} in the store is damaged: {error}", hint="was it written by another version?"
        ) from error


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
