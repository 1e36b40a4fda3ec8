"""The local launcher keeps what every launcher must keep, with and without a shared warm parent."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from pipeline.contracts.launcher_contract import LauncherContract
from pipeline.launchers.local import LocalLauncher
from pipeline.model.suites import HarnessSpec
from pipeline.ports import Launcher
from tests.processes.house import SERVING


class TestLocalLauncher(LauncherContract):
    """Harnesses forked from a warm parent."""

    zygote = True

    @contextlib.asynccontextmanager
    async def launcher(self, folder: Path) -> AsyncIterator[Launcher]:
        """A local launcher with a lease long enough for a busy machine."""
        spec = HarnessSpec(suite="contract", python=sys.executable, cwd=str(folder), module=SERVING)
        launcher = LocalLauncher({"contract": spec}, folder, slots=2, lease_seconds=2.0, zygote=self.zygote)
        try:
            yield launcher
        finally:
            await launcher.close()


class TestLocalLauncherWithFreshInterpreters(TestLocalLauncher):
    """An interpreter started for each harness."""

    zygote = False
