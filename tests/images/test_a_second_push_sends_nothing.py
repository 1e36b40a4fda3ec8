"""When nothing changed, a push is a few questions; when something did, it is what changed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pipeline.adapters.registry import HttpRegistry
from tests.engines.fixtures import RegistryAddress
from tests.engines.proxy import FaultProxy
from tests.images.conftest import MakeSite

pytestmark = pytest.mark.timeout(180)
ProxyTo = Callable[[str], FaultProxy]
MOST_REQUESTS = 6


def test_nothing_changed_nothing_sent(make_site: MakeSite, registry: RegistryAddress, fault_proxy: ProxyTo) -> None:
    """No builder (there is no daemon), no byte of a blob, at most six requests."""
    proxy = fault_proxy(registry.address)
    site = make_site(at=proxy.address)
    site.push()
    before = site.pushed
    came = len(proxy.requests)

    began = time.monotonic()
    said = site.push()
    seconds = time.monotonic() - began

    asked = [one for one in proxy.requests[came:] if one.method != "TCP"]  # Not HTTP: the first try, with TLS.
    print(f"{seconds:.2f} s, {[(one.method, one.path) for one in asked]}")
    assert "push is up to date" in said
    assert site.pushed == before
    assert sum(one.sent for one in asked) == 0
    assert 1 <= len(asked) <= MOST_REQUESTS


def test_a_changed_test_sends_the_tests_layer_and_the_configs(
    make_site: MakeSite, registry: RegistryAddress, fault_proxy: ProxyTo
) -> None:
    """The worker's layer and the base are not sent again."""
    proxy = fault_proxy(registry.address)
    site = make_site(at=proxy.address)
    site.push()
    first, sent = site.image(), proxy.sent
    site.write("tests/test_till.py", "def test_change():\n    assert 7 - 3 == 4\n")

    site.push()

    second = site.image()
    assert [a.diff_id == b.diff_id for a, b in zip(first.layers, second.layers, strict=True)][:2] == [True, True]
    assert first.layers[2] != second.layers[2]
    assert proxy.sent - sent < 20_000


def test_what_the_registry_lost_is_sent_again(make_site: MakeSite) -> None:
    """An index that was deleted is noticed, and everything comes back under the same digests."""
    site = make_site()
    site.push()
    before = site.pushed
    client = HttpRegistry()
    repository, _, digest = before.index.partition("@")
    assert client.delete_manifest(repository, digest)

    said = site.push()

    assert "push runs: the registry does not hold them" in said
    assert site.pushed == before
    assert client.has_manifest(repository, digest)
