"""Workers elsewhere open the store with what AWS's chain gives the agent: handed over whole, renewed, or nothing at all."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from extensions.fleet import Fleet
from extensions.store_access import asking, doubts, handed_on
from pipeline.errors import EngineError, UsageError
from pipeline.model.access import CA_BUNDLE, UNTIL, seconds_to_work
from pipeline.protocol.orders import Orders
from pipeline.worker.log import Log
from pipeline.worker.main import leave_in_time
from tests.engines.certificates import make_certificates
from tests.s3.endpoint import Endpoint, giving
from tests.s3.stores import address
from tests.s3.tamperer import tampering

WORKER = """
import asyncio, json, os, sys
from pathlib import Path
from pipeline.worker.given import Secrets, take_away
from pipeline.worker.stores import open_store
told = json.load(sys.stdin)
store = open_store(told["url"], told["store"])
made = asyncio.run(store.create("from/worker", b"mine"))
take_away(os.environ, Secrets(store=told["store"]))
print(json.dumps([made, [name for name in os.environ if name.startswith(("AWS_", "DOIT_FLEET_"))]]))
"""


@pytest.fixture
def endpoint(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """The only place where credentials are to be had."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with giving(Endpoint(s3.access_key, s3.secret_key)) as told:
        for name, value in told.environment.items():
            monkeypatch.setenv(name, value)
        yield told


def fleet_of(root: Path, url: str, **settings: str) -> Fleet:
    """An agent's settings, in this process's environment."""
    arguments = {"store.url": url, **{name.replace("__", "."): value for name, value in settings.items()}}
    return Fleet.build(root, environment=dict(os.environ), arguments=arguments, home=root)


def given(fleet: Fleet) -> dict[str, str]:
    """What a worker that is started now is handed."""
    ask = asking(fleet)
    return dict(ask() if ask is not None else handed_on(fleet))


def work(url: str, store: dict[str, str]) -> tuple[bool, list[str]]:
    """Be a worker that has nothing but what it is handed: whether it could write, and what tests then see."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    bare = {**environment, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        input=json.dumps({"url": url, "store": store}),
        env={**bare, "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    made, names = json.loads(done.stdout)
    return made, [name for name in names if name not in bare and name != "AWS_SHARED_CREDENTIALS_FILE"]


def test_a_containers_role_opens_the_store_for_workers_elsewhere(tmp_path: Path, s3: Any, endpoint: Endpoint) -> None:
    """They cannot ask the endpoint themselves; and tests see nothing of what was handed over."""
    url = address(s3)
    endpoint.token = ""  # This server knows no sessions.

    told = given(fleet_of(tmp_path, url))

    assert told["AWS_ACCESS_KEY_ID"] == s3.access_key
    assert abs(float(told[UNTIL]) - time.time() - 3600) < 60
    assert work(url, told) == (True, [])


def test_what_expires_is_found_anew_for_each_worker(tmp_path: Path, s3: Any, endpoint: Endpoint) -> None:
    """Near its end; before that, workers are handed the same."""
    ask = asking(fleet_of(tmp_path, address(s3)))
    assert ask is not None
    first = [ask()["AWS_SESSION_TOKEN"] for _ in range(3)]
    endpoint.lives_seconds = 300.0  # botocore looks for others ten minutes before.
    fresh = asking(fleet_of(tmp_path, address(s3)))
    assert fresh is not None
    later = [fresh()["AWS_SESSION_TOKEN"] for _ in range(3)]

    assert first == ["token-1"] * 3
    assert len(set(later)) == 3


def test_a_refusal_is_told_with_the_way_out(
    tmp_path: Path, s3: Any, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback of a client."""
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "somebody else")

    with pytest.raises(EngineError) as told:
        given(fleet_of(tmp_path, address(s3)))

    assert endpoint.refused
    assert "looking for credentials" in str(told.value)
    assert told.value.hint


