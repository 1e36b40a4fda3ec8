"""Credentials of this machine for S3, as another process can be given them: found by AWS's own chain, frozen, perhaps to expire.

It must not know who is given them. Variables in the environment count first in the chain, then profiles (with roles, SSO,
processes), then what the machine or container is given.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from pipeline.adapters.s3_client import region_of
from pipeline.adapters.s3_errors import s3_in_use
from pipeline.adapters.s3_place import Place


@frozen(kw_only=True)
class Grant:
    """What opens the store until it expires."""

    env: Mapping[str, str] = field(repr=False)
    """For the environment of the client that is to use it."""
    until: float | None = None
    """Wall clock, seconds since the epoch; None: does not expire, or nobody can tell."""
    is_renewed: bool = False
    """Whether asking again gives another one before this one expires."""
    source: str = ""
    """As botocore calls it: `env`, `assume-role`, `sso`, `container-role`, `iam-role`…; empty: there are none."""


class Granter:
    """Grants what this machine may do at `place`. Safe to share among threads."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._session: Any = None
        self._making = threading.Lock()

    def grant(self) -> Grant:
        """Credentials as they are now, renewed if they are about to expire. Raises `EngineError`, `StoreUnavailable`."""
        with s3_in_use("looking for credentials", self._place):
            session = self._boto()
            found = session.get_credentials()
            frozen = found.get_frozen_credentials() if found is not None else None
            region, endpoint = region_of(session, self._place), _endpoint_of(session, self._place)
        env = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_ENDPOINT_URL_S3": endpoint}
        if frozen is None:
            return Grant(env=_said(env))
        env |= {
            "AWS_ACCESS_KEY_ID": frozen.access_key,
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
            "AWS_SESSION_TOKEN": frozen.token,
        }
        # Only those that botocore can renew know when they end; what is in the environment stays what it is.
        expiry = getattr(found, "_expiry_time", None)
        until = None if expiry is None else float(expiry.timestamp())
        return Grant(
            env=_said(env),
            until=until,
            is_renewed=until is not None and found.method != "env",
            source=str(found.method),
        )

    def _boto(self) -> Any:
        from boto3.session import Session

        with self._making:
            if self._session is None:
                self._session = Session()
            return self._session


def _endpoint_of(session: Any, place: Place) -> str:
    """Where a profile says that S3 is; empty: nowhere, or the address says it."""
    if place.endpoint:
        return ""
    profile: Any = session._session.get_scoped_config()
    return str(profile.get("endpoint_url", ""))


def _said(env: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in env.items() if value}
