"""An answer of the API server that comes line by line: a watch, or a log that is followed. It must not know what lines mean."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

from pipeline.adapters.kubernetes_client import unreachable

PIECE_BYTES: Final = 65536


class LineStream:
    """Iterate it once, in a `with`; `cut` ends it from any thread."""

    def __init__(self, what: str, answer: Any) -> None:
        """`answer`: of urllib3, not read yet; `what` was asked, for errors."""
        self._what, self._answer = what, answer
        self._is_cut = False

    def __iter__(self) -> Iterator[bytes]:
        """Lines without their ends. Raises `ClusterUnreachable` when it breaks off; one that was cut ends silently."""
        import urllib3

        rest = b""
        try:
            for piece in self._answer.stream(PIECE_BYTES):
                *done, rest = (rest + piece).split(b"\n")
                yield from done
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            if self._is_cut:
                return  # A socket that is shut while it is read may fail in any of these ways.
            if isinstance(error, ValueError | AttributeError):
                raise
            raise unreachable(self._what, "", error) from error
        if rest and not self._is_cut:
            yield rest

    def cut(self) -> None:
        """End it now: whoever waits for the next line gets none."""
        self._is_cut = True
        try:
            self._answer.shutdown()
        except (OSError, ValueError, RuntimeError, AttributeError):
            pass  # It has ended already.

    def __enter__(self) -> LineStream:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection, which may be in the middle of anything."""
        self._answer.close()
        self._answer.release_conn()
