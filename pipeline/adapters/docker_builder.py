"""`ports.images.ImageBuilder` by a Docker daemon, found as `docker` itself finds it. Progress as it comes, errors with the line.

The context is an archive of exactly the files given: nothing else of the machine can get into it.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pipeline.adapters.docker_client import client_of, daemon_host
from pipeline.adapters.docker_errors import docker_in_use, hint_of
from pipeline.adapters.docker_pull import login_at, pull_image
from pipeline.adapters.layer_writer import write_archive
from pipeline.adapters.registry_credentials import Credentials
from pipeline.errors import EngineError
from pipeline.logic.dockerfiles import STEP, failing_line
from pipeline.model.layer_entries import LayerEntry

Progress = Callable[[str], None]
DOCKERFILE: Final = "Dockerfile.doit-fleet"
"""The name in the context; no project file is likely to have it."""
TAIL: Final = 25
"""Lines of a failed build's output that are told."""


class DockerBuilder:
    """A daemon. `credentials` by host, where docker's own are not to be used."""

    def __init__(self, host: str = "", credentials: Mapping[str, Credentials] | None = None) -> None:
        self._host = daemon_host(host)
        self._credentials = credentials or {}

    @cached_property
    def _client(self) -> Any:
        return client_of(self._host)

    def close(self) -> None:
        """Let go of all connections."""
        if "_client" in vars(self):
            self._client.close()

    def version(self) -> str:
        """Of the daemon, for people. Raises `EngineError` when it does not answer."""
        with docker_in_use("asking for the version", self._host):
            return f"Docker {self._client.version()['Version']} at {self._host}"

    def build(
        self,
        *,
        dockerfile: str,
        context: Mapping[str, bytes | Path],
        arguments: Mapping[str, str],
        platform: str = "",
        target: str = "",
        labels: Mapping[str, str],
        progress: Progress,
    ) -> str:
        """Build; the image's id. An argument `BASE` that names an image by digest is pulled first, with our credentials."""
        if "@" in arguments.get("BASE", "") and not self.has(arguments["BASE"]):
            self._pull(arguments["BASE"], platform, progress)
        with tempfile.TemporaryFile(prefix="fleet-context-") as archive:
            write_archive(_entries(dockerfile, context), archive)
            archive.seek(0)
            with docker_in_use("building an image", self._host):
                lines = self._client.build(
                    fileobj=archive,
                    custom_context=True,
                    dockerfile=DOCKERFILE,
                    buildargs=dict(arguments),
                    platform=platform or None,
                    target=target,
                    labels=dict(labels),
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
                return _built(lines, dockerfile, progress)

    def push(self, image: str, repository: str, tag: str, progress: Progress) -> str:
        """Push that image under a tag; the manifest's digest. Raises `EngineError`."""
        digest = ""
        with docker_in_use(f"pushing to {repository}", self._host):
            self._client.tag(image, repository, tag)
            for line in self._client.push(
                repository, tag=tag, stream=True, decode=True, auth_config=login_at(self._credentials, repository)
            ):
                if "error" in line:
                    reason = str(line["error"])
                    raise EngineError(f"{repository}:{tag} cannot be pushed: {reason}", hint=hint_of(reason))
                digest = str(line.get("aux", {}).get("Digest", digest))
                if line.get("status") in ("Pushed", "Layer already exists", "Mounted"):
                    progress(f"docker push {line.get('id', '')}: {line['status']}")
        with contextlib.suppress(EngineError), docker_in_use("removing a tag", self._host):
            self._client.remove_image(f"{repository}:{tag}", noprune=True)
        if not digest:
            raise EngineError(f"the Docker daemon does not say what it pushed to {repository}:{tag}")
        return digest

    def has(self, reference: str) -> bool:
        """Whether the daemon has that image. Raises `EngineError` when it does not answer."""
        return bool(self.image_id(reference))

    def image_id(self, reference: str) -> str:
        """The id of an image that the daemon has; empty when it has none of that name."""
        from docker.errors import ImageNotFound

        with docker_in_use(f"looking for image {reference!r}", self._host):
            try:
                return str(self._client.inspect_image(reference)["Id"])
            except ImageNotFound:
                return ""

    def _pull(self, reference: str, platform: str, progress: Progress) -> None:
        progress(f"the Docker daemon fetches {reference}")
        login = login_at(self._credentials, reference)
        pull_image(self._client, self._host, reference, login=login, platform=platform)


def _entries(dockerfile: str, context: Mapping[str, bytes | Path]) -> Iterator[LayerEntry]:
    yield LayerEntry(path=DOCKERFILE, content=dockerfile.encode(), mode=0o644, uid=0)
    # An allow-list even for those who look: the daemon sees nothing that is not named here.
    for name, content in context.items():
        is_program = isinstance(content, Path) and content.stat().st_mode & 0o111
        yield LayerEntry(path=name, content=content, mode=0o755 if is_program else 0o644, uid=0)


def _built(lines: Iterable[Mapping[str, Any]], dockerfile: str, progress: Progress) -> str:
    tail: deque[str] = deque(maxlen=TAIL)
    step, image = 0, ""
    for line in lines:
        if "error" in line:
            raise _failed(str(line["error"]), dockerfile, step, tail)
        image = str(line.get("aux", {}).get("ID", image))
        for said in str(line.get("stream", "")).splitlines():
            if not said.strip():
                continue
            found = STEP.fullmatch(said.strip())
            step = int(found[1]) if found else step
            tail.append(said.rstrip())
            progress(f"docker build: {said.rstrip()}")
    if not image:
        raise EngineError("the Docker daemon does not say what it built", hint="\n".join(tail))
    return image


def _failed(reason: str, dockerfile: str, step: int, tail: Iterable[str]) -> EngineError:
    where = failing_line(dockerfile, step)
    shown = "\n    ".join(tail)
    return EngineError(
        f"a Dockerfile cannot be built{', ' + where if where else ''}: {reason.strip()}\n    {shown}",
        hint="mend that line; the lines above are the end of the build's output",
    )
