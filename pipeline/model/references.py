"""Names of images: `[host[:port]/]path[:tag][@digest]`, read as Docker reads them.

Grammar: https://github.com/distribution/reference/blob/main/reference.go. No I/O.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from pipeline.errors import UsageError

DOCKER_HUB: Final = "docker.io"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_PART}(?:/{_PART})*")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
LONGEST: Final = 255


@frozen(kw_only=True)
class Reference:
    """A name taken apart; nothing is looked up."""

    host: str
    """`docker.io`, or host and port as written."""
    path: str
    """With `library/` for Docker's own images."""
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """`host[:port]/path`."""
        return f"{self.host}/{self.path}"

    @property
    def target(self) -> str:
        """What a registry is asked for: the digest, else the tag, else `latest`."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """Take a name apart; without a host it is Docker Hub's. Raises `UsageError`."""
    name, _, digest = text.strip().partition("@")
    before, colon, last = name.rpartition(":")
    name, tag = (before, last) if colon and "/" not in last else (name, "")
    host, path = _host_and_path(name)
    wrong = (
        not _HOST.fullmatch(host)
        or not _PATH.fullmatch(path)
        or len(path) > LONGEST
        or (bool(colon) and not tag and "/" not in last)
        or (bool(tag) and not _TAG.fullmatch(tag))
        or ("@" in text and not is_digest(digest))
    )
    if wrong:
        raise UsageError(
            f"{text!r} is no name of an image",
            hint="write host:port/path:tag or host:port/path@sha256:…, the path in lower case",
        )
    return Reference(host=host, path=path, tag=tag, digest=digest)


def is_digest(text: str) -> bool:
    """Whether that is `sha256:` and 64 hexadecimal digits."""
    return _DIGEST.fullmatch(text) is not None


def _host_and_path(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        host, path = first, rest
    else:
        host, path = DOCKER_HUB, name
    if host in ("index.docker.io", "registry-1.docker.io"):
        host = DOCKER_HUB
    return host, f"library/{path}" if host == DOCKER_HUB and "/" not in path else path
