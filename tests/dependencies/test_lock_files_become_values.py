"""Lock files become values: what is pinned for a target, and what must be resolved each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.adapters.locks import find_lock, read_lock
from pipeline.errors import UsageError
from pipeline.logic.wheel_choice import choose
from pipeline.model.dependencies import Artifact, Lock, Target

A, B, C = "a" * 64, "b" * 64, "c" * 64
TARGET = Target(python=(3, 11, 4))


def read(tmp_path: Path, name: str, text: str, target: Target = TARGET, **variables: str) -> Lock:
    """The lock of that name and text."""
    path = tmp_path / name
    path.write_text(text)
    return read_lock(path, tmp_path, target, variables)


def shown(lock: Lock) -> dict[str, str]:
    """Version by name; a fresh one in brackets."""
    return {pin.name: f"({pin.fresh})" if pin.fresh else pin.version for pin in lock.pins}


def test_requirements_are_read_as_pip_reads_them(tmp_path: Path) -> None:
    """Continued lines, comments, markers, extras, options, variables and included files mean what they mean to pip."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.txt").write_text(f"Base_Thing==2.0 --hash=sha256:{C}\n")
    text = f"""# made by hand
--index-url https://${{USER_NAME}}@index.example/simple
--extra-index-url=https://other.example/simple
-f shelf
-r more/base.txt
Some.Thing[extra]==1.5 ; python_version >= "3.8" \\
    --hash=sha256:{B} \\
    --hash=sha256:{A}
    # via nothing
old==1.0 ; python_version < "3.0" --hash=sha256:{A}
windows==1.0 ; sys_platform == "win32" --hash=sha256:{A}
"""
    lock = read(tmp_path, "requirements.txt", text, USER_NAME="me")

    assert shown(lock) == {"base-thing": "2.0", "some-thing": "1.5"}
    assert [one.sha256 for one in lock.pins[1].artifacts] == [A, B]
    assert (lock.pins[0].place, lock.pins[1].place) == ("more/base.txt:1", "requirements.txt:6")
    assert lock.indexes == ("https://me@index.example/simple", "https://other.example/simple")
    assert lock.find_links == ("shelf",)


def test_what_may_change_is_fresh(tmp_path: Path) -> None:
    """Editable, version control, URLs without a hash, development and local versions are told from releases."""
    text = f"""-e .
-e ./libs/own
snapshot==1.0.dev3 --hash=sha256:{A}
local==1.0+cpu --hash=sha256:{A}
direct @ https://files.example/direct-1.0-py3-none-any.whl
git_thing @ git+https://git.example/thing@main
named @ https://files.example/named-2.0-py3-none-any.whl#sha256={B}
release==1.0 --hash=sha256:{A}
"""
    lock = read(tmp_path, "requirements.txt", text)
    fresh = {pin.name for pin in lock.pins if pin.fresh}

    assert fresh == {".", "libs/own", "snapshot", "local", "direct", "git-thing"}
    assert {pin.name for pin in lock.pins if pin.editable} == {".", "libs/own"}
    assert {pin.name: pin.version for pin in lock.pins if not pin.fresh} == {"named": "2.0", "release": "1.0"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"loose>=1 --hash=sha256:{A}", "not pinned"),
        ("bare==1.0", "no sha256 hash"),
        (f"wild==1.* --hash=sha256:{A}", "not pinned"),
        ("short==1.0 --hash=sha256:abc", "no sha256 digest"),
        ("--frobnicate now", "not understood"),
        ("== nonsense ==", "no requirement"),
        (f"good==2.0 --hash=sha256:{B}", "requirements.txt:1 says"),
        ("-r missing.txt", "missing.txt"),
        ("-r requirements.txt", "included in itself"),
    ],
)
def test_bad_lines_are_named_with_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    """A line that cannot be used is an error that says where it is, and what is wrong."""
    with pytest.raises(UsageError) as caught:
        read(tmp_path, "requirements.txt", f"good==1.0 --hash=sha256:{A}\n\n{line}\n")

    assert said in str(caught.value)
    assert str(caught.value).startswith("requirements.txt:3: ")


UV = f"""
version = 1
requires-python = ">=3.9"

[[package]]
name = "app"
version = "1.0"
source = {{ editable = "." }}
dependencies = [
    {{ name = "web", extra = ["fast"] }},
    {{ name = "old", marker = "python_full_version < '3.10'" }},
    {{ name = "forked", version = "2.0", marker = "sys_platform == 'linux'" }},
    {{ name = "forked", version = "1.0", marker = "sys_platform != 'linux'" }},
    {{ name = "vcs" }},
]
[package.optional-dependencies]
docs = [{{ name = "sphinx" }}]
[package.dev-dependencies]
test = [{{ name = "checker" }}]

[[package]]
name = "web"
version = "3.0"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/web-3.0-py3-none-any.whl", hash = "sha256:{A}" }}]
[package.optional-dependencies]
fast = [{{ name = "speed" }}]
[[package]]
name = "speed"
version = "1.0"
source = {{ registry = "https://index.example/simple" }}
sdist = {{ url = "https://files.example/speed-1.0.tar.gz", hash = "sha256:{B}" }}
[[package]]
name = "old"
version = "1.0"
source = {{ registry = "https://index.example/simple" }}
[[package]]
name = "forked"
version = "1.0"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/forked-1.0-py3-none-any.whl", hash = "sha256:{C}" }}]
[[package]]
name = "forked"
version = "2.0"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/forked-2.0-py3-none-any.whl", hash = "sha256:{C}" }}]
[[package]]
name = "vcs"
version = "0.1"
source = {{ git = "https://git.example/vcs?rev=main#0123abc" }}
[[package]]
name = "checker"
version = "1.0"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/checker-1.0-py3-none-any.whl", hash = "sha256:{A}" }}]
[[package]]
name = "sphinx"
version = "1.0"
source = {{ registry = "https://index.example/simple" }}
"""


