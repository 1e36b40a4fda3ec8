"""What can be imported once in the zygote: pytest itself and, where that leaves no trace, its installed plug-ins.

Plug-ins must be imported under the assertion rewriter and without being marked as imported too early; pytest 9.2 lets
that be done before there is a configuration, older ones do not.
"""

from __future__ import annotations

import sys


def warm(args: list[str]) -> None:
    """Import pytest; then the plug-ins of its entry points, if this pytest allows it."""
    import pytest

    from . import pytest_plugin  # noqa: F401 - all harnesses share our own modules too.

    if tuple(int(part) for part in pytest.__version__.split(".")[:2]) >= (9, 2) and "--assert=plain" not in args:
        try:
            _import_plugins(args)
        except Exception as error:
            print(f"doit-fleet: plug-ins are not warm: {error!r}", file=sys.stderr)


def _import_plugins(args: list[str]) -> None:
    from importlib.metadata import distributions

    from _pytest.assertion import install_importhook
    from _pytest.config import get_config

    config = get_config()
    hook = install_importhook(config)
    try:
        config._mark_plugins_for_rewrite(hook, False)
        blocked = _blocked(args)
        for distribution in distributions():
            for entry in distribution.entry_points:
                if entry.group == "pytest11" and entry.name not in blocked:
                    _load(entry)
    finally:
        if hook in sys.meta_path:
            sys.meta_path.remove(hook)


def _load(entry: object) -> None:
    try:
        entry.load()  # type: ignore[attr-defined]
    except Exception as error:
        print(f"doit-fleet: plug-in {entry!r} is not warm: {error!r}", file=sys.stderr)


def _blocked(args: list[str]) -> list[str]:
    named = [args[at + 1] for at, arg in enumerate(args[:-1]) if arg == "-p"]
    named += [arg[2:] for arg in args if arg.startswith("-p") and len(arg) > 2]
    return [name[3:] for name in named if name.startswith("no:")]
