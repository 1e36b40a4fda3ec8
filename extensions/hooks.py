"""Hooks: who is told when a run has ended. Nothing here sends anything."""

from __future__ import annotations

from extensions.command_kinds import command_line
from pipeline.settings import kinds
from pipeline.settings.collected import variables
from pipeline.settings.container import Container
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.secret_kind import secret_name


class Hook(Extension):
    """One who is told, by a command or by a post to an address, with the JSON of docs/schemas/run-ended.json. What goes wrong
    there is a warning, and changes neither verdict nor exit code."""

    command = setting(command_line, ())
    """A command that gets the JSON on its standard input, in the project's folder. A list is a program and its arguments, a text
    is for `sh -c`. `$DOIT_FLEET_RUN_ID` and `$DOIT_FLEET_EXIT_CODE` are set."""

    env = setting(variables, {})
    """Environment variables of the command, on top of the agent's own. Values may be `{ secret = "name" }`."""

    url = setting(kinds.text, "")
    """An address that the JSON is posted to."""

    secret_url = setting(secret_name, None)
    """The same, as a secret: `{ secret = "chat" }`, for addresses that let anybody in who knows them."""

    headers = setting(variables, {})
    """Headers of the post. Values may be `{ secret = "name" }`."""

    timeout_seconds = setting(kinds.duration, 10)
    """How long a command, or one try of a post, may take."""

    retries = setting(kinds.whole, 2)
    """How often a post is tried again that was not taken for reasons that may pass: no answer, status 5xx, 408, 425, 429."""


class Hooks(Container[Hook]):
    """The hooks by name. They are told at the end of every `doit` in which a run began or went on, whatever its exit code."""

    element = Hook
