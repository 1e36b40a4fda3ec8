"""History: durations of earlier runs, from which new ones are planned."""

from __future__ import annotations

from typing import Any

from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.collected import texts
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider


def place_for_store(history: Extension) -> Provider[Any]:
    """In the store where that is on a server, else "local"."""
    url: Provider[Any] = history.scope.fleet.store.url
    return url.map(lambda place: "store" if "://" in place else "local")


class History(Extension):
    """What is remembered of earlier runs."""

    keep_runs = setting(kinds.whole, 20)
    """Over how many of a test's latest durations the estimate is taken, newer ones weighing more. Fewer follow changes
    sooner, more bear noise."""

    place = setting(Choice("store", "local"), place_for_store)
    """Where durations are kept. "store": in the store, by branch, so that agents that live for one run only learn from
    each other; builds that are not trusted (`cache.trust`) read those of trusted ones and write their own. "local": in
    `project.state_dir`; what lies there from before is used in any case."""

    imports = setting(texts, ())
    """Files with durations to start from, relative to the root: `.test_durations` of pytest-split, or JUnit XML. Used
    for tests of which there is no own history."""
