"""A base image of another repository or another registry: mounted or copied once, without a daemon."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engines.fixtures import RegistryAddress
from tests.engines.proxy import FaultProxy
from tests.images.conftest import MakeSite

pytestmark = pytest.mark.timeout(180)
ProxyTo = Callable[[str], FaultProxy]
LARGE = 10_000_000


def test_on_the_same_registry_it_is_mounted(
    make_site: MakeSite, registry: RegistryAddress, base_image: str, fault_proxy: ProxyTo
) -> None:
    """No byte of the base passes through this machine."""
    proxy = fault_proxy(registry.address)
    site = make_site(at=proxy.address)
    site.base = base_image.replace(registry.address, proxy.address)

    said = site.push()

    assert proxy.count("POST", "mount=") >= 1
    assert proxy.sent < LARGE and proxy.received < LARGE
    assert "fetching" not in said


def test_from_another_registry_it_is_copied_once(make_site: MakeSite, secure_registry: RegistryAddress) -> None:
    """The second push, of other tests, sends only what is new."""
    assert secure_registry.password
    site = make_site(
        at=secure_registry.address,
        settings=(f"registry.ca_file={secure_registry.ca_file}",),
        environment={"DOIT_FLEET_SECRET_R": secure_registry.password},
    )
    site.write("fleet.toml", '[registry]\nusername = "fleet"\npassword = { secret = "r" }\n')

    first = site.push()
    site.write("tests/test_new.py", "def test_new():\n    assert True\n")
    second = site.push()

    assert "copied base image" in first and "fetching" in first
    assert "copied base image" not in second and "fetching" not in second
