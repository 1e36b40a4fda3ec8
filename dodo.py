"""Tasks of this repository's own, beside the pipeline's: `./doitw check` runs all of them and the tests."""

import os
import sys

PYTHON = sys.executable


def configure(fleet):
    """Twice as many workers as processors: half of the time tests wait, for leases, nodes and servers."""
    fleet.workers.count.convention(2 * len(os.sched_getaffinity(0)))


def task_lint():
    """ruff finds nothing, and the layout is ruff's"""
    ruff = [PYTHON, "-m", "ruff"]
    return {"actions": [[*ruff, "check", "--quiet", "."], [*ruff, "format", "--check", "--quiet", "."]], "verbosity": 2}


def task_types():
    """mypy --strict finds nothing, in the tests neither"""
    return {"actions": [[PYTHON, "-m", "mypy", "pipeline", "extensions", "tests", "benchmarks"]], "verbosity": 1}


def task_engines():
    """start what the tests want beside this environment (Docker, registries, S3, images), an interpreter with plug-ins, the parser of Avocado-VT"""
    modules = (
        ("tests.compatibility.environment",),
        ("tests.matrix.peer",),
        ("tests.engines", "start"),
        ("tests.engines.workers",),
        ("tests.engines.pod_workers",),
    )
    return {"actions": [[PYTHON, "-m", *words] for words in modules], "verbosity": 2}


def task_stop_engines():
    """stop what `engines` started; what was built and made stays in the cache"""
    return {"actions": [[PYTHON, "-m", "tests.engines", "stop"]], "verbosity": 2}


def task_coverage():
    """branch coverage of what runs without processes of its own; the rest is exercised in other processes"""
    folders = (
        "logic settings extensions collecting compiling interpreters protocol report results stores history inputs"
    )
    tests = [f"tests/{name}" for name in folders.split()]
    cov = ["--cov=pipeline", "--cov=extensions", "--cov-branch", "--cov-report=term:skip-covered"]
    return {"actions": [[PYTHON, "-m", "pytest", "-q", "-n2", *cov, *tests]], "verbosity": 2}


def task_same_verdicts():
    """the tests came to the same verdicts in containers (`profile=docker`) as without"""
    compare = [PYTHON, "-m", "tests.engines.same_verdicts", "build/reports", "build/docker"]
    return {"actions": [compare], "verbosity": 2}


def task_same_verdicts_in_pods():
    """those tests that run in pods (`profile=kubernetes`) came to the same verdicts there"""
    compare = [PYTHON, "-m", "tests.engines.same_verdicts", "--part", "build/reports", "build/kubernetes"]
    return {"actions": [compare], "verbosity": 2}


def task_check():
    """tests (contracts of imports among them), linters and types"""
    return {"actions": None, "task_dep": ["lint", "types", "gather"]}
