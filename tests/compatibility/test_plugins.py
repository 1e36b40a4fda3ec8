"""Plug-ins of pytest work as in a plain run."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project, same
from tests.compatibility.rows import row

pytestmark = pytest.mark.timeout(TEST_SECONDS)


@row("pytest-asyncio")
def test_asyncio(project: Project) -> None:
    """Async tests, fixtures of all scopes and shared loops run, and failures are told."""
    project.settings("-p no:randomly", more="asyncio_mode = auto\nasyncio_default_fixture_loop_scope = module\n")
    text = """
        import asyncio, pytest, pytest_asyncio
        @pytest_asyncio.fixture(scope="module", loop_scope="module")
        async def loop_of_module():
            yield asyncio.get_running_loop()
        @pytest_asyncio.fixture
        async def value():
            await asyncio.sleep(0)
            yield 3
        async def test_value(value): assert value == 3
        async def test_fails(value): assert value == 4
        @pytest.mark.asyncio(loop_scope="module")
        class TestLoop:
            async def test_one(self, loop_of_module): assert asyncio.get_running_loop() is loop_of_module
            async def test_two(self, loop_of_module): assert asyncio.get_running_loop() is loop_of_module
    """
    project.write(test_a__py=text, test_b__py=text)

    assert sorted(same(project).verdicts.values()) == ["failure"] * 2 + ["passed"] * 6


@row("anyio")
def test_anyio(project: Project) -> None:
    """Tests marked `anyio` run on each backend."""
    text = """
        import anyio, pytest, sniffio
        @pytest.fixture(scope="module", params=["asyncio", "trio"])
        def anyio_backend(request): return request.param
        @pytest.fixture(scope="module")
        async def backend(anyio_backend): yield sniffio.current_async_library()
        @pytest.mark.anyio
        async def test_backend(backend, anyio_backend):
            await anyio.sleep(0)
            assert backend == anyio_backend
    """
    project.write(test_a__py=text, test_b__py=text)

    assert len(same(project).verdicts) == 4


@row("pytest-timeout")
def test_timeout(project: Project) -> None:
    """A test that its alarm ends is failed, and the tests after it run."""
    project.settings("-p no:randomly", more="timeout = 0.5\ntimeout_method = signal\n")
    text = """
        import time
        def test_before(): pass
        def test_hangs(): time.sleep(30)
        def test_after(): pass
    """
    project.write(test_a__py=text, test_b__py="def test_b(): pass\n")

    assert same(project).verdicts["test_a::test_hangs"] == "failure"


@row("pytest-timeout")
def test_timeout_by_thread(project: Project) -> None:
    """The method `thread` ends the whole process: only that test is `crashed`, where a plain run loses all results."""
    project.settings("-p no:randomly", more="timeout = 0.5\ntimeout_method = thread\n")
    text = "import time\ndef test_before(): pass\ndef test_hangs(): time.sleep(30)\ndef test_after(): pass\n"
    project.write(test_a__py=text, test_b__py="def test_b(): pass\n")

    done = project.fleet()

    assert done.code == 1, done.output
    assert [name for name, verdict in done.verdicts.items() if verdict != "passed"] == ["test_a::test_hangs"]
    assert len(done.verdicts) == 4
    assert "CRASHED" in done.output


@row("pytest-randomly")
def test_randomly(project: Project) -> None:
    """Every worker draws from the seed of the run: numbers are those of a plain run with that `--randomly-seed`."""
    project.settings("-p randomly")
    text = """
        import random
        def test_one(record_property): record_property("drawn", random.random())
        def test_two(record_property): record_property("drawn", random.random())
    """
    project.write(test_a__py=text, test_b__py=text)

    fleet, plain = project.fleet("run.seed=7"), project.plain("--randomly-seed=7")

    assert fleet.code == plain.code == 0, fleet.output
    drawn = {name: one["drawn"] for name, one in fleet.properties.items()}
    assert len(drawn) == 4
    assert drawn == {name: one["drawn"] for name, one in plain.properties.items()}


@row("hypothesis")
def test_hypothesis(project: Project) -> None:
    """Properties hold or fail as in a plain run, with the smallest failing example shown."""
    text = """
        from hypothesis import given, settings, strategies as st
        @settings(derandomize=True, max_examples=20)
        @given(st.integers())
        def test_holds(n): assert n == n
        @settings(derandomize=True, max_examples=50)
        @given(st.integers())
        def test_fails(n): assert n < 10
    """
    project.write(test_a__py=text, test_b__py=text)

    output = same(project).output

    assert "n=10," in output, output


@row("pytest-django")
def test_django(project: Project) -> None:
    """Each worker has a test database of its own; `db` and `transactional_db` isolate tests."""
    project.settings("-p no:randomly", more="DJANGO_SETTINGS_MODULE = site_settings\npythonpath = .\n")
    project.write(
        site_settings__py="""
            from pathlib import Path
            FILE = str(Path(__file__).parent / "db.sqlite3")
            DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILE, "TEST": {"NAME": FILE}}}
            INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
            SECRET_KEY = "x"
            USE_TZ = True
            PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        """
    )
    text = """
        import pytest
        from django.contrib.auth.models import User
        @pytest.mark.django_db
        def test_creates(record_property):
            from django.db import connection
            record_property("database", str(connection.settings_dict["NAME"]))
            User.objects.create_user("me")
            assert User.objects.count() == 1
        @pytest.mark.django_db(transaction=True)
        def test_sees_nothing_of_it(): assert User.objects.count() == 0
        def test_without_leave(): User.objects.count()
    """
    project.write(test_a__py=text, test_b__py=text)

    done = same(project)

    assert done.verdicts["test_a::test_without_leave"] == "failure"
    databases = {(one["worker"][:2], one["database"]) for one in done.properties.values() if "database" in one}
    assert {(worker, database[-3:]) for worker, database in databases} <= {("w0", "gw0"), ("w1", "gw1")}


@row("pytest-mock")
def test_mock(project: Project) -> None:
    """`mocker` patches and takes back, with class and session scopes."""
    text = """
        import os
        real = os.getcwd
        def test_patched(mocker):
            assert mocker.patch("os.getcwd", return_value="x") and os.getcwd() == "x"
        def test_taken_back(): assert os.getcwd is real
        def test_session(session_mocker): session_mocker.patch.dict(os.environ, {"A": "1"})
    """
    project.write(test_a__py=text, test_b__py=text)

    assert same(project).code == 0


@row("pytest-rerunfailures")
def test_rerunfailures(project: Project) -> None:
    """`--reruns` and its marker try again; a pass after a failure is told as flaky."""
    project.settings("-p no:randomly", "--reruns 1")
    text = """
        import pytest
        tried = []
        def test_second_time():
            tried.append(1)
            assert len(tried) == 2
        @pytest.mark.flaky(reruns=2)
        def test_never(): assert 0
        def test_good(): pass
    """
    project.write(test_a__py=text, test_b__py=text)

    done = same(project)

    assert sorted(done.verdicts.values()) == ["failure"] * 2 + ["passed"] * 4
    assert "flaky: " in done.output


@row("subtests")
def test_subtests(project: Project) -> None:
    """`subtests` of pytest 9 and of unittest fail their test, and all failures are shown."""
    text = """
        import unittest
        def test_parts(subtests):
            for n in range(3):
                with subtests.test(n=n):
                    assert n != 1, "part one is bad"
        class TestCase(unittest.TestCase):
            def test_parts(self):
                for n in range(3):
                    with self.subTest(n=n):
                        self.assertNotEqual(n, 2, "part two is bad")
        def test_good(subtests):
            with subtests.test("fine"): pass
    """
    project.write(test_a__py=text, test_b__py="def test_b(): pass\n")

    done = project.fleet()

    assert done.code == project.plain().code == 1
    bad = {name for name, verdict in done.verdicts.items() if verdict != "passed"}
    assert bad == {"test_a::test_parts", "test_a.TestCase::test_parts"}
    assert "part one is bad" in done.output
    assert "part two is bad" in done.output
