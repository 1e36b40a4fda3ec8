"""`cache`: how full the artifact cache is, what was asked of it and why it missed; cleans it on request.

Must not know how the cache is kept: it is handed a tender.
"""

from __future__ import annotations

import json as codec
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages.doctor import JSON

if TYPE_CHECKING:
    from pipeline.model.caches import CacheState, Removal, Session

DOC = "say how full the artifact cache is and why it missed; --clean removes what was not used for long"
CLEAN = Param(name="clean", default=False, type=bool, help="remove what was not used for long, or does not fit")
DRY_RUN = Param(name="dry_run", default=False, type=bool, help="with --clean: only say what would be removed")
SHOWN = 20


class Tender(Protocol):
    """Who looks after the cache."""

    def state(self) -> CacheState:
        """How it is."""

    def clean(self, *, dry: bool) -> Removal:
        """Remove what may not stay by the settings, or say what that would be."""


def register(catalog: Catalog, tender: Tender) -> Handle:
    """Add the task."""
    action = Action(cache, {"tender": tender})
    return catalog.add(
        "cache",
        lambda: TaskSpec(name="cache", actions=(action,), params=(JSON, CLEAN, DRY_RUN), always=True),
        doc=DOC,
    )


def cache(tender: Tender, json: bool, clean: bool, dry_run: bool) -> None:
    """Print the answer. Raises `UsageError` for `--dry-run` alone."""
    if dry_run and not clean:
        raise UsageError("'--dry-run' says what cleaning would remove", hint="doit cache --clean --dry-run")
    if clean:
        removal = tender.clean(dry=dry_run)
        print(codec.dumps(removal_as_json(removal, dry_run), indent=2) if json else removal_as_text(removal, dry_run))
        return
    state = tender.state()
    print(codec.dumps(as_json(state), indent=2) if json else as_text(state, time.time()))


def as_json(state: CacheState) -> dict[str, object]:
    """The state as plain JSON; times in seconds since the epoch, sizes in bytes."""
    from attrs import asdict

    return {**asdict(state), "shares": [asdict(share) for share in state.shares]}


def as_text(state: CacheState, now: float) -> str:
    """The state for people."""
    from pipeline.model.quantities import format_size

    entries = sum(share.entries for share in state.shares)
    lines = [
        f"{state.folder}: {format_size(state.size)} of {format_size(state.max_size)}, {entries} artifacts",
        f"trust {state.level!r}; remote {state.remote or 'none'}; cleaned {_ago(state.last_cleaned, now)}",
    ]
    for share in state.shares:
        used = f"last used {_ago(share.newest_use, now)}, the oldest {_ago(share.oldest_use, now)}"
        lines.append(f"  {share.level} {share.kind}: {share.entries}, {format_size(share.size)}, {used}")
    if state.unreadable:
        lines.append(f"  {state.unreadable} unreadable records; the next cleaning removes them")
    for session in state.sessions[:1]:
        lines += _asked(session, now)
    return "\n".join(lines)


def _asked(session: Session, now: float) -> Iterator[str]:
    hits = sum(ask.is_hit for ask in session.asks)
    yield f"last run ({_ago(session.started, now)}): {hits} hits, {len(session.asks) - hits} misses"
    for answer, count in sorted(Counter(ask.answer for ask in session.asks).items()):
        yield f"  {count:6} {answer}"
    missed = [ask for ask in session.asks if not ask.is_hit]
    yield from _shortened([f"  {ask.about or ask.key[:12]}: {ask.answer}" for ask in missed])


def _shortened(lines: Sequence[str]) -> Sequence[str]:
    return lines if len(lines) <= SHOWN else [*lines[:SHOWN], f"  and {len(lines) - SHOWN} more; --json has all"]


def _ago(then: float, now: float) -> str:
    if not then:
        return "never"
    seconds = max(now - then, 0.0)
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def removal_as_json(removal: Removal, dry: bool) -> dict[str, object]:
    """What was or would be removed, as plain JSON."""
    return {"dry_run": dry, "records": dict(removal.records), "content": removal.content, "size": removal.size}


def removal_as_text(removal: Removal, dry: bool) -> str:
    """What was or would be removed, for people."""
    from pipeline.model.quantities import format_size

    verb = "would remove" if dry else "removed"
    lines = [f"  {name[:40]}: {reason}" for name, reason in sorted(removal.records.items())]
    head = f"{verb} {len(removal.records)} artifacts, {removal.content} files, {format_size(removal.size)}"
    return "\n".join([head, *_shortened(lines)])
