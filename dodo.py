"""Tasks of this repository's own, beside the pipeline's: `./doitw check` runs all of them and the tests."""

import sys

PYTHON = sys.executable


def task_lint():
    """ruff finds nothing, and the layout is ruff's"""
    return {
        "actions": [[PYTHON, "-m", "ruff", "check", "--quiet", "."], [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."]],
        "verbosity": 2,
    }


def task_types():
    """mypy --strict finds nothing, in the tests neither"""
    return {"actions": [[PYTHON, "-m", "mypy", "pipeline", "extensions", "tests", "benchmarks"]], "verbosity": 1}


def task_check():
    """tests (contracts of imports among them), linters and types"""
    return {"actions": None, "task_dep": ["lint", "types", "gather"]}
