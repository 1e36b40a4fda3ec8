"""The launcher `acme`: local workers under another name."""

from __future__ import annotations

from extensions.plugins import Launching, load
from pipeline.ports import Launcher


def launcher(launching: Launching) -> Launcher:
    """What the entry point names."""
    made: Launcher = load("launchers", "local")(launching)
    made.name = "acme"
    return made
