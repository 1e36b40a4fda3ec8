"""Claims about `junit.xml`, held against the file that the installed pytest writes for the same tests."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml

from pipeline.model.verdicts import Phase, Result, Verdict
from pipeline.report.addresses import Natives, pytest_names
from pipeline.report.junit import write_junit
from tests.report.samples import HOSTILE, failed, merged, result, troubled

PROJECT = {
    "conftest.py": """
import json
seen = []
def pytest_runtest_logreport(report):
    if report.when == "setup":
        seen.append(report.nodeid)
def pytest_sessionfinish(session):
    with open("ids.json", "w") as file:
        json.dump(seen, file)
""",
    "test_top.py": """
import unittest
import pytest
@pytest.mark.parametrize("x", ["a::b", "a/b.py", "[", "]", "a[b]", "\\u00fc\\u4e16", "line\\nend", "\\x1b[1m", "<&>\\"'", "", " #2"])
def test_parameter(x): pass
class TestOuter:
    class TestInner:
        @pytest.mark.parametrize("x", ["y::z[0]"])
        def test_deep(self, x): pass
class TestCase(unittest.TestCase):
    def test_unit(self): pass
def test_\u00fcber(): pass
""",
    "sub.dir/test_low.py": "def test_low(): pass\n",
    "pkg/__init__.py": "",
    "pkg/doc.py": "def f():\n    '''\n    >>> 1\n    1\n    '''\nclass C:\n    '''\n    >>> 2\n    2\n    '''\n",
    "guide.txt": ">>> 3\n3\n",
}


@pytest.fixture(scope="module")
def pytests_own(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[tuple[str, str]]]:
    """Node ids of a project with every kind of name, and what pytest's own report calls them."""
    root = tmp_path_factory.mktemp("project")
    for name, text in PROJECT.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, "utf-8")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--junitxml=own.xml", "--doctest-modules", "--doctest-glob=*.txt", "."],
        cwd=root,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return json.loads((root / "ids.json").read_text()), names(ElementTree.parse(root / "own.xml").getroot())


def names(root: ElementTree.Element) -> list[tuple[str, str]]:
    """Class name and name of each test case."""
    return [(case.get("classname", ""), case.get("name", "")) for case in root.iter("testcase")]


def document(*results: Result) -> ElementTree.Element:
    """Our report of these results."""
    return parsed(merged(*results))


def parsed(run: object) -> ElementTree.Element:
    """Our report of a run, as an XML reader sees it."""
    file = io.StringIO()
    write_junit(run, file)  # type: ignore[arg-type]
    return ElementTree.fromstring(file.getvalue().encode())


def only_case(each: Result) -> ElementTree.Element:
    """The one test case of a report."""
    (case,) = document(each).iter("testcase")
    return case


def test_names_are_those_of_pytest(pytests_own: tuple[list[str], list[tuple[str, str]]]) -> None:
    """A CI server that knew the suite before goes on with the same history."""
    ids, own = pytests_own

    ours = names(document(*[result(f"unit::{each}") for each in ids]))

    assert len(ids) >= 18
    assert ours == own


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("a/test_b.py::test_c", ("a.test_b", "test_c")),
        ("a/test_b.py::C::D::t[x::y]", ("a.test_b.C.D", "t[x::y]")),
        ("test[1].py::t", ("test[1]", "t")),
        ("guide.txt::guide.txt", ("guide.txt", "guide.txt")),
        ("step.sh", ("", "step.sh")),
    ],
)
def test_an_address_is_split_at_the_last_name(native: str, expected: tuple[str, str]) -> None:
    """Parameters belong to the name, whatever is in them."""
    assert pytest_names(native) == expected


def test_a_repeated_native_id_has_its_own_name_again() -> None:
    """` #2` is ours and goes; where it is part of the test's name it stays."""
    natives = Natives(merged(*map(result, ["u::a.py::t", "u::a.py::t #2", "u::b.sh #2"])).outcomes)

    assert [natives(each) for each in ("u::a.py::t #2", "u::b.sh #2")] == ["a.py::t", "b.sh #2"]
    assert names(document(*map(result, ["u::a.py::t", "u::a.py::t #2"]))) == [("a", "t"), ("a", "t")]


def test_a_failure_has_message_type_and_text() -> None:
    """What a person reads in the CI server is what pytest says in a terminal."""
    element = only_case(failed()).find("failure")

    assert element is not None
    assert element.attrib == {"message": "assert 1 == 2", "type": "AssertionError"}
    assert "E   assert 1 == 2" in (element.text or "")


def test_trouble_outside_the_test_is_an_error_that_names_the_phase() -> None:
    """As in pytest: `failed on teardown with "…"`."""
    phase = Phase(when="teardown", outcome="failed", seconds=0.0, details="boom")
    element = only_case(result(verdict=Verdict.ERROR, message="boom", phases=(phase,))).find("error")

    assert element is not None
    assert element.get("message") == 'failed on teardown with "boom"'


