"""What an agent states for workers that live elsewhere, and how they read it: limits and harness specifications.

Lies in the store for everybody who may read the store, so no environment and no secret of a suite is ever in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, fields

from pipeline.errors import EngineError, StoreDamaged
from pipeline.logic.objects import Conditions, from_bytes, to_bytes
from pipeline.logic.pooling import suites_of
from pipeline.model.plans import Plan
from pipeline.model.pools import Pool
from pipeline.model.suites import HarnessSpec
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.limits import Limits

ENDLESS = "inf"
"""JSON has no number for it."""


async def state_conditions(
    store: CertainStore,
    run: str,
    plan: Plan,
    *,
    term: int,
    nonce: str,
    slots: int,
    limits: Limits,
    specs: Mapping[str, HarnessSpec],
    pools: Sequence[Pool] = (),
) -> None:
    """Write them, once per term."""
    stated = Conditions(
        term=term,
        nonce=nonce,
        plan=plan.digest,
        slots=slots,
        limits={name: ENDLESS if value == float("inf") else value for name, value in asdict(limits).items()},
        specs={suite: _plain(spec) for suite, spec in specs.items()},
        suites={str(slot): list(suites_of(pools, slot)) for slot in range(slots if len(pools) > 1 else 0)},
    )
    await store.create(keys.conditions(run, term), to_bytes(stated))


async def read_conditions(store: CertainStore, run: str, term: int) -> Conditions:
    """Read them. Raises `EngineError` when there are none, `StoreDamaged`."""
    data = await store.read(keys.conditions(run, term))
    if data is None:
        raise EngineError(f"run {run!r} has no conditions of term {term}", hint="is this the store of the agent?")
    return from_bytes(Conditions, data)


def limits_of(stated: Conditions) -> Limits:
    """The limits; what this version does not know is left out. Raises `StoreDamaged`."""
    known = {each.name for each in fields(Limits)}
    try:
        given: dict[str, Any] = {
            name: float("inf") if value == ENDLESS else value for name, value in stated.limits.items()
        }
        return Limits(**{name: value for name, value in given.items() if name in known})
    except (AttributeError, TypeError) as error:
        raise StoreDamaged(f"limits in the store are damaged: {error}") from error


def specs_of(stated: Conditions, env: Mapping[str, Mapping[str, str]]) -> dict[str, HarnessSpec]:
    """The specifications, each with the environment that came by another way. Raises `StoreDamaged`."""
    try:
        return {
            suite: HarnessSpec(suite=suite, env=dict(env.get(suite, {})), **spec)
            for suite, spec in stated.specs.items()
        }
    except (AttributeError, TypeError) as error:
        raise StoreDamaged(f"specifications in the store are damaged: {error}") from error


def suites_at(stated: Conditions, slot: int) -> tuple[str, ...]:
    """The suites that the worker in that slot may run; none named: all. Raises `StoreDamaged`."""
    named = stated.suites.get(str(slot), [])
    if not isinstance(named, list) or not all(isinstance(suite, str) for suite in named):
        raise StoreDamaged(f"suites of slot {slot} in the store are damaged: {named!r}")
    return tuple(named)


def _plain(spec: HarnessSpec) -> dict[str, Any]:
    return {"python": spec.python, "cwd": spec.cwd, "module": spec.module, "options": spec.options}
