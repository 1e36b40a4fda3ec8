"""What every artifact cache must do: subclass this, give the fixture, and pytest runs the claims against your cache.

    class TestMyCache(ArtifactCacheContract):
        @pytest.fixture
        def party(self):
            medium = …                                     # a fresh, empty one for each test
            return lambda level="trusted": MyCache(medium, level)   # each call: another process's view of it

Nothing of our adapters is imported here.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from pipeline.errors import UsageError
from pipeline.ports.artifacts import ActionRecord, ArtifactCache, ArtifactGone, Output

PARTIES = 8


class Party(Protocol):
    """Makes views of one cache."""

    def __call__(self, level: str = "trusted") -> ArtifactCache:
        """The view of a build at that level of trust."""


def key_of(text: str) -> str:
    """Some key."""
    return hashlib.sha256(text.encode()).hexdigest()


def kept(cache: ArtifactCache, key: str, files: Mapping[str, bytes], folder: Path, **more: Any) -> ActionRecord:
    """Keep files with these bytes, then lose the files themselves."""
    sources = {path: folder / key_of(path) for path in files}
    for path, source in sources.items():
        source.write_bytes(files[path])
    record = cache.keep(key, sources, **{"kind": "produced", "about": "something", **more})
    cache.close()
    for source in sources.values():
        source.unlink()
    return record


class ArtifactCacheContract:
    """Claims about records, content, trust and races."""

    @pytest.fixture
    def party(self) -> Party:
        """Override: each call gives another process's view of one cache, fresh and empty in each test."""
        raise NotImplementedError

    def test_what_one_party_keeps_another_finds(self, party: Party, tmp_path: Path) -> None:
        """Record and content come back, byte for byte, from another party's view."""
        files = {"a/b.bin": bytes(range(256)) * 5000, "empty": b"", "é ü": b"text"}
        record = kept(party(), key_of("1"), files, tmp_path, kind="fetched", about="three files")
        other = party()

        found = other.find(key_of("1"))

        assert found == record
        assert (record.kind, record.about) == ("fetched", "three files")
        assert {path: other.file(output).read_bytes() for path, output in record.outputs.items()} == files

    def test_an_unknown_key_is_a_miss(self, party: Party) -> None:
        """An empty cache has nothing, and many unknown keys are no error either."""
        assert party().find(key_of("1")) is None
        assert party().find_all([key_of("1"), key_of("2")]) == {}

    def test_many_keys_are_found_at_once(self, party: Party, tmp_path: Path) -> None:
        """`find_all` answers with what is there, by key; a key named twice is one."""
        for number in range(5):
            kept(party(), key_of(f"{number}"), {"x": b"%d" % number}, tmp_path)
        other = party()

        found = other.find_all([key_of(f"{number}") for number in (4, 2, 7, 2)])

        assert sorted(found) == sorted([key_of("2"), key_of("4")])
        assert other.file(found[key_of("4")].outputs["x"]).read_bytes() == b"4"

    def test_modes_are_those_of_programs_and_other_files(self, party: Party, tmp_path: Path) -> None:
        """Whoever may execute a file at home may do so elsewhere; nothing else of a mode is kept."""
        for name, mode in (("program", 0o4750), ("secretive", 0o600)):
            (tmp_path / name).write_bytes(name.encode())
            os.chmod(tmp_path / name, mode)

        record = party().keep(
            key_of("1"), {name: tmp_path / name for name in ("program", "secretive")}, kind="produced", about=""
        )

        assert {path: oct(output.mode) for path, output in record.outputs.items()} == {
            "program": "0o755",
            "secretive": "0o644",
        }

    def test_a_placed_copy_is_its_owners(self, party: Party, tmp_path: Path) -> None:
        """A copy has the output's mode, and whatever is done to it changes nothing for others."""
        (tmp_path / "program").write_bytes(b"#!/bin/sh\n")
        os.chmod(tmp_path / "program", 0o700)
        cache = party()
        output = cache.keep(key_of("1"), {"p": tmp_path / "program"}, kind="produced", about="").outputs["p"]

        cache.place(output, tmp_path / "copy")
        mode = stat.S_IMODE((tmp_path / "copy").stat().st_mode)
        (tmp_path / "copy").write_bytes(b"changed")

        assert mode == 0o755
        assert cache.file(output).read_bytes() == b"#!/bin/sh\n"

    def test_a_copy_replaces_nothing(self, party: Party, tmp_path: Path) -> None:
        """`place` makes a file; one that is there is an error and stays."""
        output = kept(party(), key_of("1"), {"x": b"1"}, tmp_path).outputs["x"]
        (tmp_path / "there").write_bytes(b"mine")

        with pytest.raises(FileExistsError):
            party().place(output, tmp_path / "there")

        assert (tmp_path / "there").read_bytes() == b"mine"

    def test_content_that_was_never_kept_is_gone(self, party: Party, tmp_path: Path) -> None:
        """Asked for unknown content, a cache says so; it gives nothing else."""
        with pytest.raises(ArtifactGone):
            party().file(Output(sha256=key_of("never"), size=1))
        with pytest.raises(ArtifactGone):
            party().place(Output(sha256=key_of("never"), size=1), tmp_path / "copy")
        assert not (tmp_path / "copy").exists()

    def test_the_first_record_stands(self, party: Party, tmp_path: Path) -> None:
        """A second party that made something else is told what is there already."""
        first = kept(party(), key_of("1"), {"x": b"first"}, tmp_path)

        second = kept(party(), key_of("1"), {"x": b"second"}, tmp_path)

        assert second == first == party().find(key_of("1"))

    def test_a_trusted_build_never_sees_an_untrusted_record(self, party: Party, tmp_path: Path) -> None:
        """What a pull request keeps is found at its own level and nowhere else."""
        kept(party("pr-1"), key_of("1"), {"x": b"planted"}, tmp_path)

        assert party("pr-1").find(key_of("1")) is not None
        assert party().find(key_of("1")) is None
        assert party("pr-2").find(key_of("1")) is None

    def test_an_untrusted_record_is_in_nobodys_way(self, party: Party, tmp_path: Path) -> None:
        """A trusted build keeps its own under the same key, and then everybody finds that."""
        kept(party("pr-1"), key_of("1"), {"x": b"planted"}, tmp_path)
        right = kept(party(), key_of("1"), {"x": b"right"}, tmp_path)

        assert party().find(key_of("1")) == right
        assert party("pr-1").find(key_of("1")) == right

    def test_untrusted_builds_read_what_is_trusted(self, party: Party, tmp_path: Path) -> None:
        """A pull request is as fast as the main branch."""
        record = kept(party(), key_of("1"), {"x": b"1"}, tmp_path)

        assert party("pr-1").find(key_of("1")) == record

    @pytest.mark.parametrize(
        "path",
        ["", "/etc/passwd", "..", "a/../../b", "a//b", "./a", "a/", "a\nb", "a\0b", "x" * 256, "a/" * 600 + "a"],
        ids=lambda path: ascii(path)[:20],
    )
    def test_a_path_that_leads_elsewhere_is_refused(self, party: Party, tmp_path: Path, path: str) -> None:
        """No record with such an output is ever made."""
        (tmp_path / "x").write_bytes(b"1")

        with pytest.raises(UsageError):
            party().keep(key_of("1"), {path: tmp_path / "x"}, kind="produced", about="")
        assert party().find(key_of("1")) is None

    def test_a_path_within_another_is_refused(self, party: Party, tmp_path: Path) -> None:
        """`a` and `a/b` cannot both be files."""
        (tmp_path / "x").write_bytes(b"1")

        with pytest.raises(UsageError):
            party().keep(key_of("1"), {"a": tmp_path / "x", "a/b": tmp_path / "x"}, kind="produced", about="")

    @pytest.mark.parametrize("key", ["", "abc", "../" * 22, "A" * 64, "0" * 63 + "/", "0" * 65], ids=ascii)
    def test_a_wrong_key_is_refused(self, party: Party, tmp_path: Path, key: str) -> None:
        """Keys are digests and nothing else."""
        (tmp_path / "x").write_bytes(b"1")

        with pytest.raises(UsageError, match="is no key"):
            party().find(key)
        with pytest.raises(UsageError, match="is no key"):
            party().keep(key, {"x": tmp_path / "x"}, kind="produced", about="")

    def test_a_missing_output_is_the_callers_mistake(self, party: Party, tmp_path: Path) -> None:
        """An output that is not there, or is no file, makes no record."""
        os.mkfifo(tmp_path / "fifo")

        for source in (tmp_path / "absent", tmp_path / "fifo", tmp_path):
            with pytest.raises(UsageError, match="cannot be read"):
                party().keep(key_of("1"), {"x": source}, kind="produced", about="")
        assert party().find(key_of("1")) is None

    def test_closing_twice_is_fine(self, party: Party) -> None:
        """Whoever closes need not know who else did."""
        cache = party()
        cache.close()
        cache.close()


class RacingKeepersContract:
    """What parties on one medium must do besides. Machines that meet in a remote tier find one another's later."""

    def test_of_racing_keepers_one_stands_for_all(self, party: Party, tmp_path: Path) -> None:
        """In a race for one key all parties are told the same record, and it can be had whole."""
        for race in range(5):
            told = self._race(party, tmp_path, key_of(f"race {race}"))
            cache = party()
            found = cache.find(key_of(f"race {race}"))

            assert all(one == told[0] for one in told)
            assert found == told[0]
            assert len(cache.file(told[0].outputs["x"]).read_bytes()) == 100_000

    def _race(self, party: Party, folder: Path, key: str) -> list[ActionRecord]:
        gate, told = threading.Barrier(PARTIES), list[ActionRecord]()

        def run(number: int) -> None:
            source = folder / f"{key}.{number}"
            source.write_bytes(b"%d" % number * 100_000)
            cache = party()
            gate.wait()
            told.append(cache.keep(key, {"x": source}, kind="produced", about=""))
            cache.close()

        threads = [threading.Thread(target=run, args=(number,)) for number in range(PARTIES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(told) == PARTIES
        return told
