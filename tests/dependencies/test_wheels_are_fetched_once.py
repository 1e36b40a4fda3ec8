"""Wheels are fetched once, checked always, and had without any network afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from pipeline.adapters.environment_layers import Making, wheels_of
from pipeline.adapters.index_settings import IndexSettings, index_settings
from pipeline.errors import EngineError
from pipeline.model.dependencies import Lock
from tests.dependencies.index import Index
from tests.dependencies.wheels import lock_line, make_sdist, make_wheel

LockOf = Callable[[str], Lock]


def how(lock: Lock, making: Making, scratch: Path) -> dict[str, str]:
    """How each wheel was had, by name."""
    return {wheel.name: wheel.how for wheel in wheels_of(lock, making, scratch)}


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("names_digests", [True, False])
def test_a_second_time_asks_nobody(
    index: Index, shelf: Path, making: Making, lock_of: LockOf, tmp_path: Path, form: str, names_digests: bool
) -> None:
    """What an index gave in either form, with digests or without, comes from the cache the next time."""
    index.form, index.names_digests = form, names_digests
    wheels = [make_wheel(shelf, name) for name in ("alpha", "beta")]
    lock = lock_of("".join(lock_line(wheel, wheel.name.split("-")[0]) for wheel in wheels))

    assert how(lock, making, tmp_path / "one") == {"alpha": "fetched", "beta": "fetched"}
    asked = len(index.requests)
    assert asked >= 4
    assert how(lock, making, tmp_path / "two") == {"alpha": "hit", "beta": "hit"}
    assert len(index.requests) == asked


def test_other_content_than_the_lock_names_is_refused(
    index: Index, shelf: Path, making: Making, lock_of: LockOf, tmp_path: Path
) -> None:
    """An index that serves other bytes under the right name gets nothing installed, and nothing kept."""
    wheel = make_wheel(shelf, "alpha")
    lock = lock_of(lock_line(wheel, "alpha"))
    index.instead[wheel.name] = make_wheel(tmp_path / "evil", "alpha", files={"evil.py": ""}).read_bytes()

    with pytest.raises(EngineError, match="the lock has another"):
        wheels_of(lock, making, tmp_path / "one")
    index.instead.clear()
    assert how(lock, making, tmp_path / "two") == {"alpha": "fetched"}


def test_every_dependency_that_cannot_be_had_is_named(
    index: Index, shelf: Path, making: Making, lock_of: LockOf, tmp_path: Path
) -> None:
    """One error names all pins with their lines; what could be had is kept for the next time."""
    wheel = make_wheel(shelf, "alpha")
    lock = lock_of(
        lock_line(wheel, "alpha") + f"gone==1.0 --hash=sha256:{'0' * 64}\nlost==2.0 --hash=sha256:{'1' * 64}\n"
    )

    with pytest.raises(EngineError) as caught:
        wheels_of(lock, making, tmp_path / "one")
    assert "2 of 3" in str(caught.value)
    assert "gone 1.0 (requirements.txt:3)" in str(caught.value)
    assert "lost 2.0 (requirements.txt:4)" in str(caught.value)
    assert how(lock_of(lock_line(wheel, "alpha")), making, tmp_path / "two") == {"alpha": "hit"}


def test_a_busy_index_is_asked_again(
    index: Index, shelf: Path, making: Making, lock_of: LockOf, tmp_path: Path
) -> None:
    """Answers of 503 are borne."""
    wheel = make_wheel(shelf, "alpha")
    index.failures = 2

    assert how(lock_of(lock_line(wheel, "alpha")), making, tmp_path / "one") == {"alpha": "fetched"}


def test_passwords_open_the_index_and_are_never_told(
    index: Index, shelf: Path, making: Making, lock_of: LockOf, tmp_path: Path
) -> None:
    """Credentials in pip's configuration are used, and no message shows them."""
    index.password = "me:s3cret"
    wheel = make_wheel(shelf, "alpha")
    lock = lock_of(lock_line(wheel, "alpha"))
    url = index.url.replace("//", "//me:{}@")
    right = evolve(making, settings=index_settings({"PIP_INDEX_URL": url.format("s3cret")}, tmp_path))
    wrong = evolve(making, settings=index_settings({"PIP_INDEX_URL": url.format("wr0ng")}, tmp_path))

    with pytest.raises(EngineError, match="refuses access") as caught:
        wheels_of(lock, wrong, tmp_path / "one")
    assert "wr0ng" not in str(caught.value) + repr(wrong.settings)
    assert how(lock, right, tmp_path / "two") == {"alpha": "fetched"}


def test_folders_of_wheels_do_without_an_index(shelf: Path, making: Making, lock_of: LockOf, tmp_path: Path) -> None:
    """`--find-links` in a lock and PIP_NO_INDEX work together."""
    wheel = make_wheel(making.root / "wheels", "alpha")
    lock = lock_of("--find-links wheels\n" + lock_line(wheel, "alpha"))
    offline = evolve(making, settings=IndexSettings(online=False))

    assert how(lock, offline, tmp_path / "one") == {"alpha": "fetched"}


def test_a_source_distribution_is_built_once(
    index: Index, shelf: Path, making: Making, lock_of: LockOf, tmp_path: Path
) -> None:
    """Where a lock has no wheel, the project's interpreter builds one; without such an interpreter the error says so."""
    sdist = make_sdist(shelf, "source")
    lock = lock_of(lock_line(sdist, "source"))

    with pytest.raises(EngineError, match="no interpreter like the image's"):
        wheels_of(lock, evolve(making, target=evolve(making.target, machine="s390x")), tmp_path / "none")
    assert how(lock, making, tmp_path / "one") == {"source": "built"}
    assert how(lock, making, tmp_path / "two") == {"source": "hit"}


def test_configuration_of_pip_is_found_where_pip_finds_it(tmp_path: Path) -> None:
    """Variables stand above files, the environment's file above the user's."""
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://user.example/simple\nextra-index-url =\n  https://a.example\n  https://b.example\n"
    )
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://venv.example/simple\n")

    assert index_settings({}, tmp_path).indexes[-3:] == (
        "https://user.example/simple",
        "https://a.example",
        "https://b.example",
    )
    assert index_settings({}, tmp_path, str(tmp_path)).indexes[0] == "https://venv.example/simple"
    assert (
        index_settings({"PIP_INDEX_URL": "https://x.example"}, tmp_path, str(tmp_path)).indexes[0]
        == "https://x.example"
    )
    assert not index_settings({"PIP_CONFIG_FILE": "/dev/null"}, tmp_path).is_set


def test_a_record_with_other_content_is_no_hit(
    index: Index, shelf: Path, making: Making, lock_of: LockOf, tmp_path: Path
) -> None:
    """Somebody's record under the right key counts only if the lock names its content."""
    from pipeline.adapters.wheel_fetching import wheel_key

    wheel = make_wheel(shelf, "alpha")
    lock = lock_of(lock_line(wheel, "alpha"))
    evil = make_wheel(tmp_path / "evil", "alpha", files={"evil.py": ""})
    making.cache.keep(wheel_key(lock.pins[0], making.target), {evil.name: evil}, kind="fetched", about="")

    with pytest.raises(EngineError, match="another artifact stands"):
        wheels_of(lock, making, tmp_path / "one")
