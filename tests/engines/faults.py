"""What may go wrong between a client and an engine: values that `tests.engines.proxy` acts on. Knows no socket."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import TypeAlias

from attrs import define, field, frozen


@frozen(kw_only=True)
class Slow:
    """The request waits, then bytes trickle both ways."""

    delay_seconds: float = 0.0
    bytes_per_second: float | None = None


@frozen(kw_only=True)
class Cut:
    """The connection breaks after so many bytes of the answer's body, or of the request's when `request_bytes` is given."""

    answer_bytes: int = 0
    request_bytes: int | None = None


@frozen(kw_only=True)
class Answer:
    """The proxy answers; the engine never sees the request."""

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""


@frozen
class LostAnswer:
    """The engine does what it is asked, and the connection breaks before the client hears of it."""


@frozen
class Corrupt:
    """One bit of the answer's body is another; the length stays."""


@frozen(eq=False)
class Hold:
    """The request waits in the proxy until the test lets it go on."""

    arrived: threading.Event = field(factory=threading.Event)
    released: threading.Event = field(factory=threading.Event)

    def release(self) -> None:
        """Let all that wait go on."""
        self.released.set()


Fault: TypeAlias = Slow | Cut | Answer | LostAnswer | Corrupt | Hold


@define(kw_only=True)
class Rule:
    """Which requests a fault befalls."""

    fault: Fault
    method: re.Pattern[str]
    path: re.Pattern[str]
    """Searched in path and query."""
    left: float
    """How many more it befalls."""
    skipped: int
    """How many matching requests go unharmed first."""

    def takes(self, method: str, path: str) -> bool:
        """Whether the fault befalls this request; each question counts as a request."""
        if not self.left or not self.method.fullmatch(method) or not self.path.search(path):
            return False
        if self.skipped:
            self.skipped -= 1
            return False
        self.left -= 1
        return True


@define(kw_only=True)
class Request:
    """A request that came to the proxy."""

    method: str
    """`TCP` for a connection that does not speak HTTP, TLS for example."""
    path: str
    fault: Fault | None = None
    status: int | None = None
    """What the client was answered, if it was."""
    sent: int = 0
    """Bytes of body from the client that went on to the engine."""
    received: int = 0
    """Bytes of body that went back to the client."""
