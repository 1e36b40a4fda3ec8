"""A suite that strangers wrote, in pods as on this machine. It is fetched from the package index."""

from __future__ import annotations

import subprocess
import tarfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import only_outside, require
from tests.engines.kubernetes.namespaces import Cluster
from tests.kubernetes.house import KubernetesProject, kubernetes_project

pytestmark = pytest.mark.timeout(300)
SUITE = "itsdangerous==2.2.0"
TESTS = 297
NEEDS = ("pytest==8.3.3", "freezegun==1.5.1")


class Published(KubernetesProject):
    """A project as it was published; its settings for us are beside its own."""

    def settle(self) -> None:
        """As ever, but in `fleet.toml`."""
        own = (self.root / "pyproject.toml").read_text("utf-8")
        super().settle()
        ours = (self.root / "pyproject.toml").read_text("utf-8")
        self.write("fleet.toml", ours.replace("[tool.doit-fleet.", "["))
        self.write("pyproject.toml", own)


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An environment with what the suite needs, and the archive of its sources."""
    only_outside("it is for tests of a cluster, which run there only")
    folder = tmp_path_factory.mktemp("published")
    venv.create(folder / "venv", with_pip=True, symlinks=True)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    sources = ["download", "--no-deps", "--no-binary", ":all:", "--dest", str(folder), SUITE]
    for command in (["install", SUITE, *NEEDS], sources):
        done = subprocess.run([*pip, *command], capture_output=True, text=True, check=False)
        require(done.returncode == 0 or None, f"the package index does not give {SUITE}: {done.stderr[-300:]}")
    (archive,) = folder.glob("*.tar.gz")
    return folder / "venv", archive


@pytest.fixture
def published(
    request: pytest.FixtureRequest, tmp_path: Path, fetched: tuple[Path, Path], cluster: Cluster
) -> Iterator[KubernetesProject]:
    """The project, unpacked."""
    environment, archive = fetched
    for made in kubernetes_project(request, tmp_path / "project", environment, cluster, kind=Published):
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path / "unpacked", filter="data")
        (top,) = (tmp_path / "unpacked").iterdir()
        for path in top.iterdir():
            path.rename(made.root / path.name)
        yield made


def test_its_verdicts_are_those_of_local_workers(published: KubernetesProject) -> None:
    """The same tests, the same verdicts, under the shipped role."""
    inside = published.start()
    assert inside.end(240) == 0, inside.output
    found = published.verdicts()
    published.launcher = "local"
    local = published.start("-a")
    assert local.end() == 0, local.output

    assert found == published.verdicts()
    assert len(found) == TESTS
