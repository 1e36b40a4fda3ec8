"""What a worker is given: names by environment variables, secrets by one JSON line; both taken away before tests begin.

In a pod see `worker.pod`, too.

| variable | meaning |
|---|---|
| `DOIT_FLEET_RUN`, `_WORKER`, `_NONCE`, `_SLOT`, `_TERM` | who it is |
| `DOIT_FLEET_STORE` | the store's address |
| `DOIT_FLEET_LAUNCHER`, `_IDENTITY` | what goes into its birth; the identity is JSON |
| `DOIT_FLEET_SECRETS` | `stdin`: one JSON line comes there: `{"env": {suite: {name: value}}, "store": {name: value}}`; `file:<path>`: it is there, and is removed |
| `DOIT_FLEET_STORE_SECRET` | a folder with a file for each variable of the store's client; removed, too |
| `DOIT_FLEET_MEETS` | not empty: the store is a volume; worker and agent see first that they share it |
| `DOIT_FLEET_SCRATCH` | a folder for logs and what is not delivered yet |
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from pipeline.errors import UsageError
from pipeline.model.access import CA_BUNDLE
from pipeline.worker import pod

OURS = "DOIT_FLEET_"
NAMES = (
    *("RUN", "WORKER", "NONCE", "SLOT", "TERM", "STORE", "LAUNCHER", "IDENTITY", "SECRETS", "STORE_SECRET", "MEETS"),
    *("SCRATCH", "PYTHON", *pod.NAMES),
)
"""What tests do not see. Other names of that beginning are the user's, or another fleet's that is tested."""
FILE = "file:"
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
    secrets: str
    """`stdin`, `file:<path>` or nothing."""
    store_secret: str
    """A folder, or nothing."""
    meets: bool
    """Whether the store is a folder that was mounted for it: see `store_meeting`."""
    may_be_renamed: bool
    """Whether another name of the slot does where this one is taken."""


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
        ranges = environment.get(f"{OURS}WORKERS", "")
        worker, slot = (
            pod.worker_of(ranges, environment.get(pod.INDEX, "")) if ranges else (of("WORKER"), int(of("SLOT")))
        )
        told = dict(json.loads(environment.get(f"{OURS}IDENTITY") or "{}"))
        return Given(
            run=of("RUN"),
            worker=worker,
            nonce=of("NONCE"),
            slot=slot,
            term=int(of("TERM")),
            store=of("STORE"),
            launcher=environment.get(f"{OURS}LAUNCHER", ""),
            identity=pod.identity_of(told, environment, OURS),
            scratch=_scratch(environment.get(f"{OURS}SCRATCH", "")),
            secrets=environment.get(f"{OURS}SECRETS", ""),
            store_secret=environment.get(f"{OURS}STORE_SECRET", ""),
            meets=bool(environment.get(f"{OURS}MEETS")),
            may_be_renamed=bool(environment.get(f"{OURS}POD_UID")),
        )
    except (ValueError, TypeError) as error:
        raise UsageError(f"{OURS}* cannot be read: {error}") from error


def _scratch(wanted: str) -> Path:
    """That folder if it can be written, else one for temporary files, of which nobody can read the last words."""
    return Path(wanted if wanted and os.access(wanted, os.W_OK | os.X_OK) else tempfile.gettempdir())


def secrets_of(given: Given) -> Secrets:
    """All secrets, wherever they are; files are removed. Raises `UsageError`."""
    secrets = Secrets()
    if given.secrets == "stdin":
        secrets = read_secrets(0)
    elif given.secrets.startswith(FILE):
        secrets = _read_file(Path(given.secrets.removeprefix(FILE)))
    if not given.store_secret:
        return secrets
    return evolve(secrets, store={**secrets.store, **_read_folder(Path(given.store_secret))})


def read_secrets(descriptor: int) -> Secrets:
    """One line from a descriptor. Raises `UsageError` when it ends before the line does."""
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(descriptor, 65_536) if len(line) <= MOST_BYTES else b""
        if not more:
            raise UsageError("the secrets did not come", hint="did the agent die while it started this worker?")
        line += more
    return _parse(line)


def _read_file(path: Path) -> Secrets:
    try:
        line = path.read_bytes()
        path.unlink()
    except OSError as error:
        raise UsageError(f"the secrets cannot be read and removed: {error}") from error
    return _parse(line)


def _read_folder(folder: Path) -> dict[str, str]:
    """A file for each variable; one without the folder has no keys."""
    found = {}
    try:
        for path in folder.iterdir() if folder.exists() else ():
            found[path.name] = path.read_text("utf-8").strip("\n")
            path.unlink()
    except (OSError, ValueError) as error:
        raise UsageError(f"the store's Secret cannot be read: {type(error).__name__} at {str(folder)!r}") from None
    return found


def _parse(line: bytes) -> Secrets:
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
    for name in (pod.INDEX, *secrets.store, *(["AWS_CA_BUNDLE"] if CA_BUNDLE in secrets.store else [])):
        environment.pop(name, None)
    environment.setdefault("TMPDIR", tempfile.gettempdir())
    home = environment.get("HOME", "")
    if not home or not os.access(home, os.W_OK):
        environment["HOME"] = tempfile.mkdtemp(prefix="home-")
