"""How long to wait before a request is tried again, and when to give up."""

from __future__ import annotations

import email.utils
import random
import threading
import time
from typing import Final

from attrs import frozen

from pipeline.errors import EngineError

RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may well succeed."""


@frozen(kw_only=True)
class Patience:
    """Tries, and seconds: of the first wait, of the longest, and of the longest that a registry may ask for."""

    tries: int = 6
    first_seconds: float = 0.25
    longest_seconds: float = 8.0
    longest_asked_seconds: float = 60.0
    stop: threading.Event
    """Set when nothing is worth doing any more."""

    def wait(self, tried: int, retry_after: str | None = None) -> None:
        """Wait after try number `tried` (from 1). Raises `EngineError` as soon as `stop` is set."""
        span = min(self.longest_seconds, self.first_seconds * 2 ** (tried - 1))
        seconds = random.uniform(span / 2, span)  # Many clients that failed together must not come back together.
        asked = asked_seconds(retry_after)
        if asked is not None:
            seconds = min(asked, self.longest_asked_seconds) + seconds * 0.1
        self.stop.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raises `EngineError` when `stop` is set."""
        if self.stop.is_set():
            raise EngineError("sending to the registry was stopped")


def asked_seconds(retry_after: str | None) -> float | None:
    """Seconds of a `Retry-After` header, given as a number or a date: RFC 9110 section 10.2.3."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after.strip()[:6])
    try:
        when = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, when - time.time())
