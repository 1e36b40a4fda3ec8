"""Fetches the shared team files that `extends` names; remote ones are pinned by digest and kept once fetched.

`extends = "path"` or a table with `path` or `url`, and `sha256` (required with `url`), or a list of those. What is in
the files is read by `files`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipeline.settings.files import Document, read_document
from pipeline.settings.ledger import Ledger, Problem
from pipeline.settings.provenance import Layer

FORM: Final = 'a path, { path = "…" } or { url = "https://…", sha256 = "…" }, or a list of those'
TIMEOUT_SECONDS: Final = 20.0
LARGEST_BYTES: Final = 1 << 20


class Unfit(ValueError):
    """A shared file cannot be had, or is not what its digest says."""


def read_shared(ledger: Ledger, project: Document, home: Path) -> list[Document]:
    """Return the documents the project extends, in the order given: later ones lie above earlier ones."""
    given = project.table.get("extends", [])
    place = project.place(Layer.PROJECT, ("extends",))
    documents = []
    for item in given if isinstance(given, list) else [given]:
        try:
            documents.append(_document(ledger, item, home))
        except Unfit as error:
            ledger.problems.append(Problem(f"extends: {error}", place))
    for document in documents:
        if "extends" in document.table:
            text = "a shared file may not extend another one; name both in the project's extends"
            ledger.problems.append(Problem(text, document.place(Layer.EXTENDS, ("extends",))))
    return documents


def _document(ledger: Ledger, item: object, home: Path) -> Document:
    fields = {"path": item} if isinstance(item, str) else item
    if not isinstance(fields, Mapping) or not all(isinstance(value, str) for value in fields.values()):
        raise Unfit(f"expected {FORM}, got {item!r}")
    keys = set(fields)
    if keys in ({"path"}, {"path", "sha256"}):
        file, source = _local(ledger.context.root, fields), fields["path"]
    elif keys == {"url", "sha256"}:
        file, source = _remote(fields["url"], fields["sha256"].lower(), home), _without_password(fields["url"])
    elif keys == {"url"}:
        raise Unfit(f'{_without_password(fields["url"])!r} needs a digest: sha256 = "…" pins what may be used')
    else:
        raise Unfit(f"expected {FORM}, got keys {', '.join(sorted(keys))}")
    return read_document(ledger, file, source=source, layer=Layer.EXTENDS)


def _local(root: Path, fields: Mapping[str, str]) -> Path:
    file = root / Path(fields["path"]).expanduser()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Unfit(f"{fields['path']!r} cannot be read: {error.strerror}") from None
    if "sha256" in fields:
        _check(content, fields["sha256"].lower(), fields["path"])
    return file


def _remote(url: str, digest: str, home: Path) -> Path:
    kept = home / ".cache" / "doit-fleet" / "extends" / f"{digest}.toml"
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise Unfit(f"sha256 must be 64 hexadecimal digits, got {digest!r}")
    if kept.is_file() and hashlib.sha256(kept.read_bytes()).hexdigest() == digest:
        return kept
    content = _download(url)
    _check(content, digest, _without_password(url))
    return _keep(content, kept)


def _download(url: str) -> bytes:
    from urllib.error import URLError
    from urllib.request import urlopen

    name = _without_password(url)
    if not url.startswith(("https://", "http://")):
        raise Unfit(f"{name!r} is neither an https nor an http address")
    try:
        with urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            content: bytes = answer.read(LARGEST_BYTES + 1)
    except (URLError, OSError, ValueError) as error:
        raise Unfit(f"{name!r} cannot be fetched: {getattr(error, 'reason', error)}") from None
    if len(content) > LARGEST_BYTES:
        raise Unfit(f"{name!r} is larger than {LARGEST_BYTES} bytes")
    return content


def _check(content: bytes, digest: str, name: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise Unfit(f"{name!r} has sha256 {found}, not {digest} as pinned")


def _keep(content: bytes, kept: Path) -> Path:
    """Write whole or not at all, in the cache or, where that is read-only, in a temporary file."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        folder = kept.parent
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="doit-fleet-"))
    handle, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    os.replace(name, folder / kept.name)
    return folder / kept.name


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
