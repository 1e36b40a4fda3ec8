"""The protocol keeps every invariant of DESIGN 3 in worlds full of trouble, each made from one seed."""

from __future__ import annotations

import pytest

from tests.simulation.playing import breakage, play_seed

PORTIONS = 10


@pytest.mark.timeout(0)
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_no_seed_breaks_an_invariant(portion: int, request: pytest.FixtureRequest) -> None:
    """A portion of all seeds ends with a closed, true result and nothing left."""
    only = request.config.getoption("--seed", None)
    if only is not None:
        if portion == 0:
            play_seed(only)
        return
    seeds = range(portion, request.config.getoption("--seeds", 300), PORTIONS)

    broken = [told for told in map(breakage, seeds) if told]

    assert broken == [], "\n".join(broken)


def test_one_seed_makes_one_world() -> None:
    """The same seed gives the same events at the same times, so a failure can be replayed."""
    first, second = play_seed(7), play_seed(7)

    assert [repr(event) for event in first.events] == [repr(event) for event in second.events]
    assert first.data.values == second.data.values
