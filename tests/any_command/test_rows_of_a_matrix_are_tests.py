"""Matrices in settings: from files, texts and tables to tests that run; which rows; what is refused; what `explain` says."""

from __future__ import annotations

import json

import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS

pytestmark = pytest.mark.timeout(TEST_SECONDS)

CARTESIAN = """
include base.cfg
variants disk:
    - ide:
    - virtio:
variants os:
    - linux:
        virtio:
            memory = 2Mi
    - windows:
        no ide
variants:
    - install:
    - boot: install
"""
COMMAND = """command = ["sh", "-c", 'echo "$0 $1 $DOIT_FLEET_VALUE_disk" >> ../trace', "{values.shortname}", "{values.memory}"]\n"""


@pytest.fixture
def kvm(bench: Bench) -> Bench:
    """A project whose suite is a matrix of two files."""
    bench.write(tests__cfg=CARTESIAN, base__cfg="memory = 1Mi\n")
    bench.suite('matrix = "tests.cfg"\ntypes = { memory = "size", disk = ["ide", "virtio"] }\n' + COMMAND)
    return bench


def test_rows_run_behind_what_they_depend_on_with_typed_values(kvm: Bench) -> None:
    """Each boot behind all installs; sizes in bytes; filters inside the matrix hold."""
    done = kvm.fleet()

    assert done.code == 0, done.output
    assert set(kvm.outcomes()) == {
        "install.(os=linux).(disk=ide)", "install.(os=linux).(disk=virtio)", "install.(os=windows).(disk=virtio)",
        "boot.(os=linux).(disk=ide)", "boot.(os=linux).(disk=virtio)", "boot.(os=windows).(disk=virtio)",
    }  # fmt: skip
    assert sorted(kvm.ran[:3]) == [
        "install.linux.ide 1048576 ide", "install.linux.virtio 2097152 virtio", "install.windows.virtio 1048576 virtio",
    ]  # fmt: skip
    assert all(line.startswith("boot.") for line in kvm.ran[3:])


def test_rows_that_need_a_failed_one_are_skipped(bench: Bench) -> None:
    """As rows of tables are."""
    bench.write(tests__cfg="variants:\n    - install:\n    - boot: install\n    - other:\n")
    bench.suite('matrix = "tests.cfg"\ncommand = ["test", "{name}", "!=", "install"]\n')

    done = bench.fleet()

    assert done.code == 1, done.output
    assert bench.outcomes()["boot"] == ("skipped", "it needs 'install', which was not good")
    assert bench.outcomes()["other"][0] == "passed"


def test_a_suite_has_filters_of_its_own_and_a_command_adds_its_own(kvm: Bench) -> None:
    """Each must hold; a comma means or; what is filtered away binds nobody."""
    path = kvm.root / "pyproject.toml"
    path.write_text(path.read_text() + 'only = "linux"\nno = ["boot..ide"]\n')

    of_suite = kvm.fleet()
    ran = kvm.ran
    of_command = kvm.fleet("-a", "select.only=boot, install..ide", "select.no=install..virtio")

    assert (of_suite.code, of_command.code) == (0, 0), of_suite.output + of_command.output
    assert sorted(line.split()[0] for line in ran) == ["boot.linux.virtio", "install.linux.ide", "install.linux.virtio"]
    assert sorted(line.split()[0] for line in kvm.ran[3:]) == ["boot.linux.virtio", "install.linux.ide"]


def test_types_of_what_is_not_selected_are_no_mistake(bench: Bench) -> None:
    """Types are said of the whole matrix and of other rows beside it; a typo in the filter is told all the same, and one in types."""
    bench.suite(
        """command = "true"
types = { level = "whole", timeout = "duration", extra = "whole" }
rows = [{ name = "more", values = { extra = 1 } }]
matrix.axes.tool = { lz4 = {}, xz = { timeout = "5m" } }
matrix.values.level = 1
"""
    )

    asked = ("select.only=lz4", "suites.bench.only=lz4", "select.only=lz44", "select.only=lz4,lz44")
    of_command, of_suite, typo, half_typo = (bench.fleet("plan", one) for one in asked)
    wrong = bench.fleet("plan", "suites.bench.types={ timeot = 'whole' }", "select.only=lz4")

    assert (of_command.code, of_suite.code) == (0, 0), of_command.output + of_suite.output
    for one in (typo, half_typo):
        assert one.code == 3
        assert "'only lz4" in one.output and "matches nothing" in one.output, one.output
    assert wrong.code == 3
    assert "types has 'timeot', but no row has such a value (nearest: 'timeout')" in wrong.output


