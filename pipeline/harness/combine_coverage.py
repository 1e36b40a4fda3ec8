"""Combine the coverage data of all harnesses and report as pytest-cov would have at the end: run as a file.

Standard library and the project's own coverage only, Python 3.8 syntax. Argument: the fact `cov` of a harness's `hello`, as
JSON. Prints the reports, then one line of JSON: `{"objection": text or ""}`.
"""

import json
import os
import sys

from coverage import Coverage
from coverage.misc import CoverageException

FILES = {"html": "html_report", "xml": "xml_report", "json": "json_report", "lcov": "lcov_report"}


def main():
    """Combine, report, judge."""
    told = json.loads(sys.argv[1])
    options = told["options"]
    os.chdir(told["topdir"])
    cov = Coverage(
        source=sources(options),
        branch=options.get("cov_branch") or None,
        config_file=options.get("cov_config") or True,
        data_file=told["data_file"],
    )
    if options.get("cov_append"):
        cov.load()
    objection = ""
    try:
        cov.combine()
        cov.save()
        total = report(cov, options.get("cov_report") or {})
        objection = judge(cov, options, total)
    except CoverageException as error:
        objection = f"coverage: {error}"
    print(json.dumps({"objection": objection}))


def sources(options):
    """`--cov` values; a bare `--cov` means what the configuration says."""
    wanted = [one for one in options.get("cov_source") or [] if isinstance(one, str) and one]
    return wanted or None


def report(cov, wanted):
    """Print and write every report asked for; the total in per cent."""
    total = None
    if "term" in wanted or "term-missing" in wanted:
        modes = [wanted.get("term"), wanted.get("term-missing")]
        missing = True if "term-missing" in wanted else None
        skip = True if "skip-covered" in modes else None
        total = cov.report(show_missing=missing, skip_covered=skip, ignore_errors=True, file=sys.stdout)
    for name, method in FILES.items():
        if name in wanted:
            where = {"directory" if name == "html" else "outfile": wanted[name]} if wanted[name] else {}
            got = getattr(cov, method)(ignore_errors=True, **where)
            total = got if total is None else total
    if "annotate" in wanted:
        cov.annotate(ignore_errors=True, directory=wanted["annotate"] or None)
    if total is None:
        with open(os.devnull, "w") as nowhere:
            total = cov.report(ignore_errors=True, file=nowhere)
    return total


def judge(cov, options, total):
    """The objection when coverage is under its limit, in pytest-cov's words."""
    limit = options.get("cov_fail_under")
    if limit is None:
        limit = cov.config.fail_under
    precision = options.get("cov_precision")
    precision = cov.config.precision if precision is None else precision
    if limit and round(total, precision) < limit:
        return f"required test coverage of {limit}% not reached, total coverage: {total:.{max(precision, 2)}f}%"
    return ""


if __name__ == "__main__":
    main()
