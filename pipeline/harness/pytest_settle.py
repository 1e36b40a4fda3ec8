"""Settle the project's own options before pytest configures itself, and tell the agent the facts it must honour.

What many harnesses would do each for itself (stop at a failure, write one report) is the agent's to do once.
"""

from __future__ import annotations

from typing import Any

from . import pytest_basetemp, pytest_xdist

_REPORTS = ("xmlpath", "htmlpath", "report_log", "json_report_file", "ctrf", "md_report", "pastebin")


def settle_options(config: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Neutralise what must happen once per run; the facts for `hello`."""
    option = config.option
    facts = {
        "maxfail": int(getattr(option, "maxfail", 0) or 0),
        "continue_on_collection_errors": bool(getattr(option, "continue_on_collection_errors", False)),
        "junitxml": getattr(option, "xmlpath", None) or "",
        "rootdir": str(config.rootpath),
    }
    pytest_xdist.switch_off(config)
    option.maxfail = 0
    for name in _REPORTS:
        if getattr(option, name, None):
            setattr(option, name, None)
    if getattr(option, "json_report", False):
        option.json_report = False
    if getattr(option, "randomly_seed", None) == "default" and options.get("seed") is not None:
        option.randomly_seed = int(options["seed"]) % (1 << 32)
    option.basetemp = pytest_basetemp.slot_folder(getattr(option, "basetemp", None), options)
    return {name: value for name, value in facts.items() if value}
