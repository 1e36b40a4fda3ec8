"""The settings object `acme`: a value of its own, and defaults for settings of doit-fleet's."""

from __future__ import annotations

from typing import Any

from pipeline.settings import kinds
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Acme(Extension):
    """Settings of the package acme-fleet."""

    greeting = setting(kinds.text, "hello")
    """What every test finds in the environment variable ACME_GREETING."""

    def attach(self, fleet: Any) -> None:
        """Give every suite the greeting, lazily, and name fewer slow tests; users' own values stand above both."""
        fleet.suites.each(lambda suite: suite.env.convention(self.greeting.map(lambda text: {"ACME_GREETING": text})))
        fleet.reports.slowest.convention(3)
