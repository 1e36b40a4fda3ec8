"""Private engines: for one test, which may kill, pause, restart or fill them. Gone afterwards, with all they stored.

What a killed test leaves is removed by `python -m tests.engines stop`.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from attrs import asdict

from tests.engines import binaries, only_outside, places, require
from tests.engines.docker import OwnDocker
from tests.engines.engine import Engine
from tests.engines.errors import EngineTrouble
from tests.engines.kubernetes.cluster import Kubernetes
from tests.engines.processes import Identity, identify, lives
from tests.engines.registries import PlainRegistry, SecureRegistry
from tests.engines.s3 import S3Server
from tests.engines.sshd import INSTALL, Sshd, program
from tests.engines.token_registry import LIFETIME_SECONDS, TokenRegistry
from tests.faults.mounts import tmpfs

EngineT = TypeVar("EngineT", bound=Engine)
RegistryT = TypeVar("RegistryT", bound=PlainRegistry)
OWNER = "owner.json"


@contextmanager
def own_registry(*, mebibytes: int | None = None) -> Iterator[PlainRegistry]:
    """A plain registry; of limited size, where one is given."""
    with _stored("registry", mebibytes) as (folder, storage):
        yield from _started(lambda: PlainRegistry(folder, storage=storage))


@contextmanager
def own_secure_registry() -> Iterator[SecureRegistry]:
    """A registry with TLS and a password."""
    with _stored("secure-registry", None) as (folder, storage):
        yield from _started(lambda: SecureRegistry(folder, storage=storage))


@contextmanager
def own_token_registry(*, lifetime_seconds: int = LIFETIME_SECONDS) -> Iterator[TokenRegistry]:
    """A registry with TLS whose tokens live that long (it forgives 60 s more)."""
    with _stored("token-registry", None) as (folder, storage):
        yield from _started(lambda: TokenRegistry(folder, storage=storage, lifetime_seconds=lifetime_seconds))


@contextmanager
def own_s3(*, mebibytes: int | None = None) -> Iterator[S3Server]:
    """An S3 server; of limited size, where one is given."""
    with _stored("s3", mebibytes) as (folder, storage):
        yield from _started(lambda: S3Server(folder, storage=storage))


@contextmanager
def own_docker(*, live_restore: bool = False) -> Iterator[OwnDocker]:
    """A Docker daemon; with `live_restore` its containers go on while it is away."""
    only_outside("a Docker daemon needs control groups, devices and a bridge of the machine itself")
    there = shutil.which("dockerd") and os.geteuid() == 0
    require(there or None, "no private Docker without root and dockerd: apt-get install docker.io")
    with own_folder("docker") as folder:
        yield from _started(lambda: OwnDocker(folder, live_restore=live_restore))


@contextmanager
def own_sshd(**settings: str) -> Iterator[Sshd]:
    """An SSH server, with these lines in its configuration."""
    only_outside("sessions of an SSH server are the machine's own: its accounts, shells, mounts and firewall")
    require(program(), f"no private sshd: {INSTALL}")
    with own_folder("sshd") as folder:
        yield from _started(lambda: Sshd(folder, settings=settings))


def sweep() -> None:
    """Remove private engines whose test is dead."""
    kinds: dict[str, Callable[[Path], Engine]] = {
        "registry": PlainRegistry,
        "secure-registry": SecureRegistry,
        "token-registry": TokenRegistry,
        "s3": S3Server,
        "sshd": Sshd,
        "docker": OwnDocker,
        "kubernetes": Kubernetes,
    }
    for folder in places.private().glob("*-*"):
        if not _is_owned(folder):
            kinds[folder.name.rpartition("-")[0]](folder).discard()


def _is_owned(folder: Path) -> bool:
    try:
        return lives(Identity(**json.loads((folder / OWNER).read_text("utf-8"))))
    except FileNotFoundError:
        return not folder.exists()


@contextmanager
def own_folder(kind: str) -> Iterator[Path]:
    """A folder for a private engine of that kind; swept when this process dies."""
    top = places.private()
    fresh = top / f".{kind}-{uuid.uuid4().hex[:8]}"
    fresh.mkdir(parents=True)
    us = identify(os.getpid())
    assert us
    (fresh / OWNER).write_text(json.dumps(asdict(us)), "utf-8")
    folder = fresh.rename(top / fresh.name[1:])  # Whole, or it would be swept.
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _stored(kind: str, mebibytes: int | None) -> Iterator[tuple[Path, Path]]:
    """A folder for an engine whose program has been built, and its storage."""
    program = "versitygw" if kind == "s3" else "registry"
    require(binaries.find(program), f"{program} is not built: do it with `python -m tests.engines start {kind}`")
    with own_folder(kind) as folder, ExitStack() as stack:
        storage = folder / "storage"
        if mebibytes is not None:
            stack.enter_context(tmpfs(storage, mebibytes))
        yield folder, storage


def _started(make: Callable[[], EngineT]) -> Iterator[EngineT]:
    engine = make()
    try:
        try:
            engine.start()
        except EngineTrouble:
            engine.start()  # Another took its port between the choice and the start.
        yield engine
    finally:
        engine.kill()  # Nobody needs its last words, and containers may take long over theirs.
        engine.stop()
