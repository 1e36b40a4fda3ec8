"""Which sessions cannot be collected file by file, because something must see the whole list of tests.

Then each harness collects everything, as under xdist, and the reason is said.
"""

from __future__ import annotations

from typing import Any

OPTIONS = {"lf": "--lf", "failedfirst": "--ff", "newfirst": "--nf", "stepwise": "--sw", "stepwise_skip": "--sw-skip"}
HOOKS = ("pytest_collection_modifyitems", "pytest_collection_finish")
SAFE = frozenset(
    [
        "_pytest",
        "anyio",
        "celery",
        "flaky",
        "hypothesis",
        "_hypothesis_pytestplugin",
        "pytest",
        "pytest_asyncio",
        "pytest_benchmark",
        "pytest_cov",
        "pytest_django",
        "pytest_httpx",
        "pytest_metadata",
        "pytest_mock",
        "pytest_randomly",
        "pytest_repeat",
        "pytest_rerunfailures",
        "pytest_subtests",
        "pytest_sugar",
        "pytest_timeout",
        "pytest_trio",
        "pytest_twisted",
        "respx",
        "syrupy",
        "xdist",
    ]
)
"""Top-level modules whose hooks treat each test, or each file, by itself."""


def reason_for_whole(config: Any) -> str:
    """Why the list must be whole, or an empty text."""
    for option, flag in OPTIONS.items():
        if config.getoption(option, False):
            return f"{flag} needs the whole list of tests"
    for name in HOOKS:
        for implementation in getattr(config.hook, name).get_hookimpls():
            module = _module_of(implementation)
            if module.partition(".")[0] not in SAFE and not module.startswith("_doit_fleet"):
                return f"{name} in {module} may look at the whole list of tests"
    return ""


def _module_of(implementation: Any) -> str:
    function = implementation.function
    return str(getattr(function, "__module__", None) or implementation.plugin_name)
