"""What workers in containers need to run this repository's own tests on this machine: settings for `./doitw profile=docker`.

`python -m tests.engines.workers` writes them, as lines for a shell, to a file and prints its name. In containers the engines
are reached as here (the host's network, folders at the same paths), and there are the same interpreters and the same Go.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from tests.compatibility import environment as plug_ins
from tests.engines import IN_CONTAINER, REQUIRED, images, places
from tests.engines.docker import Docker
from tests.engines.engine import Engine
from tests.engines.errors import EngineTrouble
from tests.engines.registries import PlainRegistry
from tests.processes import pythons

PYTHONS = tuple(f"python3.{minor}" for minor in range(8, 15))
PASSED_ON = ("PIP_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""How a package index is reached, by beginnings of variables."""
PIP_SETTINGS = (Path("/etc/pip.conf"),)
IMAGE_PATH = f"/opt/project/{sys.version_info[0]}.{sys.version_info[1]}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SETTING = "DOIT_FLEET__"
EngineT = TypeVar("EngineT", bound=Engine)


def file() -> Path:
    """Where the settings are written."""
    return _folder() / "settings.sh"


def settings() -> dict[str, str]:
    """Settings as variables. Raises `EngineTrouble` when an engine does not run or the image is not there."""
    registry = running(PlainRegistry())
    image = images.find(images.OWN, registry)
    if image is None:
        raise EngineTrouble(f"{images.OWN.reference} is not there", "make it: python -m tests.engines start images")
    docker = str(running(Docker()).facts["host"])
    found = tools()
    environment = _environment(found)
    mounts = [f"{path}:{path}" for path in _written(docker)]
    read = {*_read(found, environment)}
    mounts += [f"{path}:{path}:ro" for path in sorted(read) if read.isdisjoint(path.parents)]
    return {
        f"{SETTING}REGISTRY__URL": registry.address,
        f"{SETTING}IMAGES__BASE": image,
        f"{SETTING}DOCKER__HOST": docker,
        f"{SETTING}DOCKER__MOUNTS": ",".join(mounts),
        **{f"{SETTING}DOCKER__ENVIRONMENT__{name}": value for name, value in environment.items()},
    }


def running(engine: EngineT) -> EngineT:
    """The engine, which runs. Raises EngineTrouble."""
    if not engine.running():
        raise EngineTrouble(f"{engine.name} does not run", f"start it: python -m tests.engines start {engine.name}")
    return engine


def _folder() -> Path:
    return places.home() / "workers"


def _temporary() -> Path:
    """Temporary files that containers of tests see at the same path; not below a home, which nobody else may enter."""
    home = hashlib.sha256(str(places.home()).encode()).hexdigest()[:8]
    path = Path("/var/tmp") / f"fleet-{home}"
    path.mkdir(exist_ok=True)
    return path


def tools() -> dict[str, Path]:
    """Interpreters and Go of this machine, by command."""
    found = {}
    for name in PYTHONS:
        command = shutil.which(name)
        asked = [command or "", "-c", "import sys; print(sys.executable)"]
        done = command and subprocess.run(asked, capture_output=True, text=True, check=False)
        if done and done.returncode == 0:
            found[name] = Path(done.stdout.strip()).resolve()
    go = shutil.which("go")
    return {**found, **({"go": Path(go).resolve()} if go else {})}


def _environment(tools: Mapping[str, Path]) -> dict[str, str]:
    """Variables of the containers; the commands are on PATH, after what the image has."""
    commands = _folder() / "bin"
    shutil.rmtree(commands, ignore_errors=True)
    commands.mkdir(parents=True)
    for name, path in tools.items():
        (commands / name).symlink_to(path)
    given = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    named = (REQUIRED, "DOIT_FLEET_WHEELS", pythons.NAMED_BY)
    plugged = plug_ins.find()
    return {
        **given,
        **{name: os.environ[name] for name in named if name in os.environ},
        **({plug_ins.NAMED_BY: str(plugged)} if plugged else {}),
        places.NAMED_BY: str(places.home()),
        IN_CONTAINER: "yes",
        "TMPDIR": str(_temporary()),
        "PATH": f"{IMAGE_PATH}:{commands}",
    }


def _written(docker: str) -> Iterator[Path]:
    """The engines' folder, temporary files, and Docker's socket."""
    yield places.home()
    yield _temporary()
    socket = Path(docker.removeprefix("unix://")).resolve()
    if places.home() not in socket.parents:
        yield socket


def _read(tools: Mapping[str, Path], environment: Mapping[str, str]) -> Iterator[Path]:
    prefixes = {Path(sys.base_prefix), *(path.parents[1] for path in tools.values())}
    yield from prefixes - {Path("/usr")}  # The image has its own.
    plugged = environment.get(plug_ins.NAMED_BY)
    if plugged:
        yield Path(plugged).parents[1]
    named = [Path(word) for name, value in environment.items() if name.startswith(PASSED_ON) for word in value.split()]
    files = [path for path in named if path.is_absolute()]
    yield from (path for path in (*files, *PIP_SETTINGS) if path.exists())


def write(place: Path, read: Callable[[], Mapping[str, str]]) -> int:
    """Write what was read as lines for a shell, for their owner only, and print the file's name; 2 when something is missing."""
    try:
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in read().items()]
    except EngineTrouble as trouble:
        print(trouble, file=sys.stderr)
        return 2
    place.touch(0o600)  # The address of an index may hold a password.
    place.write_text("".join(lines), "utf-8")
    print(place)
    return 0


def main() -> int:
    """Write the file; 2 when something is missing."""
    return write(file(), settings)


if __name__ == "__main__":
    sys.exit(main())
