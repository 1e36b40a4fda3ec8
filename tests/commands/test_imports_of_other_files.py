"""What importing one test file leaves behind is there for the tests of another, on whichever worker they run."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)


def test_a_submodule_that_another_file_imports_is_there(project: Project) -> None:
    """Plain pytest imports every file before the first test; so does each worker."""
    relying = "import time, pkg\ndef test_relies_{n}():\n    time.sleep(0.3)\n    assert pkg.sub.VALUE == 1\n"
    (project.root / "pkg").mkdir()
    (project.root / "pkg" / "__init__.py").touch()
    (project.root / "pkg" / "sub.py").write_text("VALUE = 1\n")
    project.write(**{f"test_{n}__py": relying.format(n=n) for n in range(3)})
    project.write(test_z__py="import time, pkg.sub\ndef test_imports():\n    time.sleep(0.3)\n")

    assert project.plain().code == 0
    done = project.fleet()
    assert done.code == 0, done.output


def test_a_file_that_cannot_be_imported_elsewhere_is_told_once(project: Project) -> None:
    """Modules that skip or exit when imported harm no worker that only imports them on the side."""
    project.write(
        test_a__py="def test_a(): pass\n",
        test_b__py="import pytest\npytest.skip('not here', allow_module_level=True)\n",
        test_c__py="def test_c(): pass\n",
    )

    done = project.fleet()

    assert done.code == 0, done.output
    assert {name: verdict for name, verdict in done.verdicts.items() if "test_b" not in name} == {
        "test_a::test_a": "passed",
        "test_c::test_c": "passed",
    }
