"""How commands are run as tests: defaults for every suite of that framework, and what only a suite can say.

It reads no files and says nothing of what a command is.
"""

from __future__ import annotations

from extensions.command_kinds import command_line, rows, statuses
from extensions.matrices import Matrices
from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.collected import texts
from pipeline.settings.container import Container
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension


class Running(Extension):
    """How one command is run and judged."""

    command = setting(command_line, ())
    """What a test runs. A list is a program and its arguments, with fields like `{name}`, `{values.size}`, `{file}` and
    `{folder}`; no shell sees it. A text is for `sh -c`; it has no fields but variables: `"$DOIT_FLEET_TEST"`,
    `"$DOIT_FLEET_VALUE_size"`. All of them are in docs/commands.md."""

    cwd = setting(kinds.text, ".")
    """The folder it starts in, relative to the suite's root. May have fields."""

    good_codes = setting(statuses, (0,))
    """Exit statuses of a test that passed."""

    skip_codes = setting(statuses, (77,))
    """Exit statuses of a test that was skipped; the last line that it printed is the reason."""

    kill_after_seconds = setting(kinds.duration, 5)
    """From TERM to KILL, for a command whose time is over and for all of its process group."""

    keep = setting(texts, ())
    """Files to keep, as patterns below the test's own folder (`{folder}`): `["*.log", "plots/**"]`. Workers elsewhere send
    them home. All else in that folder is removed behind the test. `output.log` holds what it printed."""

    metrics = setting(texts, ())
    """Files below the test's own folder that hold metrics: JSON objects (`*.json`) or lines `key=value`. They are in the
    reports and in metrics.csv. A passed test that has not written one named without `*` is an error."""

    results = setting(texts, ())
    """Files below the test's own folder that hold JSON objects, merged over all tests into `results-<run>.json`. Otherwise like
    `metrics`."""

    exclusive = setting(kinds.text, "")
    """A resource that only one test of the run may use at a time, with fields: `disk-{values.disk}`. Empty: none."""


class Command(Running):
    """Defaults of all suites of framework command; a suite overrides what differs."""

    timeout_seconds = setting(kinds.Optional(kinds.duration), None)
    """Duration a command may take, without its set-up; then it is ended and its verdict is timed-out. Off: no limit."""

    slow_after_seconds = setting(kinds.Optional(kinds.duration), 60)
    """Duration after which a running test is named in a warning, and again each time it passes. Off: never."""

    retries = setting(kinds.whole, 0)
    """How often a failed test is tried again at once. A pass after a failure is flaky, and said so."""


class SetUpSettings(Extension):
    """What tests of a suite share: set up before the first that needs it, torn down behind the last, in each worker."""

    per = setting(Choice("run", "host", "worker", "group"), "group")
    """Whom it is for: all tests of the run (set up once, on the agent's machine, around all others), each host (a machine that tests
    run on, before any worker starts there), each worker, or each group of tests with the same key."""

    key = setting(kinds.text, "")
    """What tests of one group have in common, with fields: `{values.pool}-{values.size}`. Needed for a group. Groups lie in
    each other in the order in which they are written."""

    command = setting(command_line, ())
    """Sets up. It may leave processes in the background, and write `key=value` lines into the file `$DOIT_FLEET_EXPORT`: they
    are environment variables of the tests, of inner set-ups and of its tear-down. Fields are those that the key names."""

    ready = setting(command_line, ())
    """Is run again and again until it succeeds; then tests may start. Empty: at once."""

    teardown = setting(command_line, ())
    """Tears down, whatever became of the set-up; at a stop too. What still runs of the set-up is ended behind it."""

    timeout_seconds = setting(kinds.Optional(kinds.duration), "10m")
    """How long setting up may take."""

    ready_timeout_seconds = setting(kinds.duration, 60)
    """How long it may take to become ready."""

    teardown_timeout_seconds = setting(kinds.duration, 60)
    """How long tearing down may take; a stopped run waits that long."""

    may_split = setting(kinds.boolean, True)
    """Whether several workers may share a group's tests, each with a set-up of its own. False: they are one batch, set up once."""


class SetUps(Container[SetUpSettings]):
    """The set-ups by name, the outermost first."""

    element = SetUpSettings


class Generate(Extension):
    """A command that makes the files, or the lines, that a suite's tests are. Like an artifact: it runs only when nothing
    was made of equal inputs before."""

    command = setting(command_line, ())
    """What makes them, on the agent. Empty: nothing."""

    inputs = setting(texts, ())
    """Globs of project files that decide what it makes."""

    environment = setting(texts, ())
    """Names of environment variables that decide it."""

    tools = setting(texts, ())
    """Lines for the shell, like `go version`, whose output decides it."""

    outputs = setting(texts, ())
    """Globs of what it makes, relative to the project's root."""

    timeout_seconds = setting(kinds.Optional(kinds.duration), "30m")
    """How long it may take."""


class Sources(Matrices):
    """Where the tests of a suite of commands come from. All that are named count."""

    rows = setting(rows, ())
    """Tests as tables: `{ name = "small", values = { size = "4k" }, dependencies = ["first"] }`."""

    files = setting(texts, ())
    """Globs, relative to the suite's root: each file is a test, `{file}` its name."""

    lines = setting(texts, ())
    """Files, relative to the suite's root: each line is a test, `{line}` its text. Empty lines and `#` comments are none."""

    generate = nested(Generate)
    setups = nested(SetUps)
