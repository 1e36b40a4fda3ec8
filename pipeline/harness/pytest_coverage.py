"""pytest-cov in many harnesses: each writes data files of its own, which the agent combines and reports afterwards.

Knows pytest-cov's plug-in object by its registered name only; without it every function does nothing.
"""

from __future__ import annotations

import os
from typing import Any

_OPTIONS = ("cov_source", "cov_report", "cov_config", "cov_append", "cov_branch", "cov_precision", "cov_fail_under")
_early: dict[str, Any] = {}


def keep_data(early_config: Any) -> None:
    """Make pytest-cov append, because it erases the other harnesses' data otherwise."""
    options = early_config.known_args_namespace
    if getattr(options, "cov_source", None):
        _early["append"] = bool(getattr(options, "cov_append", False))
        options.cov_append = True
        for name, value in (("numprocesses", None), ("dist", "no"), ("distload", False)):
            if hasattr(options, name):
                setattr(options, name, value)


def hand_over(config: Any) -> None:
    """Stop what measured the start, before pytest-cov starts its worker's measurement."""
    controller = _controller(config)
    if controller is not None and getattr(controller, "cov", None) is not None:
        controller.cov.stop()
        _early["cov"] = controller.cov


def save_early(config: Any) -> None:
    """Write the start's data file; it is combined with the worker's."""
    cov = _early.pop("cov", None)
    if cov is not None:
        cov.save()


def facts(config: Any) -> dict[str, Any]:
    """What the agent needs for combining and reporting; empty without pytest-cov."""
    controller = _controller(config)
    if controller is None or getattr(controller, "cov", None) is None:
        return {}
    options = controller_options(config)
    data_file = os.path.abspath(os.path.join(controller.topdir, controller.cov.config.data_file))
    return {"cov": {"data_file": data_file, "topdir": controller.topdir, "options": options}}


def controller_options(config: Any) -> dict[str, Any]:
    """The project's coverage options as plain values."""
    options = config.pluginmanager.getplugin("_cov").options
    found = {name: getattr(options, name, None) for name in _OPTIONS}
    found["cov_append"] = _early.get("append", False)
    return found


def _controller(config: Any) -> Any:
    plugin = config.pluginmanager.getplugin("_cov")
    return getattr(plugin, "cov_controller", None)
