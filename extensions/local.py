"""Local workers: processes of this machine."""

from __future__ import annotations

from typing import Any

from extensions.places import Placed
from pipeline.settings import kinds
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider


def folder_of_scratch(local: Extension) -> Provider[Any]:
    """`local` in the project's state_dir."""
    folder: Provider[Any] = local.scope.fleet.project.state_dir.map(lambda state: state / "local")
    return folder


class Local(Placed):
    """Settings of the launcher `local`."""

    scratch_dir = setting(kinds.path, folder_of_scratch)
    """Where workers keep their logs and what they have not delivered yet. It should be on a local disk."""

    zygote = setting(kinds.boolean, True)
    """Whether harnesses are forked from one warm process per interpreter, which makes many of them start several times
    faster. False: each starts its interpreter anew, for projects that cannot bear a fork."""
