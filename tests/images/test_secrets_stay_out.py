"""A planted secret is in no layer, no config, no manifest, no file of the build and no line of output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.adapters.registry import HttpRegistry
from pipeline.adapters.registry_credentials import Credentials
from tests.engines.fixtures import DockerEngine, RegistryAddress
from tests.images.conftest import MakeSite
from tests.images.site import Site

pytestmark = pytest.mark.timeout(240)
SUITE, DOTENV, INDEX = "s3cret-of-a-suite", "s3cret-in-dot-env", "s3cret-of-an-index"


def plant(site: Site) -> None:
    """Put secrets wherever projects have them."""
    site.write(".env", f"API_KEY={DOTENV}\n")
    site.write("pip.conf", f"[global]\nindex-url = https://me:{INDEX}@index.example/simple\n")
    site.write(
        "fleet.toml",
        '[suites.pytest]\npaths = ["tests"]\nenv = { DB_PASSWORD = { secret = "db" } }\n'
        '[registry]\nusername = "fleet"\npassword = { secret = "registry" }\n',
    )


@pytest.mark.parametrize("builder", ["direct", "docker"])
def test_no_planted_secret_is_found_anywhere(
    make_site: MakeSite,
    secure_registry: RegistryAddress,
    docker_engine: DockerEngine,
    base_image: str,
    tmp_path: Path,
    builder: str,
) -> None:
    """Registry with a password and TLS of its own authority; the shared layers written by us and built by Docker."""
    assert secure_registry.password and secure_registry.ca_file
    steps = ("images.tests_step.dockerfile=Dockerfile",) if builder == "docker" else ()
    at = secure_registry.address
    site = make_site(
        at=at,
        daemon=docker_engine.host,
        settings=(f"registry.ca_file={secure_registry.ca_file}", *steps),
        environment={
            "DOIT_FLEET_SECRET_DB": SUITE,
            "DOIT_FLEET_SECRET_REGISTRY": secure_registry.password,
            "PIP_INDEX_URL": f"https://me:{INDEX}@index.example/simple",
        },
    )
    plant(site)
    site.write("Dockerfile", "ARG BASE\nFROM $BASE\nADD tests.tar /\n")

    said = site.push()

    client = HttpRegistry(
        ca_file=str(secure_registry.ca_file),
        credentials={at: Credentials(username="fleet", password=secure_registry.password, source="the test")},
    )
    image = site.image(client=client)
    haystacks = [*site.layers(image, tmp_path, client=client), json.dumps(image.config).encode(), said.encode()]
    haystacks += [path.read_bytes() for path in (site.root / "build").rglob("*") if path.is_file()]
    haystacks += [path.read_bytes() for path in (site.root / ".fleet").rglob("*") if path.is_file()]
    for secret in (SUITE, DOTENV, INDEX, secure_registry.password):
        assert not [number for number, data in enumerate(haystacks) if secret.encode() in data], secret
