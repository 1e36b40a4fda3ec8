"""Read a requirements file whose lines are pinned with hashes, as `pip install --require-hashes` takes it.

Included files are had through a function. Must not touch an index or a disk.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.logic.immutable import SHA256, why_fresh
from pipeline.logic.requirement_lines import logical_lines
from pipeline.logic.target_platform import marker_environment
from pipeline.model.dependencies import Artifact, Lock, Pin, Target

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Read = Callable[[str], str]
"""Text of a file by path, relative to the project. Raises `UsageError`."""

_HASH = re.compile(r"\s--hash[= ](\S+)")
_OPTION = re.compile(r"(--?[a-z-]+)(?:[= ]\s*(.*))?$")
_URL = re.compile(r"(?:[a-z0-9]+\+)?[a-z]+://", re.IGNORECASE)
_VALUES = {"-i": "index", "--index-url": "index", "--extra-index-url": "extra", "-f": "links", "--find-links": "links"}
_INCLUDES = {"-r", "--requirement"}
_EDITABLE = {"-e", "--editable"}
_IDLE = {
    "--require-hashes", "--no-index", "--only-binary", "--no-binary", "--prefer-binary", "--pre", "--trusted-host",
    "--use-feature", "--use-pep517", "--no-use-pep517", "-c", "--constraint", "--config-settings", "--all-releases", "--only-final",
}  # fmt: skip
"""They change what pip would resolve, not what is already pinned."""


def has_hashes(text: str) -> bool:
    """Whether a requirements file means to be a lock."""
    return any(_HASH.search(line) for _, line in logical_lines(text, {}))


def read_requirements(path: str, read: Read, target: Target, environment: Mapping[str, str]) -> Lock:
    """The lock for a target. Raises `UsageError` naming file and line of what cannot be used."""
    reader = _Reader(read, target, environment)
    reader.file(path, (), "")
    pins = tuple(reader.pins[name] for name in sorted(reader.pins))
    indexes = (*reader.options["index"][-1:], *reader.options["extra"])
    return Lock(path=path, pins=pins, indexes=indexes, find_links=tuple(reader.options["links"]))


class _Reader:
    def __init__(self, read: Read, target: Target, environment: Mapping[str, str]) -> None:
        self._read, self._markers, self._environment = read, marker_environment(target), environment
        self.pins: dict[str, Pin] = {}
        self.options: dict[str, list[str]] = {"index": [], "extra": [], "links": []}

    def file(self, path: str, above: tuple[str, ...], place: str) -> None:
        if path in above:
            raise UsageError(f"{place}: {path!r} is included in itself")
        try:
            text = self._read(path)
        except UsageError as error:
            raise UsageError(f"{place}: {error.message}" if place else error.message, hint=error.hint) from error
        for number, line in logical_lines(text, self._environment):
            place = f"{path}:{number}"
            if line.startswith("-"):
                self._option(line, place, path, above)
            else:
                self._requirement(line, place, path)

    def _option(self, line: str, place: str, path: str, above: tuple[str, ...]) -> None:
        match = _OPTION.match(line)
        option, value = (match[1], (match[2] or "").strip()) if match else (line, "")
        if option in _INCLUDES and value:
            self.file(posixpath.normpath(posixpath.join(posixpath.dirname(path), value)), (*above, path), place)
        elif option in _EDITABLE and value:
            self._fresh(value, place, path, editable=True)
        elif option in _VALUES and value:
            self.options[_VALUES[option]].append(value)
        elif option not in _IDLE:
            raise UsageError(
                f"{place}: {line!r} is not understood", hint="see `pip help install` for what may stand here"
            )

    def _requirement(self, line: str, place: str, path: str) -> None:
        hashes = tuple(_HASH.findall(line))
        text = _HASH.split(line)[0].strip()
        if _URL.match(text) or text.startswith((".", "/", "file:")):
            return self._url("", text, place, path, hashes)
        requirement = _parse(text, place)
        if requirement.marker is not None and not requirement.marker.evaluate({**self._markers, "extra": ""}):
            return None
        if requirement.url:
            return self._url(requirement.name, requirement.url, place, path, hashes)
        artifacts = _artifacts(hashes, place)
        version = _pinned(requirement, place)
        if not artifacts:
            raise UsageError(f"{place}: {text!r} has no sha256 hash", hint=_LOCKING)
        fresh = why_fresh(version, artifacts)
        source = f"{requirement.name}=={version}" if fresh else ""
        return self._add(
            Pin(
                name=_normal(requirement.name),
                version=version,
                place=place,
                artifacts=artifacts,
                fresh=fresh,
                requirement=source,
            )
        )

    def _url(self, name: str, url: str, place: str, path: str, hashes: tuple[str, ...]) -> None:
        bare, _, fragment = url.partition("#")
        noted = re.search(r"(?:^|&)sha256[=:]([0-9a-fA-F]{64})", fragment)
        filename = bare.rsplit("/", 1)[-1]
        artifacts = _artifacts((*hashes, *([f"sha256:{noted[1].lower()}"] if noted else [])), place)
        if artifacts and filename.endswith(".whl") and _URL.match(url):
            from packaging.utils import InvalidWheelFilename, parse_wheel_filename

            try:
                named, version, _, _ = parse_wheel_filename(filename)
            except InvalidWheelFilename as error:
                raise UsageError(f"{place}: {error}") from error
            located = tuple(Artifact(sha256=one.sha256, filename=filename, url=bare) for one in artifacts)
            fresh = why_fresh(str(version), located)
            self._add(
                Pin(
                    name=named,
                    version=str(version),
                    place=place,
                    artifacts=located,
                    fresh=fresh,
                    requirement=url if fresh else "",
                )
            )
        else:
            self._fresh(f"{name} @ {url}" if name else url, place, path, editable=False)

    def _fresh(self, source: str, place: str, path: str, *, editable: bool) -> None:
        name = _name_of(source)
        why = "it is installed in place" if editable else "it is no file with a sha256 digest"
        where = (
            posixpath.normpath(posixpath.join(posixpath.dirname(path), source)) if source.startswith(".") else source
        )
        self._add(Pin(name=name or where, version="", place=place, fresh=why, requirement=where, editable=editable))

    def _add(self, pin: Pin) -> None:
        other = self.pins.setdefault(pin.name, pin)
        if (other.version, other.artifacts) != (pin.version, pin.artifacts):
            raise UsageError(
                f"{pin.place}: {pin.name!r} is pinned to {pin.version!r}, but {other.place} says {other.version!r}"
            )


_LOCKING = "make the lock with `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`"


def _parse(text: str, place: str) -> Requirement:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(f"{place}: {text!r} is no requirement: {str(error).splitlines()[0]}") from error


def _pinned(requirement: Requirement, place: str) -> str:
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator not in ("==", "===") or specifiers[0].version.endswith("*"):
        raise UsageError(f"{place}: {str(requirement)!r} is not pinned to one version with '=='", hint=_LOCKING)
    return specifiers[0].version


def _artifacts(hashes: tuple[str, ...], place: str) -> tuple[Artifact, ...]:
    found = []
    for one in dict.fromkeys(hashes):
        kind, _, digest = one.partition(":")
        if kind == "sha256" and not SHA256.fullmatch(digest.lower()):
            raise UsageError(f"{place}: {one!r} is no sha256 digest: 64 hexadecimal digits are expected")
        if kind == "sha256":
            found.append(Artifact(sha256=digest.lower()))
    return tuple(sorted(found, key=lambda artifact: artifact.sha256))


def _name_of(source: str) -> str:
    egg = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", source)
    named = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*@", source)
    match = egg or named
    return _normal(match[1]) if match else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
