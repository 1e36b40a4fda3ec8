"""Death by silence is judged on the observer's own clock, and its own absences count for the worker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic.silence import Sight, is_dead, look

LEASE = 8.0


def watch(reads: list[tuple[float, float, str]]) -> Sight:
    """Look at each (sent, answered, version) in turn."""
    sight = None
    for sent, answered, version in reads:
        sight = look(sight, version, sent=sent, answered=answered, lease_seconds=LEASE)
    assert sight is not None
    return sight


def test_a_lease_of_unbroken_silence_is_death() -> None:
    """Read every second, the same value for eight."""
    assert is_dead(watch([(at, at, "1") for at in range(9)]), LEASE)


def test_silence_runs_to_the_send_time() -> None:
    """A slow answer tells nothing about the time it took."""
    reads = [(float(at), float(at), "1") for at in range(8)]

    assert not is_dead(watch([*reads, (7.5, 9.0, "1")]), LEASE)


def test_an_absent_observer_kills_nobody() -> None:
    """After a stall or an outage silence starts anew."""
    assert not is_dead(watch([(0.0, 0.0, "1"), (100.0, 100.0, "1")]), LEASE)


@given(st.lists(st.floats(0.01, 1.9), min_size=5, max_size=60))
def test_a_worker_that_beats_is_never_dead(gaps: list[float]) -> None:
    """Whatever the observer's rhythm, a value that changes every quarter lease is alive."""
    now, reads = 0.0, []
    for gap in gaps:
        now += gap
        reads.append((now, now, str(int(now // (LEASE / 4)))))

    assert not is_dead(watch(reads), LEASE)
