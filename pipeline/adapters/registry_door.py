"""What is shown to each registry: its challenge remembered, credentials looked up once and only when asked for."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from pipeline.adapters.registry_challenges import Challenge, parse_challenge
from pipeline.adapters.registry_credentials import Credentials, credentials_for
from pipeline.adapters.registry_tokens import Ask, Tokens

NOBODY = Credentials()


class Door:
    """Authorization headers by registry. Safe to use from several threads."""

    def __init__(self, given: Mapping[str, Credentials], ask: Ask) -> None:
        """`given`: credentials by host, instead of Docker's own; `ask` sends requests to token services."""
        self._credentials = dict(given)
        self._ask = ask
        self._lock = threading.Lock()
        self._challenges: dict[str, Challenge] = {}
        self._tokens: dict[str, Tokens] = {}

    def header(self, host: str, scope: str) -> str:
        """What the registry will want to see, as far as it has told; empty: nothing. Raises `EngineError`."""
        challenge = self._challenges.get(host)
        return self._show(host, scope, challenge, refused="") if challenge else ""

    def answer(self, host: str, scope: str, header: str, *, refused: str) -> str:
        """What to show after a 401 with that `WWW-Authenticate`, other than what was refused; empty: nothing."""
        challenge = parse_challenge(header)
        if challenge is None:
            return ""
        self._challenges[host] = challenge
        return self._show(host, scope or challenge.parameters.get("scope", ""), challenge, refused=refused)

    def credentials(self, host: str) -> Credentials:
        """Who we are there. Raises `EngineError` when a credential helper fails."""
        with self._lock:
            if host not in self._credentials:
                self._credentials[host] = credentials_for(host)
            return self._credentials[host]

    def who(self, host: str) -> str:
        """Who we have been there, for people; asks nobody."""
        return str(self._credentials.get(host, NOBODY))

    def _show(self, host: str, scope: str, challenge: Challenge, *, refused: str) -> str:
        credentials = self.credentials(host)
        if challenge.scheme == "basic":
            return "" if credentials.is_nobody else credentials.basic
        with self._lock:
            tokens = self._tokens.setdefault(host, Tokens(host, self._ask))
        old = refused.removeprefix("Bearer ") if refused.startswith("Bearer ") else ""
        return f"Bearer {tokens.get(challenge, scope, credentials, refused=old)}"
