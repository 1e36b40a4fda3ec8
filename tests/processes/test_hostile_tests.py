"""Whatever a test does to its process, the agent hears the truth, and nothing is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pipeline.ports import HarnessEnd
from tests.processes.house import ask, do, hear, hear_end, house, until
from tests.processes.pythons import PYTHONS

DAEMON = """
import subprocess, time
pid = os.fork()
if pid == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        say_pid = os.open(PLACE, os.O_WRONLY | os.O_CREAT)
        os.write(say_pid, str(os.getpid()).encode())
        os.close(say_pid)
        time.sleep(1000)
    os._exit(0)
os.waitpid(pid, 0)
"""
RESPAWNER = """
import signal
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        if os.fork() == 0:
            os.setsid()
            import time
            time.sleep(0.002)
        elif os.fork() != 0:
            os._exit(0)
say(started=True)
"""


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("os._exit(3)", 3),
        ("import ctypes; ctypes.string_at(0)", -11),
        ("os.abort()", -6),
        ("os.kill(os.getpid(), 9)", -9),
        ("os.close(0); os.close(1); os.close(2); os._exit(4)", 4),
        ("os.closerange(3, 256); say(closed=True); os._exit(5)", 5),
        ("raise SystemExit(6)", 6),
        ("raise KeyboardInterrupt", 70),
        ("import os as o; o.write = o.getpid = None; say(patched=True); sys.exit(7)", 7),
    ],
)
def test_a_sudden_end_is_told_with_the_test_in_flight(tmp_path: Path, python: str, deed: str, code: int) -> None:
    """Exit status or signal, proof, nobody asked, and which test it was, however little was flushed."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path, python=python) as here:
            harness = await here.harness()
            await do(harness, f"channel.say('start', batch='7.1', i=2, at=0)\n{deed}")
            return await hear_end(harness)

    end = asyncio.run(scenario())

    assert (end.code, end.proof, end.asked, end.in_flight) == (code, True, False, ("7.1", 2))
    assert end.cause == ("signalled" if code < 0 else "exited")


def test_a_stack_overflow_in_c_is_a_signal(tmp_path: Path) -> None:
    """Endless recursion below Python is told as the signal it is, with the stacks in the log."""
    overflow = "import faulthandler; faulthandler._stack_overflow()"

    async def scenario() -> tuple[HarnessEnd, str]:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await do(harness, overflow)
            return await hear_end(harness), Path(harness.log).read_text()

    end, log = asyncio.run(scenario())

    assert end.code in (-11, -6)
    assert "Fatal Python error" in log


@pytest.mark.parametrize("python", PYTHONS)
def test_daemons_in_sessions_of_their_own_end_with_the_harness(tmp_path: Path, python: str) -> None:
    """A double fork with setsid does not escape."""

    async def scenario() -> str:
        async with house(tmp_path, python=python) as here:
            harness = await here.harness()
            place = tmp_path / "daemon"
            await do(harness, f"PLACE = {str(place)!r}\n{DAEMON}\nsay(done=True)")
            await hear(harness)
            await until(lambda: place.exists() and place.read_text() != "")
            daemon = place.read_text()
            assert Path(f"/proc/{daemon}").exists()
            await do(harness, "os._exit(0)")
            await hear_end(harness)
            return daemon

    daemon = asyncio.run(scenario())

    assert not Path(f"/proc/{daemon}").exists()


def test_respawning_processes_are_killed(tmp_path: Path) -> None:
    """Processes that keep replacing themselves are ended together with the harness."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await ask(harness, RESPAWNER)
            await harness.kill()
            end = await hear_end(harness)
            await until(lambda: len(here.processes()) == 1)  # The zygote; its guard has said all and is leaving.
            return end

    end = asyncio.run(scenario())

    assert end.proof


def test_a_forked_child_holding_the_channel_does_not_delay_the_end(tmp_path: Path) -> None:
    """The end is known by waiting for the process, not by end of file."""

    async def scenario() -> float:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await do(harness, "import time\nif os.fork() == 0:\n    time.sleep(1000)\nos._exit(0)")
            begin = asyncio.get_running_loop().time()
            await hear_end(harness)
            return asyncio.get_running_loop().time() - begin

    assert asyncio.run(scenario()) < 2


def test_a_forked_child_that_comes_back_is_mute_and_ends(tmp_path: Path) -> None:
    """A copy of the harness says nothing in its name and hears nothing."""

    async def scenario() -> list[object]:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await do(harness, "child = os.fork()\nsay(pid=os.getpid())")
            first = await hear(harness)
            second = await ask(harness, "say(pid=os.getpid(), status=os.waitpid(child, 0)[1])")
            return [first["pid"] == second["pid"], second["status"]]

    assert asyncio.run(scenario()) == [True, 0]


def test_much_output_goes_to_the_log(tmp_path: Path) -> None:
    """100 MB on descriptors 1 and 2 harm nobody."""

    async def scenario() -> int:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await ask(harness, "for _ in range(100): os.write(1 + _ % 2, b'\\xff' * 1000000)\nsay(done=1)")
            return Path(harness.log).stat().st_size

    assert asyncio.run(scenario()) == 100_000_000


def test_a_thread_that_delays_the_exit_is_killed_after_the_grace(tmp_path: Path) -> None:
    """`finish` is answered first; a program that will not end is killed, and that blames nobody."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await ask(harness, "import threading\nthreading.Thread(target=threading.Event().wait).start()\nsay(a=1)")
            await harness.send({"do": "finish"})
            assert (await hear(harness))["say"] == "bye"
            await harness.kill(grace_seconds=0.05)
            return await hear_end(harness)

    end = asyncio.run(scenario())

    assert end.asked and end.proof and end.cause == "signalled"


@pytest.mark.parametrize("python", PYTHONS)
def test_a_hang_in_c_can_be_named_and_its_stack_seen(tmp_path: Path, python: str) -> None:
    """Even with the interpreter's lock held for ever the start is known and the stacks get into the log."""
    hang = "channel.say('start', batch='1.1', i=0, at=0)\nctypes.PyDLL(None).sleep(1000)"

    async def scenario() -> tuple[object, str]:
        async with house(tmp_path, python=python) as here:
            harness = await here.harness()
            await ask(harness, "import ctypes\nsay(ready=1)")
            await do(harness, f"say(first=1)\n{hang}")
            await hear(harness)
            start = await hear(harness)
            await harness.dump_stacks()
            return start["i"], Path(harness.log).read_text()

    start, log = asyncio.run(scenario())

    assert start == 0
    assert "most recent call first" in log


def test_a_memory_limit_of_its_own_harms_nobody_else(tmp_path: Path) -> None:
    """A test that limits its memory and runs out of it gets its MemoryError; the harness goes on."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
try:
    say(size=len(bytearray(1 << 31)))
except MemoryError:
    say(size=None)
"""

    async def scenario() -> object:
        async with house(tmp_path) as here:
            return (await ask(await here.harness(), code))["size"]

    assert asyncio.run(scenario()) is None


def test_low_descriptor_limits_are_coped_with(tmp_path: Path) -> None:
    """The channel takes a number below the limit when the usual one is not allowed."""
    warm = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))"

    async def scenario() -> str:
        async with house(tmp_path, options={"warm": warm}) as here:
            return str((await ask(await here.harness(), "say(fine=1)"))["fine"])

    assert asyncio.run(scenario()) == "1"
