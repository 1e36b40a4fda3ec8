"""What a namespace has room for and what is left in it: settings put together with `logic.capacity` and with sweeping.

It starts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions import plugins
from pipeline.errors import EngineError

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.adapters.kubernetes_api import KubernetesApi
    from pipeline.logic.capacity import Fit, Seen, Wanted
    from pipeline.logic.pod_requests import Amounts
    from pipeline.model.suites import Suite
    from pipeline.model.swept import Swept

UNSEEN = 4
"""Workers of a pool where nothing can be seen that bounds them: those that find no room wait, and the others do the work."""
HOW_TO_SEE = "grant the ClusterRole of deploy/kubernetes to count what fits, or name a number: workers.count; see docs/kubernetes.md"


class Room:
    """What fits into a cluster, asked anew each time."""

    def __init__(self, fleet: Fleet, suites: Sequence[Suite]) -> None:
        self._fleet, self._suites = fleet, suites

    def sizes(self, counts: Mapping[str, int | str]) -> dict[str, tuple[int, str]]:
        """Of each pool how many workers to have, and why; at least one, so that the scheduler or an autoscaler decides.

        Raises `UsageError` when no cluster can be found.
        """
        try:
            found, unseen = self._fit(counts)
        except EngineError as error:
            told = f"the cluster does not tell what fits: {error.message}"
            return {name: _size(count, UNSEEN, told) for name, count in counts.items()}
        return {name: self._sized(counts[name], found[name], unseen) for name in counts}

    def more(self, pools: Sequence[str]) -> dict[str, int]:
        """Of each pool how many workers more fit now. Raises `EngineError`."""
        found, _ = self._fit(dict.fromkeys(pools, "auto"))
        return {name: found[name].count or 0 for name in pools}

    def _sized(self, count: int | str, found: Fit, unseen: Sequence[str]) -> tuple[int, str]:
        if count != "auto":
            return int(count), found.text
        notes = "".join(f"; {one}" for one in unseen)
        if found.count is None:
            return UNSEEN, f"{UNSEEN}, for {found.text}{notes}; {HOW_TO_SEE}"
        if found.count == 0:
            return 1, f"{found.text}{notes}; one waits for room, the cluster decides"
        return found.count, f"{found.text}{notes}" + (f"; {HOW_TO_SEE}" if unseen else "")

    def _fit(self, counts: Mapping[str, int | str]) -> tuple[dict[str, Fit], Sequence[str]]:
        from pipeline.adapters.kubernetes_capacity import see
        from pipeline.logic.capacity import fit

        unseen: list[str] = []
        pools = [self._wanted(name, count) for name, count in counts.items()]
        with cluster(self._fleet) as (api, namespace):
            seen: Seen = see(api, namespace, unseen.append)
        return fit(seen, pools, self._reserve()), unseen

    def _wanted(self, name: str, count: int | str) -> Wanted:
        from pipeline.logic.capacity import Wanted

        return Wanted(
            pool=name,
            pod={"spec": self._pod(name)},
            most=None if count == "auto" else int(count),
            beside=self._beside(name),
            jobs=0 if self._fleet.images.mode.get() == "shared" else 1,
        )

    def _pod(self, name: str) -> Any:
        """The specification of a pool's pods. Its image makes no difference, nor do names and environment."""
        from extensions.pod_terms import pod_terms
        from pipeline.launchers.kubernetes.jobs import template_of
        from pipeline.model.images import Places
        from pipeline.model.pools import Pool
        from pipeline.ports.places import Hiring

        launching = plugins.Launching(specs={}, slots=1, lease_seconds=0.0, scratch=Path(), fleet=self._fleet)
        terms = pod_terms(launching, Pool(name=name, first=0, size=1, suites=()))
        hiring = Hiring(run="room", term=1, worker="w0-1", nonce="0", slot=0)
        return template_of(terms, [hiring], "image", Places(), {})["spec"]

    def _beside(self, name: str) -> Amounts:
        """What the tests of one of its workers need outside its pod."""
        from pipeline.logic.demand import demand

        asked = [_amounts(self._fleet.suites[suite.name].objects) for suite in self._suites if suite.pool == name]
        return demand(asked, is_average=self._fleet.kubernetes.demand.get() == "average")

    def _reserve(self) -> Amounts:
        from pipeline.model.kubernetes_quantities import ONE

        reserve = self._fleet.kubernetes.reserve
        return {**_amounts(reserve), "pods": reserve.pods.get() * ONE}


def _size(count: int | str, unseen: int, why: str) -> tuple[int, str]:
    return (unseen, f"{unseen}, for {why}; {HOW_TO_SEE}") if count == "auto" else (int(count), "")


def _amounts(extension: Any) -> Amounts:
    from pipeline.model.kubernetes_quantities import MILLI, ONE

    cpus, memory = extension.cpus.get(), extension.memory.get()
    found = {} if cpus is None else {"cpu": round(cpus * 1000) * MILLI}
    return found if memory is None else {**found, "memory": memory * ONE}


def sweep_namespace(fleet: Fleet, alive: Callable[[], Collection[str]], dead: Collection[str]) -> Swept:
    """Remove what runs in this store have left in the namespace, but for runs that are alive. Raises `EngineError`.

    `alive` is asked when objects have been listed.
    """
    from extensions.dockering import store_label
    from pipeline.launchers.kubernetes.sweeping import sweep_runs

    kinds = tuple(fleet.kubernetes.sweep_kinds.get())
    with cluster(fleet) as (api, namespace):
        return sweep_runs(api, namespace, store_label(fleet), kinds, alive, dead)


@contextmanager
def cluster(fleet: Fleet) -> Iterator[tuple[KubernetesApi, str]]:
    """The cluster that the settings name, and the namespace, for as long as it is needed. Raises `UsageError`."""
    from extensions.podding import client_of
    from pipeline.adapters.kubernetes_api import KubernetesApi

    client = client_of(fleet)
    try:
        yield KubernetesApi(client), fleet.kubernetes.namespace.get() or client.namespace
    finally:
        client.close()
