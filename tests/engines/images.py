"""Images for tests, from Debian packages on this machine: file systems kept by digest of their recipe, pushed to the plain registry.

`fleet/base:bookworm` is Debian with Python 3.11 (venv, pip's wheel) and CA certificates; `fleet/redis:bookworm` adds redis-server and redis-cli;
`fleet/own:bookworm` is for this repository's own tests in containers.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests.engines import places
from tests.engines.binaries import build
from tests.engines.errors import EngineTrouble
from tests.engines.registries import PlainRegistry

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
DROPPED = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "dev",
    "proc",
    "sys",
)
EMPTY = ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/log", "dev", "proc", "sys", "tmp")


@frozen(kw_only=True)
class Recipe:
    """What an image is made of; its digest is where the file system is kept."""

    name: str
    packages: tuple[str, ...]
    base: Recipe | None = None
    command: tuple[str, ...] = ()
    version: int = 1
    """Raised when this module makes something else of the same packages."""

    @property
    def reference(self) -> str:
        """Repository and tag."""
        return f"fleet/{self.name}:{SUITE}"

    @property
    def layer(self) -> Path:
        """Its file system or what it adds to its base, a gzipped tar."""
        told = (self.packages, self.version, SUITE, DROPPED, self.base and self.base.layer.name)
        return places.home() / "images" / f"{self.name}-{hashlib.sha256(repr(told).encode()).hexdigest()[:16]}.tar.gz"


BASE = Recipe(name="base", packages=("python3", "python3-venv", "ca-certificates"), command=("python3",))
REDIS = Recipe(
    name="redis",
    packages=("redis-server",),
    base=BASE,
    version=2,
    command=("redis-server", "--protected-mode", "no", "--save", "", "--dir", "/tmp"),
)


OWN = Recipe(
    name="own",
    packages=(
        "git",
        "procps",
        "openssl",
        "iproute2",
        "chromium",
        "python3-gdbm",
        "libsqlite3-0",
        "libbz2-1.0",
        "liblzma5",
        "libreadline8",
        "libncursesw6",
        "libffi8",
    ),
    base=BASE,
    command=("python3",),
)
"""What this repository's own tests want beside Python: workers of the profile `docker` stand on it. The libraries are for
interpreters of the machine that are mounted."""
ALL = (BASE, REDIS, OWN)


def made(recipe: Recipe) -> Path:
    """The layer, made when it is not there; needs root and Debian's packages."""
    layer = recipe.layer
    if not layer.exists():
        with places.locked(layer.parent / recipe.name):
            if not layer.exists():
                _make(recipe, layer)
    return layer


def find(recipe: Recipe, registry: PlainRegistry) -> str | None:
    """The image's reference in that registry, by tag; nothing when it is not there as it should be."""
    note = _note(recipe, registry)
    repository, _, tag = recipe.reference.partition(":")
    there = registry.ask(f"/v2/{repository}/manifests/{tag}") == 200
    return f"{registry.address}/{recipe.reference}" if there and _said(note) == _telling(recipe) else None


def pushed(recipe: Recipe, registry: PlainRegistry) -> str:
    """The image's reference in that registry, by tag; pushed when it is not there as it should be."""
    made(recipe)
    with places.locked(registry.folder / f"pushing-{recipe.name}"):
        found = find(recipe, registry)
        if found:
            return found
        reference = f"{registry.address}/{recipe.reference}"
        _push(recipe, registry, reference)
        _note(recipe, registry).write_text(_telling(recipe), "utf-8")
        return reference


def _note(recipe: Recipe, registry: PlainRegistry) -> Path:
    return registry.folder / f"pushing-{recipe.name}" / "pushed"


def _said(note: Path) -> str:
    return note.read_text("utf-8") if note.exists() else ""


def _telling(recipe: Recipe) -> str:
    return json.dumps([recipe.layer.name, recipe.command])


def _push(recipe: Recipe, registry: PlainRegistry, reference: str) -> None:
    base = ("-b", pushed(recipe.base, registry)) if recipe.base else ()
    crane = str(build("crane"))
    _run([crane, "append", "--insecure", *base, "-f", str(recipe.layer), "-t", reference])
    more = ["--set-platform", "linux/amd64", "--cmd", ",".join(recipe.command)]
    _run([crane, "mutate", "--insecure", reference, *more, "-t", reference])


def _make(recipe: Recipe, layer: Path) -> None:
    with tempfile.TemporaryDirectory(dir=layer.parent, prefix=recipe.name) as fresh:
        root = Path(fresh) / "root"
        if recipe.base:
            _add_packages(recipe, made(recipe.base), Path(fresh), root)
        else:
            _bootstrap(recipe, root)
        for dropped in DROPPED:
            shutil.rmtree(root / dropped, ignore_errors=True)
        if not recipe.base:
            for empty in EMPTY:
                (root / empty).mkdir(parents=True, exist_ok=True)
        whole = Path(fresh) / layer.name
        sorts = (
            "--sort=name",
            "--numeric-owner",
            "--mtime=@0",
            "--format=pax",
            "--pax-option=delete=atime,delete=ctime",
        )
        _run(["tar", "-C", str(root), *sorts, "--use-compress-program=gzip -n -1", "-cf", str(whole), "."])
        whole.replace(layer)


def _bootstrap(recipe: Recipe, root: Path) -> None:
    if not shutil.which("debootstrap"):
        raise EngineTrouble("no debootstrap to make the base image with", "apt-get install debootstrap")
    _run(["debootstrap", "--variant=minbase", f"--include={','.join(recipe.packages)}", SUITE, str(root), MIRROR])


def _add_packages(recipe: Recipe, base: Path, fresh: Path, root: Path) -> None:
    """Unpack what the packages need beyond the base; their scripts do not run."""
    below = fresh / "base"
    below.mkdir()
    _run(["tar", "-C", str(below), "-xzf", str(base)])
    shutil.copy("/etc/resolv.conf", below / "etc/resolv.conf")
    _run(["mknod", "-m", "666", str(below / "dev/null"), "c", "1", "3"])
    _run(["chroot", str(below), "apt-get", "update", "-qq"])
    only = ("--no-install-recommends", "--download-only")
    _run(["chroot", str(below), "apt-get", "install", "-qq", "--yes", *only, *recipe.packages])
    for package in sorted((below / "var/cache/apt/archives").glob("*.deb")):
        _run(["dpkg", "-x", str(package), str(root)])
    for name in ("bin", "lib", "sbin"):  # Links to usr/… in the base, which a folder of a layer would hide.
        if (root / name).is_dir():
            shutil.copytree(root / name, root / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(root / name)


def _run(argv: Sequence[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
        raise EngineTrouble(f"{' '.join(argv[:4])} … failed:\n{said}", "are root rights and Debian's mirror there?")
