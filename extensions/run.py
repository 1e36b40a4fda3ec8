"""The run as a whole: when it stops early, and what makes it red beyond failed tests."""

from __future__ import annotations

from extensions.command_kinds import counts
from pipeline.settings import kinds
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Run(Extension):
    """Settings of a whole run."""

    fail_fast = setting(kinds.limit, 0)
    """Close the run after that many bad verdicts; true means after the first, 0 or false never."""

    timeout_seconds = setting(kinds.Optional(kinds.duration), None)
    """Duration a run may take in all; then it stops and is not trustworthy. Off: no limit."""

    seed = setting(kinds.count, "auto")
    """The number that decides ties in planning. "auto": derived from what is planned, so equal inputs plan equally."""

    allow_empty = setting(kinds.boolean, False)
    """Whether a run of no tests at all is green. False, because a selection that matches nothing is mostly a typo."""

    fail_on_flaky = setting(kinds.boolean, False)
    """Whether a test that passed only after a failure makes the run red."""

    limits = setting(counts, {})
    """Exclusive resources that a number of tests may use at once: `{ storage-heavy = 2 }`. As many batches share out its
    tests, and each is one worker's at a time."""
