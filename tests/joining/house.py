"""Jobs of one build: `doit-fleet` processes with the same run's name, each in a checkout of its own, with one store.

Tests trace which job began them. A job may be on a machine of its own, as far as processes can see: a name space of process ids.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path

from attrs import define, field

from tests.faults.project import Project, until

WORKERS = 2
NAME = "ci-4711"
LEASE = "6s"
"""Nobody who lives is missed on a busy machine."""
SLEEPERS = """\
import os, time
import pytest

def trace(name):
    fd = os.open(os.environ["FLEET_TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (name + "@" + os.environ["JOB"] + "\\n").encode())
    os.close(fd)

@pytest.mark.parametrize("n", range({count}))
def test_sleeps(n):
    trace("{name}[%d]" % n)
    time.sleep({seconds})
"""
APART = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", '"$@"; exit $?', "_")


def can_be_apart() -> bool:
    """Whether this process may make name spaces."""
    return (
        shutil.which("unshare") is not None
        and subprocess.run([*APART, "true"], capture_output=True, check=False).returncode == 0
    )


@define
class Job(Project):
    """One job's checkout and what is known of it."""

    name: str = "a"
    common: Path = field(default=Path())
    """What all jobs reach."""

    @property
    def shared(self) -> Path:
        """Where all jobs leave traces."""
        return self.common

    def environment(self) -> dict[str, str]:
        """What `doit-fleet` is started with."""
        return {**super().environment(), "JOB": self.name}

    @property
    def has_reports(self) -> bool:
        """Whether this job has written the reports."""
        return (self.root / "build" / "reports" / "junit.xml").exists()


@define
class Build:
    """Jobs that share a store."""

    folder: Path
    store: str
    jobs: list[Job] = field(factory=list)
    settings: tuple[str, ...] = ()
    files: dict[str, str] = field(factory=dict)

    def sleepers(self, files: int, count: int, seconds: float) -> int:
        """Files of tests that sleep, in every checkout; how many tests that makes."""
        self.files["pytest.ini"] = "[pytest]\n"
        for number in range(files):
            self.files[f"test_f{number}.py"] = SLEEPERS.format(count=count, name=f"test_f{number}", seconds=seconds)
        return files * count

    def job(self, *, name: str = "", is_apart: bool = False) -> Job:
        """A checkout, at another path than all others."""
        name = name or "abcdefgh"[len(self.jobs)]
        root = self.folder / ("deep" * len(self.jobs) + name) / f"checkout-{name}"
        root.mkdir(parents=True)
        job = Job(root, name=name, common=self.folder / "common", before=APART if is_apart else ())
        job.arguments = (
            f"join.name={NAME}",
            f"store.url={self.store}",
            f"workers.count={WORKERS}",
            f"workers.lease_seconds={LEASE}",
            "workers.max_losses_per_test=10",
            "project.name=acme",
            *self.settings,
        )
        for file, text in self.files.items():
            job.write(file, text)
        self.jobs.append(job)
        return job

    def traces(self) -> list[tuple[str, str]]:
        """(test, job) for each time a test has begun."""
        lines = self.jobs[0].traces() if self.jobs else []
        return [(line.partition("@")[0], line.partition("@")[2]) for line in lines]

    def until_begun(self, tests: int) -> None:
        """Wait until that many tests have begun, in whatever job."""
        until(lambda: len(self.traces()) >= tests, lambda: f"{tests} tests begun (have {len(self.traces())})")

    def until_begun_by(self, job: Job) -> None:
        """Wait until a job has begun a test."""
        until(lambda: any(by == job.name for _, by in self.traces()), f"job {job.name} begins a test")

    def reporter(self) -> Job:
        """The only job that has written reports."""
        found = [job for job in self.jobs if job.has_reports]
        assert len(found) == 1, [job.name for job in found]
        return found[0]

    def assert_sound(self, tests: int, *, repeats: int) -> None:
        """Exactly one verdict for each test, a good one, and no more repeats than promised."""
        verdicts = Counter(self.reporter().verdicts().values())
        assert verdicts == {"passed": tests}
        begun = Counter(test for test, _ in self.traces())
        assert len(begun) == tests
        assert sum(begun.values()) - tests <= repeats, {test: times for test, times in begun.items() if times > 1}

    def clear(self) -> None:
        """End what a failed test has left."""
        for job in self.jobs:
            job.clear()
