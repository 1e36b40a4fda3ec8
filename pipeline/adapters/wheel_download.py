"""Bring files of releases over HTTP, many at once; each is checked against the digests of the lock before it counts.

Where a file is: in a folder that the user named, where the lock says, or on an index. Nothing an index answers is believed.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from attrs import frozen

from pipeline.adapters.index_settings import PYPI, IndexSettings
from pipeline.adapters.wheel_index import TIMEOUT, bare, in_folder, offered
from pipeline.errors import EngineError
from pipeline.logic.wheel_choice import choose
from pipeline.model.dependencies import Artifact, Pin, Target

if TYPE_CHECKING:
    from requests import Session

CONNECTIONS = 16
RETRIES = 5
PIECE = 1 << 18


@frozen
class Found:
    """A file that is there: which one, and where."""

    artifact: Artifact
    path: Path


class Downloader:
    """Fetches files of pins into a folder. May be used by several threads, up to `CONNECTIONS`."""

    def __init__(self, settings: IndexSettings, target: Target, folder: Path, root: Path) -> None:
        self._settings, self._target, self._folder, self._root = settings, target, folder, root
        self._local = threading.local()
        self._sessions: list[Session] = []

    def fetch(self, pin: Pin) -> Found:
        """The file of the pin that fits best. Raises `EngineError` with what every place said."""
        said: list[str] = []
        for candidates in self._places(pin, said):
            best = choose(candidates, self._target)
            while best is not None:
                path = self._folder / f"{pin.name}-{len(said)}-{Path(best.filename).name}"
                digest = self._bring(best, path, said)
                if digest and digest in {one.sha256 for one in pin.artifacts}:
                    return Found(Artifact(sha256=digest, filename=best.filename, url=best.url), path)
                if digest:
                    said.append(f"{bare(best.url)}: its digest is sha256:{digest}, and the lock has another")
                candidates = [one for one in candidates if one is not best]
                best = choose(candidates, self._target)
        known = sorted({one.filename for one in pin.artifacts if one.filename})
        reasons = said or ([f"of {', '.join(known)} none fits"] if known else ["no file of it fits"])
        raise EngineError(f"{pin.name} {pin.version} ({pin.place}): " + "; ".join(dict.fromkeys(reasons)))

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()

    def _places(self, pin: Pin, said: list[str]) -> Iterator[Sequence[Artifact]]:
        """Files by place, nearest first; digests that are not the lock's are already left out."""
        known = {one.sha256 for one in pin.artifacts}
        for link in self._settings.find_links:
            if "://" not in link or link.startswith("file:"):
                folder = self._root / unquote(urlsplit(link).path if link.startswith("file:") else link)
                yield [one for one in in_folder(folder) if _is_of(one, pin)]
        located = [one for one in pin.artifacts if one.url and one.filename]
        mirrored = self._settings.is_set and _is_pypi(pin)
        if not mirrored or not self._settings.online:
            yield located
        if self._settings.online:
            for index in self._indexes(pin):
                try:
                    files = offered(self._session(), index, pin.name)
                except EngineError as error:
                    said.append(str(error))
                    continue
                found = [one for one in files if one.sha256 in known or (not one.sha256 and _is_of(one, pin))]
                if not found:
                    said.append(f"{bare(index)} has none of the lock's files")
                yield found
            if mirrored:
                yield located

    def _indexes(self, pin: Pin) -> Sequence[str]:
        if pin.index and not _is_pypi(pin):
            return (pin.index, *self._settings.indexes)
        return self._settings.indexes

    def _bring(self, artifact: Artifact, path: Path, said: list[str]) -> str:
        """Put the file at `path`; its digest, or empty when it could not be had."""
        import requests

        try:
            if artifact.url.startswith("file:") or "://" not in artifact.url:
                shutil.copyfile(self._root / unquote(artifact.url.removeprefix("file://").removeprefix("file:")), path)
                with path.open("rb") as copied:
                    return hashlib.file_digest(copied, "sha256").hexdigest()
            return self._stream(artifact.url, path) if self._settings.online else ""
        except (OSError, requests.RequestException, EngineError) as error:
            said.append(
                f"{bare(artifact.url)}: {type(error).__name__ if isinstance(error, requests.RequestException) else error}"
            )
            return ""

    def _stream(self, url: str, path: Path) -> str:
        digest = hashlib.sha256()
        with self._session().get(url, stream=True, timeout=TIMEOUT) as answer, path.open("wb") as file:
            if answer.status_code != 200:
                raise EngineError(f"answered {answer.status_code}")
            for piece in answer.iter_content(PIECE):
                digest.update(piece)
                file.write(piece)
        return digest.hexdigest()

    def _session(self) -> Session:
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _new_session(self._settings)
            self._sessions.append(session)
        return session


def _new_session(settings: IndexSettings) -> Session:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    session = requests.Session()
    retry = Retry(total=RETRIES, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False)
    session.mount("https://", HTTPAdapter(max_retries=retry))
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.headers["User-Agent"] = "doit-fleet"
    if settings.certificates:
        session.verify = settings.certificates
    return session


def _is_pypi(pin: Pin) -> bool:
    host = urlsplit(pin.index or PYPI).hostname
    return host == urlsplit(PYPI).hostname


def _is_of(artifact: Artifact, pin: Pin) -> bool:
    """Whether a file without a known digest is one of that distribution and version, by its name."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
    from packaging.version import Version

    try:
        if artifact.is_wheel:
            name, version, _, _ = parse_wheel_filename(artifact.filename)
        else:
            name, version = parse_sdist_filename(artifact.filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return name == pin.name and version == Version(pin.version)
