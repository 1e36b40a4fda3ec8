"""Requests to registries: connections kept alive, credentials shown, failures tried again, redirects followed with care.

Knows HTTP and nothing of blobs or manifests. Safe to use from several threads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from pipeline.adapters.registry_addresses import followed, is_same_server
from pipeline.adapters.registry_credentials import Credentials
from pipeline.adapters.registry_door import Door
from pipeline.adapters.registry_errors import RegistryUnavailable, refusal, text_of, unreachable
from pipeline.adapters.registry_patience import RETRIED, Patience
from pipeline.adapters.registry_servers import Servers
from pipeline.adapters.registry_session import Session
from pipeline.errors import EngineError

if TYPE_CHECKING:
    from requests import Response

MOST_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@frozen(kw_only=True)
class Request:
    """One question to a registry."""

    host: str
    """The registry, as in a repository's name: whose credentials are shown."""
    method: str
    path: str
    """Below the server (`/v2/…`), or a whole address that the registry gave."""
    scope: str
    """What a token must allow: `repository:name:pull,push`."""
    doing: str
    """For people: `reading manifest 'latest' of 'h/p'`."""
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes | None = field(default=None, repr=False)
    expected: frozenset[int]
    """Statuses that are handed back; every other one is tried again or raised."""
    tries: int = 0
    """How often; 0: as patience has it."""


@frozen(kw_only=True)
class Answer:
    """An answer whose body nobody wants."""

    status: int
    headers: Mapping[str, str]
    address: str
    """What was asked, after redirects; a `Location` may be relative to it."""


class Transport:
    """One pool of connections for all registries."""

    def __init__(
        self, session: Session, patience: Patience, *, insecure: bool, credentials: Mapping[str, Credentials]
    ) -> None:
        self.session = session
        self.patience = patience
        self._servers = Servers(insecure=insecure)
        self._door = Door(credentials, self._ask)

    def send(self, request: Request) -> Response:
        """The answer, one of the expected; its body is not read yet, so read or close it.

        Raises `EngineError` with the way out for everything else.
        """
        last = request.tries or self.patience.tries
        for tried in range(1, last + 1):
            self.patience.check()
            response = self._try(request, is_last=tried == last)
            if response is not None and response.status_code in request.expected:
                return response
            retry_after = None
            if response is not None:
                error = self._refused(request, response)
                if tried == last or error.permanent:
                    raise error
                retry_after = response.headers.get("Retry-After")
            self.patience.wait(tried, retry_after)
        raise AssertionError("the last try returns or raises")

    def exchange(self, request: Request) -> Answer:
        """The same, with the answer's body read and forgotten."""
        response = self.send(request)
        text_of(response)
        response.close()
        return Answer(status=response.status_code, headers=response.headers, address=response.url)

    def _refused(self, request: Request, response: Response) -> EngineError:
        text = text_of(response)
        response.close()
        who = self._door.who(request.host)
        error = refusal(request.host, request.doing, response.status_code, text, who=who)
        if isinstance(error, RegistryUnavailable):
            error.retry_after = response.headers.get("Retry-After")
        return error

    def _try(self, request: Request, *, is_last: bool) -> Response | None:
        """One try; None: the registry did not answer, and there will be another."""
        from requests.exceptions import RequestException, SSLError
        from urllib3.exceptions import HTTPError

        try:
            return self._authorized(request)
        except (RequestException, HTTPError, OSError) as error:
            if is_last or isinstance(error, SSLError):
                raise unreachable(request.host, request.doing, error) from error
            return None

    def _authorized(self, request: Request) -> Response:
        """Show what is known to be wanted; answer a challenge, or a refused token, once."""
        shown = self._door.header(request.host, request.scope)
        response = self._followed(request, shown)
        if response.status_code != 401:
            return response
        challenge = response.headers.get("WWW-Authenticate", "")
        wanted = self._door.answer(request.host, request.scope, challenge, refused=shown)
        if not wanted or wanted == shown:
            return response
        text_of(response)  # So that the connection is used again.
        return self._followed(request, wanted)

    def _followed(self, request: Request, authorization: str) -> Response:
        server = self._servers.address(request.host)
        address = followed(server + "/", request.path)
        for _ in range(MOST_REDIRECTS + 1):
            headers = dict(request.headers)
            if authorization and is_same_server(address, server):
                headers["Authorization"] = authorization
            response = self.session.send(request.method, address, headers, request.body)
            if response.status_code not in REDIRECTS or request.method not in ("GET", "HEAD"):
                return response
            response.close()
            address = followed(address, response.headers.get("Location", ""))
        raise EngineError(f"registry {request.host!r} redirects without end: {request.doing} failed")

    def _ask(self, host: str, url: str, *, headers: Mapping[str, str], form: bytes | None) -> dict[str, Any]:
        """See `registry_tokens.Ask`. Raises `OSError` for what is worth another try."""
        address = followed(self._servers.address(host) + "/", url)
        response = self.session.send("GET" if form is None else "POST", address, headers, form)
        text = text_of(response)
        response.close()
        if response.status_code in RETRIED:
            raise OSError(f"its token service answered with status {response.status_code}")
        if response.status_code != 200:
            raise refusal(host, "giving a token", response.status_code, text, who=self._door.who(host))
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise EngineError(f"token service of registry {host!r} answered no JSON") from error
        return parsed if isinstance(parsed, dict) else {}
