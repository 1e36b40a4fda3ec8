"""Containers of one Docker daemon, through its SDK. All calls block and may come from several threads.

Errors: `EngineError` with the way out, `DaemonUnreachable`, `ContainerGone`. It must not know workers or stores.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, BinaryIO

from pipeline.adapters.docker_client import client_of, daemon_host, is_remote
from pipeline.adapters.docker_errors import ContainerGone, docker_in_use
from pipeline.adapters.docker_pull import login_at, pull_image
from pipeline.adapters.piece_stream import PieceStream
from pipeline.adapters.registry_credentials import Credentials
from pipeline.errors import EngineError
from pipeline.model.containers import ContainerSpec, ContainerState

AGAIN_SECONDS = 1.0
"""Before the daemon is asked for events again after it went away."""


class DockerEngine:
    """One daemon; nothing is asked before the first use."""

    def __init__(self, host: str = "", credentials: Mapping[str, Credentials] | None = None) -> None:
        """`credentials` by registry, where docker's own are not to be used."""
        self._setting = host
        self._credentials = credentials or {}
        self._identity = ""
        self._events: Any = None
        self._made: Any = None
        self._making = threading.Lock()

    @property
    def host(self) -> str:
        """The daemon's address."""
        return daemon_host(self._setting)

    @property
    def is_remote(self) -> bool:
        """Whether it sees another machine's folders."""
        return is_remote(self.host)

    @property
    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = client_of(self.host)
        return self._made

    def close(self) -> None:
        """Let go of all connections."""
        if self._made is not None:
            self._made.close()

    def identity(self) -> str:
        """Names the daemon; a container that it does not have is nowhere else."""
        if not self._identity:
            with docker_in_use("asking for its name", self.host):
                self._identity = str(self._client.info()["ID"])
        return self._identity

    def pull(self, reference: str) -> None:
        """Have that image; a registry that is down is given some time to come back."""
        with docker_in_use(f"looking for image {reference!r}", self.host):
            if self._client.images(name=reference, quiet=True):
                return
        pull_image(self._client, self.host, reference, login=login_at(self._credentials, reference))

    def create(self, spec: ContainerSpec) -> str:
        """Make a container; its id."""
        with docker_in_use(f"creating container {spec.name!r}", self.host):
            client = self._client
            network = {"network_mode": spec.network} if spec.network else {}
            limits = (
                {}
                if spec.memory_bytes is None
                else {"mem_limit": spec.memory_bytes, "memswap_limit": spec.memory_bytes}
            )
            cpus = {} if spec.cpus is None else {"nano_cpus": round(spec.cpus * 1e9)}
            privileges: dict[str, Any] = {}
            if spec.drops_privileges:
                privileges = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
            if spec.privileges:
                privileges["cap_add"] = list(spec.privileges)
            host_config = client.create_host_config(
                binds=list(spec.mounts),
                tmpfs=dict(spec.tmpfs),
                read_only=spec.read_only,
                extra_hosts=dict(spec.hosts) or None,
                **network,
                **limits,
                **cpus,
                **privileges,
            )
            targets = [mount.split(":")[1] for mount in spec.mounts]
            made = client.create_container(
                spec.image,
                command=list(spec.command) or None,
                name=spec.name,
                labels=dict(spec.labels),
                environment=dict(spec.environment),
                user=spec.user or None,
                volumes=[*spec.volumes, *targets] or None,
                stdin_open=spec.has_input,
                host_config=host_config,
            )
            return str(made["Id"])

    def start(self, container: str, line: bytes = b"") -> None:
        """Start it, and hand it a line on its standard input, which nobody else sees."""
        with docker_in_use("starting a container", self.host):
            if not line:
                self._client.start(container)
                return
            stream = self._client.attach_socket(container, params={"stdin": 1, "stream": 1})
            try:
                self._client.start(container)
                getattr(stream, "_sock", stream).sendall(line)
            finally:
                stream.close()

    def state(self, container: str) -> ContainerState | None:
        """What is known of it; None: the daemon has no such container."""
        try:
            with docker_in_use("inspecting a container", self.host):
                found = self._client.inspect_container(container)
        except ContainerGone:
            return None
        state = found["State"]
        has_ended = state["Status"] in ("exited", "dead")
        return ContainerState(
            id=found["Id"],
            name=found["Name"].lstrip("/"),
            labels=found["Config"]["Labels"] or {},
            status=state["Status"],
            code=state["ExitCode"] if has_ended else None,
            out_of_memory=bool(state.get("OOMKilled")),
            error=state.get("Error", ""),
        )

    def list(self, labels: Mapping[str, str]) -> Sequence[ContainerState]:
        """All containers with these labels, ended ones too, by name."""
        with docker_in_use("listing containers", self.host):
            wanted = [f"{name}={value}" if value else name for name, value in labels.items()]
            found = self._client.containers(all=True, filters={"label": wanted})
        states = [
            ContainerState(
                id=one["Id"], name=(one["Names"] or [""])[0].lstrip("/"), labels=one["Labels"], status=one["State"]
            )
            for one in found
        ]
        return sorted(states, key=lambda state: state.name)

    def run_in(self, container: str, command: Sequence[str]) -> tuple[int, str]:
        """Run a command in a running container: (status, what it printed)."""
        with docker_in_use(f"running {command[0]!r} in a container", self.host):
            made = self._client.exec_create(container, list(command))["Id"]
            printed = self._client.exec_start(made)
            return int(self._client.exec_inspect(made)["ExitCode"]), printed.decode("utf-8", "replace")

    def logs(self, container: str, most_bytes: int) -> bytes:
        """The end of what it has printed so far: it may have printed more than memory holds."""
        kept: deque[bytes] = deque()
        size = 0
        with docker_in_use("reading a container's log", self.host):
            for piece in self._client.logs(container, stream=True, follow=False):
                kept.append(piece)
                size += len(piece)
                while size - len(kept[0]) >= most_bytes:
                    size -= len(kept.popleft())
        return b"".join(kept)[-most_bytes:]

    def printed(self, container: str, *, follow: bool) -> Iterator[bytes]:
        """All it has printed, piece by piece; with `follow` on until it ends."""
        with docker_in_use("reading a container's log", self.host):
            yield from self._client.logs(container, stream=True, follow=follow)

    def stop(self, container: str, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL after the grace; 0: SIGKILL at once. One that has ended or is gone is fine."""
        try:
            with docker_in_use("stopping a container", self.host):
                if grace_seconds > 0:
                    self._client.stop(container, timeout=round(grace_seconds))
                else:
                    self._client.kill(container)
        except ContainerGone:
            return
        except EngineError:
            state = self.state(container)
            if state is not None and not state.has_ended and state.status != "created":
                raise

    def remove(self, container: str) -> None:
        """Kill it and remove it with its volumes; one that is gone, or being removed by others, is fine."""
        try:
            with docker_in_use("removing a container", self.host):
                self._client.remove_container(container, v=True, force=True)
        except ContainerGone:
            return
        except EngineError as error:
            if "already in progress" not in error.message:
                raise

    @contextmanager
    def fetch(self, container: str, path: str) -> Iterator[BinaryIO]:
        """A folder of a container, living or ended, as a stream of a tar archive, however large it is."""
        with docker_in_use(f"reading {path!r} in a container", self.host):
            pieces, _ = self._client.get_archive(container, path)
            with closing(pieces), PieceStream(pieces) as stream:
                yield stream

    def watch(self, labels: Mapping[str, str], tell: Callable[[str], None], is_over: threading.Event) -> None:
        """Tell the id of each container with these labels that has ended, some of them again; until it is over."""
        wanted = [f"{name}={value}" for name, value in labels.items()]
        while not is_over.is_set():
            try:
                with docker_in_use("hearing its events", self.host):
                    self._events = self._client.events(filters={"label": wanted, "event": "die"}, decode=True)
                    for one in self.list(labels):  # Those that have ended unheard.
                        if one.has_ended:
                            tell(one.id)
                    for event in self._events:
                        tell(str(event["id"]))
            except EngineError:
                pass  # The daemon has gone away, or the stream was closed.
            is_over.wait(AGAIN_SECONDS)

    def stop_watching(self) -> None:
        """Let `watch` return, after its event was set."""
        if self._events is not None:
            self._events.close()
