"""Cut a suite into batches: tests that are claimed together, in order.

Long tests are alone; the rest of a file stays together while that costs no balance; later batches are smaller (guided
self-scheduling: each is a share of what is left for one worker). Pure; knows nothing of buckets, claims or clocks.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from attrs import define, field

from pipeline.errors import UsageError
from pipeline.logic.atoms import Atom, gather_atoms
from pipeline.model.plans import Batch
from pipeline.model.tests import Test

CLAIM_SECONDS = 0.005
"""What a claim costs on a local store."""
WORTH_CLAIMS = 10
"""A batch lasts at least as long as that many claims, unless the whole run is so short that balance needs less."""
LEAST_CLAIMS = 2
"""A batch lasts at least as long as that many claims in any case."""
SHARES = 12
"""A batch is one of that many shares of what is left for one worker, so that a batch which takes ten times as long as
estimated is still no longer than the rest of the run."""
FINEST = 0.005
"""The smallest share of a worker's whole time that a batch is made for."""
LONG = 0.01
"""An atom of this share of a worker's whole time is a batch alone, unless that is less than a batch is worth."""

Affinity = Mapping[str, Mapping[str, int]]
"""By suite, by file: the slot whose warm harness has collected it."""


@define
class _File:
    """What remains of one file after long atoms were taken out."""

    suite: str
    slot: int
    seconds: float = 0.0
    atoms: list[Atom] = field(factory=list)


@define
class _Sizes:
    """How much a batch should last, given what is left to cut."""

    left: float
    workers: int
    least: float

    @property
    def target(self) -> float:
        return max(self.least, self.left / (SHARES * self.workers))


def make_batches(
    tests: Sequence[Test],
    workers: int,
    *,
    seed: int = 0,
    claim_seconds: float = CLAIM_SECONDS,
    affinity: Affinity | None = None,
) -> tuple[Batch, ...]:
    """Partition tests into batches, numbered from 0, all in bucket 0 as yet; larger ones come first.

    `tests` come in collection order with their estimates. Seed 0 keeps files of like weight in collection order,
    another seed shuffles these, so that other tests become neighbours. Raises `UsageError` for fewer than one worker,
    or when an exclusive resource is used by two suites.
    """
    if workers < 1:
        raise UsageError(f"batches need at least one worker (got {workers!r})")
    atoms = gather_atoms(tests)
    share = sum(atom.seconds for atom in atoms) / workers
    least = _least(share, claim_seconds)
    is_alone = [bool(atom.exclusive) or atom.seconds >= max(least, LONG * share) for atom in atoms]
    pieces = [[atom] for atom, alone in zip(atoms, is_alone, strict=True) if alone]
    files = _files(tests, [atom for atom, alone in zip(atoms, is_alone, strict=True) if not alone], affinity or {})
    sizes = _Sizes(sum(file.seconds for file in files), workers, least)
    pieces += _cut(_rank(files, seed), sizes)
    return tuple(_batch(number, piece) for number, piece in enumerate(pieces))


def _least(share: float, claim_seconds: float) -> float:
    """The shortest batch worth its claim."""
    worth = min(WORTH_CLAIMS * claim_seconds, share / SHARES)
    return max(worth, LEAST_CLAIMS * claim_seconds, FINEST * share)


def _batch(number: int, atoms: Sequence[Atom]) -> Batch:
    return Batch(
        number=number,
        bucket=0,
        tests=tuple(sorted(chain.from_iterable(atom.tests for atom in atoms))),
        seconds=sum(atom.seconds for atom in atoms),
        exclusive=atoms[0].exclusive,
    )


def _files(tests: Sequence[Test], atoms: Sequence[Atom], affinity: Affinity) -> list[_File]:
    files: dict[tuple[str, str], _File] = {}
    for atom in atoms:
        test = tests[atom.tests[0]]
        file = files.get((test.suite, test.file))
        if file is None:
            file = _File(test.suite, affinity.get(test.suite, {}).get(test.file, -1))
            files[(test.suite, test.file)] = file
        file.atoms.append(atom)
        file.seconds += atom.seconds
    return list(files.values())


def _rank(files: Sequence[_File], seed: int) -> list[_File]:
    """Order files by weight, halving from class to class; within a class as collected, or shuffled by the seed."""
    shuffled = list(files)
    if seed:
        random.Random(seed).shuffle(shuffled)
    return sorted(shuffled, key=lambda file: -math.frexp(file.seconds)[1])


def _cut(files: Sequence[_File], sizes: _Sizes) -> Iterator[list[Atom]]:
    """Split files above the target, and join light ones of one suite and slot until they reach it."""
    open_pieces: dict[tuple[str, int], _File] = {}
    for file in files:
        if 2 * file.seconds > sizes.target:
            yield from _split(file, sizes)
            continue
        key = (file.suite, file.slot)
        piece = open_pieces.setdefault(key, _File(file.suite, file.slot))
        piece.atoms += file.atoms
        piece.seconds += file.seconds
        if piece.seconds >= sizes.target:
            sizes.left -= piece.seconds
            yield open_pieces.pop(key).atoms
    yield from (piece.atoms for piece in open_pieces.values())


def _split(file: _File, sizes: _Sizes) -> Iterator[list[Atom]]:
    """Cut one file into consecutive pieces of about the target each; what is left over is never a crumb."""
    piece: list[Atom] = []
    seconds, left = 0.0, file.seconds
    for atom in file.atoms:
        target = sizes.target
        if piece and seconds + atom.seconds / 2 > target and 2 * (left - seconds) > target:
            yield piece
            sizes.left -= seconds
            left -= seconds
            piece, seconds = [], 0.0
        piece.append(atom)
        seconds += atom.seconds
    sizes.left -= seconds
    yield piece
