"""What pytest is told comes after a test, when that is not known yet: tear-down must keep what the next test shares.

A copy of the test stands in for its successor. pytest asks it for its chain of nodes only when it tears down, so the
answer can wait until then.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest


class _Sibling(pytest.Item):
    def runtest(self) -> None:
        raise AssertionError("a stand-in never runs")

    def reportinfo(self) -> Any:
        return self.path, None, self.name


def stand_in(item: Any, chain: Callable[[], list[Any]]) -> Any:
    """An item beside `item` whose chain of nodes is asked for at tear-down."""
    try:
        twin: Any = copy.copy(item)
        twin.listchain = chain
    except Exception:
        twin = _Sibling.from_parent(item.parent, name=item.name)
        twin.listchain = chain
    return twin


def is_torn_down_to(item: Any, chain: list[Any]) -> bool:
    """Whether nothing is set up that a test with that chain of nodes does not stand on."""
    stack = list(item.session._setupstate.stack)
    return bool(stack == chain[: len(stack)])


def keeps_something(item: Any) -> bool:
    """Whether a fixture of a wider scope than the test is set up: nodes alone have one finalizer, their own."""
    return any(
        len(finalizers) > 1 for node, (finalizers, _) in item.session._setupstate.stack.items() if node is not item
    )


def late_report(item: Any, chain: list[Any]) -> Any:
    """Tear down what `chain` does not share, as a late part of the tear-down of `item`; the report if it failed."""
    from _pytest.runner import CallInfo
    from _pytest.warnings import catch_warnings_for_item

    nextitem = stand_in(item, lambda: chain) if chain else None
    capture = item.config.pluginmanager.getplugin("capturemanager")

    def tear_down() -> None:
        with catch_warnings_for_item(  # noqa: SIM117 - Python 3.8 reads this.
            config=item.config, ihook=item.ihook, when="runtest", item=item
        ):
            with capture.item_capture("teardown", item):
                item.session._setupstate.teardown_exact(nextitem)

    call = CallInfo.from_call(tear_down, when="teardown")
    if call.excinfo is None:
        return None
    report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    report.fleet_exception = exception_name(call.excinfo.value)
    return report


def exception_name(error: BaseException) -> str:
    """The qualified name of an exception's type."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
