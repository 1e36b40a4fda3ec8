"""Which indexes the user has set up for pip or uv: their variables and configuration files. Credentials in them are kept secret.

https://pip.pypa.io/en/stable/topics/configuration/. Must not know what is fetched.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

PYPI = "https://pypi.org/simple"


@frozen(kw_only=True)
class IndexSettings:
    """Where distributions are fetched from."""

    indexes: tuple[str, ...] = field(default=(PYPI,), repr=False)
    """The main one first."""
    is_set: bool = False
    """Whether the user named the main one: then it stands in for PyPI wherever a lock names that."""
    find_links: tuple[str, ...] = field(default=(), repr=False)
    certificates: str = ""
    """A file of authorities, beside what `requests` takes from the environment."""
    online: bool = True


def index_settings(environment: Mapping[str, str], home: Path, prefix: str = "") -> IndexSettings:
    """What the variables say, else the files: the environment's own, the user's, the machine's."""
    told = {**_from_files(environment, home, prefix), **_from_variables(environment)}
    main = told.get("index-url", "")
    extra = told.get("extra-index-url", "").split()
    return IndexSettings(
        indexes=tuple(dict.fromkeys((main or PYPI, *extra))),
        is_set=bool(main),
        find_links=tuple(told.get("find-links", "").split()),
        certificates=told.get("cert", ""),
        online=told.get("no-index", "").lower() not in ("1", "true", "yes", "on"),
    )


def _from_variables(environment: Mapping[str, str]) -> dict[str, str]:
    told = {}
    for name, key in (
        ("UV_DEFAULT_INDEX", "index-url"),
        ("UV_INDEX_URL", "index-url"),
        ("UV_EXTRA_INDEX_URL", "extra-index-url"),
    ):
        if environment.get(name):
            told[key] = (
                environment[name].rpartition("=")[2]
                if name == "UV_DEFAULT_INDEX" and "=http" in environment[name]
                else environment[name]
            )
    for key in ("index-url", "extra-index-url", "find-links", "cert", "no-index"):
        value = environment.get("PIP_" + key.upper().replace("-", "_"))
        if value:
            told[key] = value
    return told


def _from_files(environment: Mapping[str, str], home: Path, prefix: str) -> dict[str, str]:
    told: dict[str, str] = {}
    for path in _files(environment, home, prefix):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue  # pip itself will complain of it.
        for section in ("global", "download"):
            if parser.has_section(section):
                told |= dict(parser.items(section))
    return told


def _files(environment: Mapping[str, str], home: Path, prefix: str) -> Iterator[Path]:
    """Lowest first; a later one wins."""
    named = environment.get("PIP_CONFIG_FILE", "")
    if named == "/dev/null":
        return
    yield Path("/etc/pip.conf")
    yield from (
        Path(folder) / "pip" / "pip.conf" for folder in environment.get("XDG_CONFIG_DIRS", "").split(":") if folder
    )
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if prefix:
        yield Path(prefix) / "pip.conf"
    if named:
        yield Path(named)
