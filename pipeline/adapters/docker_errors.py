"""What a Docker daemon's refusals mean, each with the way out. It sends nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import EngineError

PASSING = (
    "connection refused",
    "connection reset",
    "timeout",
    "timed out",
    "no such host",
    "server misbehaving",
    "tls handshake",
    "unexpected eof",
    ": eof",
    "toomanyrequests",
    "network is unreachable",
)
"""Words of a pull that failed for reasons which may pass."""
SERVERS_FAULT = re.compile(r"(http status|status code)[^0-9]{1,16}5\d\d\b|\b50[0234] (internal|bad|service|gateway)")
"""A status in Docker's words; the server chooses the words behind the number."""
NOT_THERE = ("not found", "manifest unknown", "no such image", "name unknown")
NOT_ALLOWED = ("unauthorized", "denied", "no basic auth", "authentication required", "forbidden")


class DaemonUnreachable(EngineError):
    """The daemon did not answer; what was asked may have been done. Try again."""

    permanent = False


class ContainerGone(EngineError):
    """There is no such container (any more)."""


@contextmanager
def docker_in_use(what: str, host: str) -> Iterator[None]:
    """Turn the client's errors into ours."""
    import requests.exceptions
    from docker.errors import APIError, DockerException, ImageNotFound, NotFound

    try:
        yield
    except ImageNotFound as error:
        raise EngineError(
            f"{what}: there is no such image: {_text(error)}", hint="push it again: `doit push`"
        ) from error
    except NotFound as error:
        raise ContainerGone(f"{what}: {_text(error)}") from error
    except APIError as error:
        raise EngineError(f"{what}: the Docker daemon refuses: {_text(error)}", hint=hint_of(_text(error))) from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise DaemonUnreachable(
            f"{what}: the Docker daemon at {host!r} does not answer: {_reason(error)}", hint=_way_to(error)
        ) from error


def hint_of(text: str) -> str:
    """The way out of a refusal, as far as its words tell."""
    text = text.lower()
    if any(word in text for word in NOT_ALLOWED):
        return "log in: `docker login REGISTRY`; the launcher uses docker's own credentials"
    if any(word in text for word in NOT_THERE):
        return "push it again: `doit push`; or it was removed from the registry"
    if "mount" in text or "no such file" in text:
        return "see docker.mounts, and whether the store's folder exists where the daemon runs"
    return ""


def may_pass(text: str) -> bool:
    """Whether a failed pull may succeed a little later."""
    text = text.lower()
    passes = SERVERS_FAULT.search(text) or any(word in text for word in PASSING)
    return bool(passes) and not any(word in text for word in (*NOT_THERE, *NOT_ALLOWED))


def _way_to(error: BaseException) -> str:
    if isinstance(_root(error), PermissionError):
        return "this user may not use it: `sudo usermod -aG docker $USER`, then log in anew; another one: docker.host or DOCKER_HOST"
    return "is it running? see `docker info`; another one: docker.host or DOCKER_HOST"


def _reason(error: BaseException) -> str:
    """The system's words, which the client wraps in three of its own errors."""
    root = _root(error)
    return root.strerror if isinstance(root, OSError) and root.strerror else str(error)


def _root(error: BaseException) -> BaseException:
    inner = error.__cause__ or error.__context__
    return error if inner is None else _root(inner)


def _text(error: Exception) -> str:
    return str(getattr(error, "explanation", "") or error).strip()
