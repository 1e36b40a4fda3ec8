"""The local tier of the artifact cache: a folder with `cas/<2>/<sha256>` and `ac/<level>/<2>/<key>.json`.

Nothing counts before its record is in place, and a record counts only while all its content is there. It must not know
remote tiers nor who asks; it neither judges trust nor remembers uses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import frozen

from pipeline.adapters.artifact_files import ContentFiles, finish, into_place, open_regular
from pipeline.logic.artifact_records import MAX_BYTES, WrongRecord, decode, encode
from pipeline.ports.artifacts import ActionRecord

RECORD_MODE = 0o444
NO_RECORD = "no record"
WRONG_RECORD = "record unreadable"
CONTENT_MISSING = "content missing"


@frozen(kw_only=True)
class ArtifactFolder:
    """Records and content in one folder; made by the first write, so that reading never makes anything."""

    content: ContentFiles

    @classmethod
    def at(cls, path: str | os.PathLike[str], *, sync: bool = True) -> ArtifactFolder:
        """The folder at that path."""
        return cls(content=ContentFiles(root=os.path.abspath(path), sync=sync))

    @property
    def root(self) -> str:
        """Its absolute path."""
        return self.content.root

    def record_path(self, level: str, key: str) -> str:
        """Where that record is, if it is there."""
        return os.path.join(self.root, "ac", level, key[:2], f"{key}.json")

    def find(self, level: str, key: str) -> ActionRecord | str:
        """The record, if it is sound and its content is there (sizes only); else the reason why it is a miss."""
        try:
            record = self.read(level, key)
        except WrongRecord:
            return WRONG_RECORD
        if record is None:
            return NO_RECORD
        return record if self.is_whole(record) else CONTENT_MISSING

    def read(self, level: str, key: str) -> ActionRecord | None:
        """The record, or None. Raises `WrongRecord`."""
        try:
            with open_regular(self.record_path(level, key)) as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WrongRecord(str(error)) from error
        return decode(key, data)

    def is_whole(self, record: ActionRecord) -> bool:
        """Whether all its content is there, by name and size."""
        return all(self.content.has(one) for one in record.outputs.values())

    def put(self, level: str, key: str, record: ActionRecord) -> ActionRecord:
        """Put the record if no sound and whole one is there; the one that stands."""
        if self._place(os.link, level, key, record):
            return record
        standing = self.find(level, key)
        if isinstance(standing, ActionRecord):
            return standing
        self._place(os.replace, level, key, record)
        return record

    def _place(self, move: Callable[[str, str], None], level: str, key: str, record: ActionRecord) -> bool:
        with self.content.draft() as draft:
            draft.write(encode(key, record))
            finish(draft, RECORD_MODE, sync=self.content.sync)
            try:
                into_place(move, draft.path, self.record_path(level, key))
            except FileExistsError:
                return False
        return True

    def levels(self) -> list[str]:
        """Names of all levels of trust that have records here."""
        try:
            return sorted(os.listdir(os.path.join(self.root, "ac")))
        except OSError:
            return []

    @contextmanager
    def locked(self, *, alone: bool) -> Iterator[None]:
        """Hold off cleaning while something is looked up; `alone`: hold off look-ups while cleaning."""
        import fcntl

        try:
            file = os.open(os.path.join(self.root, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            yield  # Not there yet, or read-only: nobody of our rights can clean it either.
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(file)
