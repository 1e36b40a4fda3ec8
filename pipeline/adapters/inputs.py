"""What a project's results depend on, as digests: its files, and (in `installed`) its interpreter with packages.

On the path of a `doit` with nothing to do, so it imports little, and asks each file for its signature only. A file whose
last change lies within two seconds of the scan that read it is read again next time: it may have changed once more
within one tick of the file system's clock.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from attrs import define, field, frozen

from pipeline.adapters.file_content import UNREADABLE, Signature, changed_at, content_digest, is_folder, signature
from pipeline.adapters.file_listing import Listing, globbed, matcher, names_of
from pipeline.adapters.installed import interpreter_digest

__all__ = ["Changes", "FilesDigest", "changes", "file_digests", "files_digest", "interpreter_digest"]

_VERSION: Final = 2
_RACY_NANOSECONDS: Final = 2_000_000_000


@frozen
class FilesDigest:
    """All files that count."""

    digest: str
    """Over names and digests, sorted by name."""
    files: Mapping[str, str]
    """Digest by name, relative to the root; names that are no UTF-8 hold surrogates."""


@frozen
class Changes:
    """How two states differ; names in order."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> Changes:
    """What must have been done to `old` to make it `new`."""
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
        removed=tuple(sorted(old.keys() - new.keys())),
    )


def files_digest(
    root: str | os.PathLike[str],
    cache_path: str | os.PathLike[str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> FilesDigest:
    """Digest the project's tracked and unignored files, those in repositories inside it too.

    `exclude` leaves out what matches; `include` adds files that git ignores, whatever `exclude` says. Deleted files are
    absent; an unreadable one counts as such. A cache that is missing, damaged or cannot be written costs time only.
    """
    top = os.fspath(root)
    scan = _Scan(top, _read_cache(cache_path), matcher(exclude), "\0".join(exclude))
    scan.repository("")
    scan.take(globbed(top, include))
    if scan.is_changed():
        scan.digest()
        _write_cache(cache_path, scan)
    return FilesDigest(scan.cache["digest"], {name: entry[-1] for name, entry in scan.cache["entries"].items()})


def file_digests(root: str | os.PathLike[str], names: Iterable[str]) -> Mapping[str, str]:
    """Digest by name of some files below the root, read now."""
    top = os.fspath(root)
    folder = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return {name: content_digest(os.path.join(top, name), signature(name, folder)) for name in names}
    finally:
        os.close(folder)


@define
class _Scan:
    """One look at all files, beside what the last one saw."""

    root: str
    cache: dict[str, Any]
    excluded: Any
    patterns: str
    entries: dict[str, list[Any]] = field(factory=dict)
    """Signature's numbers, then the digest; by name."""
    listings: dict[str, list[Any]] = field(factory=dict)
    """By repository inside the root: digest of its listing, and the names of it that count."""

    def repository(self, prefix: str) -> None:
        """Take all that one repository lists, then the repositories inside it. `prefix` ends with `/` or is empty."""
        listing = Listing(os.path.join(self.root, prefix))
        known, names = self.cache["listings"].get(prefix, ("", []))
        signs = self._signs(names)  # Meanwhile git runs.
        raw = listing.raw()
        mark = blake2b(raw + os.fsencode(self.patterns), digest_size=16).hexdigest()
        if mark != known:
            names = [name for name in (prefix + found for found in names_of(raw)) if not self.excluded.fullmatch(name)]
            signs = self._signs(names)
        self.listings[prefix] = [mark, names]
        for inner in {folder.rstrip("/") + "/" for folder in self._digest(signs)} - self.listings.keys():
            self.repository(inner)

    def digest(self) -> None:
        """Make what this scan saw the content of the cache, in order."""
        entries = dict(sorted(self.entries.items()))
        text = "\0".join(part for name, entry in entries.items() for part in (name, entry[-1]))
        digest = blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        self.cache = {"version": _VERSION, "digest": digest, "entries": entries, "listings": self.listings}

    def take(self, names: Iterable[str]) -> None:
        """Take files by name, wherever they come from."""
        self._digest(self._signs(names))

    def is_changed(self) -> bool:
        """Whether the next scan would be served better by what this one knows."""
        return bool(self.entries != self.cache["entries"] or self.listings != self.cache["listings"])

    def _signs(self, names: Iterable[str]) -> dict[str, Signature]:
        signs: dict[str, Signature] = {}
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in names:
                try:
                    signs[name] = signature(name, folder)
                except OSError:
                    continue  # Tracked and deleted, or gone since it was listed.
        finally:
            os.close(folder)
        return signs

    def _digest(self, signs: Mapping[str, Signature]) -> list[str]:
        """Enter the files, read those that may have changed; the folders among the names."""
        known, folders = self.cache["entries"], []
        for name, sign in signs.items():
            entry = known.get(name)
            if entry is not None and entry[:-1] == sign:
                self.entries[name] = entry
            elif is_folder(sign):
                folders.append(name)
            else:
                self.entries[name] = [*sign, content_digest(os.path.join(self.root, name), sign)]
        return folders


def _read_cache(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            cache = json.load(file)
        parts = (cache["entries"], cache["listings"])
        if cache["version"] == _VERSION and cache["digest"] and all(isinstance(part, dict) for part in parts):
            return dict(cache)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return {"entries": {}, "listings": {}, "digest": ""}


def _write_cache(path: str | os.PathLike[str], scan: _Scan) -> None:
    temporary = f"{os.fspath(path)}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(temporary), exist_ok=True)
        with open(temporary, "w", encoding="utf-8") as file:
            racy = min(os.fstat(file.fileno()).st_ctime_ns, time.time_ns()) - _RACY_NANOSECONDS
            entries = {name: _kept(entry, racy) for name, entry in scan.cache["entries"].items()}
            json.dump({**scan.cache, "entries": entries}, file)
        os.replace(temporary, path)
    except OSError:
        pass  # A read-only project is scanned anew each time.


def _kept(entry: list[Any], racy: int) -> list[Any]:
    """The entry, without a signature when it must be read again."""
    return entry if changed_at(entry[:-1]) < racy and UNREADABLE not in entry[-1] else [entry[-1]]
