"""The supervisor of a worker that lives in a container: reads what it is given, does its work, says by its status whether.

Everything it works under is in the store; its image holds the tests and which plan they belong to.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from attrs import evolve

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.store_meeting import meet_agent
from pipeline.errors import EngineError, Fenced, FleetError, StoreUnavailable, UsageError
from pipeline.logic.objects import Birth, Conditions
from pipeline.model import exits
from pipeline.model.access import UNTIL, seconds_to_work
from pipeline.model.plans import Plan
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.conditions import limits_of, read_conditions, specs_of, suites_at
from pipeline.protocol.elsewhere import supervise_elsewhere
from pipeline.protocol.gathering import read_plan
from pipeline.protocol.limits import Limits
from pipeline.protocol.orders import Orders
from pipeline.protocol.supervising import Life
from pipeline.protocol.view import RunView
from pipeline.protocol.worker import Worker
from pipeline.worker.given import Given, Secrets, read_given, secrets_of, take_away
from pipeline.worker.log import Log
from pipeline.worker.pod import name_of
from pipeline.worker.stores import open_store

BUCKET = Path(__file__).parents[3] / "bucket" / "bucket.json"
"""What the image says of itself, beside the runtime: `{"plan": digest, "bucket": n}`."""
OWN_LOG = "supervisor.log"
"""In the scratch folder, beside those of harnesses."""
STOPPED_BY_ORDER = 128 + signal.SIGTERM


class OtherPlan(EngineError):
    """The image belongs to another plan (invariant 1)."""


def main() -> int:
    """Work; the exit status, see `exits`."""
    log = Log()
    try:
        given = read_given(os.environ)
        log.keep(given.scratch / OWN_LOG)
        secrets = secrets_of(given)
        _close_stdin()
        return asyncio.run(_work(given, secrets, log))
    except FleetError as error:
        log.say(f"error: {error}")
        return status_of(error)
    except Exception:
        log.say(f"error of ours: {traceback.format_exc()}")
        return exits.INTERNAL


def status_of(error: FleetError) -> int:
    """The exit status that an error means."""
    if isinstance(error, UsageError):
        return exits.USAGE
    if isinstance(error, OtherPlan):
        return exits.OTHER_PLAN
    if isinstance(error, Fenced):
        return exits.FENCED
    return exits.NO_STORE if isinstance(error, StoreUnavailable) else exits.ENGINE


def check_image(plan: str, bucket: Path = BUCKET) -> None:
    """See that the image was made for this plan. Raises `OtherPlan`."""
    try:
        told = str(json.loads(bucket.read_bytes())["plan"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise OtherPlan(
            f"the image does not say which plan it is for: {error}", hint="run `doit push` again"
        ) from error
    if told != plan:
        raise OtherPlan(
            f"the image is for plan {told[:16]!r}, the run has plan {plan[:16]!r}", hint="run `doit push` again"
        )


async def _work(given: Given, secrets: Secrets, log: Log) -> int:
    clock = SystemClock()
    store = CertainStore(open_store(given.store, secrets.store), clock, patience_seconds=Limits().outage_seconds)
    plan = await read_plan(store, given.run)
    check_image(plan.digest)
    if given.meets:
        await meet_agent(store.store, clock, given.run, f"{given.worker}-{given.nonce[:8]}")
    stated = await read_conditions(store, given.run, given.term)
    take_away(os.environ, secrets)
    orders = Orders()
    numbers = _listen_to_signals(orders)
    leave_in_time(orders, secrets.store, clock.wall(), log)
    given = evolve(given, worker=await _name(given, store))
    worker = _worker(given, plan, stated, store, orders, secrets.env, log)
    life = await supervise_elsewhere(worker)
    log.say(f"{life.cause}: {life.tests} tests, {life.seconds:.1f} s {life.detail}".rstrip())
    if life.cause == "engine":
        log.say_last_words(given.scratch)
    await worker.launcher.close()
    return _status(life, numbers)


async def _name(given: Given, store: CertainStore) -> str:
    """The name to be born with; for a pod that was made in place of another one not what it is told. A race for a name ends
    as fenced, and the Job's next pod tries again."""
    if not given.may_be_renamed:
        return given.worker
    slot = given.worker.rpartition("-")[0]
    born, hired = [
        [keys.last(entry.key) for entry in await store.list(f"{folder}{slot}-")]
        for folder in (keys.workers(given.run), keys.hirings(given.run))
    ]
    return name_of(given.worker, born, hired)


