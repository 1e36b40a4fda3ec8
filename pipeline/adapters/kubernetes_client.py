"""The connection to a cluster's API server: where it is and who we are, by kubeconfig or from inside a pod.

The `kubernetes` library does what is hard about that (exec plug-ins, tokens that expire, certificates). Its generated
methods are not used: they differ between its versions, validate what servers should, and cost 30 times the time of JSON.
It must not know what is asked.
"""

from __future__ import annotations

import atexit
import threading
from functools import cache
from pathlib import Path
from typing import Any, Final

from pipeline.adapters.kubernetes_errors import ClusterUnreachable
from pipeline.adapters.temporary import temporary_folder
from pipeline.errors import UsageError

CONNECTIONS: Final = 16
CONNECT_SECONDS: Final = 10.0
IN_CLUSTER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""There in every pod that has a token, and the namespace of that pod."""


class KubernetesClient:
    """Sends requests with credentials; safe to use from several threads.

    `kubeconfig`: a file, or nothing for `KUBECONFIG`, `~/.kube/config` and inside a pod its own account. `context`: of
    that file. Raises `UsageError` when no cluster can be found so.
    """

    def __init__(self, kubeconfig: str = "", context: str = "") -> None:
        self._kubeconfig, self._context = kubeconfig, context
        self._making = threading.Lock()
        self._made: Any = None
        self.namespace = self._start()
        """Of the context, or of the pod."""

    def send(
        self, method: str, path: str, body: bytes | None, kind: str, seconds: float, *, stream: bool = False
    ) -> Any:
        """The answer of urllib3 (`status`, `data`, or `stream()` where one is wanted), whatever its status.

        `seconds` of silence are borne. Credentials that are refused (401) are read again once. Raises
        `ClusterUnreachable`.
        """
        client = self._made
        answer = self._sent(client, method, path, body, kind, seconds, stream)
        if answer.status == 401:
            answer.release_conn()
            answer = self._sent(self._again(client), method, path, body, kind, seconds, stream)
        return answer

    def close(self) -> None:
        """Let go of all connections."""
        _pool(self._made).clear()
        self._made.close()

    def _sent(
        self, client: Any, method: str, path: str, body: bytes | None, kind: str, seconds: float, stream: bool
    ) -> Any:
        import urllib3

        told = client.configuration
        headers = {auth["key"]: auth["value"] for auth in told.auth_settings().values() if auth["in"] == "header"}
        headers |= {"Accept": "application/json, */*", "User-Agent": "doit-fleet"}
        if body is not None:
            headers["Content-Type"] = kind
        try:
            return _pool(client).request(
                method,
                told.host + path,
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
                retries=False,
                preload_content=not stream,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unreachable(f"{method} {path}", told.host, error) from error

    def _start(self) -> str:
        config = _library().config

        if not self._kubeconfig and not self._context and IN_CLUSTER.exists():
            namespace = IN_CLUSTER.read_text("utf-8").strip()
        else:
            try:
                contexts, current = config.list_kube_config_contexts(self._kubeconfig or None)
            except (config.ConfigException, OSError, ValueError) as error:
                raise _no_cluster(error) from error
            chosen = next((c for c in contexts if c["name"] == self._context), None) if self._context else current
            if chosen is None:
                known = ", ".join(sorted(each["name"] for each in contexts))
                raise UsageError(f"no context {self._context!r} in the kubeconfig", hint=f"there are: {known}")
            namespace = str(chosen["context"].get("namespace") or "default")
        self._made = self._make()
        return namespace

    def _make(self) -> Any:
        client, config = _library().client, _library().config

        told = client.Configuration()
        told.connection_pool_maxsize = CONNECTIONS
        try:
            if not self._kubeconfig and not self._context and IN_CLUSTER.exists():
                config.load_incluster_config(client_configuration=told)
            else:
                given = (self._kubeconfig or None, self._context or None, told)
                config.load_kube_config(*given, persist_config=False, temp_file_path=_keys())
        except (config.ConfigException, OSError, ValueError) as error:
            raise _no_cluster(error) from error
        return client.ApiClient(told)

    def _again(self, refused: Any) -> Any:
        """A client with credentials read again, made by the first of all threads that are refused."""
        with self._making:
            if self._made is refused:
                self._made = self._make()
            return self._made


def unreachable(what: str, host: str, error: Exception) -> ClusterUnreachable:
    """The error for no answer, or half of one."""
    return ClusterUnreachable(
        f"{what}: the API server at {host!r} does not answer: {error}",
        hint="is it the right context? see `kubectl version`",
    )


def _library() -> Any:
    import kubernetes

    return kubernetes


@cache
def _keys() -> str:
    """Where the library writes certificates and keys that a kubeconfig holds: a folder that the next agent removes if we are killed."""
    folder = temporary_folder("cluster")
    atexit.register(folder.cleanup)
    return folder.name


def _pool(client: Any) -> Any:
    return client.rest_client.pool_manager


def _no_cluster(error: Exception) -> UsageError:
    return UsageError(
        f"no cluster is known: {error}",
        hint="name a kubeconfig by kubernetes.kubeconfig or KUBECONFIG, or run in a pod",
    )
