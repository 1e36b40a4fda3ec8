"""What is swept where workers live, by launcher."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from pipeline.model.swept import Swept

if TYPE_CHECKING:
    from extensions.fleet import Fleet


def sweep_elsewhere(
    fleet: Fleet, launchers: Collection[str], alive: Callable[[], Collection[str]], dead: Collection[str]
) -> Swept:
    """Remove what this store's runs have left, of `dead` ones and of those that are not alive."""
    swept = Swept()
    if "docker" in launchers:
        from extensions.dockering import sweep_containers

        swept += Swept(removed=tuple(f"container {name}" for name in sweep_containers(fleet, alive)))
    if "kubernetes" in launchers:
        from extensions.room import sweep_namespace

        swept += sweep_namespace(fleet, alive, dead)
    if "ssh" in launchers:
        from extensions.sshing import sweep_hosts

        swept += sweep_hosts(fleet)
    return swept
