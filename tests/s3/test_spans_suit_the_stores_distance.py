"""Leases, flushes, history and artifacts have defaults by where the store is; what somebody set stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.fleet import Fleet
from pipeline.settings.description import describe


def _fleet(root: Path, settings: str) -> Fleet:
    (root / "fleet.toml").write_text(settings)
    return Fleet.build(root, environment={}, arguments={}, home=root / "home", choices={}, extensions={})


@pytest.mark.parametrize(
    ("url", "lease", "flush"),
    [("elsewhere", 20.0, 0.25), ("s3://acme-ci/fleet", 60.0, 1.0), ("file:///tmp/x", 20.0, 0.25)],
)
def test_a_store_on_a_server_has_longer_spans(tmp_path: Path, url: str, lease: float, flush: float) -> None:
    """Pools inherit them, and the origin is named."""
    fleet = _fleet(tmp_path, f'store.url = "{url}"')

    (row,) = describe(fleet, "workers.lease_seconds")

    assert (fleet.pools["default"].lease_seconds.get(), fleet.store.flush_seconds.get()) == (lease, flush)
    assert row.provenance == "built-in, from store.url (fleet.toml:1)"


def test_a_lease_that_somebody_set_stands(tmp_path: Path) -> None:
    """A short lease with a store in S3 is the user's decision."""
    fleet = _fleet(tmp_path, 'store.url = "s3://acme-ci/fleet"\nworkers.lease_seconds = 5\n')

    assert fleet.pools["default"].lease_seconds.get() == 5.0


@pytest.mark.parametrize(
    ("url", "place", "remote"),
    [
        ("elsewhere", "local", ""),
        ("s3://acme-ci/fleet/?region=eu-west-1", "store", "s3://acme-ci/fleet/artifacts?region=eu-west-1"),
    ],
)
def test_what_agents_share_lies_beside_their_runs(tmp_path: Path, url: str, place: str, remote: str) -> None:
    """Agents that live for one run only have nothing but the store."""
    fleet = _fleet(tmp_path, f'store.url = "{url}"')

    assert (fleet.history.place.get(), fleet.cache.remote.get()) == (place, remote)


def test_nothing_is_shared_where_somebody_says_so(tmp_path: Path) -> None:
    """The empty address is nowhere."""
    fleet = _fleet(tmp_path, 'store.url = "s3://a-b-c/d"\ncache.remote = ""\nhistory.place = "local"\n')

    assert (fleet.history.place.get(), fleet.cache.remote.get()) == ("local", "")
