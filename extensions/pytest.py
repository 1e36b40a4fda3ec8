"""How pytest is used: defaults for every suite of that framework.

It says nothing of which tests there are.
"""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.collected import texts
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Pytest(Extension):
    """Defaults of all suites of framework pytest; a suite overrides what differs."""

    args = setting(texts, ())
    """Arguments for pytest besides those of its own configuration, for instance `["-p", "no:cacheprovider"]`."""

    invocation = setting(Choice("pytest", "python -m pytest"), "pytest")
    """How users start pytest here. `python -m pytest` puts the current folder on `sys.path`, `pytest` does not."""

    timeout_seconds = setting(kinds.Optional(kinds.duration), None)
    """Duration a test may take, set-up and tear-down included; then its verdict is timed-out. Off: no limit, because
    only the project knows how long its tests may take."""

    slow_after_seconds = setting(kinds.Optional(kinds.duration), 60)
    """Duration after which a running test is named in a warning, and again each time it passes. Off: never."""

    retries = setting(kinds.whole, 0)
    """How often a failed test is tried again at once. A pass after a failure is flaky, and said so."""

    xdist = setting(kinds.boolean, True)
    """Whether tests see what pytest-xdist would give them: `PYTEST_XDIST_WORKER…`, `worker_id`, `testrun_uid`."""
