"""Archives, images and modules that lie outside the project: each host gets them once, and only what is missing."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.adapters.openssh import Address
from pipeline.adapters.relay_link import RelayLink
from pipeline.adapters.remote_project import Laid, Manifest, lay, read_manifest
from pipeline.harness.relay_archives import folder_of, unpack
from pipeline.launchers.ssh.moved import moved
from pipeline.model.suites import HarnessSpec
from tests.ssh.house import Lab, SshProject, lab, ssh_project

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A host for tests that do not change it."""
    with lab(tmp_path_factory.mktemp("lab"), ("lab1",)) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SshProject]:
    """Two hosts with two slots each; nothing is left on them."""
    yield from ssh_project(tmp_path / "project")


def packed(path: Path, files: dict[str, str]) -> Path:
    """A tar archive."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            told = tarfile.TarInfo(name)
            told.size = len(text)
            archive.addfile(told, io.BytesIO(text.encode()))
    return path


def laid(hosts: Lab, folder: Path, manifest: Manifest, look: str) -> tuple[Laid, str]:
    """How it was laid out over one session, and what a file said then."""

    async def scenario() -> tuple[Laid, str]:
        link = RelayLink(hosts.client, Address(host="lab1"), name="lab1")
        about = {"label": "tests", "after": []}
        order = {"name": "tests-1", "folder": str(folder), "about": about, "env": {}, "least_bytes": 0}
        try:
            await link.open(order, python="", silence_seconds=10.0, ping_seconds=1.0)
            found = await lay(link, manifest)
            return found, Path(found.beside if look.startswith("*") else found.root).joinpath(
                look.lstrip("*")
            ).read_text()
        finally:
            await link.close(10.0)

    return asyncio.run(scenario())


def test_an_archive_is_sent_and_unpacked_once(hosts: Lab, tmp_path: Path) -> None:
    """The second run sends nothing and unpacks nothing; another content is another folder."""
    root, remote = tmp_path / "root", tmp_path / "remote"
    root.mkdir()
    archive = packed(tmp_path / "corpus.tgz", {"deep/a.txt": "1"})
    contents = []
    for _ in range(2):
        manifest = read_manifest(root, [])
        manifest.add_archive("data/corpus", archive)
        found, text = laid(hosts, remote, manifest, "data/corpus/deep/a.txt")
        contents.append((found.sent_files, text, [path.stat().st_ino for path in (remote / "unpacked").iterdir()]))
    packed(archive, {"deep/a.txt": "2"})
    manifest = read_manifest(root, [])
    manifest.add_archive("data/corpus", archive)
    found, text = laid(hosts, remote, manifest, "data/corpus/deep/a.txt")

    assert [one[:2] for one in contents] == [(1, "1"), (0, "1")]
    assert contents[0][2] == contents[1][2]
    assert (found.sent_files, text, len(os.listdir(remote / "unpacked"))) == (1, "2", 2)


def test_a_module_outside_the_project_is_sent_beside_it(hosts: Lab, tmp_path: Path) -> None:
    """It need not lie on the host; where it lies there its path says."""
    root, module = tmp_path / "root", tmp_path / "site-packages" / "acme.py"
    root.mkdir()
    module.parent.mkdir()
    module.write_text("warm = serve = print\n")
    manifest = read_manifest(root, [])
    manifest.add_beside(module)
    there = moved(
        HarnessSpec(suite="s", python="p", cwd=str(root), module=str(module)), str(root), "/there", {}, "/beside"
    )
    name = there.module.removeprefix("/beside/")
    first, text = laid(hosts, tmp_path / "remote", manifest, f"*{name}")
    again, _ = laid(hosts, tmp_path / "remote", manifest, f"*{name}")

    assert there.module == f"/beside/{name}"
    assert name.endswith("/acme.py")
    assert (first.sent_files, again.sent_files, text) == (1, 0, "warm = serve = print\n")
    own = moved(HarnessSpec(suite="s", python="p", cwd="/r", module="pytest_session"), "/r", "/there", {}, "/beside")
    assert own.module == "pytest_session"


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing of it is left, whatever kind it is."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(name, "x")
    for path in (packed(tmp_path / "t.tar", {name: "x"}), tmp_path / "z.zip"):
        with pytest.raises(ValueError, match="outside of it"):
            unpack(str(tmp_path / "base"), "0" * 64, str(path))
    assert not Path(folder_of(str(tmp_path / "base"), "0" * 64)).exists()
    assert list((tmp_path / "base" / "unpacked").iterdir()) == []


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    """Also one that an entry behind it would be written through."""
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        told = tarfile.TarInfo("deep/link")
        told.type, told.linkname = tarfile.SYMTYPE, "../../etc"
        archive.addfile(told)
    with pytest.raises(ValueError, match="outside of it"):
        unpack(str(tmp_path / "base"), "0" * 64, str(tmp_path / "t.tar"))


def test_tests_find_archives_and_images(project: SshProject, tmp_path: Path) -> None:
    """An archive lies where the settings say; an image is pulled once for each host that does not have it."""
    packed(tmp_path / "corpus.tgz", {"word": "hello"})
    program = tmp_path / "docker"
    program.write_text(
        f"#!/bin/sh\ncase $1 in image) test -e {tmp_path}/has-$3;; pull) echo $2 >> {tmp_path}/pulled; touch {tmp_path}/has-$2;; esac\n"
    )
    program.chmod(0o755)
    project.everywhere = {
        "archives": {"data/corpus": str(tmp_path / "corpus.tgz")},
        "images": ["alpine-3"],
        "images_program": str(program),
    }
    project.suite = {"framework": "command", "lines": ["lines.txt"], "command": ["grep", "hello", "data/corpus/word"]}
    project.write("lines.txt", "1\n2\n3\n4\n")
    running = project.start()
    assert running.end() == 0, running.output
    again = project.start("-a")

    assert again.end() == 0, again.output
    assert set((tmp_path / "pulled").read_text().split()) == {"alpine-3"}
    assert len((tmp_path / "pulled").read_text().split()) <= 2, "once on each host; both ask at once"


def test_an_archive_that_is_not_there_is_told(project: SshProject) -> None:
    """Before anything runs."""
    project.commands(1, 0.01)
    project.everywhere = {"archives": {"data": "gone.tgz"}}
    running = project.start()

    assert running.end() == 3, running.output
    assert "ssh.archives: there is no file" in running.output
