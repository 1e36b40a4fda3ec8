"""Who is to blame for the death of a harness, and how its tests run again.

Pure: records of earlier attempts and the harness's end come in; charges and the next division of the tests go out.
Only a proven, unasked death with a certain test in flight is a *crash*. A SIGKILL may have come from anywhere, so it
is a *kill* and weighs less; everything else is a *loss* of unknown cause with a limit and a verdict of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import evolve, frozen

from pipeline.model.verdicts import Verdict
from pipeline.ports import HarnessEnd

SIGKILL: Final = -9
OUT_OF_MEMORY: Final = "out-of-memory"
"""Cause of an end that the kernel is known to have meant for this process, or for the whole container."""
_GUILTLESS: Final = frozenset({"expired", "unreachable", "stopped"})
"""Causes of an end that no test can be proven to have brought about."""


@frozen(kw_only=True)
class Charges:
    """What a test is suspected of, over all attempts of its batch."""

    crashes: int = 0
    kills: int = 0
    losses: int = 0
    starved: int = 0
    """How many of the crashes the runtime called out of memory; for people only."""


NONE: Final = Charges()


@frozen(kw_only=True)
class Patience:
    """How often before a verdict is given."""

    crashes: int = 2
    kills: int = 5
    losses: int = 5


@frozen(kw_only=True)
class Judgement:
    """What one death means: a charge (`crash`, `kill`, `loss`, or empty) against a test (or nobody)."""

    charge: str = ""
    test: int | None = None
    cause: str = ""


@frozen(kw_only=True)
class Part:
    """Tests for one `run` message."""

    tests: tuple[int, ...]
    careful: bool = False
    alone: bool = False


def judge(end: HarnessEnd, *, flying: int | None, certain: bool, head: int | None) -> Judgement:
    """Say what a death means.

    `flying` is the test in flight; `certain` says that no later test can have begun unseen; `head` is the test that
    was to come next, charged with a loss when none was in flight, so that nothing can repeat for ever.
    """
    if end.asked:
        return Judgement()
    if flying is None:
        return Judgement(charge="loss", test=head) if head is not None else Judgement()
    if not is_proven(end, certain=certain):
        return Judgement(charge="loss", test=flying)
    return Judgement(charge="kill" if is_foreign_kill(end) else "crash", test=flying, cause=end.cause)


def is_proven(end: HarnessEnd, *, certain: bool) -> bool:
    """Whether the test in flight is known and its harness died of itself."""
    return end.proof and not end.asked and certain and end.cause not in _GUILTLESS


def is_foreign_kill(end: HarnessEnd) -> bool:
    """Whether the death may be another process's doing: a SIGKILL that the runtime does not call out of memory."""
    return end.code == SIGKILL and end.cause != OUT_OF_MEMORY


def add_charge(charges: dict[int, Charges], judgement: Judgement) -> None:
    """Count a judgement."""
    if judgement.test is None or not judgement.charge:
        return
    old = charges.get(judgement.test, NONE)
    if judgement.charge == "crash":
        starved = old.starved + (judgement.cause == OUT_OF_MEMORY)
        charges[judgement.test] = evolve(old, crashes=old.crashes + 1, starved=starved)
    elif judgement.charge == "kill":
        charges[judgement.test] = evolve(old, kills=old.kills + 1)
    else:
        charges[judgement.test] = evolve(old, losses=old.losses + 1)


def convict(charges: Charges, patience: Patience) -> Verdict | None:
    """The verdict that patience ends with, or None while the test may run again."""
    if charges.crashes >= patience.crashes or charges.crashes + charges.kills >= patience.kills:
        return Verdict.CRASHED
    return Verdict.LOST if charges.crashes + charges.kills + charges.losses >= _limit(charges, patience) else None


def divide(tests: Sequence[int], charges: Mapping[int, Charges], *, careful: bool) -> tuple[Part, ...]:
    """Split what is left of a batch: bystanders first and together, then each suspect alone in a fresh harness.

    A single loss of unknown cause (an agent that went away) only moves a test to the end.
    """
    suspects = [test for test in tests if is_suspect(charges.get(test, NONE))]
    together = [test for test in tests if test not in suspects]
    together.sort(key=lambda test: charges.get(test, NONE).losses)
    parts = [Part(tests=tuple(together), careful=careful)] if together else []
    return (*parts, *(Part(tests=(test,), careful=True, alone=True) for test in suspects))


def is_suspect(charges: Charges) -> bool:
    """Whether a test must run alone."""
    return charges.crashes + charges.kills > 0 or charges.losses > 1


def in_flight(records: Iterable[tuple[str, int]]) -> int | None:
    """The last test started without a final record; (kind, test) of one batch attempt, in order."""
    flying: int | None = None
    for kind, test in records:
        if kind == "start":
            flying = test
        elif kind in ("final", "death") and test == flying:
            flying = None
    return flying


def _limit(charges: Charges, patience: Patience) -> int:
    """Losses alone decide as soon as they are the most; mixed with deaths, the longer patience does."""
    return patience.losses if not charges.crashes + charges.kills else patience.losses + patience.kills
