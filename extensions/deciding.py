"""What decides verdicts, as digests by part: files, declared environment, interpreters with their packages, settings.

On the way of every `doit`: nothing heavy is imported, and file contents are only read where a file's status changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from attrs import asdict, filters

from extensions.fleet import Fleet
from pipeline.model.suites import Suite
from pipeline.stages.agent import Inputs

MOST_FILES = 5_000
"""Above that many files, one digest stands for all: then `-v2` names no files."""


def inputs_of(
    fleet: Fleet, suites: Sequence[Suite], files: Mapping[str, str], packages: Mapping[str, str], version: str
) -> Inputs:
    """Put the parts together. `packages`: digest of the interpreter and its packages by suite; `version`: ours."""
    parts: dict[str, str | Mapping[str, str]] = {
        "sources": files if len(files) <= MOST_FILES else digest(dict(files)),
        "environment": declared_environment(fleet),
        "interpreter": dict(packages),
        "settings": {suite.name: digest(deciding_settings(suite)) for suite in suites},
        "doit-fleet": version,
    }
    return Inputs(parts=parts, identity=digest({**parts, "sources": digest(dict(files))})[:16])


def declared_environment(fleet: Fleet) -> dict[str, str]:
    """Digests of the declared variables that are set, by name; values may be secret."""
    patterns = fleet.project.inputs.environment.get()
    names = [name for name in fleet.environment if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return {name: digest(fleet.environment[name]) for name in sorted(names)}


def deciding_settings(suite: Suite) -> dict[str, object]:
    """A suite's settings that can change a verdict, as plain JSON."""
    told = asdict(suite, filter=filters.exclude("interpreter", "slow_after_seconds"))
    return {**told, "python": suite.interpreter.path}


def digest(value: object) -> str:
    """SHA-256 (hex) of a plain JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
