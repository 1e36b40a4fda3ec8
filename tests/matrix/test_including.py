"""What `include` reads, and where it is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.adapters.matrix_files import MatrixFiles
from pipeline.errors import UsageError
from pipeline.logic.matrix.matrix import Matrix
from pipeline.logic.matrix.places import MatrixError
from pipeline.logic.matrix.reading import read_text
from pipeline.logic.matrix.rows import Row


def write(root: Path, **files: str) -> None:
    """Files by name; `__` is a folder."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.cfg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def rows(root: Path, text: str, *search: Path) -> list[Row]:
    """The rows of a text that stands in the root."""
    return list(Matrix(blocks=(read_text(text, "<dodo.py>", MatrixFiles(root, search)),)).rows())


def test_relative_includes_stand_beside_the_file_that_includes(tmp_path: Path) -> None:
    """Not beside the first one."""
    write(tmp_path, base__main="include parts/guests.cfg\n", base__parts__guests="include more.cfg\n")
    write(tmp_path, base__parts__more="variants:\n    - a:\n        k = 1\n")
    (row,) = rows(tmp_path, "include base/main.cfg")

    assert row.name == "a"
    assert str(row.provenance()["k"][-1].place) == "base/parts/more.cfg:3"


def test_then_the_search_path_is_tried_in_order(tmp_path: Path) -> None:
    """The first folder that has the file."""
    write(tmp_path, one__x="k = one\n", two__x="k = two\n", two__y="k = why\n")
    folders = (tmp_path / "one", tmp_path / "two")

    assert [rows(tmp_path, f"include {name}.cfg", *folders)[0].values["k"] for name in "xy"] == ["one", "why"]


def test_an_include_stands_where_it_is_written(tmp_path: Path) -> None:
    """In a variant it belongs to that variant; what follows applies after it; its stanzas are inner ones."""
    write(tmp_path, inner="variants:\n    - p:\n    - q:\nk = inner\n")
    text = "variants:\n    - a:\n        include inner.cfg\n        k += +outer\n    - b:\n"

    assert [(row.name, row.values.get("k")) for row in rows(tmp_path, text)] == [
        ("a.p", "inner+outer"),
        ("a.q", "inner+outer"),
        ("b", None),
    ]


def test_a_missing_file_names_the_line_the_folders_and_the_nearest(tmp_path: Path) -> None:
    """As any other mistake."""
    write(tmp_path, guests="k = 1\n", main="\ninclude guest.cfg\n")

    with pytest.raises(
        MatrixError, match=r"main.cfg:2: include 'guest.cfg': no such file \(nearest: 'guests.cfg'\)"
    ) as error:
        rows(tmp_path, "include main.cfg")
    assert str(tmp_path) in error.value.hint


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """Without a traceback."""
    (tmp_path / "binary.cfg").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(MatrixError, match="'binary.cfg' is not UTF-8 text"):
        rows(tmp_path, "include binary.cfg")
    with pytest.raises(UsageError, match="cannot be read"):
        MatrixFiles(tmp_path).read(tmp_path / "nowhere.cfg")


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    """With the way round."""
    write(tmp_path, a="include b.cfg\n", b="include a.cfg\n")

    with pytest.raises(MatrixError, match="files include each other"):
        rows(tmp_path, "include a.cfg")
