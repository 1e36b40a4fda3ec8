"""The warm parent of harnesses: quick, replaceable, and no more than a parent."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from pipeline.adapters import process_table
from pipeline.errors import EngineError
from pipeline.launchers.local import LocalLauncher
from pipeline.model.suites import HarnessSpec
from pipeline.ports import HarnessEnd
from tests.processes.house import SERVING, House, ask, guard_of, hear, hear_end, house, pid_of, until
from tests.processes.pythons import PYTHONS


def zygote_of(here: House) -> int:
    """Process id of the newest zygote."""
    return here.launcher._all_zygotes[-1].pid


def test_harnesses_are_forked_from_a_parent_that_is_warm(tmp_path: Path) -> None:
    """What the framework imports beforehand is imported once."""

    async def scenario() -> tuple[object, object]:
        async with house(tmp_path) as here:
            one, other = await here.harness(0), await here.harness(1)
            warmed = [(await ask(harness, "say(where=warmed_in)"))["where"] for harness in (one, other)]
            return warmed, [[zygote_of(here)]] * 2

    warmed, expected = asyncio.run(scenario())

    assert warmed == expected


def test_a_fresh_interpreter_each_if_wanted(tmp_path: Path) -> None:
    """Without a shared parent each harness has an interpreter of its own, nothing imported before."""

    async def scenario() -> tuple[object, int]:
        async with house(tmp_path, zygote=False) as here:
            one, _ = await here.harness(0), await here.harness(1)
            return (await ask(one, "say(where=warmed_in)"))["where"], len(here.launcher._all_zygotes)

    assert asyncio.run(scenario()) == ([], 2)


def test_25_harnesses_start_within_a_second(tmp_path: Path) -> None:
    """Forking is so cheap that many workers need not wait; two seconds on a busy machine."""

    async def scenario() -> float:
        async with house(tmp_path) as here:
            await here.harness(0)
            begin = time.monotonic()
            await asyncio.gather(*(here.harness(slot) for slot in range(1, 26)))
            return time.monotonic() - begin

    assert asyncio.run(scenario()) < 2


def test_a_killed_parent_is_replaced(tmp_path: Path) -> None:
    """SIGKILL on the zygote: living harnesses go on, new ones come from a new zygote."""

    async def scenario() -> tuple[object, object, HarnessEnd]:
        async with house(tmp_path) as here:
            one = await here.harness(0)
            first = zygote_of(here)
            os.kill(first, signal.SIGKILL)
            other = await here.harness(1)
            assert zygote_of(here) != first
            alive = (await ask(one, "say(alive=1)"))["alive"], (await ask(other, "say(alive=2)"))["alive"]
            await one.kill()
            return (*alive, await hear_end(one))

    one, other, end = asyncio.run(scenario())

    assert (one, other, end.proof) == (1, 2, True)


def test_parent_and_guard_killed_together_still_give_proof(tmp_path: Path) -> None:
    """With nobody left to wait for it, the process table tells that the harness is gone."""

    async def scenario() -> HarnessEnd:
        async with house(tmp_path) as here:
            harness = await here.harness()
            await until(lambda: pid_of(harness) > 0)
            os.kill(zygote_of(here), signal.SIGKILL)
            os.kill(guard_of(harness), signal.SIGKILL)
            return await hear_end(harness)

    end = asyncio.run(scenario())

    assert (end.cause, end.proof) == ("unreachable", True)


def test_a_harness_dies_with_its_guard_whoever_looks(tmp_path: Path) -> None:
    """Guard and zygote killed, nobody hears it: the kernel itself ends the harness."""

    async def scenario() -> None:
        async with house(tmp_path) as here:
            harness = await here.harness()
            pid, started = pid_of(harness), process_table.start_time(pid_of(harness))
            os.kill(zygote_of(here), signal.SIGKILL)
            os.kill(guard_of(harness), signal.SIGKILL)
            await until(lambda: not process_table.is_alive(pid, started))

    asyncio.run(scenario())


def test_a_stopped_parent_is_replaced_when_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP on the zygote: the request is given up after a while and another zygote takes it."""
    monkeypatch.setattr("pipeline.adapters.zygote.FORK_SECONDS", 0.3)

    async def scenario() -> object:
        async with house(tmp_path) as here:
            await here.harness(0)
            os.kill(zygote_of(here), signal.SIGSTOP)
            return (await ask(await here.harness(1), "say(alive=1)"))["alive"]

    assert asyncio.run(scenario()) == 1


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("invocation", ["sample", "python -m json.tool"])
def test_the_interpreter_looks_as_the_users_command_wants(tmp_path: Path, python: str, invocation: str) -> None:
    """`sys.path[0]` and `sys.argv` are those of the console script or of `python -m`."""

    async def scenario() -> tuple[list[str], list[str]]:
        options = {"invocation": invocation, "args": ["-q", "one"]}
        async with house(tmp_path, python=python, options=options) as here:
            answer = await ask(await here.harness(), "say(path=sys.path, argv=sys.argv)")
            return answer["path"], answer["argv"]

    path, argv = asyncio.run(scenario())

    scripts = os.path.dirname(python)
    assert path[0] == (scripts if invocation == "sample" else str(tmp_path))
    assert argv[1:] == ["-q", "one"]
    assert argv[0] == f"{scripts}/sample" if invocation == "sample" else argv[0].endswith("json/tool.py")
    assert not any("pipeline" in entry for entry in path[1:])


def test_modules_of_the_working_directory_do_not_get_in(tmp_path: Path) -> None:
    """A project's own socket.py or json.py is not imported by accident."""
    (tmp_path / "socket.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")

    async def scenario() -> object:
        async with house(tmp_path) as here:
            return (await ask(await here.harness(), "say(alive=1)"))["alive"]

    assert asyncio.run(scenario()) == 1


@pytest.mark.parametrize(
    ("options", "python", "text"),
    [
        ({"warm": "import nothing_of_that_name"}, sys.executable, "nothing_of_that_name"),
        ({"warm": "raise SystemExit(5)"}, sys.executable, "SystemExit: 5"),
        ({"warm": "import os; os._exit(1)"}, sys.executable, "ended"),
        ({}, "/nonexistent/python", "cannot start '/nonexistent/python'"),
    ],
    ids=["no-such-module", "exits", "dies", "no-such-python"],
)
def test_what_cannot_begin_says_why(tmp_path: Path, options: dict[str, object], python: str, text: str) -> None:
    """A failure before the first harness is an engine's failure with the reason in its message."""

    async def scenario() -> None:
        async with house(tmp_path, python=python, options=options) as here:
            await here.harness()

    with pytest.raises(EngineError, match=text):
        asyncio.run(scenario())


def test_suites_with_equal_needs_share_a_parent(tmp_path: Path) -> None:
    """One zygote per interpreter, directory, environment and options."""

    def spec(suite: str, **env: str) -> HarnessSpec:
        return HarnessSpec(suite=suite, python=sys.executable, cwd=str(tmp_path), env=env, module=SERVING)

    async def scenario() -> int:
        specs = {"a": spec("a"), "b": spec("b"), "c": spec("c", OTHER="1")}
        launcher = LocalLauncher(specs, tmp_path / "scratch", slots=1, lease_seconds=4)
        try:
            for suite in specs:
                await hear(await launcher.harness(0, suite))
            return len(launcher._all_zygotes)
        finally:
            await launcher.close()

    assert asyncio.run(scenario()) == 2
