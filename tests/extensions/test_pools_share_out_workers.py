"""From settings to pools: with whom slots are shared, what `auto` means, what does not fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from extensions import plugins
from extensions.deciding import deciding_settings
from extensions.dockering import docker_terms
from extensions.fleet import Fleet
from extensions.plugins import Launching
from extensions.workforce import Workforce
from pipeline.adapters import cores
from pipeline.errors import UsageError
from pipeline.model.suites import HarnessSpec, Interpreter, Suite
from tests.extensions.sites import Site

TWO = """\
[suites.unit]
services.cache.image = "redis"
[suites.more]
[suites.heavy]
pool = "big"
services.db.image = "postgres"
[pools.default]
count = 4
memory = "1Gi"
[pools.big]
count = 2
memory = "8Gi"
cpus = 1.5
"""


def workforce(site: Site, text: str, **arguments: str) -> Workforce:
    """What these settings make."""
    site.write("fleet.toml", text)
    given = {name.replace("__", "."): value for name, value in arguments.items()}
    choices = {"launchers": lambda: plugins.names("launchers")}
    fleet = Fleet.build(site.root, environment={}, arguments=given, home=site.home, choices=choices)
    fleet.check()
    python = Interpreter(path="/python", version=(3, 11, 0), prefix="/")

    def suites() -> list[Suite]:
        named = [(name, fleet.suites[name].pool.get()) for name in fleet.suites.names()]
        return [Suite(name=name, framework="pytest", root="/", interpreter=python, pool=pool) for name, pool in named]

    framework: Any = None
    return Workforce(fleet, suites, framework, lambda: "0123456789abcdef")


def laid(made: Workforce) -> dict[str, tuple[list[int], tuple[str, ...]]]:
    """Slots and suites by pool."""
    return {pool.name: (list(pool.slots), pool.suites) for pool in made.pools}


def test_containers_of_two_pools_have_slots_of_their_own(site: Site) -> None:
    """Numbered over all pools, in the order in which suites use them."""
    made = workforce(site, TWO, workers__launcher="docker")

    assert made.slots == 6
    assert laid(made) == {"default": ([0, 1, 2, 3], ("unit", "more")), "big": ([4, 5], ("heavy",))}


def test_pools_on_this_machine_share_its_workers(site: Site) -> None:
    """As many as the largest count; a smaller one bounds how many run its tests at once."""
    made = workforce(site, TWO)

    assert made.slots == 4
    assert laid(made) == {"default": ([0, 1, 2, 3], ("unit", "more")), "big": ([0, 1], ("heavy",))}


@pytest.mark.parametrize(("launcher", "sizes"), [("docker", [4, 4]), ("local", [8, 8])])
def test_auto_means_the_cores_of_this_machine(
    site: Site, launcher: str, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pools with workers of their own divide them."""
    monkeypatch.setattr(cores, "available_cores", lambda: 8)
    made = workforce(site, "[suites.unit]\n[suites.heavy]\npool = 'big'\n[pools.big]", workers__launcher=launcher)

    assert [pool.size for pool in made.pools] == sizes


def test_several_launchers_in_one_run_are_an_error_with_a_way_out(site: Site) -> None:
    """It ended as a traceback."""
    made = workforce(site, TWO + "launcher = 'docker'\n")

    with pytest.raises(UsageError, match="pool 'default' 'local', pool 'big' 'docker'") as told:
        _ = made.slots
    assert "workers.launcher" in told.value.hint


def test_a_pool_without_workers_beside_others_is_an_error(site: Site) -> None:
    """Its tests would never run; 0 for all means the foreground."""
    with pytest.raises(UsageError, match="pool 'big' has no workers"):
        _ = workforce(site, TWO, pools__big__count="0").slots
    assert workforce(site, TWO, pools__big__count="0", pools__default__count="0").slots == 0


def test_a_run_has_the_longest_lease_and_the_largest_budget_of_its_pools(site: Site) -> None:
    """One lease and one budget hold for all."""
    limits = workforce(site, TWO + "lease_seconds = 50\nmax_losses = 7\n").limits()

    assert (limits.lease_seconds, limits.max_losses, limits.max_losses_per_test) == (50.0, 20, 3)


def test_containers_have_their_pools_size_services_and_secrets(site: Site, tmp_path: Path) -> None:
    """Nothing of another pool's."""
    made = workforce(site, TWO, workers__launcher="docker")
    specs = {
        name: HarnessSpec(suite=name, python="/python", cwd="/", module="m", env={"OF": name})
        for name in ("unit", "more", "heavy")
    }
    launching = Launching(specs=specs, slots=6, lease_seconds=4.0, scratch=tmp_path, fleet=made.fleet, pools=made.pools)
    small, big = (docker_terms(launching, pool, is_remote=False) for pool in made.pools)

    assert (small.cpus, small.memory_bytes, big.cpus, big.memory_bytes) == (None, 2**30, 1.5, 2**33)
    assert [[service.name for service in terms.services] for terms in (small, big)] == [["cache"], ["db"]]
    assert [dict(terms.env) for terms in (small, big)] == [
        {"unit": {"OF": "unit"}, "more": {"OF": "more"}},
        {"heavy": {"OF": "heavy"}},
    ]


def test_a_suite_in_another_pool_is_the_same_run(site: Site) -> None:
    """So an unfinished one goes on where there is more memory, say."""
    (suite, *_) = workforce(site, TWO)._suites()

    assert deciding_settings(suite) == deciding_settings(evolve(suite, pool="huge"))
