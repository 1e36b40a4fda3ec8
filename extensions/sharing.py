"""What decides verdicts, spelled the same on every machine that has the same: names runs in stores that several reach.

Paths of the checkout, of its interpreter and of what is installed differ between machines, and must not decide. On the way
of every `doit` with such a store, so nothing heavy is imported.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from extensions.deciding import MOST_FILES, deciding_settings, declared_environment, digest
from extensions.fleet import Fleet
from pipeline.adapters.installed import distributions
from pipeline.model.suites import Suite

HERE = "<project>"
"""Stands for the checkout's path."""


def shared_inputs(
    fleet: Fleet, suites: Sequence[Suite], files: Mapping[str, str], root: Path
) -> dict[str, dict[str, str]]:
    """What decides verdicts, by part and name, spelled the same wherever it is the same."""
    found: dict[str, dict[str, str]] = {
        "sources": dict(files) if len(files) <= MOST_FILES else {"all files": digest(dict(files))},
        "variables": declared_environment(fleet),
        "machine": {"platform": f"{sys.platform} {platform.machine()}", "doit-fleet": version("doit-fleet")},
    }
    for suite in suites:
        interpreter = suite.interpreter
        found["machine"][f"Python of suite {suite.name}"] = ".".join(map(str, interpreter.version))
        found[f"packages of suite {suite.name}"] = distributions(
            interpreter.path, {str(root): HERE, interpreter.prefix: "<prefix>"}
        )
        found[f"settings of suite {suite.name}"] = {
            name: _spelled(value, root) for name, value in deciding_settings(suite).items() if name != "python"
        }
    return found


def _spelled(value: object, root: Path) -> str:
    """A digest: values may be secret."""
    return digest(_without(value, str(root)))[:16]


def _without(value: Any, root: str) -> Any:
    if isinstance(value, str):
        return value.replace(root, HERE)
    if isinstance(value, Mapping):
        return {name: _without(each, root) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without(each, root) for each in value]
    return value
