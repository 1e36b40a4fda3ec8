"""Records from disks and remotes: read back as they were written, or refused; never anything between."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.artifact_cache_contract import key_of
from pipeline.errors import UsageError
from pipeline.logic.artifact_records import WrongRecord, check_level, decode, encode
from pipeline.ports.artifacts import ActionRecord, Output

KEY = key_of("1")
SHA = key_of("content")
PARTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20).filter(
    lambda part: "/" not in part and part not in (".", "..")
)
OUTPUTS = st.builds(
    Output, sha256=st.just(SHA), size=st.integers(0, 2**50), mode=st.sampled_from([0o644, 0o755, 0o600])
)


@given(st.dictionaries(PARTS, OUTPUTS, max_size=5), st.sampled_from(["fetched", "produced"]), st.text(max_size=50))
def test_what_was_written_is_read(outputs: dict[str, Output], kind: str, about: str) -> None:
    """Any honest record survives, equal to what it was, and equal records have equal bytes."""
    record = ActionRecord(outputs=outputs, kind=kind, about=about)

    data = encode(KEY, record)

    assert decode(KEY, data) == record
    assert encode(KEY, ActionRecord(outputs=dict(reversed(outputs.items())), kind=kind, about=about)) == data


@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    """Bytes that nobody sealed are no record, and no other error either."""
    with pytest.raises(WrongRecord):
        decode(KEY, data)


def sealed(**changes: Any) -> bytes:
    """A record as a hostile writer would make it: with a right seal."""
    body: dict[str, Any] = {"version": 1, "key": KEY, "kind": "fetched", "about": "", "outputs": {"a": [SHA, 1, 0o644]}}
    body.update(changes)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return json.dumps({**body, "seal": hashlib.sha256(text.encode()).hexdigest()}).encode()


HOSTILE: dict[str, dict[str, Any]] = {
    "absolute": {"outputs": {"/etc/passwd": [SHA, 1, 0o644]}},
    "parent": {"outputs": {"a/../../b": [SHA, 1, 0o644]}},
    "too long": {"outputs": {"a" * 300: [SHA, 1, 0o644]}},
    "too deep": {"outputs": {"a/" * 600 + "a": [SHA, 1, 0o644]}},
    "lone surrogate": {"outputs": {"\ud800": [SHA, 1, 0o644]}},
    "control character": {"outputs": {"a\u0000b": [SHA, 1, 0o644]}},
    "file and folder": {"outputs": {"a": [SHA, 1, 0o644], "a/b": [SHA, 1, 0o644]}},
    "setuid": {"outputs": {"a": [SHA, 1, 0o4755]}},
    "negative size": {"outputs": {"a": [SHA, -1, 0o644]}},
    "size is a truth": {"outputs": {"a": [SHA, True, 0o644]}},
    "endless size": {"outputs": {"a": [SHA, 10**30, 0o644]}},
    "digest with a path": {"outputs": {"a": ["../" * 21 + "x", 1, 0o644]}},
    "outputs are a list": {"outputs": [[SHA, 1, 0o644]]},
    "too many": {"outputs": {str(number): [SHA, 1, 0o644] for number in range(50_001)}},
    "unknown kind": {"kind": "eternal"},
    "about is a number": {"about": 1},
    "long about": {"about": "a" * 1001},
    "of another key": {"key": key_of("2")},
    "of another version": {"version": 2},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_a_well_sealed_lie_is_refused(changes: dict[str, Any]) -> None:
    """The seal is no signature: what it seals is checked as well."""
    assert decode(KEY, sealed()).outputs["a"].size == 1

    with pytest.raises(WrongRecord):
        decode(KEY, sealed(**changes))


@pytest.mark.parametrize("level", ["", "..", ".hidden", "a/b", "a b", "x" * 65, "a\n"], ids=ascii)
def test_a_level_that_is_no_name_is_refused(level: str) -> None:
    """Levels are folders and prefixes."""
    with pytest.raises(UsageError, match="level of trust"):
        check_level(level)
