"""The artifact cache: where it is, whom it trusts, and how long unused artifacts are kept.

It opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.settings import kinds
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider

TRUSTED = "trusted"


def folder_of_cache(cache: Extension) -> str:
    """`doit-fleet/artifacts` in the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`)."""
    named = cache.scope.fleet.environment.get("XDG_CACHE_HOME", "")
    base = named if named.startswith("/") else "~/.cache"
    return f"{base}/doit-fleet/artifacts"


def trust_of_build(cache: Extension) -> str:
    """ "trusted"; `pr-<number>` where the CI server says that this builds a pull or merge request."""
    environment: Mapping[str, str] = cache.scope.fleet.environment
    github = re.fullmatch(r"refs/pull/(\d+)/.*", environment.get("GITHUB_REF", ""))
    said = (
        github[1] if github else "",
        environment.get("CI_MERGE_REQUEST_IID", ""),
        environment.get("CHANGE_ID", ""),
        environment.get("BUILDKITE_PULL_REQUEST", "").replace("false", ""),
        Path(environment.get("CIRCLE_PULL_REQUEST", "")).name,
        environment.get("GITHUB_HEAD_REF", ""),
    )
    request = next(filter(None, said), "")
    return "pr-" + re.sub(r"[^A-Za-z0-9._-]", "-", request)[:60] if request else TRUSTED


def remote_of_store(cache: Extension) -> Provider[str]:
    """`artifacts` below the store where that is S3; else nowhere"""
    url: Provider[str] = cache.scope.fleet.store.url
    return url.map(lambda store: beside_runs(store) if store.startswith("s3://") else "")


def beside_runs(store: str) -> str:
    """The address of artifacts below a store's own."""
    address, mark, query = store.partition("?")
    return f"{address.rstrip('/')}/artifacts{mark}{query}"


class Cache(Extension):
    """Artifacts that images are made of: wheels of lock files, results of recipes."""

    dir = setting(kinds.path, folder_of_cache)
    """The folder of this machine's artifacts. Several projects and agents may share it."""

    remote = setting(kinds.text, remote_of_store)
    """Where machines share artifacts: `s3://bucket/prefix` (`?endpoint=…` for another server than Amazon's), or a
    folder that exists. "": nowhere. Whatever goes wrong there is a miss, never a failure. Let a rule of the bucket
    remove objects some days after `keep_fetched_days`; nothing of ours deletes there."""

    trust = setting(kinds.text, trust_of_build)
    """Whose artifacts are used. "trusted" builds use those of trusted builds only. Any other name, such as "pr-12",
    uses these too, and writes only its own, below `<remote>/<name>/`. A build can say of itself what it likes, so give
    it credentials that may write nowhere else."""

    keep_fetched_days = setting(kinds.whole, 30)
    """Days after which what can be fetched again is removed when unused."""

    keep_produced_days = setting(kinds.whole, 7)
    """Days after which what was built here is removed when unused."""

    max_size = setting(kinds.size, "10GiB")
    """What `cache.dir` may hold; beyond it goes what was used longest ago, but nothing that a live run needs."""

    clean_every_days = setting(kinds.whole, 1)
    """How often clean-up is done, at the end of a run that used the cache. 0: each time."""

    remote_seconds = setting(kinds.duration, 30)
    """How long one answer of the remote may take, apart from its size (at 256 KiB/s). After an answer that took
    longer, or three failures in a row, the remote is not asked again by this run."""
