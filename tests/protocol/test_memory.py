"""A container that ran out of memory: told with proof it blames the test in flight, else nobody is blamed."""

from __future__ import annotations

import pytest

from pipeline.logic.objects import DISRUPTIONS, Tomb
from pipeline.ports import Remains
from pipeline.protocol.observing import cause_of
from pipeline.protocol.view import loss_of


def tomb(cause: str, *, proof: bool = True) -> Tomb:
    """The end of a worker."""
    return Tomb(worker="w0-1", plan="p", by="b", nonce="n", position="0", cause=cause, proof=proof)


def test_a_proven_lack_of_memory_is_a_crash() -> None:
    """Where each start was durable, in whatever term it was."""
    assert loss_of(tomb("out-of-memory"), is_careful=True, of_term=False) == "crash"


@pytest.mark.parametrize(("proof", "careful"), [(False, True), (True, False)])
def test_without_proof_or_durable_start_it_is_a_loss(proof: bool, careful: bool) -> None:
    """A later test may have used the memory up."""
    assert loss_of(tomb("out-of-memory", proof=proof), is_careful=careful, of_term=True) == "loss"


@pytest.mark.parametrize("cause", ["silent", "exited", "signalled"])
def test_other_ends_are_losses_of_their_term(cause: str) -> None:
    """It may have been the test, for all that is known; an earlier term's losses are forgotten."""
    assert loss_of(tomb(cause), is_careful=True, of_term=True) == "loss"
    assert loss_of(tomb(cause), is_careful=True, of_term=False) == ""


@pytest.mark.parametrize("cause", sorted(DISRUPTIONS))
def test_what_befell_its_machine_is_no_tests_doing(cause: str) -> None:
    """Nor is it counted against it: a test may be cut off by any number of preemptions."""
    assert loss_of(tomb(cause), is_careful=True, of_term=True) == ""


@pytest.mark.parametrize("cause", ["finished", "stopped", "closed", "engine"])
def test_orderly_ends_charge_nobody(cause: str) -> None:
    """What was not finished is released."""
    assert loss_of(tomb(cause), is_careful=True, of_term=True) == ""


@pytest.mark.parametrize(("told", "kept"), [("out-of-memory", "out-of-memory"), ("finished", "exited"), ("", "")])
def test_a_launcher_cannot_call_a_lost_worker_orderly(told: str, kept: str) -> None:
    """A worker that ends in order writes its own tombstone; a container with status 0 and none was lost."""
    assert cause_of(Remains(cause=told)) == kept