def test_a_condition_that_matches_nothing_is_told_unasked(bench: Bench) -> None:
    """Before and with a run, and it is no error; a matrix without one says nothing."""
    text = "level = 1\nvariants tool:\n    - lz4:\n    - xz:\n{}: level = 2\n"
    bench.write(tests__cfg=text.format("lz5"))
    bench.suite('matrix = "tests.cfg"\ncommand = "true"\n')
    told = "tests.cfg:5: condition 'lz5' matches nothing (nearest: 'lz4')"

    planned, listed, doctor, done = (bench.fleet(*words) for words in (["plan"], ["plan", "--json"], ["doctor"], []))
    bench.write(tests__cfg=text.format("lz4"))
    quiet = [bench.fleet(*words).output for words in (["plan"], ["doctor"], [])]

    assert f"warning: {told}" in planned.output.splitlines()
    assert json.loads(listed.output)["remarks"] == [
        {"suite": "bench", "place": "tests.cfg:5", "said": told.removeprefix("tests.cfg:5: ")}
    ]
    assert f"ok   matrices: warning: {told}" in doctor.output.splitlines()
    assert done.code == 0
    assert done.output.splitlines().count(f"warning: {told}") == 1, done.output
    assert not any("matches nothing" in each for each in quiet), quiet


def test_tables_in_toml(bench: Bench) -> None:
    """For those who do not know the format."""
    bench.suite(
        COMMAND
        + """[tool.doit-fleet.suites.bench.matrix]
axes.disk = { ide = {}, virtio = { memory = "2Mi" } }
axes.os = ["linux", "windows"]
values.memory = "1Mi"
exclude = [{ os = "windows", disk = "ide" }]
"""
    )

    done = bench.fleet("select.no=nosuch,linux")
    again = bench.fleet()

    assert done.code == 3
    assert "argument select.no=nosuch,linux: 'nosuch' in 'no nosuch,linux' matches nothing" in done.output.replace(
        "filter ", ""
    )
    assert again.code == 0, again.output
    assert sorted(bench.ran) == ["ide.linux 1Mi ide", "virtio.linux 2Mi virtio", "virtio.windows 2Mi virtio"]


