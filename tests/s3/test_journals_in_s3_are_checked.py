"""Objects of a journal that are not what was written are an error; a large store is listed whole."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipeline.adapters.s3_segments import read_segment, write_seal, write_segment
from pipeline.adapters.s3_store import S3Store
from pipeline.errors import StoreDamaged
from tests.s3.stores import store_in

SEGMENT = "store/j/w/00000002"


async def _written(store: S3Store) -> str:
    """A journal of three sealed segments; its position."""
    journal = store.journal("j/w")
    for record in (b"1", b"2", b"3"):
        journal.append(record)
        await journal.flush()
    return await journal.seal()


@pytest.mark.parametrize("change", ["bad bytes", "missing", "misplaced", "cut"])
def test_damage_is_an_error(s3: Any, change: str) -> None:
    """Changed, lost, exchanged or shortened: neither a reader up to the seal nor silence passes over it."""
    position = asyncio.run(_written(store_in(s3)))
    client, bucket = s3.client, s3.bucket
    data = client.get_object(Bucket=bucket, Key=SEGMENT)["Body"].read()
    if change == "missing":
        client.delete_object(Bucket=bucket, Key=SEGMENT)
    elif change == "misplaced":
        client.copy_object(
            Bucket=bucket, Key=SEGMENT, CopySource={"Bucket": bucket, "Key": SEGMENT.replace("0002", "0003")}
        )
    else:
        bad = data[:-1] if change == "cut" else data[:-1] + b"x"
        client.put_object(Bucket=bucket, Key=SEGMENT, Body=bad)

    with pytest.raises(StoreDamaged, match="'j/w' is damaged: .*segment 2"):
        asyncio.run(store_in(s3).journal("j/w").read(position))


def test_without_a_seal_only_the_gap_free_prefix_counts(s3: Any) -> None:
    """What lies behind a gap is not read, whoever put it there."""

    async def claim() -> list[bytes]:
        store = store_in(s3)
        await _written(store)
        await store.delete("j/w/00000002")
        return list(await store_in(s3).journal("j/w").read())

    assert asyncio.run(claim()) == [b"1"]


def test_a_segment_of_whole_frames_cut_off_is_damaged() -> None:
    """The count in its head tells that records are missing though each is sound."""
    whole, shorter = write_segment(7, "n", [b"a", b"b"]), write_segment(7, "n", [b"a"])
    head, _, _ = whole.partition(b"\n")
    _, _, frames = shorter.partition(b"\n")

    assert read_segment(whole, 7, "j").records == (b"a", b"b")
    assert read_segment(write_seal(7), 7, "j").is_seal
    for bad in (head + b"\n" + frames, write_seal(8), b"", b"doit-fleet-segment 2 7 0 n\n"):
        with pytest.raises(StoreDamaged):
            read_segment(bad, 7, "j")


def test_a_listing_of_many_pages_is_whole_and_in_order(s3: Any) -> None:
    """More keys than a page holds, with names that servers on folders are tempted to order wrongly."""
    keys = sorted(f"r/{name}/{number:03d}" for name in ("a", "a-b", "a.b", "ab") for number in range(300))

    async def claim() -> tuple[list[str], int, int]:
        store = store_in(s3)
        await asyncio.gather(*(store.create(key, b"") for key in keys))
        listed = [entry.key for entry in await store_in(s3).list("r/a")]
        return listed, await store.delete("r/"), len(await store.list(""))

    assert asyncio.run(claim()) == (keys, 1200, 0)


def test_folders_that_people_make_are_no_values(s3: Any) -> None:
    """Consoles of S3 leave empty objects whose names end with a slash."""
    for name in ("store/", "store/runs/"):
        s3.client.put_object(Bucket=s3.bucket, Key=name, Body=b"")

    async def claim() -> list[str]:
        store = store_in(s3)
        await store.create("runs/1", b"1")
        return [entry.key for entry in await store.list("")]

    assert asyncio.run(claim()) == ["runs/1"]
