"""What a registry's refusals mean, in words a person can act on.

Codes: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from pipeline.adapters.registry_credentials import login_hint
from pipeline.adapters.registry_patience import RETRIED
from pipeline.errors import EngineError

if TYPE_CHECKING:
    from requests import Response

FULL: Final = re.compile(r'no space left on device|ENOSPC|disk quota exceeded|"err":\s?(28|122)\b', re.IGNORECASE)
"""How registries tell that their disk is full, as text or as the system's number."""
MOST_TEXT: Final = 64 << 10


class RegistryUnavailable(EngineError):
    """The registry did not answer, broke off, or was busy with something else. Try again."""

    permanent = False
    retry_after: str | None = None
    """The header of that name, if there was one."""


def text_of(response: Response) -> str:
    """The start of an answer's body, which nobody has read before, whatever it is."""
    try:
        data: bytes = response.raw.read(MOST_TEXT, decode_content=True)
    except Exception:  # An answer that breaks off is told by its status.
        data = b""
    return data.decode("utf-8", "replace")


def is_full(status: int, text: str) -> bool:
    """Whether the registry has no room left."""
    return status == 507 or (status >= 400 and FULL.search(text) is not None)


def refusal(host: str, doing: str, status: int, text: str, *, who: str) -> EngineError:
    """The error for an answer that is neither success nor worth another try.

    `doing` says what was asked (`reading manifest of 'h/p:t'`), `who` with which credentials.
    """
    said = _said(text)
    start = f"registry {host!r} refused {doing}"
    if is_full(status, text):
        return EngineError(
            f"registry {host!r} is full: {doing} failed",
            hint="free space there: doit sweep, or its own garbage collection",
        )
    if status == 401:
        return EngineError(f"{start}: unauthorized with {who}{said}", hint=login_hint(host))
    if status == 403:
        hint = f"give that user the right to it, or {login_hint(host)}"
        return EngineError(f"{start}: denied with {who}{said}", hint=hint)
    if status == 404:
        return EngineError(f"{start}: not found, or not for {who}{said}", hint="make the repository, or name another")
    if status in (429, 503):
        return RegistryUnavailable(
            f"registry {host!r} has too much to do: {doing} failed{said}", hint="try again later"
        )
    kind = RegistryUnavailable if status in RETRIED else EngineError
    return kind(f"{start} with status {status}{said}")


def unreachable(host: str, doing: str, error: Exception) -> EngineError:
    """The error for a registry that does not answer."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "SSLError" in type(error).__name__:
        return EngineError(
            f"registry {host!r} cannot be trusted: {_reason(text)}",
            hint='name the authority that signed its certificate: registry.ca_file = "ca.pem"',
        )
    return RegistryUnavailable(
        f"registry {host!r} cannot be reached: {doing} failed: {_reason(text)}",
        hint="is it running, and is its name right? doit doctor",
    )


def _said(text: str) -> str:
    """The registry's own words, made harmless."""
    try:
        errors: Any = json.loads(text)["errors"]
        words = "; ".join(f"{one.get('code', '')} {one.get('message', '')}".strip() for one in errors[:3])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        words = text.strip()[:200]
    printable = "".join(c if c.isprintable() else " " for c in words)[:300]
    return f" ({printable})" if printable else ""


def _reason(text: str) -> str:
    """The innermost cause in what requests says."""
    found = re.findall(r"(?:\[[^\]]*\]|: )\s*([^'\"()<>]{4,})", text)
    return (found[-1] if found else text).strip(" :'\")(")[:200]
