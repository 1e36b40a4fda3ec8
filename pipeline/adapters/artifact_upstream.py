"""The remote tier as the cache sees it: a source of records and content to be checked, and a place to send them.

Names there: `<level>/ac/<key>.json` and `<level>/cas/<sha256>`, so that rights can be given by level. Whatever goes
wrong is a miss with a reason, told once; nothing here raises but programming errors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from queue import SimpleQueue
from threading import Condition, Event, Thread
from typing import BinaryIO, Final

from pipeline.adapters.artifact_bounds import UNREACHABLE, Abandoned, Bounds
from pipeline.adapters.artifact_files import WrongContent
from pipeline.adapters.artifact_folder import CONTENT_MISSING, NO_RECORD, WRONG_RECORD, ArtifactFolder
from pipeline.adapters.artifact_log import ArtifactLog
from pipeline.logic.artifact_records import MAX_BYTES, WrongRecord, decode, encode
from pipeline.ports.artifacts import ActionRecord, Output, RemoteTier, RemoteTrouble

LIED: Final = "remote content has the wrong digest"
UNWRITABLE: Final = "the cache folder cannot be written"
SENDERS: Final = 4


class NoUpstream:
    """There is no remote tier."""

    def bring(self, level: str, key: str) -> ActionRecord | str:
        """Nothing, and nothing to say of it."""
        return ""

    def content(self, output: Output) -> bool:
        """Nothing."""
        return False

    def send(self, level: str, key: str, record: ActionRecord) -> None:
        """To nowhere."""

    def close(self) -> None:
        """Nothing to wait for."""


NO_UPSTREAM: Final = NoUpstream()


class Upstream(NoUpstream):
    """A remote tier. Safe to use from several threads."""

    def __init__(
        self,
        remote: RemoteTier,
        folder: ArtifactFolder,
        levels: Sequence[str],
        log: ArtifactLog,
        bounds: Bounds,
    ) -> None:
        self._remote, self._folder, self._levels, self._log = remote, folder, levels, log
        self._bounds = bounds
        self._lies: set[str] = set()
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._pending = 0
        self._done = Condition()
        self._senders: list[Thread] = []

    def bring(self, level: str, key: str) -> ActionRecord | str:
        """The record, when all its content has been brought into the folder; else the reason."""
        if not self._bounds.is_up:
            return UNREACHABLE
        try:
            data = self._bounds.call(lambda _: self._remote.get(_record_name(level, key), MAX_BYTES))
            if data is None:
                return NO_RECORD
            record = decode(key, data)
        except RemoteTrouble as trouble:
            return trouble.message
        except WrongRecord as error:
            self._lies.add(_record_name(level, key))
            self._log.notice(f"the remote artifact cache has an unreadable record: {error}")
            return WRONG_RECORD
        for output in dict.fromkeys(record.outputs.values()):
            if not self._folder.content.has(output) and (reason := self._brought(output)):
                return reason
        return record

    def content(self, output: Output) -> bool:
        """Whether that content has been brought into the folder."""
        return not self._brought(output)

    def _brought(self, output: Output) -> str:
        """Bring content from the first level that has it; the reason why not, or nothing."""
        reason = CONTENT_MISSING
        for level in self._levels:
            name = _content_name(level, output.sha256)
            try:
                if self._bounds.call(partial(self._fetch, name, output), output.size):
                    return ""
            except RemoteTrouble as trouble:
                reason = trouble.message
            except WrongContent:
                self._lies.add(name)
                reason = LIED
                self._log.notice(
                    f"the remote artifact cache gave wrong bytes for {output.sha256!r}; they were not used"
                )
            except OSError as error:
                self._log.notice(f"what the remote artifact cache has cannot be stored: {error.strerror}")
                return UNWRITABLE
        return reason

    def _fetch(self, name: str, output: Output, abandoned: Event) -> bool:
        with self._folder.content.draft() as draft:

            def write(piece: bytes) -> None:
                if abandoned.is_set():
                    raise Abandoned
                if draft.size + len(piece) > output.size:
                    raise WrongContent(name)
                draft.write(piece)

            if not self._remote.fetch(name, write):
                return False
            if draft.sha256 != output.sha256:
                raise WrongContent(name)
            self._folder.content.settle(draft)
        return True

    def send(self, level: str, key: str, record: ActionRecord) -> None:
        """Upload content, then the record, in the background."""
        with self._done:
            self._pending += 1
        self._queue.put(partial(self._upload, level, key, record))
        if len(self._senders) < SENDERS:
            thread = Thread(target=self._work, daemon=True, name="artifact-sender")
            self._senders.append(thread)
            thread.start()

    def _work(self) -> None:
        while upload := self._queue.get():
            try:
                upload()
            except (RemoteTrouble, OSError, WrongContent) as error:
                self._log.notice(f"an artifact was not sent to the remote cache: {error}")
            finally:
                with self._done:
                    self._pending -= 1
                    self._done.notify_all()

    def _upload(self, level: str, key: str, record: ActionRecord) -> None:
        for output in dict.fromkeys(record.outputs.values()):
            path = self._folder.content.checked(output)
            if path is None:
                return
            name = _content_name(level, output.sha256)
            self._put(name, partial(_opened, path), output.size, output.sha256)
        data = encode(key, record)
        self._put(_record_name(level, key), partial(BytesIO, data), len(data), _sha256(data))

    def _put(self, name: str, content: Callable[[], BinaryIO], size: int, sha256: str) -> None:
        def put(abandoned: Event) -> bool:
            if name in self._lies:
                self._remote.delete(name)  # It would stand in the way of the right one for ever.
            return self._remote.put(name, content, size, sha256)

        self._bounds.call(put, size)

    def close(self) -> None:
        """Wait a bounded time for uploads."""
        deadline = time.monotonic() + self._bounds.closing_seconds
        with self._done:
            while self._pending and self._bounds.is_up and (left := deadline - time.monotonic()) > 0:
                self._done.wait(left)
            if self._pending:
                self._log.notice(f"{self._pending} artifacts were not sent to the remote cache in time")
        while self._senders:
            self._senders.pop()
            self._queue.put(None)


def _opened(path: str) -> BinaryIO:
    return open(path, "rb")


def _record_name(level: str, key: str) -> str:
    return f"{level}/ac/{key}.json"


def _content_name(level: str, sha256: str) -> str:
    return f"{level}/cas/{sha256}"


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
