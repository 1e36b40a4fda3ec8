"""What the agent does on its own machine, besides running tests: commands to their end, and tidying up.

Must not know workers or stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.model.suites import Suite


class OnThisMachine:
    """This half of an agent."""

    fleet: Fleet

    def command(self, arguments: Sequence[str], cwd: str) -> str:
        """Run a command to its end; what it printed. Raises `EngineError` with the end of its output."""
        from pipeline.adapters.commands import run_command

        return run_command(arguments, cwd=cwd)

    def foreground(self, arguments: Sequence[str], suite: Suite) -> int:
        """Run a command of a suite on the terminal, in its folder and environment; its exit status."""
        from pipeline.adapters.commands import run_on_terminal

        return run_on_terminal(arguments, cwd=suite.root, env={**self.fleet.environment, **suite.env})

    def sweep_scratch(self) -> Sequence[str]:
        """End processes and remove files that dead agents have left; what was removed."""
        from pipeline.adapters.scratch import sweep_scratch

        return sweep_scratch(Path(self.fleet.local.scratch_dir.get()))
