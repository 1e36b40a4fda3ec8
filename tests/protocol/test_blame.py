"""The killer is blamed, never a bystander."""

from __future__ import annotations

import pytest

from pipeline.logic.blame import Charges, Part, Patience, convict, divide, in_flight, judge
from pipeline.model.verdicts import Verdict
from pipeline.ports import HarnessEnd

CRASH = HarnessEnd(proof=True, asked=False, code=-11, cause="signalled")
KILL = HarnessEnd(proof=True, asked=False, code=-9, cause="signalled")


def test_a_proven_unasked_death_is_a_crash() -> None:
    """With the test in flight known for certain."""
    found = judge(CRASH, flying=3, certain=True, head=3)

    assert (found.charge, found.test) == ("crash", 3)


@pytest.mark.parametrize(
    "end",
    [
        HarnessEnd(proof=False, asked=False, code=-11),
        HarnessEnd(proof=True, asked=False, cause="expired"),
        HarnessEnd(proof=True, asked=False, code=-9, cause="stopped"),
    ],
)
def test_an_unproven_death_is_only_a_loss(end: HarnessEnd) -> None:
    """No proof, an expired permission, a stop from outside: nobody can be convicted of these."""
    assert judge(end, flying=3, certain=True, head=3).charge == "loss"


def test_uncertainty_about_the_test_in_flight_is_only_a_loss() -> None:
    """The channel may have lost the start of a later test."""
    assert judge(CRASH, flying=3, certain=False, head=3).charge == "loss"


def test_a_death_that_was_asked_for_blames_nobody() -> None:
    """We killed it ourselves."""
    end = HarnessEnd(proof=True, asked=True, code=-15)

    assert judge(end, flying=3, certain=True, head=3).charge == ""


def test_a_foreign_kill_weighs_less_than_a_crash() -> None:
    """Anybody can send SIGKILL; the kernel's out-of-memory killer is known to have meant this process."""
    out_of_memory = HarnessEnd(proof=True, asked=False, code=-9, cause="out-of-memory")

    assert judge(KILL, flying=1, certain=True, head=1).charge == "kill"
    assert judge(out_of_memory, flying=1, certain=True, head=1).charge == "crash"


@pytest.mark.parametrize(
    ("charges", "expected"),
    [
        (Charges(crashes=1), None),
        (Charges(crashes=2), Verdict.CRASHED),
        (Charges(kills=4), None),
        (Charges(kills=5), Verdict.CRASHED),
        (Charges(losses=4), None),
        (Charges(losses=5), Verdict.LOST),
    ],
)
def test_patience_ends_at_its_limit(charges: Charges, expected: Verdict | None) -> None:
    """The second proven death convicts; losses never make a test `crashed`."""
    assert convict(charges, Patience()) is expected


def test_suspects_run_alone_after_everybody_else() -> None:
    """The rest of the batch goes on first; one loss of unknown cause only moves a test to the end."""
    charges = {1: Charges(crashes=1), 2: Charges(losses=1)}

    assert divide((1, 2, 3), charges, careful=True) == (
        Part(tests=(3, 2), careful=True),
        Part(tests=(1,), careful=True, alone=True),
    )


def test_the_test_in_flight_is_the_last_start_without_an_end() -> None:
    """A final record or a death ends a flight."""
    assert in_flight([("start", 1), ("final", 1), ("start", 2)]) == 2
    assert in_flight([("start", 1), ("death", 1)]) is None