def test_a_profile_opens_the_store_for_workers_elsewhere(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its region and endpoint; here one whose credentials a process gives."""
    credentials = {"Version": 1, "AccessKeyId": s3.access_key, "SecretAccessKey": s3.secret_key}
    (tmp_path / "said").write_text(json.dumps(credentials))
    (tmp_path / "config").write_text(
        f"[profile ci]\nregion = eu-west-7\nendpoint_url = {s3.url}\ncredential_process = cat {tmp_path / 'said'}\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "ci")
    url = f"s3://{s3.bucket}/store"

    told = given(fleet_of(tmp_path, url))

    assert (told["AWS_DEFAULT_REGION"], told["AWS_ENDPOINT_URL_S3"]) == ("eu-west-7", s3.url)
    assert UNTIL not in told
    # The server has one region only.
    assert work(url, {**told, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}) == (True, [])


def test_the_role_of_a_profile_opens_the_store_for_workers_elsewhere(
    tmp_path: Path, s3: Any, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys that may take on the role stay with the agent."""
    endpoint.token = ""
    lines = "role_arn = arn:aws:iam::123456789012:role/fleet\nsource_profile = me\nregion = us-east-1\n"
    keys = "aws_access_key_id = mine\naws_secret_access_key = tunafish\n"
    (tmp_path / "config").write_text(f"[profile ci]\n{lines}[profile me]\n{keys}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "ci")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", endpoint.url)
    url = address(s3)

    told = given(fleet_of(tmp_path, url))

    assert "role%2Ffleet" in endpoint.roles[0]
    assert "tunafish" not in str(told)
    assert float(told[UNTIL]) > time.time()
    assert work(url, told) == (True, [])


def test_variables_of_the_environment_need_no_client(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CI jobs have them: they are handed on as they are."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    url = address(s3)
    fleet = fleet_of(tmp_path, url)

    assert asking(fleet) is None
    assert work(url, handed_on(fleet)) == (True, [])


def test_workers_with_an_identity_of_their_own_are_handed_nothing_secret(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`store.credentials = "worker"`: only where the store is."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "tunafish")
    fleet = fleet_of(tmp_path, address(s3), store__credentials="worker")

    told = given(fleet)

    assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", UNTIL} & set(told)
    assert told["AWS_DEFAULT_REGION"] == "us-east-1"


def test_a_store_in_a_folder_needs_nothing(tmp_path: Path, s3: Any) -> None:
    """Nor is anything handed on that lies about."""
    assert given(fleet_of(tmp_path, str(tmp_path))) == {}


def test_certificates_of_the_agent_are_handed_on(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By content: a worker has none of the agent's files. Tests see no trace of them."""
    certificates = make_certificates(tmp_path / "certificates")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificates.ca))
    with tampering(s3.url, certificates) as behind_tls:
        url = address(s3, endpoint=behind_tls.url)
        told = given(fleet_of(tmp_path, url))

        assert "BEGIN CERTIFICATE" in told[CA_BUNDLE]
        assert work(url, told) == (True, [])


def test_certificates_that_are_not_there_are_told_at_once(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the variable that names them."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))

    with pytest.raises(UsageError, match="AWS_CA_BUNDLE"):
        handed_on(fleet_of(tmp_path, address(s3)))


def test_credentials_that_nobody_renews_are_doubted_before_a_long_run(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When they expire, as `AWS_CREDENTIAL_EXPIRATION` says; not before a short one."""
    now = time.time()
    until = datetime.fromtimestamp(now + 1800, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", until)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    fleet = fleet_of(tmp_path, address(s3))

    assert doubts(fleet, 60.0, now) == []
    (told,) = doubts(fleet, 3600.0, now)
    assert "expire in 30 min" in told
    assert UNTIL not in given(fleet)


def test_a_worker_ends_before_its_credentials_do() -> None:
    """It claims nothing more, and wakes if it waits for work; without an end it goes on for ever."""

    async def story(store: dict[str, str]) -> bool:
        orders = Orders()
        leave_in_time(orders, store, now=1000.0, log=Log())
        await asyncio.sleep(0.2)
        return orders.is_over

    assert asyncio.run(story({UNTIL: "1000.1"}))
    assert not asyncio.run(story({UNTIL: "4600"}))
    assert not asyncio.run(story({}))
    with pytest.raises(EngineError, match="expired before this worker began"):
        asyncio.run(story({UNTIL: "999"}))


@pytest.mark.parametrize(("left", "seconds"), [(3600.0, 3300.0), (400.0, 300.0), (0.0, 0.0), (-5.0, -5.0)])
def test_there_is_time_for_the_last_batch(left: float, seconds: float) -> None:
    """Five minutes, or a quarter of what is left."""
    assert seconds_to_work(str(1000.0 + left), 1000.0) == seconds
