"""What the local launcher does beyond the contract: warm harnesses, event loops, floods, bounded closing."""

from __future__ import annotations

import asyncio
import resource
import time
from pathlib import Path

from pipeline.adapters.harness_process import HarnessProcess
from pipeline.model.messages import Message
from pipeline.ports import HarnessEnd
from tests.processes.house import House, ask, do, hear, hear_end, house, pid_of


def test_a_warm_harness_is_handed_out_first(tmp_path: Path) -> None:
    """The worker of a slot gets the harness that has collected there, and its hello once more."""

    async def scenario() -> list[object]:
        async with house(tmp_path) as here:
            warm = await here.launcher.warm(0, "unit")
            hello = await hear(warm)
            assert await here.launcher.warm(0, "unit") is warm
            given = await here.launcher.harness(0, "unit")
            again = await hear(given)
            other = await here.launcher.harness(0, "unit")
            return [given is warm, other is warm, again["pid"] == hello["pid"] and again["say"] == "hello"]

    assert asyncio.run(scenario()) == [True, False, True]


def test_a_warm_harness_that_died_is_not_handed_out(tmp_path: Path) -> None:
    """What ended during collection is replaced."""

    async def scenario() -> bool:
        async with house(tmp_path) as here:
            warm = await here.launcher.warm(0, "unit")
            await warm.kill()
            await hear_end(warm)
            return await here.harness(0) is warm

    assert asyncio.run(scenario()) is False


def test_harnesses_live_through_several_event_loops(tmp_path: Path) -> None:
    """Collected in one loop, used in the next, closed in a third."""
    here = House(tmp_path)

    async def collect() -> None:
        await hear(await here.launcher.warm(0, "unit"))

    async def work() -> object:
        harness = await here.harness(0)
        return (await ask(harness, "say(alive=1)"))["alive"]

    async def close() -> None:
        await here.launcher.close()

    asyncio.run(collect())
    alive = asyncio.run(work())
    asyncio.run(close())

    assert alive == 1
    assert here.processes() == []


def test_a_flood_neither_fills_the_memory_nor_starves_the_loop(tmp_path: Path) -> None:
    """40 MB of messages that nobody reads stay in the harness; while they are read others get their turn."""
    flood = "for i in range(40000): channel.say('log', level='info', text='x' * 1000)\nsay(done=1)"

    async def scenario() -> tuple[int, int]:
        async with house(tmp_path, lease_seconds=60) as here:
            harness = await here.harness()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            await do(harness, flood)
            await asyncio.sleep(0.3)
            most = since_turn = 0

            async def tick() -> None:
                nonlocal since_turn
                while True:
                    since_turn = 0
                    await asyncio.sleep(0)

            ticking = asyncio.create_task(tick())
            while (await hear_raw(harness))["say"] != "answer":
                since_turn += 1
                most = max(most, since_turn)
            ticking.cancel()
            return most, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    most, kilobytes = asyncio.run(scenario())

    assert most <= 70  # As many as fit in one read.
    assert kilobytes < 20_000


async def hear_raw(harness: HarnessProcess) -> Message:
    """The next message, without the switch to other tasks that a time limit brings."""
    message = await harness.receive()
    assert not isinstance(message, HarnessEnd)
    return message


def test_a_message_larger_than_the_outbox_comes_whole(tmp_path: Path) -> None:
    """The answer for a file of very many tests, and what is said after it."""

    async def scenario() -> tuple[int, object]:
        async with house(tmp_path) as here:
            harness = await here.harness()
            big = await ask(harness, "say(text='y' * 5_000_000); say(after=1)")
            return len(big["text"]), (await hear(harness))["after"]

    assert asyncio.run(scenario()) == (5_000_000, 1)


def test_a_large_order_does_not_wait_for_the_harness(tmp_path: Path) -> None:
    """Sending returns at once although the harness is busy; it is heard whole later."""

    async def scenario() -> tuple[float, object]:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await do(harness, "import time\ntime.sleep(0.3)")
            begin = time.monotonic()
            await do(harness, f"text = {'z' * 3_000_000!r}\nsay(size=len(text))")
            return time.monotonic() - begin, (await hear(harness))["size"]

    seconds, size = asyncio.run(scenario())

    assert seconds < 0.25
    assert size == 3_000_000


def test_closing_is_bounded_whatever_harnesses_do(tmp_path: Path) -> None:
    """Those that hang, ignore TERM, are stopped or have daemons are ended within the ladder's time."""
    stubborn = [
        "import time, signal\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(1000)",
        "os.kill(os.getpid(), 19)",
        "import ctypes\nctypes.PyDLL(None).sleep(1000)",
        "import threading\nthreading.Thread(target=threading.Event().wait).start()",
    ]

    async def scenario() -> float:
        async with house(tmp_path, finish_seconds=0.2, term_seconds=0.2) as here:
            for slot, code in enumerate(stubborn):
                await do(await here.harness(slot), code)
            begin = time.monotonic()
            await here.launcher.close()
            return time.monotonic() - begin

    assert asyncio.run(scenario()) < 3


def test_the_live_log_is_written_line_by_line(tmp_path: Path) -> None:
    """What a test prints can be read while it runs."""

    async def scenario() -> str:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await ask(harness, "print('visible')\nsay(done=1)")
            return Path(harness.log).read_text()

    assert asyncio.run(scenario()) == "visible\n"


def test_the_framework_learns_slot_and_slots(tmp_path: Path) -> None:
    """A harness knows which worker it is, of how many, and where its files may lie."""

    async def scenario() -> tuple[dict[str, object], int, int]:
        async with house(tmp_path, options={"own": 1}) as here:
            harness = await here.harness(1)
            answer = await ask(harness, "say(options=options, pid=os.getpid())")
            return answer["options"], answer["pid"], pid_of(harness)

    options, said, known = asyncio.run(scenario())

    assert (options["own"], options["slot"], options["slots"]) == (1, 1, 2)
    assert Path(str(options["folder"])).is_dir()
    assert said == known
