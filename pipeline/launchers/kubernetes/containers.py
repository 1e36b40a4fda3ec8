"""The containers of a worker's pod, and the volumes that they share: its worker, what prepares it, services as sidecars. Pure.

The image cannot be written. One sized volume holds whatever is: the project (copied there by the init container `prepare`,
since a volume hides what the image has in its place), temporary files, logs and what is not delivered yet. Secrets are
handed over by `prepare`, too, in memory: the worker removes them before tests begin, so tests never see the Secret.
Measured on warm nodes: 0.6 s from the Job to the first line without `prepare`, 0.9 with it, 1.3 when it copies 122 files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipeline.launchers.given import scratch_of
from pipeline.launchers.kubernetes.names import secret_name
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.logic.worker_ranges import write_ranges
from pipeline.model.images import Places
from pipeline.model.services import Service
from pipeline.ports.places import Hiring

WORKER: Final = "worker"
PREPARE: Final = "prepare"
SERVICE: Final = "service-"
"""A service's container begins so: no service is ever called as one of ours."""
VARIABLE: Final = "DOIT_FLEET_"
SECRETS_FILE: Final = "secrets.json"
HANDED: Final = "/run/doit-fleet"
"""Where the worker finds `secrets.json` (as `launchers.given.secrets_line`) and, in `store/`, a file for each variable."""
GIVEN, GIVEN_STORE, COPY = "/run/doit-fleet-given", "/run/doit-fleet-store", "/run/doit-fleet-copy"
"""Where `prepare` has the two Secrets and the scratch volume."""
TEMPORARY_FOLDERS: Final = {"/tmp": "tmp", "/var/tmp": "var-tmp"}
SCRIPT: Final = """\
project=$1 copy=$2 given=$3 handed=$4 store=$5
mkdir "$copy/scratch"
mkdir -m 1777 "$copy/tmp" "$copy/var-tmp"
if [ -n "$project" ]; then cp -RPp "$project" "$copy/project"; fi
umask 077
cp "$given"/* "$handed/"
for file in "$store"/*; do if [ -f "$file" ]; then mkdir -p "$handed/store"; cp "$file" "$handed/store/"; fi; done
"""
HANDED_BYTES: Final = 16 * 2**20
SERVICE_CPU_REQUEST: Final = 0.1
SERVICE_CPUS: Final = 1.0
SERVICE_MEMORY_BYTES: Final = 512 * 2**20


