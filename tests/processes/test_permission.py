"""A harness lives only while its guard is permitted to let it live."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from pipeline.ports import HarnessEnd
from tests.processes.house import ask, do, guard_of, hear, hear_end, house, pid_of, state_of, until


def test_without_renewal_the_permission_expires(tmp_path: Path) -> None:
    """Nobody renews: the harness is killed one start span after its birth."""

    async def scenario() -> tuple[HarnessEnd, float]:
        async with house(tmp_path, lease_seconds=0.4) as here:
            harness = await here.harness()
            begin = time.monotonic()
            return await hear_end(harness), time.monotonic() - begin

    end, seconds = asyncio.run(scenario())

    assert (end.cause, end.proof, end.asked, end.code) == ("expired", True, False, -9)
    assert 0.2 < seconds < 3


def test_renewals_keep_it_alive(tmp_path: Path) -> None:
    """Renewed by the guard's own stamps it outlives its first permission; after the last renewal it does not."""

    async def scenario() -> tuple[float, HarnessEnd]:
        async with house(tmp_path, lease_seconds=0.5) as here:
            harness = await here.harness()
            begin, seen = time.monotonic(), set()
            while time.monotonic() < begin + 1.2:
                await asyncio.sleep(0.02)
                if (stamp := harness.stamp()) is not None:
                    seen.add(stamp)
                    harness.renew(stamp, 0.5)
            assert len(seen) > 8
            assert (await ask(harness, "say(alive=1)"))["alive"] == 1
            return time.monotonic() - begin, await hear_end(harness)

    seconds, end = asyncio.run(scenario())

    assert seconds > 1.2
    assert end.cause == "expired"


def test_a_renewal_replaces_the_permission(tmp_path: Path) -> None:
    """A stamp and a short span end a long start span."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path, lease_seconds=30) as here:
            harness = await here.harness()
            await until(lambda: harness.stamp() is not None)
            harness.renew(harness.stamp() or 0.0, 0.05)
            return await hear_end(harness)

    assert asyncio.run(scenario()).cause == "expired"


def test_kill_with_grace_lets_it_end_by_itself(tmp_path: Path) -> None:
    """TERM comes first; a program that handles it may leave in its own way."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path) as here:
            harness = await here.harness()
            code = "import signal\nsignal.signal(15, lambda *_: os._exit(33))\nsay(r=1)"
            await ask(harness, code)
            await do(harness, "import time\ntime.sleep(100)")
            await harness.kill(grace_seconds=20)
            return await hear_end(harness)

    end = asyncio.run(scenario())

    assert (end.code, end.asked) == (33, True)


def test_kill_after_grace_is_certain(tmp_path: Path) -> None:
    """Who ignores TERM is killed when the grace is over, descendants too."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await ask(harness, "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nos.fork()\nsay(r=1)")
            await do(harness, "time.sleep(100)")
            await harness.kill(grace_seconds=0.1)
            return await hear_end(harness)

    end = asyncio.run(scenario())

    assert (end.code, end.asked, end.proof) == (-9, True, True)


def test_a_harness_stopped_for_too_long_is_killed(tmp_path: Path) -> None:
    """SIGSTOP is noticed, and after a lease it is an end like any other."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path, lease_seconds=0.6) as here:
            harness = await here.harness()
            harness.renew(harness.stamp() or 0.0, 30)
            os.kill(pid_of(harness), signal.SIGSTOP)
            return await hear_end(harness)

    end = asyncio.run(scenario())

    assert (end.cause, end.proof, end.asked) == ("stopped", True, False)


def test_a_harness_that_is_continued_in_time_goes_on(tmp_path: Path) -> None:
    """A short stop is nobody's death."""

    async def scenario() -> object:
        async with house(tmp_path, lease_seconds=2) as here:
            harness = await here.harness()
            harness.renew(harness.stamp() or 0.0, 30)
            os.kill(pid_of(harness), signal.SIGSTOP)
            await until(lambda: state_of(pid_of(harness)) == "T")
            os.kill(pid_of(harness), signal.SIGCONT)
            begin = time.monotonic()
            await until(lambda: time.monotonic() > begin + 2.5)
            return (await ask(harness, "say(alive=1)"))["alive"]

    assert asyncio.run(scenario()) == 1


def test_a_killed_guard_takes_its_harness_along(tmp_path: Path) -> None:
    """SIGKILL on the guard: the harness and its daemons die, the zygote has the proof, no test is to blame."""

    async def scenario() -> tuple[HarnessEnd, int]:
        async with house(tmp_path) as here:
            harness = await here.harness()
            daemon = "if os.fork() == 0:\n    os.setsid()\n    import time\n    time.sleep(100)\nsay(r=1)"
            await ask(harness, daemon)
            await do(harness, "channel.say('start', batch='1.1', i=1, at=0)")
            await hear(harness)
            os.kill(guard_of(harness), signal.SIGKILL)
            return await hear_end(harness), len(here.processes())

    end, left = asyncio.run(scenario())

    assert (end.cause, end.proof, end.asked, end.code) == ("unreachable", True, False, -9)
    assert end.in_flight == ("1.1", 1)
    assert left == 1


def test_a_stopped_guard_is_killed_for_its_silence(tmp_path: Path) -> None:
    """A guard that shows no stamps could not keep its promise: it is ended, with its harness."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path, lease_seconds=0.6) as here:
            harness = await here.harness()
            os.kill(guard_of(harness), signal.SIGSTOP)
            return await hear_end(harness)

    end = asyncio.run(scenario())

    assert (end.cause, end.proof) == ("unreachable", True)


def test_a_guard_uses_next_to_nothing(tmp_path: Path) -> None:
    """An idle guard wakes only to show its clock."""

    async def scenario() -> int:
        async with house(tmp_path, lease_seconds=1.0) as here:
            harness = await here.harness()
            harness.renew(harness.stamp() or 0.0, 30)
            stat = Path(f"/proc/{guard_of(harness)}/stat")
            await asyncio.sleep(1.0)
            return sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13]))

    assert asyncio.run(scenario()) <= 2  # Hundredths of a second.


def test_signals_to_the_agents_group_do_not_reach_them(tmp_path: Path) -> None:
    """Zygote, guard and harness are in groups of their own: Control-C is the agent's affair."""

    async def scenario() -> set[int]:
        async with house(tmp_path) as here:
            harness = await here.harness()
            return {os.getpgid(pid) for pid in (*here.processes(), pid_of(harness), guard_of(harness))}

    groups = asyncio.run(scenario())

    assert os.getpgid(0) not in groups
    assert len(groups) == 3


def test_guards_killed_together_are_told_apart(tmp_path: Path) -> None:
    """Each of four harnesses is proved dead although all guards died in one moment; a fifth lives on."""

    async def scenario() -> tuple[list[HarnessEnd], object]:
        async with house(tmp_path) as here:
            harnesses = [await here.harness(slot) for slot in range(5)]
            for harness in harnesses[:4]:
                os.kill(guard_of(harness), signal.SIGKILL)
            ends = await asyncio.gather(*map(hear_end, harnesses[:4]))
            return ends, (await ask(harnesses[4], "say(alive=1)"))["alive"]

    ends, alive = asyncio.run(scenario())

    assert [(end.cause, end.proof, end.code) for end in ends] == [("unreachable", True, -9)] * 4
    assert alive == 1
