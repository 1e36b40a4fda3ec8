"""Whether a Docker daemon answers. Not asked through the SDK where a socket is a file: it leaks one for each refusal."""

from __future__ import annotations

import http.client
import socket

SECONDS = 5


def answers(host: str) -> bool:
    """Whether the daemon that DOCKER_HOST would name so is there."""
    kind, _, path = host.partition("unix://")
    return _by_sdk(host) if kind or not path else _by_file(path)


class _Connection(http.client.HTTPConnection):
    """HTTP by a socket that is a file."""

    def connect(self) -> None:
        """Connect to the file; nothing stays open when that fails."""
        fresh = socket.socket(socket.AF_UNIX)
        try:
            fresh.settimeout(SECONDS)
            fresh.connect(self.host)
        except OSError:
            fresh.close()
            raise
        self.sock = fresh


def _by_file(path: str) -> bool:
    connection = _Connection("docker")
    connection.host = path
    try:
        connection.request("GET", "/_ping", headers={"Host": "docker"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _by_sdk(host: str) -> bool:
    import docker
    import requests

    client = None
    try:
        client = docker.DockerClient(base_url=host, timeout=SECONDS)
        return bool(client.ping())
    except (docker.errors.DockerException, requests.RequestException):
        return False
    finally:
        if client:
            client.close()
