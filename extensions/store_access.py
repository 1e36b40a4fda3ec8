"""How workers elsewhere get into the store: what they are handed on of the agent's own access, as `store.credentials` says.

Nothing of it is ever in an argument, an image, a log or a manifest: it goes the way of the tests' secrets. A worker takes it
out of its environment before tests begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.model.access import CA_BUNDLE, UNTIL

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.adapters.s3_credentials import Granter

PLACES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION")
"""Variables that say where; no secrets."""
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
EXPIRATION = "AWS_CREDENTIAL_EXPIRATION"
Ask = Callable[[], Mapping[str, str]]


def handed_on(fleet: Fleet, *, by_secret: bool = False) -> dict[str, str]:
    """What workers are given of the agent's environment. `by_secret`: their keys come from a Secret of the cluster.

    Raises `UsageError` for certificates that cannot be read.
    """
    if not is_in_s3(fleet):
        return {}
    names = PLACES if by_secret or not hands_on_keys(fleet) else (*PLACES, *KEYS)
    found = {name: fleet.environment[name] for name in names if fleet.environment.get(name)}
    bundle = fleet.environment.get("AWS_CA_BUNDLE", "")
    return {**found, **({CA_BUNDLE: _content(Path(bundle))} if bundle else {})}


def asking(fleet: Fleet, *, by_secret: bool = False) -> Ask | None:
    """What finds the rest whenever a worker is started, by AWS's own chain; None: the environment says everything."""
    environment = fleet.environment
    has_keys = by_secret or not hands_on_keys(fleet) or bool(environment.get("AWS_ACCESS_KEY_ID"))
    has_region = any(environment.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
    if not is_in_s3(fleet) or (has_keys and has_region):
        return None
    granter, static = _granter(fleet), handed_on(fleet, by_secret=by_secret)

    def ask() -> Mapping[str, str]:
        grant = granter.grant()
        env = {name: value for name, value in grant.env.items() if name not in KEYS or not has_keys}
        until = {UNTIL: f"{grant.until:.0f}"} if grant.is_renewed and not has_keys else {}
        return {**env, **static, **until}

    return ask


def doubts(fleet: Fleet, expected_seconds: float, now: float) -> list[str]:
    """What a person should know before the run: credentials that expire and nobody renews. `now` is wall clock."""
    environment = fleet.environment
    if not is_in_s3(fleet) or not environment.get("AWS_ACCESS_KEY_ID") or not environment.get(EXPIRATION):
        return []
    until = _granter(fleet).grant().until
    limit = fleet.run.timeout_seconds.get() or expected_seconds
    if until is None or until - now > limit:
        return []
    return [
        f"the store's credentials in the environment expire in {(until - now) / 60:.0f} min, and nothing renews them: this run "
        f"may take {limit / 60:.0f} min. It then stays open, and the same command with new ones goes on with it"
    ]


def hands_on_keys(fleet: Fleet) -> bool:
    """Whether workers use the agent's credentials."""
    return bool(fleet.store.credentials.get() == "agent")


def is_in_s3(fleet: Fleet) -> bool:
    """Whether there is anything to hand on."""
    return str(fleet.store.url.get()).startswith("s3://")


def _granter(fleet: Fleet) -> Granter:
    from pipeline.adapters.s3_credentials import Granter
    from pipeline.adapters.s3_place import parse_place

    return Granter(parse_place(str(fleet.store.url.get()), fleet.environment))


def _content(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"AWS_CA_BUNDLE names {str(path)!r}, which cannot be read: {error}",
            hint="name a file of certificates in PEM form",
        ) from error
