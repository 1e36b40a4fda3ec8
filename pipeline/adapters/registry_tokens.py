"""Tokens of registries, by scope: fetched once, used until shortly before they expire, fetched again when refused.

Protocol: https://distribution.github.io/distribution/spec/auth/token/ (and `oauth/` beside it for identity tokens).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from attrs import frozen

from pipeline.adapters.registry_challenges import Challenge
from pipeline.adapters.registry_credentials import Credentials
from pipeline.errors import EngineError

USUAL_SECONDS: Final = 60
MARGIN_SECONDS: Final = 10
CLIENT: Final = "doit-fleet"


class Ask(Protocol):
    """Sends one request to the token service of a registry; JSON of the answer. Raises `EngineError`."""

    def __call__(self, host: str, url: str, *, headers: Mapping[str, str], form: bytes | None) -> dict[str, Any]:
        """GET, or POST a form."""


@frozen
class Token:
    """A token and when it is no longer used, on the monotonic clock."""

    value: str
    until: float


class Tokens:
    """Tokens of one registry. Safe to use from several threads: one fetches, the others wait for it."""

    def __init__(self, host: str, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}

    def get(self, challenge: Challenge, scope: str, credentials: Credentials, *, refused: str = "") -> str:
        """A token for that scope (several are joined by spaces), other than the `refused` one. Raises `EngineError`."""
        with self._lock:
            known = self._tokens.get(scope)
            if known and known.value != refused and self._clock() < known.until:
                return known.value
            began = self._clock()
            answer = self._fetch(challenge, scope, credentials)
            token = self._tokens[scope] = _token(answer, began)
            return token.value

    def _fetch(self, challenge: Challenge, scope: str, credentials: Credentials) -> dict[str, Any]:
        realm = challenge.parameters.get("realm", "")
        service = [("service", text)] if (text := challenge.parameters.get("service", "")) else []
        if credentials.identity_token:
            grant = {"grant_type": "refresh_token", "refresh_token": credentials.identity_token, "client_id": CLIENT}
            form = urlencode([*grant.items(), *service, ("scope", scope)]).encode("ascii")
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._ask(self._host, realm, headers=headers, form=form)
        headers = {} if credentials.is_nobody else {"Authorization": credentials.basic}
        account = [] if credentials.is_nobody else [("account", credentials.username)]
        query = urlencode([*service, *(("scope", one) for one in scope.split()), *account])
        return self._ask(self._host, f"{realm}{'&' if '?' in realm else '?'}{query}", headers=headers, form=None)


def _token(answer: Mapping[str, Any], began: float) -> Token:
    value = answer.get("token") or answer.get("access_token")
    if not isinstance(value, str) or not value.isprintable() or not value:
        raise EngineError("token service of the registry gave no token")
    seconds = answer.get("expires_in")
    seconds = seconds if isinstance(seconds, int | float) and seconds > 0 else USUAL_SECONDS
    return Token(value, began + max(seconds - MARGIN_SECONDS, seconds / 2))