def _worker(
    given: Given,
    plan: Plan,
    stated: Conditions,
    store: CertainStore,
    orders: Orders,
    env: Mapping[str, Mapping[str, str]],
    log: Log,
) -> Worker:
    from pipeline.adapters.cgroup import out_of_memory_kills
    from pipeline.launchers.local import LocalLauncher
    from pipeline.launchers.outputs import send_outputs
    from pipeline.worker.memory import MemoryLauncher

    limits = limits_of(stated)
    specs = specs_of(stated, env)
    local = LocalLauncher(specs, given.scratch, slots=stated.slots, lease_seconds=limits.lease_seconds)
    store = CertainStore(store.store, store.clock, limits.retry_seconds, limits.outage_seconds)
    return Worker(
        run=given.run,
        birth=_birth(given, plan, suites_at(stated, given.slot), store.clock.wall()),
        plan=plan,
        view=RunView(given.run, plan, store, store.clock, limits.lease_seconds, put_off_seconds=limits.beat_seconds),
        store=store,
        journal=store.store.journal(keys.journal(given.run, given.worker)),
        parting=partial(send_outputs, store, given.run, given.worker, specs, given.scratch, since=store.clock.wall()),
        launcher=MemoryLauncher(local, out_of_memory_kills),
        clock=store.clock,
        emit=log,
        limits=limits,
        orders=orders,
    )


def _birth(given: Given, plan: Plan, suites: tuple[str, ...], wall: float) -> Birth:
    identity = given.identity
    return Birth(
        worker=given.worker,
        nonce=given.nonce,
        plan=plan.digest,
        term=given.term,
        slot=given.slot,
        bucket=given.slot,
        launcher=given.launcher,
        place=str(identity.get("place", "")),
        log=str(identity.get("log", "")),
        identity=identity,
        wall=wall,
        suites=suites,
    )


def leave_in_time(orders: Orders, store: Mapping[str, str], now: float, log: Log) -> None:
    """Claim nothing more before the store's credentials expire: the agent, which renews its own, hires another worker then.

    Raises `EngineError` when they have expired already, as those of a pod that waited for long.
    """
    if UNTIL not in store:
        return
    seconds = seconds_to_work(store[UNTIL], now)
    if seconds <= 0:
        raise EngineError(
            "the store's credentials expired before this worker began", hint="a worker that is hired now gets others"
        )

    def leave() -> None:
        log.say("the store's credentials expire soon: ends when its batch is done, for a worker with new ones")
        orders.is_over = True
        orders.wake()

    asyncio.get_running_loop().call_later(seconds, leave)


def _listen_to_signals(orders: Orders) -> list[int]:
    """The first asks to stop, the next ends the process; the signals that came."""
    numbers: list[int] = []

    def hear(number: int) -> None:
        numbers.append(number)
        if len(numbers) > 1:
            os._exit(128 + number)
        orders.is_over = True
        orders.is_stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, hear, number)
    return numbers


def _status(life: Life, numbers: list[int]) -> int:
    if numbers:
        return 128 + numbers[0]
    if life.cause == "stopped":
        return STOPPED_BY_ORDER
    if life.cause == "fenced":
        return exits.FENCED
    if life.cause == "engine":
        return status_of(life.error) if life.error is not None else exits.ENGINE
    return exits.GOOD


def _close_stdin() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


if __name__ == "__main__":
    sys.exit(main())
