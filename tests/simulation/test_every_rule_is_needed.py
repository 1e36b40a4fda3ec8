"""A simulation that cannot fail proves nothing: each rule of DESIGN 3 is broken at least twice, and it is noticed."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation import worlds
from tests.simulation.mutations import MUTATIONS, Mutation, applied
from tests.simulation.playing import breakage

WITHIN_SEEDS = 300


@pytest.mark.timeout(0)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.id)
def test_breaking_the_rule_is_caught(
    mutation: Mutation, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken protocol breaks an invariant within 300 seeds (ordinarily tried at a seed known to show it)."""
    monkeypatch.setattr(worlds, "PATIENCE_LEASES", 120)
    search = request.config.getoption("--all-mutations", False)
    last = max(WITHIN_SEEDS, mutation.seed + 1)
    seeds = range(last) if search else range(mutation.seed, last)

    with applied(mutation):
        caught = next((seed for seed in seeds if breakage(seed)), None)

    assert caught is not None, f"{mutation.id}: nothing noticed in {len(seeds)} seeds"
    assert breakage(caught) == "", "the rule as it stands must hold in the same world"


def test_each_rule_is_broken_at_least_twice() -> None:
    """No rule rests on a single mutation."""
    rules = Counter(mutation.rule for mutation in MUTATIONS)

    assert [rule for rule, count in rules.items() if count < 2] == []
