"""What a message says to type works where it is read: plain `doit` is set up in some projects only."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError, typed
from pipeline.graph.cli import main
from pipeline.graph.loader import CatalogLoader


def test_started_as_doit_fleet_that_is_what_messages_say(capsys: pytest.CaptureFixture[str]) -> None:
    """And only then: started as `doit` they say `doit`."""

    def fail() -> CatalogLoader:
        raise UsageError("something is wrong", hint="run `doit sweep`, then `doit`; doit itself stays")

    assert main([], fail) == 3
    assert "run `doit-fleet sweep`, then `doit-fleet`; doit itself stays" in capsys.readouterr().err
    assert typed("`doit -a`") == "`doit -a`"
