"""Ask a package index for the files of a distribution: https://packaging.python.org/en/latest/specifications/simple-repository-api/.

JSON or HTML, whatever it offers. Folders (`--find-links`) are indexes too. It must not decide which file is wanted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from pipeline.errors import EngineError
from pipeline.model.dependencies import Artifact

if TYPE_CHECKING:
    from requests import Session

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
TIMEOUT = (10, 60)
"""Seconds to connect, and between two pieces of an answer."""


def offered(session: Session, index: str, name: str) -> Sequence[Artifact]:
    """All files of a distribution; `sha256` is empty where the index does not tell. Raises `EngineError`."""
    import requests

    url = f"{index.rstrip('/')}/{name}/"
    try:
        answer = session.get(url, headers={"Accept": ACCEPT}, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise EngineError(f"{bare(index)!r} does not answer: {_reason(error)}") from error
    if answer.status_code == 404:
        return ()
    if answer.status_code in (401, 403):
        raise EngineError(
            f"{bare(index)!r} refuses access ({answer.status_code})",
            hint="credentials: in pip's configuration or ~/.netrc",
        )
    if answer.status_code != 200:
        raise EngineError(f"{bare(index)!r} answered {answer.status_code} to the question for {name!r}")
    try:
        if "json" in answer.headers.get("Content-Type", ""):
            return _from_json(answer.url, answer.content)
        return _from_html(answer.url, answer.text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(f"{bare(index)!r} answered nonsense to the question for {name!r}: {error}") from error


def in_folder(folder: Path) -> Sequence[Artifact]:
    """All files of a folder; their digests are not known."""
    if not folder.is_dir():
        return ()
    return [
        Artifact(sha256="", filename=path.name, url=f"file:{path}")
        for path in sorted(folder.iterdir())
        if path.is_file()
    ]


def bare(url: str) -> str:
    """A URL for people: without credentials, not even such as have a slash that should be `%2F`."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    _, colon, port = parts.netloc.rpartition(":")
    return f"{parts.scheme}://{url.rpartition('@')[2]}" if colon and not port.isdecimal() and "@" in url else url


def _from_json(base: str, data: bytes) -> Sequence[Artifact]:
    return [
        Artifact(
            sha256=str((file.get("hashes") or {}).get("sha256", "")).lower(),
            filename=str(file["filename"]),
            url=urljoin(base, str(file["url"])),
        )
        for file in json.loads(data)["files"]
    ]


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = dict(attrs).get("href")
        if link and tag == "a":
            self.links.append(link)
        elif link and tag == "base":
            self.base = link


def _from_html(base: str, text: str) -> Sequence[Artifact]:
    anchors = _Anchors()
    anchors.feed(text)
    found = []
    for link in anchors.links:
        url, fragment = urldefrag(urljoin(urljoin(base, anchors.base), link))
        kind, _, digest = fragment.partition("=")
        filename = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        found.append(Artifact(sha256=digest.lower() if kind == "sha256" else "", filename=filename, url=url))
    return found


def _reason(error: Exception) -> str:
    text = str(error.args[0] if error.args else error)
    is_of_url = isinstance(error, ValueError)  # Such errors repeat the address with all that is in it.
    return text if len(text) < 200 and not is_of_url else type(error).__name__
