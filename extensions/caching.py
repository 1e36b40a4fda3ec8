"""Makes the artifact cache from its settings, tends it and closes it: one for each agent, made when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.adapters.artifact_cache import TieredCache
    from pipeline.adapters.artifact_cleaning import Cleaner, Keeping
    from pipeline.adapters.artifact_folder import ArtifactFolder
    from pipeline.model.caches import CacheState, Removal
    from pipeline.ports.artifacts import RemoteTier

DAY = 86_400.0


class Caching:
    """The cache of one agent. `tell` is given notices for people."""

    def __init__(self, settings: Any, root: Path, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._root = root
        self._tell = tell
        self._made: TieredCache | None = None

    @cached_property
    def cache(self) -> TieredCache:
        """The cache. Raises `UsageError` for wrong settings."""
        from pipeline.adapters.artifact_cache import TieredCache

        self._made = TieredCache(
            self._settings.dir.get(),
            level=self._settings.trust.get(),
            remote=self._remote(),
            remote_seconds=float(self._settings.remote_seconds.get()),
            tell=self._tell,
        )
        return self._made

    def state(self) -> CacheState:
        """How it is."""
        from pipeline.adapters.artifact_state import state_of
        from pipeline.settings.location import location

        return state_of(
            self._folder(),
            remote=str(location.plain(self._settings.remote.get())),
            level=self._settings.trust.get(),
            max_size=self._settings.max_size.get(),
        )

    def clean(self, *, dry: bool) -> Removal:
        """Remove what may not stay by the settings, or say what that would be."""
        return self._cleaner().clean(self._keeping(), dry=dry)

    def close(self) -> None:
        """Let go of the cache; clean it if that is due."""
        if self._made is None:
            return
        self._made.close()
        if self._cleaner().is_due(self._settings.clean_every_days.get() * DAY):
            try:
                self.clean(dry=False)
            except OSError as error:
                self._tell(f"the artifact cache could not be cleaned: {error}")

    def _remote(self) -> RemoteTier | None:
        address = self._settings.remote.get()
        if not address:
            return None
        if "://" in address:
            from pipeline.adapters.artifact_s3 import S3Tier

            return S3Tier(address)
        from pipeline.adapters.artifact_share import SharedFolder

        return SharedFolder(self._root / Path(address).expanduser())

    def _folder(self) -> ArtifactFolder:
        from pipeline.adapters.artifact_folder import ArtifactFolder

        return ArtifactFolder.at(self._settings.dir.get())

    def _cleaner(self) -> Cleaner:
        from pipeline.adapters.artifact_cleaning import Cleaner
        from pipeline.adapters.artifact_index import ArtifactIndex

        folder = self._folder()
        return Cleaner(folder, ArtifactIndex(folder.root))

    def _keeping(self) -> Keeping:
        from pipeline.adapters.artifact_cleaning import Keeping
        from pipeline.ports.artifacts import FETCHED, PRODUCED

        days = {FETCHED: self._settings.keep_fetched_days.get(), PRODUCED: self._settings.keep_produced_days.get()}
        return Keeping(
            seconds={kind: count * DAY for kind, count in days.items()}, max_bytes=self._settings.max_size.get()
        )
