"""What workers elsewhere leave beside verdicts: logs and collected files, kept in the store in chunks below a run.

`runs/<run>/outputs/<worker>/<name>/<number, 6 digits>` are the chunks, `…/index` says what they add up to and is created
last: an output without an index does not exist. It must not know what is in them: whoever unpacks one treats it as hostile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import BinaryIO

from attrs import asdict, frozen

from pipeline.errors import StoreDamaged, UsageError
from pipeline.model.keys import check_key
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore

CHUNK_BYTES = 4 * 2**20
"""Small enough for memory and for one request of any store."""
MOST_CHUNKS = 1024
LOGS = "logs"
"""Name of the archive of a worker's logs; a suite that is called so has another."""
INDEX = "index"


@frozen(kw_only=True)
class Output:
    """One thing that a worker has left."""

    worker: str
    name: str
    """One part of a key: `log`, or the name of an archive."""
    chunks: int
    size: int
    sha256: str
    notes: tuple[str, ...] = ()
    """What was left out, for people."""


async def send_output(
    store: CertainStore, run: str, worker: str, name: str, content: BinaryIO, *, notes: Iterable[str] = ()
) -> Output:
    """Keep everything that `content` gives from where it stands. Sending the same again changes nothing.

    What is beyond `MOST_CHUNKS` is left out, with a note.
    """
    base = check_key(keys.output(run, worker, name))
    hasher, size, number, told = hashlib.sha256(), 0, 0, list(notes)
    while chunk := content.read(CHUNK_BYTES):
        if number == MOST_CHUNKS:
            told.append(f"cut off after {MOST_CHUNKS * CHUNK_BYTES // 2**20} MiB")
            break
        await store.create(f"{base}/{number:06d}", chunk)
        hasher.update(chunk)
        number, size = number + 1, size + len(chunk)
    output = Output(worker=worker, name=name, chunks=number, size=size, sha256=hasher.hexdigest(), notes=tuple(told))
    await store.create(f"{base}/{INDEX}", json.dumps(asdict(output), sort_keys=True).encode("ascii"))
    return output


async def list_outputs(store: CertainStore, run: str, tell: Callable[[str], None]) -> list[Output]:
    """Everything that workers of a run have left, by worker and name. What is damaged is left out and told: a test may
    have written it, and others' outputs come home all the same."""
    found = []
    for entry in await store.list(keys.outputs(run)):
        if keys.last(entry.key) != INDEX:
            continue
        try:
            data = await store.read(check_key(entry.key))
            if data is not None:
                found.append(_read_index(run, entry.key, data))
        except (StoreDamaged, UsageError) as error:
            tell(error.message)
    return found


async def fetch_output(store: CertainStore, run: str, output: Output, target: BinaryIO) -> None:
    """Write an output's bytes into `target`. Raises `StoreDamaged` when they are not what the index says."""
    hasher, size = hashlib.sha256(), 0
    for number in range(output.chunks):
        chunk = await store.read(f"{keys.output(run, output.worker, output.name)}/{number:06d}")
        if chunk is None:
            break
        hasher.update(chunk)
        size += len(chunk)
        target.write(chunk)
    if (size, hasher.hexdigest()) != (output.size, output.sha256):
        raise StoreDamaged(f"output {output.name!r} of worker {output.worker!r} is not whole in the store")


def _read_index(run: str, key: str, data: bytes) -> Output:
    """Parse an index. Worker and name come from its key: what it says of them itself is not trusted."""
    *_, worker, name, _ = key.split("/")
    if key != f"{keys.output(run, worker, name)}/{INDEX}":
        raise StoreDamaged(f"index {key!r} is of no worker")
    try:
        told = json.loads(data)
        chunks, size = int(told["chunks"]), int(told["size"])
        notes = tuple(str(note)[:300] for note in told["notes"][:100])
        if not 0 <= chunks <= MOST_CHUNKS or size < 0:
            raise ValueError(f"{chunks} chunks of {size} bytes")
        return Output(worker=worker, name=name, chunks=chunks, size=size, sha256=str(told["sha256"]), notes=notes)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreDamaged(f"index {key!r} is damaged: {error}") from error
