"""Action records as bytes, and back; what comes from a disk or a remote is hostile until it has passed here.

One JSON object `{"version": 1, "key", "kind", "about", "outputs": {path: [sha256, size, mode]}, "seal"}`. The seal is
the SHA-256 of the same object without it, in canonical form: a flipped bit in a path must not give a wrong artifact.
The key is inside, so that no record can be passed off as another's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.ports.artifacts import FETCHED, PRODUCED, ActionRecord, Output

MAX_BYTES: Final = 16 * 2**20
MAX_OUTPUTS: Final = 50_000
MAX_PATH: Final = 1024
MAX_NAME: Final = 255
MAX_ABOUT: Final = 1000

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LEVEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class WrongRecord(ValueError):
    """These bytes are no record of that key; the text says why."""


def check_key(key: str) -> str:
    """Return the key or content digest: 64 small hexadecimal digits. Raises `UsageError`."""
    if not _DIGEST.fullmatch(key):
        raise UsageError(f"{key!r} is no key of an artifact", hint="keys are SHA-256 digests, 64 hexadecimal digits")
    return key


def check_level(level: str) -> str:
    """Return the name of a level of trust. Raises `UsageError`."""
    if not _LEVEL.fullmatch(level):
        raise UsageError(
            f"{level!r} cannot be a level of trust",
            hint='use "trusted", or up to 64 letters, digits, ".", "_" and "-", such as "pr-12"',
        )
    return level


def encode(key: str, record: ActionRecord) -> bytes:
    """The record's bytes: equal records give equal bytes."""
    body = {
        "version": 1,
        "key": key,
        "kind": record.kind,
        "about": record.about[:MAX_ABOUT],
        "outputs": {path: [one.sha256, one.size, one.mode] for path, one in record.outputs.items()},
    }
    return _canonical({**body, "seal": _seal(body)})


def decode(key: str, data: bytes) -> ActionRecord:
    """The record of that key. Raises `WrongRecord`."""
    body = _parse(data)
    seal = body.pop("seal", None)
    if body.pop("version", None) != 1 or seal != _seal({**body, "version": 1}):
        raise WrongRecord("damaged, or of another version")
    if body.pop("key", None) != key:
        raise WrongRecord("of another key")
    return _record(body)


def check_paths(paths: Iterable[str]) -> None:
    """Raise `WrongRecord` unless these can be files below one folder, none of them outside, none within another."""
    known = set(paths)
    for path in known:
        _check_path(path)
        folder = path.rpartition("/")[0]
        while folder:
            if folder in known:
                raise WrongRecord(f"{folder[:MAX_NAME]!r} is a file and a folder at once")
            folder = folder.rpartition("/")[0]


def _check_path(path: str) -> None:
    shown = path[:MAX_NAME]
    try:
        length = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        raise WrongRecord(f"path {shown!r} is no text") from None
    if not length or length > MAX_PATH:
        raise WrongRecord(f"path {shown!r} is empty or too long")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
        raise WrongRecord(f"path {shown!r} has control characters")
    for part in path.split("/"):
        if part in ("", ".", "..") or len(part.encode("utf-8")) > MAX_NAME:
            raise WrongRecord(f"path {shown!r} leads elsewhere")


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise WrongRecord("too large")
    try:
        body = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise WrongRecord(f"no JSON: {str(error)[:MAX_NAME]}") from None
    if not isinstance(body, dict):
        raise WrongRecord("no JSON object")
    return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise WrongRecord("a name twice")
    return values


def _record(body: Mapping[str, Any]) -> ActionRecord:
    kind, about, outputs = body.get("kind"), body.get("about"), body.get("outputs")
    if kind not in (FETCHED, PRODUCED) or not isinstance(about, str) or len(about) > MAX_ABOUT:
        raise WrongRecord("kind or about is wrong")
    if not isinstance(outputs, dict) or len(outputs) > MAX_OUTPUTS:
        raise WrongRecord("outputs are wrong, or too many")
    check_paths(outputs)
    return ActionRecord(outputs={path: _output(one) for path, one in outputs.items()}, kind=kind, about=about)


def _output(value: Any) -> Output:
    match value:
        case [str(sha256), int(size), int(mode)] if not isinstance(size, bool) and not isinstance(mode, bool):
            if _DIGEST.fullmatch(sha256) and 0 <= size < 2**53 and 0 <= mode <= 0o777:
                return Output(sha256=sha256, size=size, mode=mode)
    raise WrongRecord("an output is wrong")


def _seal(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(body)).hexdigest()


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
