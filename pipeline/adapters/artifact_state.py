"""What people are told of an artifact cache, read from its folder. It changes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.adapters.artifact_cleaning import Cleaner, Entry
from pipeline.adapters.artifact_folder import ArtifactFolder
from pipeline.adapters.artifact_index import ArtifactIndex
from pipeline.model.caches import CacheState, Share

SESSIONS = 5


def state_of(folder: ArtifactFolder, *, remote: str, level: str, max_size: int) -> CacheState:
    """The state of the cache in a folder; an absent one is empty."""
    index = ArtifactIndex(folder.root)
    cleaner = Cleaner(folder, index)
    entries, broken = cleaner.entries()
    return CacheState(
        folder=folder.root,
        remote=remote,
        level=level,
        size=sum(cleaner.content().values()),
        max_size=max_size,
        shares=shares_of(entries.values()),
        unreadable=len(broken),
        last_cleaned=index.last_cleaned(),
        sessions=index.sessions(SESSIONS),
    )


def shares_of(entries: Iterable[Entry]) -> list[Share]:
    """Entries by level and kind."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.name.partition("/")[0], entry.record.kind), []).append(entry)
    return [
        Share(
            level=level,
            kind=kind,
            entries=len(group),
            size=sum(entry.size for entry in group),
            oldest_use=min(entry.used for entry in group),
            newest_use=max(entry.used for entry in group),
        )
        for (level, kind), group in sorted(groups.items())
    ]
