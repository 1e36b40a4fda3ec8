"""Artifacts: results other than test results that workers need, made by commands or by the user's own tasks, and cached.

Runs nothing. What is fetched by lock files needs no artifact of its own: see `dependencies`.
"""

from __future__ import annotations

from collections.abc import Sequence as AnySequence

from pipeline.settings import kinds
from pipeline.settings.collected import Sequence, texts
from pipeline.settings.container import Container
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension

command_line = Sequence(kinds.text, form="a line for the shell, or a list: a program and its arguments", single=True)


class Artifact(Extension):
    """One artifact: a layer of its own in the images, made again only when what decides it changes."""

    command = setting(command_line, ())
    """What makes it: one text is a line for the shell, a list is a program and its arguments. It runs in the project, on the
    agent, and only when nothing was made of equal inputs before, here or by whoever shares the cache."""

    task = setting(kinds.text, "")
    """A task of your dodo.py that makes the outputs instead of a command. It runs before, by its own rules."""

    inputs = setting(texts, ())
    """Globs of project files that decide the outputs. A folder means all that is in it."""

    environment = setting(texts, ())
    """Names of environment variables that decide the outputs. The command sees all others too."""

    tools = setting(texts, ())
    """Lines for the shell, like `go version`, whose output decides the outputs: the versions of what the command uses."""

    outputs = setting(texts, ())
    """Globs of what it makes, files or folders, relative to the root. They come back into the project when they are found in
    the cache."""

    target = setting(kinds.text, "")
    """The folder in the image for what lies in the common folder of `outputs`. Empty: their place in the project."""

    cwd = setting(kinds.text, ".")
    """The folder the command starts in, relative to the root."""

    timeout_seconds = setting(kinds.Optional(kinds.duration), "30m")
    """How long the command may take; then it is ended and nothing is kept."""

    def from_task(self, task: str, outputs: AnySequence[str]) -> None:
        """Take what a task of dodo.py makes."""
        self.task.set(task)
        self.outputs.set(list(outputs))


class Artifacts(Container[Artifact]):
    """Artifacts by name, for instance `[artifacts.schema]`."""

    element = Artifact