def test_uv_locks_are_walked_from_the_project(tmp_path: Path) -> None:
    """Extras, groups for tests, markers and forks decide what of `uv.lock` a target needs."""
    lock = read(tmp_path, "uv.lock", UV)

    assert shown(lock) == {
        "app": "(it is installed in place)",
        "checker": "1.0",
        "forked": "2.0",
        "speed": "1.0",
        "vcs": "(it comes from version control)",
        "web": "3.0",
    }
    assert {pin.name: pin.requirement for pin in lock.pins}["vcs"] == "vcs @ git+https://git.example/vcs@0123abc"
    assert {pin.name: pin.index for pin in lock.pins}["web"] == "https://index.example/simple"


PYLOCK = f"""
lock-version = "1.0"
created-by = "tests"
requires-python = ">=3.9"
[[packages]]
name = "web"
version = "3.0"
[[packages.wheels]]
url = "https://files.example/web-3.0-py3-none-any.whl"
hashes = {{ sha256 = "{A}" }}
[[packages]]
name = "native"
version = "1.0"
[[packages.wheels]]
name = "native-1.0-cp311-cp311-win_amd64.whl"
url = "https://files.example/native-1.0-cp311-cp311-win_amd64.whl"
hashes = {{ sha256 = "{B}" }}
[[packages.wheels]]
name = "native-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
url = "https://files.example/native-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
hashes = {{ sha256 = "{C}" }}
[[packages]]
name = "other"
version = "1.0"
marker = "sys_platform == 'darwin'"
[[packages.wheels]]
url = "https://files.example/other-1.0-py3-none-any.whl"
hashes = {{ sha256 = "{A}" }}
[[packages]]
name = "app"
[packages.directory]
path = "."
editable = true
"""


def test_pylock_is_read_for_the_target(tmp_path: Path) -> None:
    """`pylock.toml` gives the wheel that fits the image, whatever machine reads it."""
    lock = read(tmp_path, "pylock.toml", PYLOCK)

    assert shown(lock) == {"app": "(it is installed in place)", "native": "1.0", "web": "3.0"}
    assert lock.pins[1].artifacts[0].sha256 == C


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("uv.lock", "version = 7\n", "format 7"),
        ("uv.lock", "version = \n", "uv.lock: "),
        ("uv.lock", UV.replace(">=3.9", ">=3.13"), "made for Python >=3.13"),
        ("uv.lock", UV.replace('name = "vcs" }', 'name = "gone" }'), "'gone' is missing"),
        ("pylock.toml", PYLOCK.replace('"1.0"\ncreated', '"9.0"\ncreated'), "pylock.toml: "),
        ("pylock.toml", PYLOCK.replace(">=3.9", ">=3.13"), "pylock.toml: "),
    ],
)
def test_locks_that_cannot_be_used_say_why(tmp_path: Path, name: str, text: str, said: str) -> None:
    """Wrong formats, other Pythons and holes are told by file, without a traceback."""
    with pytest.raises(UsageError, match=said):
        read(tmp_path, name, text)


def test_the_nearest_and_most_exact_lock_is_found(tmp_path: Path) -> None:
    """The suite's folder comes before the project's; requirements count only with hashes, those for tests first."""
    suite = tmp_path / "suite"
    suite.mkdir()
    (tmp_path / "uv.lock").write_text("")
    (suite / "requirements.txt").write_text("loose\n")
    assert find_lock((suite, tmp_path)) == tmp_path / "uv.lock"

    (suite / "requirements.txt").write_text(f"a==1 --hash=sha256:{A}\n")
    (suite / "requirements-test.txt").write_text(f"a==1 --hash=sha256:{A}\n")
    assert find_lock((suite, tmp_path)) == suite / "requirements-test.txt"


@pytest.mark.parametrize(
    ("machine", "libc", "expected"),
    [
        ("x86_64", "glibc-2.28", "manylinux_2_17_x86_64"),
        ("x86_64", "glibc-2.12", ""),
        ("x86_64", "musl-1.2", "musllinux_1_1_x86_64"),
        ("aarch64", "glibc-2.28", "manylinux2014_aarch64"),
    ],
)
def test_the_wheel_fits_the_image_and_not_the_agent(machine: str, libc: str, expected: str) -> None:
    """Machine and C library of the target choose among a release's wheels; without one the source is taken."""
    tags = (
        "manylinux_2_17_x86_64",
        "manylinux_2_34_x86_64",
        "musllinux_1_1_x86_64",
        "manylinux2014_aarch64",
        "win_amd64",
    )
    names = [f"n-1.0-cp311-cp311-{tag}.whl" for tag in tags] + ["n-1.0.tar.gz", "broken.whl"]
    found = choose(
        [Artifact(sha256=A, filename=name) for name in names], Target(python=(3, 11, 0), machine=machine, libc=libc)
    )

    assert found is not None
    assert found.filename == (f"n-1.0-cp311-cp311-{expected}.whl" if expected else "n-1.0.tar.gz")
