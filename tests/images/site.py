"""A small project whose workers would run images, pushed with `doit-fleet push`, and what a registry then holds of it."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field

from pipeline.adapters.registry import HttpRegistry
from pipeline.logic.run_images import from_json
from pipeline.model.images import Image, RunImages

TESTS = {
    "tests/test_cart.py": "def test_total():\n    assert 2 * 3 == 6\n\ndef test_empty():\n    assert not []\n",
    "tests/test_till.py": "def test_change():\n    assert 5 - 3 == 2\n",
    "shop.py": "PRICE = 3\n",
    "data/tool.sh": "#!/bin/sh\n",
}


@define
class Site:
    """A project of its own, with a repository of its own below `registry`."""

    root: Path
    registry: str
    base: str
    daemon: str
    repository: str
    settings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Write the project."""
        for name, text in TESTS.items():
            self.write(name, text)
        (self.root / "data/tool.sh").chmod(0o755)
        self.write("pyproject.toml", '[project]\nname = "Shop"\n[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
        self.write(".gitignore", "build\n.fleet\n__pycache__\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def fleet(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Type `doit-fleet …`; standard output and error are one text."""
        settings = (
            "workers.launcher=docker",
            "workers.count=2",
            f"registry.url={self.repository_url}",
            f"images.base={self.base}",
            "images.dependencies=none",
            *self.settings,
        )
        return subprocess.run(
            [str(Path(sys.executable).with_name("doit-fleet")), *settings, *arguments],
            cwd=self.root,
            env={
                **{
                    name: value
                    for name, value in os.environ.items()
                    if not name.startswith(("PYTEST", "DOIT_FLEET", "GIT_"))
                },
                "DOCKER_HOST": self.daemon,
                **self.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=55,
            check=False,
        )

    def push(self, *arguments: str) -> str:
        """Push all images; what was said."""
        done = self.fleet("-v2", "push", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    @property
    def repository_url(self) -> str:
        """Where images go."""
        return f"{self.registry}/{self.repository}"

    @property
    def pushed(self) -> RunImages:
        """What `push` left."""
        return from_json((self.root / "build/push/images.json").read_text("utf-8"))

    def image(self, slot: int = 0, client: HttpRegistry | None = None) -> Image:
        """A worker's image as the registry has it."""
        found = (client or HttpRegistry()).resolve(self.pushed.by_slot[slot])
        assert found is not None
        return found

    def files(
        self, image: Image, folder: Path, *, skip: int = 1, client: HttpRegistry | None = None
    ) -> dict[str, tarfile.TarInfo]:
        """Everything in the layers above the first `skip` ones, by path."""
        found: dict[str, tarfile.TarInfo] = {}
        for content in self.layers(image, folder, skip=skip, client=client):
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                found.update({entry.name.strip("/"): entry for entry in archive})
        return found

    def layers(self, image: Image, folder: Path, *, skip: int = 1, client: HttpRegistry | None = None) -> list[bytes]:
        """The archives of the layers above the first `skip` ones."""
        archives = []
        for number, layer in enumerate(image.layers[skip:]):
            path = folder / f"layer-{number}"
            (client or HttpRegistry()).fetch_blob(image.repository, layer.blob, path)
            archives.append(gzip.decompress(path.read_bytes()))
        return archives
