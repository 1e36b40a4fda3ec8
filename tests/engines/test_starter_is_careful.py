"""The command that starts and stops engines: twice is once, and nothing of others is touched."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from tests.engines import REQUIRED, own, places, require
from tests.engines.__main__ import NAMES, chosen, parser
from tests.engines.binaries import find
from tests.engines.docker import Docker
from tests.engines.errors import EngineTrouble
from tests.engines.fixtures import DockerEngine, running
from tests.engines.processes import identify, lives, naming, wait_for
from tests.engines.records import Record, recall, remember
from tests.engines.registries import PlainRegistry
from tests.engines.s3 import S3Server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An engines' folder of this test's own, with the programs that have been built."""
    require(find("registry"), "no registry is built: do it with `python -m tests.engines start registry`")
    built = places.home() / "built"
    (tmp_path / "built").symlink_to(built)
    monkeypatch.setenv(places.NAMED_BY, str(tmp_path))
    yield tmp_path
    for make in (PlainRegistry, S3Server):
        make().stop()
    assert list(naming(f"{tmp_path}/")) == []


def command(*words: str) -> subprocess.Popen[str]:
    """`python -m tests.engines …`."""
    argv = [sys.executable, "-m", "tests.engines", *words]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def said(*words: str) -> tuple[int, str]:
    """Exit code and output."""
    process = command(*words)
    output = process.communicate(timeout=60)[0]
    return process.returncode, output


def servers(home: Path) -> list[int]:
    """Registries that were started from that folder."""
    return [who.pid for who in naming(f"{home}/registry/config.yml")]


def test_a_second_start_finds_the_first(home: Path) -> None:
    """An engine outlives its starter, is started once, and stops without a trace."""
    assert said("start", "registry")[0] == 0
    first = servers(home)
    code, output = said("start", "registry")
    assert (code, servers(home)) == (0, first)
    assert PlainRegistry().address in output
    assert "healthy" in said("status", "registry")[1]
    assert said("stop", "registry", "s3")[0] == 0
    assert servers(home) == []
    assert "does not run" in said("status", "registry")[1]
    assert said("stop", "registry")[0] == 0


def test_two_starts_at_once_give_one_engine(home: Path) -> None:
    """The second waits for the first and uses its engine."""
    for process in [command("start", "registry") for _ in range(2)]:
        output = process.communicate(timeout=60)[0]
        assert (process.returncode, PlainRegistry().address in output) == (0, True)
    assert len(servers(home)) == 1


def test_a_pid_that_now_is_anothers_is_not_signalled(home: Path) -> None:
    """A process that started at another time is not the one that was remembered."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        who = identify(stranger.pid)
        assert who
        engine = PlainRegistry()
        engine.folder.mkdir()
        old = evolve(who, started=who.started - 1)
        remember(engine.folder, Record(processes=(old,), facts={"address": "127.0.0.1:1", "port": 1}))

        assert engine.record is None
        engine.kill()
        engine.stop()
        assert lives(who)
        remember(engine.folder, Record(processes=(old,), facts={"address": "127.0.0.1:1", "port": 1}))
        engine.start()
        assert engine.is_healthy()
        assert lives(who)
        stranger.kill()


def test_a_taken_port_is_left_to_whom_it_belongs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another port is chosen and told."""
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        port = foreign.getsockname()[1]
        monkeypatch.setenv("DOIT_FLEET_REGISTRY_PORT", str(port))
        engine = PlainRegistry()
        engine.start()
        assert engine.is_healthy()
        assert engine.facts["port"] != port


def test_a_named_port_is_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is free."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    monkeypatch.setenv("DOIT_FLEET_REGISTRY_PORT", str(port))
    assert PlainRegistry().start().facts["port"] == port


def test_a_crashed_engine_is_started_again(home: Path) -> None:
    """A start finds that it is dead."""
    engine = PlainRegistry()
    engine.start()
    engine.kill()
    assert not engine.running()
    engine.start()
    assert engine.running()


def test_an_engine_that_ends_at_once_is_told_with_its_last_words(home: Path) -> None:
    """With where the whole log is; nothing is remembered."""
    storage = home / "file"
    storage.write_text("no folder", "utf-8")
    engine = PlainRegistry(home / "registry", storage=storage / "below")
    engine.config = lambda port: {"version": "9.9"}  # type: ignore[method-assign]
    with pytest.raises(EngineTrouble, match=r"registry ended.*\n.*version(.|\n)*log: ") as told:
        engine.start()
    assert str(engine.log) in told.value.hint
    assert recall(engine.folder) is None


def test_a_daemon_that_is_there_is_used_and_left_alone(
    home: Path, docker_engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker by DOCKER_HOST is not ours to stop."""
    monkeypatch.setenv("DOCKER_HOST", docker_engine.host)
    engine = Docker()
    record = engine.start()
    assert record.processes == ()
    assert engine.host == docker_engine.host
    engine.stop()
    assert docker_engine.client.ping()


def test_what_a_killed_test_leaves_is_swept(home: Path) -> None:
    """Private engines whose owner is dead go with all they stored; those of the living stay."""
    leave = "from tests.engines.own import own_registry\nimport os\nwith own_registry() as r:\n print(r.folder, flush=True); os._exit(9)"
    left = subprocess.run([sys.executable, "-c", leave], cwd=ROOT, capture_output=True, text=True, check=False)
    folder = Path(left.stdout.strip())
    assert list(naming(str(folder)))
    with own.own_registry() as living:
        own.sweep()
        assert living.running()
    assert not folder.exists()
    assert wait_for(lambda: not list(naming(str(folder))), 5)


def test_a_missing_engine_skips_with_the_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or fails, where engines are required."""
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="python -m tests.engines start registry"):
        running(PlainRegistry())
    monkeypatch.setenv(REQUIRED, "required")
    with pytest.raises(pytest.fail.Exception, match="python -m tests.engines start registry"):
        running(PlainRegistry())


def test_engines_live_outside_the_work_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's cache, unless a folder is named."""
    monkeypatch.delenv(places.NAMED_BY, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert places.home() == Path("/somewhere/doit-fleet/engines")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert places.home() == Path(os.path.expanduser("~/.cache/doit-fleet/engines"))


def test_no_name_means_all() -> None:
    """`start` alone starts what CI needs, `stop` alone leaves nothing running; what is named twice is meant once."""
    assert chosen(parser().parse_args(["start"]).names) == NAMES
    assert chosen(parser().parse_args(["stop", "all", "s3"]).names) == NAMES
    assert chosen(parser().parse_args(["start", "s3", "s3"]).names) == ("s3",)
