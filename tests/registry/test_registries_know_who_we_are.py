"""Passwords, tokens and Docker's own configuration, at real registries with TLS; refusals say what to do."""

from __future__ import annotations

import base64
import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.adapters.registry_challenges import parse_challenge
from pipeline.adapters.registry_credentials import Credentials, credentials_for
from pipeline.contracts.registry_contract import nothing_done, outgoing
from pipeline.errors import EngineError
from tests.engines import own
from tests.engines.fixtures import RegistryAddress
from tests.registry.faulty import client, fresh_repository
from tests.registry.servers import Asked, Reply, serving

HELPER = """#!/bin/sh
# A credential helper of Docker's protocol that knows one user.
[ "$1" = get ] && printf '{"ServerURL": "x", "Username": "%s", "Secret": "%s"}' "$HELPED_USER" "$HELPED_SECRET"
"""


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration of Docker's."""
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder / "config.json"


def known(registry: RegistryAddress) -> dict[str, Credentials]:
    """Who may write there."""
    user, password = registry.user or "", registry.password or ""
    return {registry.address: Credentials(username=user, password=password, source="the test")}


def test_docker_login_is_enough(secure_registry: RegistryAddress, docker_config: Path) -> None:
    """What `docker login` writes lets us in."""
    text = f"{secure_registry.user}:{secure_registry.password}"
    auth = base64.b64encode(text.encode()).decode()
    docker_config.write_text(json.dumps({"auths": {secure_registry.address: {"auth": auth}}}), encoding="utf-8")
    one = outgoing(fresh_repository(secure_registry.address), "hello")

    with closing(client(ca_file=str(secure_registry.ca_file))) as registry:
        assert registry.send_images([one], nothing_done) > 0


