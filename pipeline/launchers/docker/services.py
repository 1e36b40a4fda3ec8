"""Services beside a worker: started one after the other, waited for until they are ready, their logs kept."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.adapters.docker_engine import DockerEngine
from pipeline.errors import EngineError
from pipeline.launchers.docker.specs import DockerTerms, service_spec
from pipeline.model.services import Service
from pipeline.ports.places import Hiring

LOOK_SECONDS = 0.1
LOG_END_BYTES = 2000


def start_services(
    engine: DockerEngine, terms: DockerTerms, hiring: Hiring, *, stopped: Callable[[], bool] = lambda: False
) -> str:
    """Start them all and wait until each is ready; the id of the one whose network is everybody's, or empty.

    Raises `EngineError`; what was started is left for the caller to remove.
    """
    started: list[tuple[Service, str]] = []
    for service in terms.services:
        engine.pull(service.image)
        spec = service_spec(terms, hiring, service, first=started[0][1] if started else "")
        container = engine.create(spec)
        started.append((service, container))
        engine.start(container)
    for service, container in started:
        _await(engine, service, container, stopped)
    return started[0][1] if started else ""


def _await(engine: DockerEngine, service: Service, container: str, stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + service.ready_timeout_seconds
    said = ""
    while not stopped():
        state = engine.state(container)
        if state is None or state.has_ended:
            code = None if state is None else state.code
            raise _error(engine, service, container, f"has ended with status {code} before it was ready", said)
        if not service.ready:
            return
        code, said = engine.run_in(container, service.ready)
        if code == 0:
            return
        if time.monotonic() > until:
            span = f"{service.ready_timeout_seconds:g} s"
            raise _error(engine, service, container, f"was not ready within {span} (status {code})", said)
        time.sleep(LOOK_SECONDS)


def _error(engine: DockerEngine, service: Service, container: str, what: str, said: str) -> EngineError:
    try:
        log = engine.logs(container, LOG_END_BYTES).decode("utf-8", "replace").strip()
    except EngineError:
        log = ""
    told = "\n".join(part for part in (said.strip(), log) if part)
    hint = f"see the settings below services.{service.name}: image, command, ready, ready_timeout_seconds"
    return EngineError(f"service {service.name!r} ({service.image}) {what}:\n{told}", hint=hint)
