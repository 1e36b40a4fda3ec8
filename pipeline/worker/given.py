"""What a worker is given: names by environment variables, secrets by one JSON line; both taken away before tests begin.

| variable | meaning |
|---|---|
| `DOIT_FLEET_RUN`, `_WORKER`, `_NONCE`, `_SLOT`, `_TERM` | who it is |
| `DOIT_FLEET_STORE` | the store's address |
| `DOIT_FLEET_LAUNCHER`, `_IDENTITY` | what goes into its birth; the identity is JSON |
| `DOIT_FLEET_SECRETS` | `stdin`: one JSON line comes there: `{"env": {suite: {name: value}}, "store": {name: value}}` |
| `DOIT_FLEET_SCRATCH` | a folder for logs and what is not delivered yet |
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from pipeline.errors import UsageError

OURS = "DOIT_FLEET_"
NAMES = ("RUN", "WORKER", "NONCE", "SLOT", "TERM", "STORE", "LAUNCHER", "IDENTITY", "SECRETS", "SCRATCH", "PYTHON")
"""What tests do not see. Other names of that beginning are the user's, or another fleet's that is tested."""
MOST_BYTES = 16 * 2**20
"""Of secrets."""


@frozen(kw_only=True)
class Given:
    """Who a worker is, and where its store is."""

    run: str
    worker: str
    nonce: str
    slot: int
    term: int
    store: str
    launcher: str
    identity: dict[str, str | int]
    scratch: Path
    secrets_on_stdin: bool


@frozen(kw_only=True)
class Secrets:
    """What nobody else may read."""

    env: Mapping[str, Mapping[str, str]] = field(factory=dict, repr=False)
    """Environment of the tests, by suite."""
    store: Mapping[str, str] = field(factory=dict, repr=False)
    """Environment of the store's client."""


def read_given(environment: Mapping[str, str]) -> Given:
    """Read it. Raises `UsageError`."""

    def of(name: str) -> str:
        value = environment.get(OURS + name, "")
        if not value:
            raise UsageError(f"{OURS + name} is not set", hint="workers are started by `doit launch`, not by hand")
        return value

    try:
        return Given(
            run=of("RUN"),
            worker=of("WORKER"),
            nonce=of("NONCE"),
            slot=int(of("SLOT")),
            term=int(of("TERM")),
            store=of("STORE"),
            launcher=environment.get(f"{OURS}LAUNCHER", ""),
            identity=dict(json.loads(environment.get(f"{OURS}IDENTITY") or "{}")),
            scratch=_scratch(environment.get(f"{OURS}SCRATCH", "")),
            secrets_on_stdin=environment.get(f"{OURS}SECRETS") == "stdin",
        )
    except (ValueError, TypeError) as error:
        raise UsageError(f"{OURS}* cannot be read: {error}") from error


def _scratch(wanted: str) -> Path:
    """That folder if it can be written, else one for temporary files, of which nobody can read the last words."""
    return Path(wanted if wanted and os.access(wanted, os.W_OK | os.X_OK) else tempfile.gettempdir())


def read_secrets(descriptor: int) -> Secrets:
    """One line from a descriptor. Raises `UsageError` when it ends before the line does."""
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(descriptor, 65_536) if len(line) <= MOST_BYTES else b""
        if not more:
            raise UsageError("the secrets did not come", hint="did the agent die while it started this worker?")
        line += more
    try:
        found: dict[str, Any] = json.loads(line)
        return Secrets(env=dict(found["env"]), store=dict(found["store"]))
    except (ValueError, TypeError, KeyError) as error:
        # Never with the line itself.
        raise UsageError(f"the secrets that came are no such object: {type(error).__name__}") from None


def take_away(environment: MutableMapping[str, str], secrets: Secrets) -> None:
    """Leave tests the environment that image and settings give, with folders that can be written."""
    for name in NAMES:
        environment.pop(OURS + name, None)
    for name in secrets.store:
        environment.pop(name, None)
    environment.setdefault("TMPDIR", tempfile.gettempdir())
    home = environment.get("HOME", "")
    if not home or not os.access(home, os.W_OK):
        environment["HOME"] = tempfile.mkdtemp(prefix="home-")
