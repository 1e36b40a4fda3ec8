"""Combine what the harnesses measured and report it as pytest-cov would: run by path, in the project's interpreter.

`python pytest_coverage_report.py '<the "cov" fact of hello, JSON>'`, after all harnesses have ended. Prints what
pytest-cov would say, then one line of JSON: `{"objection": why the run is red, or ""}`.
"""

from __future__ import annotations

import io
import json
import os
import platform
import sys
from typing import Any


def conclude(facts: dict[str, Any]) -> str:
    """Combine, write every report asked for, and judge the total; the objection."""
    from coverage.misc import CoverageException

    options = facts["options"]
    print(f"coverage: platform {sys.platform}, python {platform.python_version()}")
    try:
        cov = _combined(facts)
        total = float(cov.report(file=io.StringIO(), ignore_errors=True))
        kinds = options["cov_report"] or {}
        kinds = kinds if isinstance(kinds, dict) else dict.fromkeys(kinds)
        _write_table(cov, kinds)
        _write_files(cov, kinds)
    except CoverageException as error:
        print(f"WARNING: failed to generate report: {error}")
        total = 0.0
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
    if "folders" in facts:
        known: Any = cov.get_option("paths") or {}
        cov.set_option("paths", {**known, "doit-fleet": facts["paths"]})
    folders = [os.path.dirname(facts["data_file"]), *facts.get("folders", ())]
    cov.combine([folder for folder in dict.fromkeys(folders) if os.path.isdir(folder)])
    cov.save()
    return cov


def _write_table(cov: Any, kinds: dict[str, Any]) -> None:
    if "term" in kinds or "term-missing" in kinds:
        skips = True if "skip-covered" in kinds.values() else None
        missing = "term-missing" in kinds or None
        cov.report(file=sys.stdout, ignore_errors=True, show_missing=missing, skip_covered=skips)


def _write_files(cov: Any, kinds: dict[str, Any]) -> None:
    quiet = {"ignore_errors": True}
    for kind, place in kinds.items():
        if kind in ("html", "annotate"):
            write = cov.html_report if kind == "html" else cov.annotate
            write(directory=place, **quiet)
            print(f"coverage {kind} written to {place or (cov.config.html_dir if kind == 'html' else 'the sources')}")
        elif kind in ("xml", "json", "lcov"):
            getattr(cov, kind + "_report")(outfile=place, **quiet)
            print(f"coverage {kind} written to {place or getattr(cov.config, kind + '_output')}")
        elif kind in ("markdown", "markdown-append"):
            with open(place or "coverage.md", "a" if kind.endswith("append") else "w", encoding="utf-8") as file:
                cov.report(file=file, output_format="markdown", **quiet)


def _judge(total: float, options: dict[str, Any]) -> str:
    minimum = options["cov_fail_under"]
    if not minimum:
        return ""
    told = f"required test coverage of {minimum}%: total is {total:.2f}%"
    if _is_low(total, float(minimum), int(options["cov_precision"] or 0)):
        return told
    print(told)
    return ""


def _is_low(total: float, minimum: float, precision: int) -> bool:
    try:
        from coverage.results import should_fail_under
    except ImportError:
        return round(total, precision) < minimum
    return bool(should_fail_under(total, minimum, precision))


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    os.chdir(given["topdir"])
    print(json.dumps({"objection": conclude(given)}))
