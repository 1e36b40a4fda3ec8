"""A remote tier that may cost only so much time: calls are abandoned when they take too long, and after a few troubles
it is not asked again by this process.

It must not know what the values are.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Final, TypeVar

from pipeline.errors import FleetError
from pipeline.ports.artifacts import RemoteTrouble

T = TypeVar("T")

SECONDS: Final = 30.0
"""What one answer may take, its size apart."""
CLOSING_SECONDS: Final = 60.0
"""How long the end of a run waits for uploads."""
BYTES_PER_SECOND: Final = 256 * 1024
"""What is slower than this is as good as down."""
TROUBLES: Final = 3
"""So many in a row, and it is given up."""
UNREACHABLE: Final = "remote unreachable"


class Abandoned(Exception):
    """Nobody waits for this call any more."""


class Bounds:
    """How one process bears with one remote. Safe to use from several threads."""

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        seconds: float = SECONDS,
        closing_seconds: float = CLOSING_SECONDS,
    ) -> None:
        self._tell = tell
        self.closing_seconds = closing_seconds
        self._seconds = seconds
        self._troubles = 0
        self._lock = Lock()

    @property
    def is_up(self) -> bool:
        """Whether it is worth asking."""
        return self._troubles < TROUBLES

    def call(self, work: Callable[[Event], T], size: int = 0) -> T:
        """Do remote work for at most so long, in a thread that is left alone afterwards; it is told by the event.

        Raises `RemoteTrouble`, and what else `work` raises.
        """
        if not self.is_up:
            raise RemoteTrouble(UNREACHABLE)
        box: list[T] = []
        failed: list[BaseException] = []
        abandoned = Event()

        def run() -> None:
            try:
                box.append(work(abandoned))
            except BaseException as error:
                failed.append(error)

        thread = Thread(target=run, daemon=True, name="artifact-remote")
        thread.start()
        limit = self._seconds + size / BYTES_PER_SECOND
        thread.join(limit)
        if thread.is_alive():
            abandoned.set()
            raise self._trouble(RemoteTrouble(f"no whole answer within {limit:.0f} s"), TROUBLES)
        if failed:
            raise self._judged(failed[0])
        self._troubles = 0 if self.is_up else self._troubles
        return box[0]

    def _judged(self, error: BaseException) -> BaseException:
        if isinstance(error, FleetError):
            return self._trouble(RemoteTrouble(error.message), TROUBLES if error.permanent else 1)
        return error

    def _trouble(self, trouble: RemoteTrouble, weight: int) -> RemoteTrouble:
        with self._lock:
            was_up = self.is_up
            self._troubles += weight
            is_end = was_up and not self.is_up
        if is_end:
            self._tell(f"the remote artifact cache is not used any more: {trouble.message}")
        return trouble
