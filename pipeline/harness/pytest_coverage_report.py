"""Combine what the harnesses measured and report it as pytest-cov would have: run by path, in the project's interpreter.

`python pytest_coverage_report.py erase|report '<the "cov" fact of hello, JSON>'`. `erase` before the first test runs (it
keeps everything under --cov-append), `report` after all harnesses have ended: exit 2 when the total is too low.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

BELOW_MINIMUM = 2


def erase(facts: dict[str, Any]) -> int:
    """Delete the data of earlier runs, unless they are to be appended to."""
    from coverage import CoverageData

    if not facts["options"]["cov_append"]:
        CoverageData(basename=facts["data_file"]).erase(parallel=True)
    return 0


def report(facts: dict[str, Any]) -> int:
    """Combine, write every report asked for, and judge the total."""
    options = facts["options"]
    cov = _combined(facts)
    total = float(cov.report(file=io.StringIO(), ignore_errors=True))
    kinds = options["cov_report"] or {}
    kinds = kinds if isinstance(kinds, dict) else dict.fromkeys(kinds)
    if "term" in kinds or "term-missing" in kinds:
        skips = True if "skip-covered" in kinds.values() else None
        cov.report(
            file=sys.stdout, ignore_errors=True, show_missing="term-missing" in kinds or None, skip_covered=skips
        )
    _write_files(cov, kinds)
    return _judge(total, options)


def _combined(facts: dict[str, Any]) -> Any:
    import coverage

    options = facts["options"]
    cov = coverage.Coverage(
        data_file=facts["data_file"],
        source=options["cov_source"],
        branch=options["cov_branch"],
        config_file=options["cov_config"] or True,
    )
    cov.load()
    cov.combine()
    cov.save()
    return cov


def _write_files(cov: Any, kinds: dict[str, Any]) -> None:
    quiet = {"ignore_errors": True}
    for kind, place in kinds.items():
        if kind in ("html", "annotate"):
            write = cov.html_report if kind == "html" else cov.annotate
            write(directory=place, **quiet)
        elif kind in ("xml", "json", "lcov"):
            getattr(cov, kind + "_report")(outfile=place, **quiet)
        elif kind in ("markdown", "markdown-append"):
            with open(place or "coverage.md", "a" if kind.endswith("append") else "w", encoding="utf-8") as file:
                cov.report(file=file, output_format="markdown", **quiet)


def _judge(total: float, options: dict[str, Any]) -> int:
    minimum = options["cov_fail_under"]
    if not minimum:
        return 0
    is_low = _is_low(total, float(minimum), int(options["cov_precision"] or 0))
    print("{}required test coverage of {}%: total is {:.2f}%".format("FAIL " if is_low else "", minimum, total))
    return BELOW_MINIMUM if is_low else 0


def _is_low(total: float, minimum: float, precision: int) -> bool:
    try:
        from coverage.results import should_fail_under
    except ImportError:
        return round(total, precision) < minimum
    return bool(should_fail_under(total, minimum, precision))


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    os.chdir(given["topdir"])
    raise SystemExit({"erase": erase, "report": report}[sys.argv[1]](given))
