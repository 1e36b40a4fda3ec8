"""History: durations of earlier runs, from which new ones are planned."""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.collected import texts
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class History(Extension):
    """What is remembered of earlier runs."""

    keep_runs = setting(kinds.whole, 20)
    """Over how many of a test's latest durations the estimate is taken, newer ones weighing more. Fewer follow changes
    sooner, more bear noise."""

    imports = setting(texts, ())
    """Files with durations to start from, relative to the root: `.test_durations` of pytest-split, or JUnit XML. Used
    for tests of which there is no own history."""
