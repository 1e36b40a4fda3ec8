"""A nasty project, written where a test wants it: whatever has made a distributed run differ from a plain one.

Knows nothing of the harness; the texts are the project's files.
"""

from __future__ import annotations

from pathlib import Path

FILES = {
    "pytest.ini": """
[pytest]
markers =
    slow: slow
python_files = test_*.py check_*.py
addopts = -ra --strict-markers
""",
    "conftest.py": """
import os
import pytest

HERE = "root"

@pytest.fixture(scope="session")
def session_log(tmp_path_factory):
    return tmp_path_factory.mktemp("log")

@pytest.fixture(scope="session", params=["p", "q"])
def session_param(request):
    return request.param

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".yaml" and file_path.name.startswith("test"):
        return YamlFile.from_parent(parent, path=file_path)

class YamlFile(pytest.File):
    def collect(self):
        for line in self.path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(": ")
            yield YamlItem.from_parent(self, name=name, value=value)

class YamlItem(pytest.Item):
    def __init__(self, *, value, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def runtest(self):
        if self.value != "ok":
            raise YamlError(self.value)

    def repr_failure(self, excinfo):
        return "yaml says " + str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, "yaml " + self.name

class YamlError(Exception):
    pass
""",
    "test_cases.yaml": "one: ok\ntwo: bad\none: ok\n",
    "test_outcomes.py": """
import warnings
import pytest
from conftest import HERE

def test_conftest(): assert HERE == "root"
def test_pass(): pass
def test_fail(): assert [1, 2] == [1, 3]
def test_raise(): raise LookupError("line one\\nline two")
def test_skip(): pytest.skip("not now")
def test_xfail_inside(): pytest.xfail("known")
@pytest.mark.skip(reason="marked")
def test_marked_skip(): pass
@pytest.mark.xfail(reason="expected", raises=ZeroDivisionError)
def test_xfail(): 1 / 0
@pytest.mark.xfail(reason="other", raises=ZeroDivisionError)
def test_xfail_other(): raise ValueError
@pytest.mark.xfail(reason="passes")
def test_xpass(): pass
@pytest.mark.xfail(reason="must not pass", strict=True)
def test_strict_xpass(): pass
def test_exits(): raise SystemExit(3)
def test_properties(record_property):
    record_property("plain", [1, {"a": None}])
    record_property("odd", {1, 2}.__class__)
@pytest.fixture
def broken_setup(): raise OSError("no set-up")
@pytest.fixture
def broken_teardown():
    yield
    raise OSError("no tear-down")
def test_setup_error(broken_setup): pass
def test_teardown_error(broken_teardown): pass
def test_both(broken_teardown): assert False
@pytest.mark.xfail(reason="set-up fails")
def test_xfail_setup(broken_setup): pass
def test_warns():
    with pytest.warns(UserWarning):
        warnings.warn("w")
@pytest.mark.filterwarnings("error")
def test_warning_is_error(): warnings.warn("w")
def test_output(capsys):
    print("seen")
    assert capsys.readouterr().out == "seen\\n"
def test_fd_output(capfd):
    import os
    os.write(1, b"raw \\xff")
    assert "raw" in capfd.readouterr().out
def test_log(caplog):
    import logging
    logging.getLogger().warning("hm")
    assert caplog.messages == ["hm"]
def test_printed_failure():
    print("to read", "\\udc80".encode("utf-8", "surrogatepass"))
    assert 0
""",
    "test_names.py": """
import pytest
VALUES = ["a::b", "x[1]", "new\\nline", "tab\\t", "é", "日本", "", " ", "a/b",
    "\\x00", "-k", "a]", "💥", b"\\xff", 1.5, None, object]
@pytest.mark.parametrize("value", VALUES)
def test_value(value): pass
@pytest.mark.parametrize("value", [1, 1, 1])
def test_same(value): pass
@pytest.mark.parametrize("value", ["[", "::"], ids=["a::b[c]", "::::"])
def test_ids(value): assert value == "["
def test_twice(): pass
first = test_twice
def test_twice(): assert 0
class TestÄ:
    def test_ü(self): pass
""",
    "test_scopes.py": """
import pytest
made = []
@pytest.fixture(scope="module")
def module_thing():
    made.append("module")
    yield len(made)
@pytest.fixture(scope="class")
def class_thing():
    yield []
@pytest.fixture(scope="module", params=[1, 2])
def module_param(request): return request.param
@pytest.fixture(autouse=True)
def always(): yield
class TestOrder:
    state = []
    @classmethod
    def setup_class(cls): cls.state.append("class")
    def setup_method(self): self.state.append("method")
    def test_1(self, class_thing): class_thing.append(1); assert self.state == ["class", "method"]
    def test_2(self, class_thing): assert class_thing == [1]; assert len(self.state) == 3
    class TestInner:
        def test_3(self, module_thing): assert module_thing == len(made)
def setup_module(module): module.ready = True
def test_module_ready(): assert ready
def test_module_thing(module_thing): assert made == ["module"] * module_thing
def test_session_param(session_param, module_param): assert session_param in "pq" and module_param in (1, 2)
def test_tmp_path(tmp_path, session_log): assert not list(tmp_path.iterdir()) and session_log.exists()
def test_tmpdir_name(tmp_path): assert tmp_path.name == "test_tmpdir_name0"
""",
    "test_unit.py": """
import unittest
class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.ready = 1
    def setUp(self): self.mine = self.ready
    def test_ok(self): self.assertEqual(self.mine, 1)
    def test_bad(self): self.assertEqual(self.mine, 2)
    def test_sub(self):
        for i in range(4):
            with self.subTest(i=i): self.assertNotEqual(i, 2)
    @unittest.expectedFailure
    def test_expected(self): assert 0
    @unittest.expectedFailure
    def test_unexpected(self): pass
    @unittest.skip("no")
    def test_skipped(self): pass
    def test_skip_inside(self): self.skipTest("inside")
class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise RuntimeError("class")
    def test_a(self): pass
    def test_b(self): pass
@unittest.skip("whole class")
class Skipped(unittest.TestCase):
    def test_a(self): pass
""",
    "check_doc.py": '''
def double(x):
    """
    >>> double(2)
    4
    """
    return x * 2
def wrong(x):
    """
    >>> wrong(2)
    5
    """
    return x
def test_beside(): assert double(3) == 6
''',
    "notes.txt": "not collected\n",
    "test_text.txt": ">>> 1 + 1\n2\n>>> 1 + 1\n3\n",
    "pkg/__init__.py": "",
    "pkg/conftest.py": """
import pytest
HERE = "pkg"
@pytest.fixture(scope="package")
def package_thing(): return object()
@pytest.fixture
def where(): return "pkg"
""",
    "pkg/test_inner.py": """
from .conftest import HERE
def test_here(where, package_thing): assert where == HERE == "pkg"
""",
    "pkg/deep/__init__.py": "",
    "pkg/deep/conftest.py": """
import pytest
@pytest.fixture
def where(where): return where + "/deep"
""",
    "pkg/deep/test_inner.py": "def test_here(where): assert where == 'pkg/deep'\n",
    "loose/conftest.py": 'HERE = "loose"\n',
    "loose/helper_of_loose.py": "VALUE = 7\n",
    "loose/test_loose.py": """
from conftest import HERE
from helper_of_loose import VALUE
def test_here(): assert HERE == "loose" and VALUE == 7
""",
    "zone/test_zone.py": """
from helper_of_loose import VALUE
import sys
def test_other_folder_is_importable(): assert VALUE == 7
""",
    "zone/test_broken_import.py": "import nothing_of_that_name\n",
    "zone/test_skipped_module.py": "import pytest\npytest.skip('all', allow_module_level=True)\n",
}

SUBTESTS = """
def test_parts(subtests):
    for i in range(5):
        with subtests.test(i=i): assert i != 3
def test_good_parts(subtests):
    with subtests.test("x"): pass
"""

REORDER = """
import pytest
def pytest_collection_modifyitems(config, items):
    items.reverse()
    gone = [item for item in items if item.name == "test_pass"]
    items[:] = [item for item in items if item.name != "test_pass"]
    config.hook.pytest_deselected(items=gone)
    for number, item in enumerate(items):
        item.user_properties.append(("place", number))
"""


def write(folder: Path, files: dict[str, str] | None = None, **more: str) -> Path:
    """Write the project's files below `folder`; `more` is added (`__` in a name stands for `/`)."""
    given = dict(FILES if files is None else files)
    given.update({name.replace("__", "/") + ".py": text for name, text in more.items()})
    for name, text in given.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    return folder
