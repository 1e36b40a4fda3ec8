"""What an API server's refusals mean, each with the way out. It sends nothing.

Refusals are `Status` objects (Kubernetes API conventions, "Response Status Kind").
"""

from __future__ import annotations

import json
from typing import Final

from pipeline.errors import EngineError

HINTS: Final = {
    401: "the credentials are not (or no longer) accepted: log in again, see `kubectl auth whoami`",
    403: "a right is missing or an admission rule refuses it; see `doit doctor` and `kubectl auth can-i --list`",
    404: "it is not there (any more)",
    409: "somebody else made or changed it; read it again",
    422: "the object is invalid; see kubernetes.template, whose fields win",
}
PASSING: Final = (408, 425, 429, 500, 502, 503, 504)


class ClusterUnreachable(EngineError):
    """The API server did not answer, or cannot serve now; what was asked may have been done. Try again."""

    permanent = False


class ClusterRefuses(EngineError):
    """The API server refused; `status` is HTTP's, `reason` Kubernetes' own word, e.g. `AlreadyExists`."""

    def __init__(self, message: str, *, status: int, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status, self.reason = status, reason


class ResourceVersionGone(ClusterRefuses):
    """410: what was asked to be watched or read on lies too far back; list again."""


def refusal_of(what: str, status: int, body: bytes) -> EngineError:
    """The error for an answer that is none of 2xx."""
    reason, message = _told(body)
    text = f"{what}: {message or reason or f'status {status}'}"
    if status in PASSING:
        return ClusterUnreachable(text, hint="the API server cannot serve now; try again")
    kind = ResourceVersionGone if status == 410 else ClusterRefuses
    return kind(text, status=status, reason=reason, hint=HINTS.get(status, ""))


def _told(body: bytes) -> tuple[str, str]:
    try:
        told = json.loads(body)
        return str(told.get("reason", "")), str(told["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", body[:300].decode("utf-8", "replace").strip()
