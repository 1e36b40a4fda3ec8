"""What tests write into their own folder: metrics, results, what is kept; and what comes of nonsense in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.model.commands import Row
from tests.harness_command.driving import Harness, result


def written(folder: Path, script: str, **options: Any) -> dict[str, Any]:
    """The result of a script that runs in the test's own folder."""
    return result(folder, f'cd "$DOIT_FLEET_FOLDER" && {script}', **options)


def properties(one: dict[str, Any]) -> dict[str, Any]:
    """Properties by name."""
    return dict(one.get("properties", ()))


def test_metrics_become_properties(tmp_path: Path) -> None:
    """JSON objects are flattened, key=value lines are read; numbers are numbers."""
    script = """echo '{"iops": 12.5, "lat": {"p99": 3, "all": [1, 2]}, "ok": true}' > m.json; printf '# c\\nx = 4\\ny=a=b\\nz=1e999\\n' > m.env"""
    one = written(tmp_path, script, metrics=["m.json", "*.env"])

    assert one["verdict"] == "passed"
    assert properties(one) == {
        "iops": 12.5,
        "lat.p99": 3,
        "lat.all": "[1, 2]",
        "ok": True,
        "x": 4,
        "y": "a=b",
        "z": "1e999",
    }


def test_results_are_carried_as_they_are(tmp_path: Path) -> None:
    """The objects of all files, in order."""
    one = written(tmp_path, """echo '{"a": {"b": 1}}' > r1.json; echo '{"c": 2}' > r2.json""", results=["r*.json"])

    assert properties(one) == {"results": [{"a": {"b": 1}}, {"c": 2}]}


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("true", "it has not written 'm.json'"),
        ("echo '[1]' > m.json", "'m.json' holds no JSON object"),
        ("echo '{' > m.json", "'m.json' is no JSON: "),
        ("""echo '{"a": 1, "a": 2}' > m.json""", "'m.json' is no JSON: key 'a' comes twice"),
        ("ln -s /etc/passwd m.json", "it has not written 'm.json'"),
        ("mkfifo m.json", "it has not written 'm.json'"),
        ("printf '\\377' > m.json", "'m.json' is no UTF-8"),
        ("head -c 2000000 /dev/zero > m.json", "'m.json' is larger than 1024 KiB"),
        ("python3 -c 'print(100000*\"[\")' > m.json", "'m.json' is no JSON: "),
    ],
)
def test_a_test_without_readable_metrics_has_not_passed(tmp_path: Path, script: str, message: str) -> None:
    """A measurement that is missing or broken is never taken for one."""
    one = written(tmp_path, script, metrics=["m.json"])

    assert one["verdict"] == "error"
    assert one["message"].startswith(message)


def test_a_failed_test_needs_no_metrics(tmp_path: Path) -> None:
    """It has failed for its own reason."""
    one = written(tmp_path, "exit 3", metrics=["m.json"])

    assert (one["verdict"], one["message"]) == ("failed", "exit status 3")


def test_only_what_is_named_is_kept(tmp_path: Path) -> None:
    """All else goes with the folder, links and locked folders too; what links point to stays."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("")
    script = f"mkdir -p deep/er locked; echo > deep/er/x.log; echo > deep/y; ln -s {tmp_path}/precious link; echo > locked/z; chmod 0 locked"
    written(tmp_path, script, keep=["**/*.log"])

    own = tmp_path / "own" / "run-1" / "one"
    assert sorted(path.relative_to(own).as_posix() for path in own.rglob("*") if path.is_file()) == [
        "deep/er/x.log",
        "output.log",
    ]
    assert (tmp_path / "precious" / "file").exists()
    assert not (own / "link").is_symlink()


def test_nothing_is_left_where_nothing_is_kept(tmp_path: Path) -> None:
    """Thousands of tests leave no thousands of folders."""
    written(tmp_path, "echo > x")

    assert list((tmp_path / "own" / "run-1").iterdir()) == []


def test_each_try_begins_in_an_empty_folder(tmp_path: Path) -> None:
    """A second try does not find the files of the first, and both are kept apart."""
    script = 'cd "$DOIT_FLEET_FOLDER" && test ! -e x && echo > x && test "$DOIT_FLEET_ATTEMPT" = 2'
    with Harness(tmp_path, script, keep=["x"]) as harness:
        (one,) = harness.results(retries=1)

    assert one["verdict"] == "passed"
    assert len(list((tmp_path / "own" / "run-1").glob("*/x"))) == 2


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """The harness goes on with other tests: it is no crash."""
    (tmp_path / "own").write_text("a file")
    one = result(tmp_path, "true", keep=["x"])

    assert one["verdict"] == "error"
    assert one["message"].startswith("its folder cannot be used: ")


def test_a_test_never_finds_what_another_left(tmp_path: Path) -> None:
    """Where nothing is kept tests share a folder one after the other: each finds it empty, and it goes with the harness."""
    script = (
        'cd $DOIT_FLEET_FOLDER && test -z "$(ls | grep -v output.log)" && mkdir -p a/b && echo > a/b/c && chmod 0 a'
    )
    with Harness(tmp_path, script, [Row(name="a"), Row(name="b"), Row(name="c")]) as harness:
        results = harness.results()

    assert [one["verdict"] for one in results] == ["passed"] * 3
    assert list((tmp_path / "own" / "run-1").iterdir()) == []