@pytest.mark.parametrize("form", ["credHelpers", "credsStore"])
def test_credential_helpers_are_asked(
    secure_registry: RegistryAddress,
    docker_config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    """For one registry, or for all."""
    helper = tmp_path / "docker-credential-tests"
    helper.write_text(HELPER, encoding="utf-8")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HELPED_USER", secure_registry.user or "")
    monkeypatch.setenv("HELPED_SECRET", secure_registry.password or "")
    config = {form: "tests" if form == "credsStore" else {secure_registry.address: "tests"}}
    docker_config.write_text(json.dumps(config), encoding="utf-8")

    with closing(client(ca_file=str(secure_registry.ca_file))) as registry:
        assert registry.tags(fresh_repository(secure_registry.address)) == []


def test_a_helper_that_is_not_there_is_named(docker_config: Path) -> None:
    """With the way out."""
    docker_config.write_text(json.dumps({"credsStore": "absent-helper"}), encoding="utf-8")

    with pytest.raises(EngineError, match=r"credentials for registry 'r.example'.*(?s:.*)docker login r.example"):
        credentials_for("r.example")


def test_a_wrong_password_names_the_user_and_not_the_password(secure_registry: RegistryAddress) -> None:
    """And says how to log in."""
    wrong = {secure_registry.address: Credentials(username="fleet", password="not this one", source="the test")}

    with (
        closing(client(ca_file=str(secure_registry.ca_file), credentials=wrong)) as registry,
        pytest.raises(EngineError, match=r"unauthorized with user 'fleet' from the test") as caught,
    ):
        registry.tags(fresh_repository(secure_registry.address))

    assert f"docker login {secure_registry.address}" in str(caught.value)
    assert "not this one" not in str(caught.value)
    assert "not this one" not in repr(wrong)


def test_nobody_is_told_to_log_in(secure_registry: RegistryAddress, docker_config: Path) -> None:
    """A registry that wants credentials where there are none."""
    with (
        closing(client(ca_file=str(secure_registry.ca_file))) as registry,
        pytest.raises(EngineError, match="unauthorized with no credentials"),
    ):
        registry.tags(fresh_repository(secure_registry.address))


def test_an_unknown_authority_is_not_trusted(secure_registry: RegistryAddress) -> None:
    """And the setting that names it is told."""
    with closing(client()) as registry, pytest.raises(EngineError, match=r"cannot be trusted(?s:.*)registry.ca_file"):
        registry.tags(fresh_repository(secure_registry.address))


def test_tokens_are_fetched_once_for_each_scope(token_registry: RegistryAddress) -> None:
    """Many images, few tokens."""
    repository = fresh_repository(token_registry.address)
    images = [outgoing(repository, f"{n}") for n in range(10)]

    with closing(client(ca_file=str(token_registry.ca_file), credentials=known(token_registry))) as registry:
        registry.send_images(images, nothing_done)
        spent = registry.requests
        found = registry.resolve(images[0].made.image.reference)

    assert found is not None
    assert spent <= 10 * 8 + 8


def test_an_expired_token_is_renewed(tmp_path: Path) -> None:
    """A registry that refuses a token gets a new one; one that refuses for ever is an error."""
    given: list[str] = []

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            given.append(f"t{len(given)}")
            return Reply(body=json.dumps({"token": given[-1], "expires_in": 300}).encode())
        if asked.headers.get("Authorization") == f"Bearer {accepted}":
            return Reply(body=b'{"tags": ["x"]}')
        challenge = f'Bearer realm="http://{asked.headers["Host"]}/token",service="s",scope="repository:a:pull"'
        return Reply(status=401, headers={"WWW-Authenticate": challenge})

    with serving(answer) as server, closing(client(credentials={server.address: Credentials()})) as registry:
        accepted = "t0"
        registry.tags(f"{server.address}/a")
        accepted = "t1"
        assert registry.tags(f"{server.address}/a") == ["x"]
        accepted = "never"
        with pytest.raises(EngineError, match="unauthorized"):
            registry.tags(f"{server.address}/a")

    assert given == ["t0", "t1", "t2"]


def test_a_short_lived_token_is_renewed_before_it_ends() -> None:
    """The registry never sees a token that may be over."""
    given: list[str] = []

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            given.append(asked.path)
            return Reply(body=b'{"access_token": "t", "expires_in": 0.001}')
        if "Authorization" in asked.headers:
            return Reply(body=b'{"tags": ["x"]}')
        return Reply(status=401, headers={"WWW-Authenticate": f'Bearer realm="http://{asked.headers["Host"]}/token"'})

    with serving(answer) as server, closing(client(credentials={server.address: Credentials()})) as registry:
        for _ in range(3):
            registry.tags(f"{server.address}/a")

    assert len(given) == 3
    assert all("scope=repository%3Aa%3Apull" in path for path in given)


def test_an_identity_token_is_shown_to_the_token_service() -> None:
    """By POST, as OAuth has it; never in an address."""

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(body=b'{"access_token": "t"}')
        if asked.headers.get("Authorization") == "Bearer t":
            return Reply(body=b'{"tags": ["x"]}')
        return Reply(status=401, headers={"WWW-Authenticate": f'Bearer realm="http://{asked.headers["Host"]}/token"'})

    me = Credentials(identity_token="my identity", source="the test")
    with serving(answer) as server, closing(client(credentials={server.address: me})) as registry:
        assert registry.tags(f"{server.address}/a") == ["x"]
        [asked] = [one for one in server.asked if one.path.startswith("/token")]

    assert (asked.method, asked.path) == ("POST", "/token")


def test_a_real_token_that_is_over_is_renewed() -> None:
    """Against a registry whose tokens live shortly."""
    with own.own_token_registry(lifetime_seconds=1) as engine:
        me = Credentials(username=engine.facts["user"], password=engine.facts["password"], source="the test")
        settings = {"ca_file": str(engine.certificates.ca), "credentials": {engine.address: me}}
        with closing(client(**settings)) as registry:
            repository = fresh_repository(engine.address)
            registry.send_images([outgoing(repository, f"{n}") for n in range(5)], nothing_done)


@pytest.mark.parametrize(
    ("header", "scheme", "parameters"),
    [
        ('Basic realm="a, Bearer b"', "basic", {"realm": "a, Bearer b"}),
        (
            'Bearer realm="https://t/x?a=b",service="s",scope="repository:a:pull,push"',
            "bearer",
            {"scope": "repository:a:pull,push"},
        ),
        ('Basic realm="r", Bearer realm="https://t"', "bearer", {"realm": "https://t"}),
        ("bearer realm=plain", "bearer", {"realm": "plain"}),
        (r'Basic realm="with \"quotes\""', "basic", {"realm": 'with "quotes"'}),
    ],
)
def test_challenges_are_read(header: str, scheme: str, parameters: dict[str, str]) -> None:
    """As RFC 9110 writes them, several in one header too."""
    found = parse_challenge(header)

    assert found is not None
    assert found.scheme == scheme
    assert parameters.items() <= dict(found.parameters).items()


def test_an_unknown_challenge_is_none() -> None:
    """Neither Basic nor Bearer."""
    assert parse_challenge('Negotiate abc, Digest realm="x"') is None
