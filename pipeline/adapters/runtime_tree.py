"""The worker's layer: our runtime and the few packages it needs, apart from the project's own environment.

Taken from what this process runs on, so that agent and workers are of one version. Byte-code for the interpreters that images
are likely to have; others compile nothing and still work.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from pipeline.adapters.environment_tree import compile_sources
from pipeline.adapters.layer_trees import tree_entries
from pipeline.errors import EngineError
from pipeline.model.environments import DependencyLayer
from pipeline.model.layer_entries import LayerEntry, program
from pipeline.model.layer_entries import folder as folder_entry

FORMAT = 2
"""To be raised whenever equal inputs give other bytes than before."""
OURS = Path(__file__).parent.parent
ENTRY = OURS / "worker" / "worker"
LEFT_OUT = frozenset({"contracts", "graph", "report", "stages", "__pycache__"})
"""Folders of ours that only the agent needs."""
OLDEST = (3, 11)
"""Of the interpreters that run all of it."""
PACKAGES = ("attrs",)
S3_PACKAGES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
BOTOCORE_DATA = (
    "s3/",
    "sts/",
    "sso/",
    "sso-oidc/",
    "endpoints.json",
    "partitions.json",
    "sdk-default-configuration.json",
    "_retry.json",
)


def runtime_layer(pythons: Mapping[str, str], *, with_s3: bool, at: str, processes: int = 1) -> DependencyLayer:
    """The layer below `at`; `pythons`: by full version the interpreters that byte-code is made with.

    One older than our runtime needs runs the harness only.
    """
    sources = dict(_sources(with_s3))
    compilers = {sys.version.split()[0]: sys.executable, **pythons}
    digests = {name: _digest(path) for name, path in sorted(sources.items())}
    told = [FORMAT, at, sorted(compilers), list(digests.items()), _digest(ENTRY)]
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def make(folder: Path) -> Sequence[LayerEntry]:
        for name, path in sources.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            if _digest(target) != digests[name]:
                raise EngineError(f"{str(path)!r} changed while the worker's layer was made", hint="start again")
        for version, python in compilers.items():
            compiled = folder if _runs_all(version) else folder / "pipeline" / "harness"
            compile_sources(sorted(compiled.rglob("*.py")), python, at=(folder, f"{at}/runtime"), processes=processes)
        entry = program(f"{at}/worker", ENTRY.read_bytes())
        return [entry, folder_entry(f"{at}/scratch"), *tree_entries(folder, f"{at}/runtime")]

    return DependencyLayer(name="worker", key=key, about=f"doit-fleet's runtime, {len(sources)} files", make=make)


def _runs_all(version: str) -> bool:
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) >= OLDEST


def _sources(with_s3: bool) -> Iterator[tuple[str, Path]]:
    for path in OURS.rglob("*.py"):
        inside = path.relative_to(OURS)
        if LEFT_OUT.isdisjoint(inside.parts) and inside.name != "__main__.py":
            yield f"pipeline/{inside.as_posix()}", path
    for name in (*PACKAGES, *(S3_PACKAGES if with_s3 else ())):
        yield from _package(name)


def _package(name: str) -> Iterator[tuple[str, Path]]:
    try:
        found: Distribution = distribution(name)
    except PackageNotFoundError as error:
        raise EngineError(
            f"package {name!r} is not installed beside doit-fleet", hint="install doit-fleet anew"
        ) from error
    if not found.files:
        raise EngineError(f"package {name!r} does not say which files it has", hint="install it with pip or uv")
    for file in found.files:
        if _is_wanted(file.as_posix()):
            yield file.as_posix(), Path(str(found.locate_file(file)))


def _is_wanted(name: str) -> bool:
    if name.startswith(("../", "/", "boto3/examples/")) or "__pycache__" in name:
        return False
    if name.startswith("botocore/data/"):
        return name.removeprefix("botocore/data/").startswith(BOTOCORE_DATA)
    if name.startswith("boto3/data/"):
        return name.startswith("boto3/data/s3/")
    if ".dist-info/" in name:
        return name.endswith("/METADATA") or "licen" in name.lower() or "/NOTICE" in name
    return not name.endswith((".pyi", ".so", ".typed"))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
