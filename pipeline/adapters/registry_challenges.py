"""What a registry wants to see, from its `WWW-Authenticate` header: RFC 9110 section 11.6.1, RFC 6750."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import field, frozen

_SCHEME = re.compile(r"(?:^|,)\s*(Basic|Bearer)(?=\s|$|,)", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')


@frozen
class Challenge:
    """A scheme in lower case and its parameters."""

    scheme: str
    parameters: Mapping[str, str] = field(factory=dict)


def parse_challenge(header: str) -> Challenge | None:
    """The challenge to answer, Bearer before Basic; None when there is neither."""
    found = [_challenge(header, match) for match in _SCHEME.finditer(_without_quoted(header))]
    return min(found, key=lambda one: one.scheme != "bearer", default=None)


def _without_quoted(header: str) -> str:
    """The header with quoted texts blanked, so that nothing inside them looks like a scheme."""
    return re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: '"' + " " * (len(match.group()) - 2) + '"', header)


def _challenge(header: str, match: re.Match[str]) -> Challenge:
    following = _SCHEME.search(_without_quoted(header), match.end())
    text = header[match.end() : following.start() if following else len(header)]
    parameters = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
        for name, quoted, plain in _PARAMETER.findall(text)
    }
    return Challenge(match.group(1).lower(), parameters)
