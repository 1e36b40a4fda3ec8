"""Zygotes and harnesses on a host, through a link: what `zygote` and `harness_birth` do for processes of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.adapters.control import Control
from pipeline.adapters.guard_link import GuardLink
from pipeline.adapters.harness_birth import INTRODUCE_SECONDS, LOG, OUTBOX, Terms
from pipeline.adapters.harness_process import HarnessProcess
from pipeline.adapters.relay_link import RelayLink
from pipeline.adapters.relay_streams import RemoteChannel, RemoteLines, RemoteLog
from pipeline.adapters.zygote import BOOTSTRAP, Zygote
from pipeline.errors import EngineError
from pipeline.model.suites import HarnessSpec


class RemoteZygote(Zygote):
    """A zygote on a host. `spec` is as it is there."""

    def __init__(
        self, link: RelayLink, spec: HarnessSpec, pythons: Sequence[str], *, name: str, log: Path, is_warm: bool
    ) -> None:
        """`pythons`: the first of these that is a program there is used; `name` is unique on the link; `log` is here."""
        super().__init__(spec, log=log, mark={}, is_warm=is_warm)
        self._link, self._pythons, self._name = link, list(pythons), name
        self._place = f"host {link.name!r}, {' or '.join(map(repr, pythons))}"
        self._lines: RemoteLines | None = None

    async def ready(self) -> None:
        """Start the process if that was not done, and wait until it is warm. Raises `EngineError`."""
        try:
            await super().ready()
        except EngineError as error:
            if not self._link.is_open:
                raise self._link.lost_error() from None
            if self._lines is not None and self._lines.refused:
                raise EngineError(
                    f"host {self._link.name!r}: {self._lines.refused}", hint="name an interpreter: hosts.<name>.python"
                ) from None
            raise _explained(error, self._link.name) from None

    async def fork_at(self, job: dict[str, Any], terms: dict[str, Any], streams: dict[str, int], folder: str) -> int:
        """Have a guard and its harness forked whose ends are these streams; the guard's process id on the host.

        Raises `EngineError` when the zygote is gone or refuses.
        """
        assert self._lines is not None
        number = self._next_fork()
        request = {"fork": number, "job": job, "terms": terms}
        self._link.order(do="fork", zygote=self._lines.number, folder=folder, request=request, **streams)
        return await self._forked(number)

    def kill(self) -> None:
        """Have it ended: its wire is closed."""
        if self._lines is not None:
            self._lines.close()

    async def close(self, seconds: float = 3.0) -> None:
        """Have it ended; its relay sees to it."""
        self.kill()

    def _begin(self) -> None:
        self._lines = RemoteLines(self._link, self._note, self._bell)
        self._control: Control | RemoteLines | None = self._lines  # type: ignore[assignment]
        spec = self._spec
        tail = RemoteLog(self._link, self._log)
        self._link.order(
            do="zygote",
            stream=self._lines.number,
            tail=tail.number,
            log=f"{self._name}.log",
            pythons=self._pythons,
            argv=["-c", BOOTSTRAP],
            cwd=spec.cwd,
            env=spec.env,
            notes=spec.options.get("folder_of_notes", ""),
        )
        begin = {"framework": spec.module, "options": spec.options, "warm": self._is_warm}
        self._lines.send({"begin": begin})


class RemoteGuardLink(GuardLink):
    """A guard on a host: process ids mean nothing here."""

    is_here = False


async def bear_remote_harness(
    link: RelayLink, zygote: RemoteZygote, folder: Path, name: str, *, terms: Terms, options: dict[str, Any]
) -> HarnessProcess:
    """Have a guard and its harness forked on the host; its log is kept in `folder` here, and in `name` there.

    Raises `EngineError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG
    job = {"options": dict(options)}
    limits = {
        "start_seconds": terms.start_seconds,
        "stamp_seconds": terms.stamp_seconds,
        "stop_seconds": terms.stop_seconds,
    }
    wires: list[RemoteLines] = []

    def open_wire(on_line: Any, bell: Any) -> RemoteLines:
        wires.append(RemoteLines(link, on_line, bell))
        return wires[-1]

    guard = RemoteGuardLink(open_wire, zygote, terms.silence_seconds)
    channel, tail = RemoteChannel(link, guard.bell, folder / OUTBOX), RemoteLog(link, log)
    streams = {"control": wires[0].number, "channel": channel.number, "tail": tail.number}
    try:
        guard.guard = await zygote.fork_at(job, limits, streams, name)
    except BaseException:
        guard.close()
        if not link.is_open:
            raise link.lost_error() from None
        raise
    await guard.introduce(INTRODUCE_SECONDS)
    return HarnessProcess(channel, guard, folder / "none", log, machine=link.name)


def _explained(error: EngineError, host: str) -> EngineError:
    for module in ("pytest", "_pytest"):
        if f"No module named '{module}'" in error.message:
            return EngineError(
                f"host {host!r}: its Python has no {module!r}",
                hint="name an interpreter that has the project's dependencies: hosts.<name>.python; or install them there: "
                "hosts.<name>.before; see docs/ssh.md",
            )
    return error
