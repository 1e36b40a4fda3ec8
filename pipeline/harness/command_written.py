"""What commands write for us: metrics, results, exported variables, their output. All of it is hostile: bounded and checked.

Knows nothing of tests; every trouble is a `Unreadable` with a text for people.
"""

from __future__ import annotations

import glob
import json
import math
import os
import re
import stat
from typing import Any, Dict, Iterator, List, Tuple

from .pytest_text import SECTION_LIMIT, capped

FILE_LIMIT = 1 << 20
RESULTS_LIMIT = 1 << 18
MOST_METRICS = 500
LONGEST_TEXT = 1000
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Unreadable(Exception):
    """A file is not what it should be."""


def matching(folder: str, pattern: str) -> List[str]:
    """Regular files below a folder that match, sorted, relative to it."""
    found = glob.iglob(os.path.join(glob.escape(folder), pattern), recursive=True)
    names = (os.path.relpath(path, folder) for path in found if stat.S_ISREG(_mode(path)))
    return sorted(name for name in names if not name.startswith(".."))


def metrics_of(folder: str, patterns: List[str]) -> List[Tuple[str, Any]]:
    """(name, number or text) from JSON objects and key=value files. Raises `Unreadable`."""
    found = {}
    for name in _wanted(folder, patterns):
        text = _read(os.path.join(folder, name), name, FILE_LIMIT)
        pairs = _flat(_object(text, name), "") if name.endswith(".json") else _pairs(text, name)
        for key, value in pairs:
            if key in found:
                raise Unreadable("metric %r is written twice, the second time in %r" % (key, name))
            found[key] = value
            if len(found) > MOST_METRICS:
                raise Unreadable("more than %d metrics, the last ones in %r" % (MOST_METRICS, name))
    return list(found.items())


def results_of(folder: str, patterns: List[str]) -> List[Any]:
    """The JSON objects of results. Raises `Unreadable`."""
    return [_object(_read(os.path.join(folder, name), name, RESULTS_LIMIT), name) for name in _wanted(folder, patterns)]


def exports_of(path: str) -> Dict[str, str]:
    """Variables that a set-up exports, by name; none when it wrote no such file. Raises `Unreadable`."""
    if not os.path.lexists(path):
        return {}
    found = {}
    for key, value in _lines(_read(path, os.path.basename(path), FILE_LIMIT), os.path.basename(path)):
        if not VARIABLE_NAME.match(key) or "\0" in value:
            raise Unreadable("exported %r is no environment variable" % key)
        found[key] = value
    return found


def output_of(path: str) -> str:
    """The first and the last part of a file of any size."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= 4 * SECTION_LIMIT:
                return capped(file.read().decode("utf-8", "replace"))
            head = file.read(SECTION_LIMIT)
            file.seek(-SECTION_LIMIT, os.SEEK_END)
            middle = b"\n[... %d bytes left out by doit-fleet ...]\n" % (size - 2 * SECTION_LIMIT)
            return capped((head + middle + file.read()).decode("utf-8", "replace"))
    except OSError:
        return ""


def is_shortened(path: str) -> bool:
    """Whether `output_of` leaves something out."""
    try:
        return os.stat(path).st_size > 2 * SECTION_LIMIT
    except OSError:
        return False


def _wanted(folder: str, patterns: List[str]) -> List[str]:
    """Files that patterns match; one that is a plain name must be there."""
    found = {}
    for pattern in patterns:
        names = matching(folder, pattern)
        if not names and not glob.has_magic(pattern):
            raise Unreadable("it has not written %r" % pattern)
        found.update(dict.fromkeys(names))
    return list(found)


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def _read(path: str, name: str, limit: int) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable("%r is no regular file" % name)
            data = file.read(limit + 1)
    except OSError as error:
        raise Unreadable("%r cannot be read: %s" % (name, error.strerror)) from error
    if len(data) > limit:
        raise Unreadable("%r is larger than %d KiB" % (name, limit >> 10))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("%r is no UTF-8" % name) from error


def _object(text: str, name: str) -> Dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=str, parse_float=_finite, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Unreadable("%r is no JSON: %s" % (name, error or "nested too deeply")) from error
    if not isinstance(value, dict):
        raise Unreadable("%r holds no JSON object" % name)
    return value


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for at, (key, _) in enumerate(pairs) if key in dict(pairs[:at]))
        raise ValueError("key %r comes twice" % twice)
    return made


def _finite(text: str) -> Any:
    number = float(text)
    return number if math.isfinite(number) else text


def _flat(value: Any, name: str) -> Iterator[Tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, "%s.%s" % (name, key) if name else key)
    elif isinstance(value, (list, str)):
        text = value if isinstance(value, str) else json.dumps(value)
        yield name, text[:LONGEST_TEXT]
    else:
        yield name, value


def _pairs(text: str, name: str) -> Iterator[Tuple[str, Any]]:
    for key, value in _lines(text, name):
        yield key, _number(value)


def _lines(text: str, name: str) -> Iterator[Tuple[str, str]]:
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or not key.strip():
            raise Unreadable("%r has a line that is not key=value: %r" % (name, line[:80]))
        yield key.strip(), value.strip()


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if math.isfinite(number) else text
    return text[:LONGEST_TEXT]
