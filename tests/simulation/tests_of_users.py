"""The imagined tests of users: how long each runs, and what it does to its harness."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Manner(Enum):
    """What a test does."""

    PASSES = "passes"
    FAILS = "fails"
    HANGS = "hangs"
    CRASHES = "crashes"
    """Kills its harness each time."""
    FLAKES = "flakes"
    """Fails at the first try; passes at the second if the harness may retry."""


@frozen(kw_only=True)
class Script:
    """One test's behaviour."""

    seconds: float
    manner: Manner = Manner.PASSES
