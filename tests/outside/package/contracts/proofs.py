"""The contract suites of doit-fleet, run by the outside package's own tests."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from acme_fleet import lines, storing  # type: ignore[import-not-found] # Installed where this runs.

from extensions.fleet import Fleet
from extensions.plugins import Launching, load
from pipeline.contracts.journal_contract import JournalContract
from pipeline.contracts.launcher_contract import LauncherContract
from pipeline.contracts.store_contract import Party, StoreContract
from pipeline.model.suites import HarnessSpec
from pipeline.ports import Launcher


class TestStore(StoreContract, JournalContract):
    """The store of addresses `copy://…`."""

    @pytest.fixture
    def party(self, tmp_path: Path) -> Party:
        """Handles of one folder."""
        return lambda: storing.store(f"copy://{tmp_path / 'store'}")


class TestLauncher(LauncherContract):
    """The launcher `acme`, with harnesses of the framework `lines`."""

    @contextlib.asynccontextmanager
    async def launcher(self, folder: Path) -> AsyncIterator[Launcher]:
        """Made through its entry point, as a run makes it."""
        fleet = Fleet.build(folder, environment={}, arguments={}, home=folder)
        spec = HarnessSpec(suite="contract", python=sys.executable, cwd=str(folder), module=lines.SERVING)
        made: Launcher = load("launchers", "acme")(
            Launching(specs={"contract": spec}, slots=2, lease_seconds=2.0, scratch=folder, fleet=fleet)
        )
        try:
            yield made
        finally:
            await made.close()
