"""What every launcher and its harnesses must keep, as tests to inherit from. For outside packages too.

Derive a class whose name begins with `Test` and give `launcher`: an asynchronous context with a launcher that has a
suite called `contract` and at least two slots. That suite's harness says `hello` (and whatever else it likes), and
answers `finish` with `bye` and status 0. After the context everything must be gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from pipeline.model.messages import Message
from pipeline.ports import Harness, HarnessEnd, Launcher

PATIENCE_SECONDS = 30.0


class LauncherContract:
    """Inherit, give `launcher`, run with pytest."""

    def launcher(self, folder: Path) -> contextlib.AbstractAsyncContextManager[Launcher]:
        """A launcher under test, its files below `folder`; leaving the context closes it."""
        raise NotImplementedError

    def test_a_harness_says_hello(self, tmp_path: Path) -> None:
        """A harness comes up and can be found by a person."""

        async def scenario(launcher: Launcher) -> None:
            harness = await launcher.harness(0, "contract")
            hello = await hear(harness, "hello")

            assert hello["say"] == "hello"
            assert harness.place != ""
            assert launcher.name != ""

        self._run(tmp_path, scenario)

    def test_it_ends_in_order_when_asked(self, tmp_path: Path) -> None:
        """After `finish` come `bye` and the end: asked for, status 0; then the end again for ever."""

        async def scenario(launcher: Launcher) -> None:
            harness = await launcher.harness(0, "contract")
            await hear(harness, "hello")
            await harness.send({"do": "finish"})
            await hear(harness, "bye")
            end = await hear_end(harness)

            assert (end.asked, end.code, end.in_flight) == (True, 0, None)
            assert await hear_end(harness) == end

        self._run(tmp_path, scenario)

    def test_kill_ends_it(self, tmp_path: Path) -> None:
        """A killed harness's death blames nobody."""

        async def scenario(launcher: Launcher) -> None:
            harness = await launcher.harness(0, "contract")
            await harness.kill()

            assert (await hear_end(harness)).asked

        self._run(tmp_path, scenario)

    def test_sending_to_the_dead_is_no_error(self, tmp_path: Path) -> None:
        """What is sent after the end is dropped; so are renewals, orders to dump and to kill."""

        async def scenario(launcher: Launcher) -> None:
            harness = await launcher.harness(0, "contract")
            await harness.kill()
            end = await hear_end(harness)
            await harness.send({"do": "finish"})
            harness.renew(0.0, 1.0)
            await harness.dump_stacks()
            await harness.kill(grace_seconds=1.0)

            assert await hear_end(harness) == end

        self._run(tmp_path, scenario)

    def test_a_cancelled_receive_loses_nothing(self, tmp_path: Path) -> None:
        """Waiting with a time limit is allowed at any moment."""

        async def scenario(launcher: Launcher) -> None:
            harness = await launcher.harness(0, "contract")
            await hear(harness, "hello")
            for _ in range(5):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(harness.receive(), 0.01)
            await harness.send({"do": "finish"})

            assert (await hear(harness, "bye"))["say"] == "bye"

        self._run(tmp_path, scenario)

    def test_an_expired_permission_ends_it(self, tmp_path: Path) -> None:
        """When the guard's clock passes the permission the harness dies, and nobody asked for it."""

        async def scenario(launcher: Launcher) -> None:
            harness = await launcher.harness(0, "contract")
            await hear(harness, "hello")
            async with asyncio.timeout(PATIENCE_SECONDS):
                while harness.stamp() is None:
                    await asyncio.sleep(0.01)
            harness.renew(harness.stamp() or 0.0, 0.0)
            end = await hear_end(harness)

            assert (end.cause, end.asked) == ("expired", False)

        self._run(tmp_path, scenario)

    def test_stamps_advance(self, tmp_path: Path) -> None:
        """The guard's clock is seen to move while the harness is waited for."""

        async def scenario(launcher: Launcher) -> None:
            harness = await launcher.harness(0, "contract")
            await hear(harness, "hello")
            seen: set[float] = set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(seen) < 3:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(harness.receive(), 0.05)
                    stamp = harness.stamp()
                    seen |= set() if stamp is None else {stamp}
                    if stamp is not None:
                        harness.renew(stamp, PATIENCE_SECONDS)

            assert min(seen) < max(seen)

        self._run(tmp_path, scenario)

    def test_slots_are_independent(self, tmp_path: Path) -> None:
        """The end of one slot's harness is nothing to another's; a slot can have another harness afterwards."""

        async def scenario(launcher: Launcher) -> None:
            one, other = await launcher.harness(0, "contract"), await launcher.harness(1, "contract")
            await hear(other, "hello")
            await one.kill()
            await hear_end(one)
            again = await launcher.harness(0, "contract")
            await hear(again, "hello")
            await other.send({"do": "finish"})

            assert (await hear(other, "bye"))["say"] == "bye"

        self._run(tmp_path, scenario)

    def test_identities_are_plain_and_their_own(self, tmp_path: Path) -> None:
        """What is written into births is JSON, stable for a slot, and tells slots apart."""

        async def scenario(launcher: Launcher) -> None:
            first = launcher.identity(0)
            await launcher.harness(0, "contract")

            assert json.loads(json.dumps(first)) == launcher.identity(0)
            assert launcher.identity(0) != launcher.identity(1)

        self._run(tmp_path, scenario)

    def test_the_living_are_not_salvaged(self, tmp_path: Path) -> None:
        """An agent that lives is no leftover."""

        async def scenario(launcher: Launcher) -> None:
            harness = await launcher.harness(0, "contract")
            await hear(harness, "hello")
            assert await launcher.salvage(launcher.identity(0)) is None

            await harness.send({"do": "finish"})

            assert (await hear(harness, "bye"))["say"] == "bye"

        self._run(tmp_path, scenario)

    def test_close_ends_what_nobody_waits_for(self, tmp_path: Path) -> None:
        """Closing ends every harness; whoever asks afterwards hears the end. Closing twice is no error."""

        async def scenario(launcher: Launcher) -> None:
            harnesses = [await launcher.harness(slot, "contract") for slot in (0, 1)]
            await launcher.close()
            await launcher.close()

            for harness in harnesses:
                assert (await hear_end(harness)).asked

        self._run(tmp_path, scenario)

    def _run(self, folder: Path, scenario: Callable[[Launcher], Awaitable[None]]) -> None:
        async def run() -> None:
            async with asyncio.timeout(2 * PATIENCE_SECONDS), self.launcher(folder) as launcher:
                await scenario(launcher)

        asyncio.run(run())


async def hear(harness: Harness, kind: str) -> Message:
    """The next message of that kind; others are passed over."""
    while True:
        message = await asyncio.wait_for(harness.receive(), PATIENCE_SECONDS)
        assert not isinstance(message, HarnessEnd), message
        if message["say"] == kind:
            return message


async def hear_end(harness: Harness) -> HarnessEnd:
    """The end, whatever is said before."""
    while True:
        message = await asyncio.wait_for(harness.receive(), PATIENCE_SECONDS)
        if isinstance(message, HarnessEnd):
            return message
