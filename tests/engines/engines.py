"""The engines there are, by the names of the command line."""

from __future__ import annotations

from collections.abc import Callable

from tests.engines.docker import Docker
from tests.engines.engine import Engine
from tests.engines.kubernetes.cluster import Kubernetes, SharedKwok
from tests.engines.registries import PlainRegistry, SecureRegistry
from tests.engines.s3 import S3Server
from tests.engines.sshd import Sshd
from tests.engines.token_registry import TokenRegistry

ENGINES: dict[str, Callable[[], Engine]] = {
    "docker": Docker,
    "registry": PlainRegistry,
    "secure-registry": SecureRegistry,
    "token-registry": TokenRegistry,
    "s3": S3Server,
    "sshd": Sshd,
    "kubernetes": Kubernetes,
    "kwok": SharedKwok,
}
