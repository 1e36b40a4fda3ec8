"""The page of stories, as something that can be carried out: its files are those of the sample projects, its commands are typed."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from tests.faults.project import until

INTERRUPT = "^C"
HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "from_ancestors.md"
STEP_SECONDS = 100.0
CODE = re.compile(r"\s+# exit (\d+)$")


@frozen
class Step:
    """One command of the page, with what it prints according to it."""

    line: str
    code: int
    wanted: tuple[str, ...]
    """Lines, in this order, other lines between them; `…` is anything."""


@frozen
class Typed:
    """A command that was typed."""

    step: Step
    code: int
    output: str

    def check(self) -> None:
        """It did what the page says."""
        told = f"$ {self.step.line}\n{self.output}"
        assert self.code == self.step.code, f"exit code {self.code}, not {self.step.code}\n{told}"
        missing = first_missing(self.step.wanted, self.output)
        assert not missing, f"no line {missing!r} in\n{told}"


def first_missing(wanted: Sequence[str], output: str) -> str:
    """The first of these lines that is not printed behind those before it; empty: all are."""
    lines = iter(output.splitlines())
    for one in wanted:
        pattern = ".*".join(re.escape(part) for part in one.strip().split("…"))
        if one.strip() != INTERRUPT and not any(re.fullmatch(rf"\s*{pattern}\s*", line) for line in lines):
            return one
    return ""


def story(name: str) -> str:
    """The section of the page."""
    sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    (found,) = (section for section in sections if f"tests/stories/{name}" in section)
    return found


def files_of(name: str) -> Mapping[str, str]:
    """Files that the section shows: blocks whose first line is a comment with a name."""
    blocks = re.findall(r"```\w*\n(# (\S+)\n.*?)```", story(name), re.DOTALL)
    return {file: text for text, file in blocks}


def steps_of(name: str) -> Iterator[Step]:
    """Its commands, in order."""
    for block in re.findall(r"```console\n(.*?)```", story(name), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, *wanted = part.rstrip("\n").split("\n")
            code = CODE.search(line)
            told = tuple(one for one in wanted if one.strip() not in ("", "…"))
            yield Step(CODE.sub("", line), int(code[1]) if code else 0, told)


@frozen
class Desk:
    """A copy of a sample project, and a shell in it."""

    root: Path
    environment: dict[str, str] = field(factory=dict)

    @classmethod
    def of(cls, name: str, folder: Path, environment: Mapping[str, str]) -> Desk:
        """Copy the project of that name into a repository of its own, and make `doit-fleet` a command."""
        shutil.copytree(HERE / name, folder / name)
        tools = folder / "tools"
        tools.mkdir()
        script = tools / "doit-fleet"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m pipeline "$@"\n')
        script.chmod(0o755)
        env = {**environment, "PATH": f"{tools}:{environment['PATH']}"}
        subprocess.run(["git", "init", "-q", "."], cwd=folder / name, env=env, check=True)
        return cls(folder / name, env)

    def type(self, step: Step) -> Typed:
        """Type a command as the page has it; `^C` is typed when what stands before it has been printed."""
        if INTERRUPT in step.wanted:
            return self._interrupted(step)
        done = subprocess.run(
            ["/bin/sh", "-c", step.line],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=STEP_SECONDS,
            check=False,
        )
        return Typed(step, done.returncode, done.stdout)

    def _interrupted(self, step: Step) -> Typed:
        before = step.wanted[: step.wanted.index(INTERRUPT)]
        path = self.root.parent / "output"
        with path.open("wb") as file:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {step.line}"],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            until(
                lambda: not first_missing(before, path.read_text()) or process.poll() is not None,
                lambda: f"{before} in {path.read_text()}",
            )
            process.send_signal(signal.SIGINT)
            code = process.wait(STEP_SECONDS)
        finally:
            process.kill()
            process.wait()
        return Typed(step, code, path.read_text())