def test_a_text_in_dodo_py(bench: Bench) -> None:
    """Errors count its lines, and say where it begins."""
    bench.suite(COMMAND)
    with (bench.root / "pyproject.toml").open("a") as file:
        file.write('[tool.doit]\nloader = "fleet"\n')
    text = "def configure(fleet):\n    fleet.suites.bench.matrix = '''memory = 1\nvariants disk:\n    - {}:\n'''\n"

    bench.write(dodo__py=text.format("ide"))
    good = bench.fleet()
    bench.write(dodo__py=text.format("ide:\n    only if: x"))
    bad = bench.fleet()

    assert good.code == 0, good.output
    assert bench.ran == ["ide 1 ide"]
    assert bad.code == 3
    assert "<dodo.py:2 suites.bench.matrix>:4: " in bad.output


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('matrix = "no.cfg"\n', "matrix 'no.cfg' cannot be read: No such file"),
        ('matrix = ["base.cfg", "bad.cfg"]\n', "bad.cfg:3: 'oops' has neither an operator nor a colon"),
        ('matrix = "tests.cfg"\nonly = "boots"\n', "pyproject.toml:8 (suites.bench.only): filter 'only boots' matches nothing (nearest: 'boot')"),
        ('matrix = "tests.cfg"\nonly = ["ide", "windows"]\n', "filter 'only windows' leaves no row, together with the filters before it"),
        ('matrix = "tests.cfg"\ntypes = { memory = "whole" }\n', "base.cfg:1: suite 'bench': value 'memory' of row 'install.(os=linux).(disk=ide)' is '1Mi', not a whole number"),
        ('matrix = "tests.cfg"\ntypes = { memory = "bytes" }\n', "expected one of text, whole, number, size, duration, boolean or a list of words, got 'bytes'"),
        ('matrix = { axis = { a = [1] } }\n', "pyproject.toml:7 suites.bench.matrix axis: unknown key 'axis' (nearest: 'axes')"),
        ('matrix = 7\n', "expected a file, a list of files, a matrix as text of several lines, or a table with axes, got 7"),
        ('only = "x"\nrows = [{ name = "a" }]\n', "suite 'bench' has 'only', but no matrix"),
        ('matrix = "tests.cfg"\nselect.only = "x"\n', "(suites.bench.select.only): filter 'only x' matches nothing"),
        ('matrix_strict = true\nmatrix = "strict.cfg"\n', "strict.cfg:3: condition 'nosuch' matches nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_file_and_line(kvm: Bench, settings: str, told: str) -> None:
    """Before anything runs."""
    kvm.write(bad__cfg="a = 1\n\noops\n", strict__cfg="variants:\n    - a:\nnosuch: b = 1\n")
    kvm.suite('command = "touch ran"\n' + settings)

    done = kvm.fleet()

    assert done.code == 3, done.output
    assert told in done.output
    assert "Traceback" not in done.output
    assert not (kvm.root / "ran").exists()


def test_a_selection_holds_for_all_suites_together(kvm: Bench) -> None:
    """What matches in one of them is no mistake; suites without such rows are left out, those without a matrix too."""
    path = kvm.root / "pyproject.toml"
    path.write_text(
        path.read_text()
        + '[tool.doit-fleet.suites.more]\nframework = "command"\ncommand = "true"\nmatrix.axes.net = ["tap", "bridge"]\n'
        + '[tool.doit-fleet.suites.plain]\nframework = "command"\ncommand = "true"\nrows = [{ name = "tap" }]\n'
    )

    one = kvm.fleet("select.only=tap")
    names = set(kvm.outcomes())
    both = kvm.fleet("select.only=bridge, windows")

    assert (one.code, both.code) == (0, 0), one.output + both.output
    assert names == {"(net=tap)"}
    assert "3 passed" in both.output
    assert kvm.fleet("select.only=tap,nosuch").code == 3


def test_explain_says_what_set_a_value_and_what_dropped_a_row(kvm: Bench) -> None:
    """Filters of the matrix, of the suite and of the command line, each with its place; without a name, all names."""
    row = kvm.fleet("explain", "--test", "bench::boot.linux.virtio")
    dropped = kvm.fleet("explain", "--test", "boot.windows.ide", "select.only=linux")
    unknown = kvm.fleet("explain", "--test", "bot.windows.ide")
    named = kvm.fleet("explain", "--json", "select.only=boot..linux")
    typo = kvm.fleet("explain", "--test", "boot.linux.ide", "select.no=idee")

    assert row.output.splitlines() == [
        "bench::boot.(os=linux).(disk=virtio) runs as 'boot.linux.virtio'",
        "  after 'install'",
        "  disk = virtio",
        "      tests.cfg:5 in (disk=virtio): disk = virtio",
        "  memory = 2Mi",
        "      tests.cfg:9 in (os=linux) [virtio]: memory = 2Mi",
        "      base.cfg:1: memory = 1Mi",
        "  os = linux",
        "      tests.cfg:7 in (os=linux): os = linux",
    ]
    assert dropped.output.splitlines() == [
        "bench::boot.(os=windows).(disk=ide) does not run",
        "  argument select.only=linux: only linux",
        "  tests.cfg:11: no ide",
    ]
    assert (row.code, dropped.code, unknown.code) == (0, 0, 3)
    assert "no row is called 'bot.windows.ide'" in unknown.output
    assert typo.code == 3
    assert "argument select.no=idee: filter 'no idee' matches nothing (nearest: 'ide')" in typo.output
    assert [one["shortname"] for one in json.loads(named.output)["tests"]] == ["boot.linux.ide", "boot.linux.virtio"]
