"""A verdict for a test that ended pytest's own protocol: KeyboardInterrupt, `pytest.exit`, a plug-in's internal error.

pytest itself ends the session without a report for that test; here the test is blamed and the session goes on.
"""

from __future__ import annotations

from typing import Any

from .pytest_result import is_subtest
from .pytest_successor import exception_name

_AFTER = {"": "setup", "setup": "call", "call": "teardown", "teardown": "teardown"}


def report_interrupt(item: Any, error: BaseException, reports: list[Any]) -> None:
    """Append the report of the phase that was interrupted; what is still set up is torn down later."""
    from _pytest.runner import CallInfo

    done = [report.when for report in reports if not is_subtest(report)]
    when = _AFTER[done[-1] if done else ""]
    if reports and reports[-1].failed and when == "call":
        when = "teardown"

    def again() -> None:
        raise error

    call: Any = CallInfo.from_call(again, when=when)  # type: ignore[arg-type]
    try:
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    except BaseException:
        from _pytest.reports import TestReport

        report = TestReport.from_item_and_call(item, call)
    if report.outcome != "failed":
        report.outcome = "failed"
    report.fleet_exception = exception_name(error)
    reports.append(report)