def worker_container(terms: PodTerms, hirings: Sequence[Hiring], image: str, places: Places) -> dict[str, Any]:
    """The one that runs tests."""
    return {
        "name": WORKER,
        "image": image,
        "env": _env(terms, hirings, places),
        "resources": _resources(terms),
        "securityContext": _security(terms.read_only),
        "volumeMounts": [*_writable(terms, places), _mount("handed", HANDED), *_user_mounts(terms)],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def prepare_container(terms: PodTerms, image: str, places: Places) -> dict[str, Any]:
    """Copies the project to where it can be written, and hands secrets over. As the worker's user, so the copy is its own."""
    project = places.project if terms.read_only else ""
    mounts = [_mount("scratch", COPY), _mount("secrets", GIVEN, readOnly=True), _mount("handed", HANDED)]
    mounts += [_mount("store-secret", GIVEN_STORE, readOnly=True)] if terms.store_secret else []
    return {
        "name": PREPARE,
        "image": image,
        "command": ["/bin/sh", "-ec", SCRIPT, PREPARE, project, COPY, GIVEN, HANDED, GIVEN_STORE],
        "resources": _resources(terms),
        "securityContext": _security(read_only=True),
        "volumeMounts": mounts,
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def service_container(service: Service) -> dict[str, Any]:
    """A native sidecar: started before the worker and waited for, ended after it."""
    context = _security(read_only=False)  # An image of somebody else's, which writes where it likes.
    context |= user_of(service.user) if service.user else {}
    container: dict[str, Any] = {
        "name": f"{SERVICE}{service.name.lower()}",
        "image": service.image,
        "restartPolicy": "Always",
        "env": [{"name": name, "value": value} for name, value in service.environment.items()],
        "resources": _amounts(
            service.cpus or SERVICE_CPUS,
            service.cpus or SERVICE_CPU_REQUEST,
            service.memory_bytes or SERVICE_MEMORY_BYTES,
            service.memory_bytes or SERVICE_MEMORY_BYTES,
        ),
        "securityContext": context,
        "terminationMessagePolicy": "FallbackToLogsOnError",  # For why it was never ready.
    }
    container |= {"args": list(service.command)} if service.command else {}
    if service.ready:
        container["startupProbe"] = {
            "exec": {"command": list(service.ready)},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": max(1, round(service.ready_timeout_seconds)),
            "terminationGracePeriodSeconds": 1,
        }
    return container


def volumes_of(terms: PodTerms, hirings: Sequence[Hiring]) -> list[dict[str, Any]]:
    """Ours, the store's, and the user's."""
    first = hirings[0]
    size = {} if terms.scratch_bytes is None else {"sizeLimit": str(terms.scratch_bytes)}
    volumes: list[dict[str, Any]] = [
        {"name": "scratch", "emptyDir": size},
        {"name": "secrets", "secret": {"secretName": secret_name(first.run, first.term, terms.pool, terms.until)}},
        {"name": "handed", "emptyDir": {"medium": "Memory", "sizeLimit": str(HANDED_BYTES)}},
    ]
    if terms.store_secret:
        volumes.append({"name": "store-secret", "secret": {"secretName": terms.store_secret}})
    if terms.store_claim:
        claim = {"claimName": terms.store_claim.partition("/")[0]}
        volumes.append({"name": "store", "persistentVolumeClaim": claim})
    mount_words = ("mountPath", "subPath", "subPathExpr", "readOnly", "mountPropagation")
    known: dict[str, dict[str, Any]] = {}
    for number, volume in enumerate(terms.volumes):
        name = _volume_name(volume, number)
        known[name] = {"name": name, **{word: value for word, value in volume.items() if word not in mount_words}}
    return [*volumes, *known.values()]


def user_of(user: str) -> dict[str, Any]:
    """`uid` or `uid:gid` in a security context's words; nothing for nobody in particular."""
    uid, _, gid = user.partition(":")
    told: dict[str, Any] = {"runAsUser": int(uid), "runAsNonRoot": int(uid) != 0} if uid else {"runAsNonRoot": True}
    return {**told, "runAsGroup": int(gid)} if gid else told


def _env(terms: PodTerms, hirings: Sequence[Hiring], places: Places) -> list[dict[str, Any]]:
    first = hirings[0]
    given = {
        "RUN": first.run,
        "TERM": str(first.term),
        "STORE": terms.store,
        "LAUNCHER": "kubernetes",
        "IDENTITY": json.dumps(first.identity, sort_keys=True),
        "SECRETS": f"file:{HANDED}/{SECRETS_FILE}",
        "SCRATCH": scratch_of(places),
    }
    given |= {"STORE_SECRET": f"{HANDED}/store"} if terms.store_secret else {}
    given |= {"MEETS": "1"} if terms.store.startswith("file://") else {}
    if len(hirings) == 1:
        given |= {"WORKER": first.worker, "SLOT": str(first.slot)}
    else:
        given |= {"WORKERS": write_ranges(hiring.worker for hiring in hirings)}  # By JOB_COMPLETION_INDEX.
    fields = {"NONCE": "metadata.uid", "POD_UID": "metadata.uid", "POD_NAME": "metadata.name"}
    fields |= {"POD_NAMESPACE": "metadata.namespace", "POD_NODE": "spec.nodeName"}
    ours: list[dict[str, Any]] = [{"name": VARIABLE + name, "value": value} for name, value in given.items()]
    ours += [{"name": VARIABLE + name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
    users: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in terms.environment.items()]
    users += [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        for name, (secret, key) in terms.secret_environment.items()
    ]
    return [*users, *ours]


def _writable(terms: PodTerms, places: Places) -> list[dict[str, Any]]:
    folders = {scratch_of(places): "scratch"}
    if terms.read_only:
        folders |= {places.project: "project", **TEMPORARY_FOLDERS}
    return [_mount("scratch", path, subPath=folder) for path, folder in folders.items()]


def _user_mounts(terms: PodTerms) -> list[dict[str, Any]]:
    mounts = []
    if terms.store_claim:
        below = terms.store_claim.partition("/")[2]
        path = terms.store.removeprefix("file://")
        mounts.append(_mount("store", path, **({"subPath": below} if below else {})))
    words = ("mountPath", "subPath", "subPathExpr", "readOnly", "mountPropagation")
    for number, volume in enumerate(terms.volumes):
        told: Mapping[str, Any] = {word: volume[word] for word in words if word in volume}
        mounts.append({"name": _volume_name(volume, number), **told})
    return mounts


def _volume_name(volume: Mapping[str, Any], number: int) -> str:
    return str(volume.get("name") or f"volume-{number}")


def _mount(name: str, path: str, **more: object) -> dict[str, Any]:
    return {"name": name, "mountPath": path, **more}


def _security(read_only: bool) -> dict[str, Any]:
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {**context, "readOnlyRootFilesystem": read_only}


def _resources(terms: PodTerms) -> dict[str, Any]:
    wanted = _amounts(
        terms.cpus,
        terms.cpus if terms.cpu_request is None else terms.cpu_request,
        terms.memory_bytes,
        terms.memory_bytes if terms.memory_request_bytes is None else terms.memory_request_bytes,
    )
    if terms.storage_bytes is not None:
        for amounts in wanted.values():
            amounts["ephemeral-storage"] = str(terms.storage_bytes)
    return wanted


def _amounts(cpus: float, cpu_request: float, memory: int, memory_request: int) -> dict[str, dict[str, str]]:
    """Requests never above limits."""
    return {
        "requests": {"cpu": _millis(min(cpus, cpu_request)), "memory": str(min(memory, memory_request))},
        "limits": {"cpu": _millis(cpus), "memory": str(memory)},
    }


def _millis(cpus: float) -> str:
    return f"{max(1, round(cpus * 1000))}m"
