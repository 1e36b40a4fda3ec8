"""Tell hooks that a run has ended. Whatever goes wrong here is a warning."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

from pipeline.errors import FleetError, UsageError
from pipeline.settings.secret import Secret

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from extensions.fleet import Fleet

RUN, CODE = "DOIT_FLEET_RUN_ID", "DOIT_FLEET_EXIT_CODE"


def check(fleet: Fleet) -> None:
    """Raise `UsageError` when a hook says neither or several of how it is told. Secrets are looked up."""
    for name in fleet.hooks.names():
        hook = fleet.hooks[name]
        ways = [way for way in ("command", "url", "secret_url") if getattr(hook, way).get()]
        if len(ways) != 1:
            raise UsageError(
                f"hook {name!r} has {' and '.join(ways) or 'no way to be told'}",
                hint=f"hooks.{name}.command, or url, or secret_url: one of them",
            )
        _plain(fleet, hook.env.get())
        _plain(fleet, hook.headers.get())
        _address(fleet, hook)


def send(agent: LocalAgent, exit_code: int) -> None:
    """Tell all hooks, one after the other, if a run has begun. Never raises."""
    if not agent.reporting.has_run:
        return
    for name in agent.fleet.hooks.names():
        try:
            _send(agent, agent.fleet.hooks[name], exit_code)
        except FleetError as error:
            agent.reporting.say(f"warning: hook {name!r} was not told of the run's end: {error.message}")
        except Exception as error:  # Nothing of a hook may change the exit code.
            agent.reporting.say(f"warning: hook {name!r} was not told of the run's end: {type(error).__name__}")


def _send(agent: LocalAgent, hook: Any, exit_code: int) -> None:
    told = _payload(agent, exit_code)
    content = json.dumps(told, ensure_ascii=True).encode("ascii")
    seconds, command = hook.timeout_seconds.get(), hook.command.get()
    if command:
        from pipeline.adapters.hook_command import tell_command

        arguments = ["sh", "-c", command] if isinstance(command, str) else list(command)
        own = {RUN: str(told["run"]), CODE: str(exit_code)}
        env = {**agent.fleet.environment, **own, **_plain(agent.fleet, hook.env.get())}
        tell_command(arguments, content, cwd=str(agent.root), env=env, seconds=seconds)
        return
    from pipeline.adapters.hook_web import tell_address

    headers = _plain(agent.fleet, hook.headers.get())
    tell_address(_address(agent.fleet, hook), content, headers=headers, seconds=seconds, retries=hook.retries.get())


def _payload(agent: LocalAgent, exit_code: int) -> dict[str, Any]:
    from pipeline.report.run_ended import About

    fleet = agent.fleet
    about = About(
        project=fleet.project.name.get(),
        host=platform.node(),
        branch=fleet.project.branch.get() or "",
        profile=fleet.scope.ledger.profile or "",
        reports=[str(path) for path in agent.report_paths() if path.exists()],
    )
    return agent.reporting.ended.payload(exit_code, about)


def _address(fleet: Fleet, hook: Any) -> str:
    secret = hook.secret_url.get()
    return secret.reveal(fleet.environment, fleet.home) if secret is not None else str(hook.url.get())


def _plain(fleet: Fleet, values: Any) -> dict[str, str]:
    return {
        name: value.reveal(fleet.environment, fleet.home) if isinstance(value, Secret) else value
        for name, value in values.items()
    }