@pytest.mark.parametrize(
    ("verdict", "tag", "kind"),
    [
        (Verdict.SKIPPED, "skipped", "pytest.skip"),
        (Verdict.XFAILED, "skipped", "pytest.xfail"),
        (Verdict.NOT_RUN, "skipped", "not-run"),
        (Verdict.TIMED_OUT, "error", None),
        (Verdict.CRASHED, "error", None),
        (Verdict.LOST, "error", None),
    ],
)
def test_each_verdict_has_its_element(verdict: Verdict, tag: str, kind: str | None) -> None:
    """CI servers know skipped, failure and error; the rest is mapped to the nearest, with its reason."""
    element = only_case(result(verdict=verdict, message="because")).find(tag)

    assert element is not None
    assert element.get("type") == kind
    assert "because" in element.get("message", "")


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.XPASSED])
def test_what_passed_has_no_element(verdict: Verdict) -> None:
    """Worker and attempt are all that is said of it."""
    case = only_case(result(verdict=verdict))

    assert [child.tag for child in case] == ["properties"]
    assert {each.get("name"): each.get("value") for each in case.iter("property")} == {"worker": "w0", "attempt": "1"}
    assert case.get("time") == "0.250"


def test_retries_are_told_in_surefires_form() -> None:
    """A pass after a failure is flaky, never hidden; a failure after a failure is a rerun."""
    flaky = only_case(result(tries=2, earlier=(failed(),)))
    rerun = only_case(failed(tries=2, earlier=(failed(),)))

    assert flaky.find("flakyFailure/stackTrace") is not None
    assert flaky.find("failure") is None
    assert rerun.find("rerunFailure/stackTrace") is not None
    assert rerun.find("failure") is not None


def test_output_and_properties_are_kept() -> None:
    """Standard error apart from the rest, the user's properties beside ours."""
    sections = (("Captured stdout call", "to out"), ("Captured log call", "to log"), ("Captured stderr call", "to err"))
    case = only_case(failed(sections=sections, properties=(("ticket", "A-1"),)))

    assert "to out" in case.findtext("system-out", "")
    assert "to log" in case.findtext("system-out", "")
    assert "to err" in case.findtext("system-err", "")
    assert case.find("properties/property[@name='ticket'][@value='A-1']") is not None


def test_hostile_text_stays_text() -> None:
    """Illegal characters become visible as in pytest's report, markup is escaped, and nothing else is lost."""
    element = only_case(failed(f"unit::a.py::t[{HOSTILE}]", message=HOSTILE)).find("failure")

    assert element is not None
    visible = (
        HOSTILE.replace("\x1b", "#x1B").replace("\x07", "#x07").replace("\x00", "#x00").replace("\udc80", "#xDC80")
    )
    assert element.get("message") == visible


def test_line_ends_and_tabs_of_a_message_survive() -> None:
    """A reader gets back what was said, not one long line."""
    element = only_case(failed(message="first\n\tsecond")).find("failure")

    assert element is not None
    assert element.get("message") == "first\n\tsecond"


def test_a_missing_verdict_and_an_error_of_the_run_are_errors() -> None:
    """Whoever reads only this file sees that the run cannot be trusted."""
    run = merged(result(), missing=(("unit::a.py::gone", "w3"),), errors=("collection failed",), exit_code=2)
    root = parsed(run)

    messages = [each.get("message") for each in root.iter("error")]
    assert messages == ["no verdict, last seen on worker w3", "collection failed"]
    assert root.get("errors") == "2"


def test_counts_agree_with_the_elements() -> None:
    """The heads of the suites and of the whole are sums of what they hold."""
    root = parsed(troubled())

    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped"), ("testcase", "tests")):
        number = len(list(root.iter(tag)))
        assert int(root.get(name, "-1")) == number
        assert sum(int(suite.get(name, "-1")) for suite in root.iter("testsuite")) == number


def test_each_suite_has_an_element_of_its_own() -> None:
    """Same file names in two suites do not mix."""
    root = document(result("unit::a.py::t"), result("it::a.py::t"), result("unit::a.py::u"))

    assert {suite.get("name"): suite.get("tests") for suite in root.iter("testsuite")} == {"unit": "2", "it": "1"}


def test_a_common_reader_understands_the_file(tmp_path: Path) -> None:
    """junitparser, which many tools use, reads all cases of a troubled run."""
    path = tmp_path / "junit.xml"
    with open(path, "w", encoding="utf-8") as file:
        write_junit(troubled(), file)

    assert sum(1 for suite in JUnitXml.fromfile(str(path)) for _ in suite) == len(troubled().outcomes) + 3
