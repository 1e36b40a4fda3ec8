"""`ports.artifacts.ArtifactCache`: the local tier, filled from a remote one, seen with the eyes of one level of trust.

A trusted build reads trusted records only. Any other level reads those and its own, and writes its own. It must not
know what artifacts are, nor how a remote tier is reached.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.adapters.artifact_bounds import CLOSING_SECONDS, SECONDS, Bounds
from pipeline.adapters.artifact_files import Draft, Reading, WrongContent, copy_into
from pipeline.adapters.artifact_folder import CONTENT_MISSING, NO_RECORD, ArtifactFolder
from pipeline.adapters.artifact_index import ArtifactIndex
from pipeline.adapters.artifact_lease import Lease
from pipeline.adapters.artifact_log import ArtifactLog
from pipeline.adapters.artifact_upstream import NO_UPSTREAM, NoUpstream, Upstream
from pipeline.errors import UsageError
from pipeline.logic.artifact_records import WrongRecord, check_key, check_level, check_paths
from pipeline.ports.artifacts import TRUSTED, ActionRecord, ArtifactGone, Output, RemoteTier

OTHER_LEVEL = "record of untrusted level"
MISMATCH = "digest mismatch"
BROUGHT_AT_ONCE = 8
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def silent(text: str) -> None:
    """Tell nobody."""


class TieredCache:
    """The cache in `path`, and the remote tier behind it; nothing is made before the first write.

    `level`: whose records are written, and read beside the trusted ones. `tell` is given notices for people, once each.
    The seconds are what one answer of the remote may take, and what `close` may wait for uploads.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        level: str = TRUSTED,
        remote: RemoteTier | None = None,
        remote_seconds: float = SECONDS,
        closing_seconds: float = CLOSING_SECONDS,
        tell: Callable[[str], None] = silent,
        sync: bool = True,
    ) -> None:
        self._folder = ArtifactFolder.at(path, sync=sync)
        self._level = check_level(level)
        self._levels: Sequence[str] = tuple(dict.fromkeys((TRUSTED, level)))
        self._lease = Lease(self._folder.root)
        self._log = ArtifactLog(ArtifactIndex(self._folder.root), tell)
        self._upstream: NoUpstream = NO_UPSTREAM
        if remote is not None:
            bounds = Bounds(self._log.notice, seconds=remote_seconds, closing_seconds=closing_seconds)
            self._upstream = Upstream(remote, self._folder, self._levels, self._log, bounds)
        self._unstored: dict[str, Path] = {}

    @property
    def folder(self) -> ArtifactFolder:
        """The local tier."""
        return self._folder

    def find(self, key: str, *, about: str = "") -> ActionRecord | None:
        """The record under a key, if it may be trusted and all its content can be had."""
        check_key(key)
        reasons = []
        for level in self._levels:
            found = self._local(level, key)
            if isinstance(found, ActionRecord):
                return self._hit(level, key, found, "hit")
            reasons.append(found)
        for level in self._levels:
            found = self._upstream.bring(level, key)
            if isinstance(found, ActionRecord):
                found = self._adopted(level, key, found)
            if isinstance(found, ActionRecord):
                return self._hit(level, key, found, "hit: remote")
            reasons.append(found)
        self._log.answer(key, about, f"miss: {self._reason(key, reasons)}")
        return None

    def find_all(self, keys: Iterable[str]) -> Mapping[str, ActionRecord]:
        """The records of all keys that can be had."""
        wanted = list(dict.fromkeys(keys))
        if self._upstream is NO_UPSTREAM:
            found = [self.find(key) for key in wanted]
        else:
            with ThreadPoolExecutor(BROUGHT_AT_ONCE) as threads:
                found = list(threads.map(self.find, wanted))
        return {key: record for key, record in zip(wanted, found, strict=True) if record is not None}

    def file(self, output: Output) -> Path:
        """A verified local file with that content."""
        try:
            path = self._folder.content.checked(output)
        except WrongContent:
            self._log.notice(f"the artifact cache held wrong bytes for {output.sha256!r}; they were removed")
            path = None
        path = path or (self._upstream.content(output) and self._rechecked(output)) or self._unstored_path(output)
        if path is None:
            self._log.answer(output.sha256, "content of a record", f"miss: {MISMATCH} or gone")
            raise ArtifactGone(
                f"content {output.sha256!r} is not in the artifact cache (any more)", hint="make the artifact anew"
            )
        return Path(path)

    def place(self, output: Output, target: Path) -> None:
        """A private copy at `target`, checked as it is made."""
        for _ in range(2):  # A second time, because what was right a moment ago can be wrong by now.
            source = self.file(output)
            if _copied(source, target, output):
                return
        raise ArtifactGone(f"content {output.sha256!r} changes as it is read", hint="make the artifact anew")

    def keep(self, key: str, files: Mapping[str, Path], *, kind: str, about: str) -> ActionRecord:
        """Store files under a key."""
        check_key(key)
        try:
            check_paths(files)
        except WrongRecord as error:
            raise UsageError(f"outputs of {about or key!r} cannot be kept: {error}") from error
        standing = self._upstream.bring(self._level, key)
        if isinstance(standing, ActionRecord):
            standing = self._adopted(self._level, key, standing)
        if isinstance(standing, ActionRecord):
            return standing
        try:
            record = ActionRecord(outputs=self._add(files), kind=kind, about=about)
            with self._folder.locked(alone=False):
                self._lease.add([f"{self._level}/{key}"])
                if not self._folder.is_whole(record):  # Cleaned away a moment ago; from here on that has to wait.
                    record = ActionRecord(outputs=self._add(files), kind=kind, about=about)
                record = self._folder.put(self._level, key, record)
        except Reading as error:
            raise UsageError(f"an output of {about or key!r} cannot be read: {error}") from error
        except OSError as error:
            self._say_unwritable(error)
            return self._not_kept(files, kind, about)
        self._log.use(f"{self._level}/{key}")
        self._upstream.send(self._level, key, record)
        return record

    def close(self) -> None:
        """Wait a bounded time for uploads, write down uses, let go of what was in use."""
        self._upstream.close()
        self._log.flush()
        self._lease.close()

    def _local(self, level: str, key: str) -> ActionRecord | str:
        with self._folder.locked(alone=False):
            found = self._folder.find(level, key)
            if isinstance(found, ActionRecord):
                self._lease.add([f"{level}/{key}"])
            return found

    def _adopted(self, level: str, key: str, record: ActionRecord) -> ActionRecord | str:
        try:
            with self._folder.locked(alone=False):
                self._lease.add([f"{level}/{key}"])
                return self._folder.put(level, key, record) if self._folder.is_whole(record) else CONTENT_MISSING
        except OSError as error:
            self._say_unwritable(error)
            return record

    def _hit(self, level: str, key: str, record: ActionRecord, answer: str) -> ActionRecord:
        self._log.answer(key, record.about, answer, used=f"{level}/{key}")
        return record

    def _reason(self, key: str, reasons: Iterable[str]) -> str:
        told = list(dict.fromkeys(reason for reason in reasons if reason not in ("", NO_RECORD)))
        if not told:
            others = set(self._folder.levels()).difference(self._levels)
            if any(os.path.exists(self._folder.record_path(level, key)) for level in others):
                return OTHER_LEVEL
        return ", ".join(told) or NO_RECORD

    def _rechecked(self, output: Output) -> str | None:
        try:
            return self._folder.content.checked(output)
        except WrongContent:
            return None

    def _unstored_path(self, output: Output) -> str | None:
        """What could not be stored is still where its maker left it, perhaps."""
        import hashlib

        path = self._unstored.get(output.sha256)
        if path is None:
            return None
        found = hashlib.sha256()
        try:
            copy_into(path, found.update)
        except Reading:
            return None
        return os.fspath(path) if found.hexdigest() == output.sha256 else None

    def _add(self, files: Mapping[str, Path]) -> dict[str, Output]:
        return {path: self._folder.content.add(source) for path, source in sorted(files.items())}

    def _not_kept(self, files: Mapping[str, Path], kind: str, about: str) -> ActionRecord:
        outputs = {path: _described(source) for path, source in sorted(files.items())}
        self._unstored.update({one.sha256: files[path].absolute() for path, one in outputs.items()})
        return ActionRecord(outputs=outputs, kind=kind, about=about)

    def _say_unwritable(self, error: OSError) -> None:
        reason = "the disk is full" if error.errno in FULL else os.strerror(error.errno or 0)
        self._log.notice(
            f"the artifact cache {self._folder.root!r} cannot be written: {reason}; builds go on without it"
        )


def _copied(source: Path, target: Path, output: Output) -> bool:
    """Whether the target has the right bytes; it is removed otherwise."""
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    is_right = False
    try:
        draft = Draft(os.fspath(target), descriptor)
        copy_into(source, draft.write)
        os.fchmod(descriptor, output.mode)
        is_right = draft.sha256 == output.sha256
    except Reading:
        pass  # It has just been removed.
    finally:
        os.close(descriptor)
        if not is_right:
            os.unlink(target)
    return is_right


def _described(source: Path) -> Output:
    import hashlib

    found, size = hashlib.sha256(), 0

    def count(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        found.update(piece)

    try:
        mode = copy_into(source, count)
    except Reading as error:
        raise UsageError(f"an output cannot be read: {error}") from error
    return Output(sha256=found.hexdigest(), size=size, mode=mode)
