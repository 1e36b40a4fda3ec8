"""The end of a worker: its journal is sealed first, then its tombstone says up to where it counts.

The first tombstone stands, whoever wrote it; sealing twice gives one position. It must not know why a worker ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.logic.objects import Tomb, from_bytes, to_bytes
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore


async def bury(
    store: CertainStore,
    run: str,
    worker: str,
    *,
    plan: str,
    by: str,
    nonce: str,
    cause: str,
    proof: bool,
    detail: str = "",
    salvaged: Sequence[bytes] = (),
    wall: float = 0.0,
    is_clean: bool = False,
) -> Tomb:
    """Seal the worker's journal and write its tombstone; the tombstone that stands."""
    position = await store.seal(keys.journal(run, worker))
    tomb = Tomb(
        worker=worker,
        plan=plan,
        by=by,
        nonce=nonce,
        position=position,
        cause=cause,
        proof=proof,
        detail=detail,
        salvaged=tuple(line.decode("ascii") for line in salvaged),
        wall=wall,
        is_clean=is_clean,
    )
    if await store.create(keys.tomb(run, worker), to_bytes(tomb)):
        return tomb
    return await read_tomb(store, run, worker) or tomb


async def read_tomb(store: CertainStore, run: str, worker: str) -> Tomb | None:
    """The tombstone, or None while the worker lives."""
    data = await store.read(keys.tomb(run, worker))
    return None if data is None else from_bytes(Tomb, data)
