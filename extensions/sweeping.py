"""What runs have left, on this machine and where workers live, removed by whoever knows it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from extensions.standing import sweep_standing

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.model.swept import Swept


def sweep(
    fleet: Fleet, launchers: Collection[str], alive: Callable[[], Collection[str]], dead: Collection[str]
) -> Swept:
    """Remove what this store's runs have left, of `dead` ones and of those that are not alive; tear down what stands here."""
    from pipeline.model.swept import Swept

    swept = sweep_standing(fleet)
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
