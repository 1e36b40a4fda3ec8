"""What a relay's forked children do: lay out the project, receive what is missing, run commands, hand over outputs, tidy.

Each answers with one JSON line on its standard output: its result, or `{"error", "errno", "path"}`. Files are named by the
SHA-256 of their content, and read back against it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from typing import Any, BinaryIO

from . import relay_house
from .found_outputs import found
from .host_setups import STANDING, notes_of, set_up
from .relay_archives import folder_of, unpack
from .relay_house import House

CHUNK = 1 << 18
OLDER_SECONDS = 10.0
"""Than now is what is laid out, so that nothing of it looks as if tests had written it."""


def work(name: str, house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> int:
    """Do one job in this process; its exit status."""
    try:
        told = JOBS[name](house, order, given, answer)
    except OSError as error:
        told = {"error": error.strerror or str(error), "errno": error.errno, "path": error.filename}
    except (ValueError, subprocess.SubprocessError) as error:
        told = {"error": str(error), "errno": None, "path": None}
    if told is not None:
        _answer(answer, told)
    answer.flush()
    return 0


def lay(house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> dict[str, Any]:
    """Make the project's folder from what is kept; `missing` digests, and nothing made, where some are not."""
    manifest = json.loads(given.read())
    project = os.path.join(house.folder, "project", order["name"])
    beside = os.path.join(house.folder, "beside")
    archives = manifest.get("archives", ())
    wanted = {digest for _, digest, _ in (*manifest["files"], *manifest.get("beside", ()))}
    wanted |= {digest for _, digest in archives if not os.path.isdir(folder_of(house.base, digest))}
    missing = [digest for digest in sorted(wanted) if not os.path.exists(_object(house, digest))]
    if missing:
        return {"missing": missing}
    os.makedirs(project, exist_ok=True)
    for name in manifest["folders"]:
        os.makedirs(os.path.join(project, name), exist_ok=True)
    then = _clock(house) - OLDER_SECONDS
    damaged = []
    files = [(os.path.join(project, name), digest, mode) for name, digest, mode in manifest["files"]]
    files += [(os.path.join(beside, name), digest, mode) for name, digest, mode in manifest.get("beside", ())]
    for target, digest, mode in files:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if _lay_file(house, target, digest):
            os.chmod(target, mode)
            os.utime(target, (then, then))
        else:
            damaged.append(digest)
    for name, target in manifest["links"]:
        path = os.path.join(project, name)
        if not os.path.lexists(path):
            os.symlink(target, path)
    for name, digest in archives:
        path = os.path.join(project, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(unpack(house.base, digest, _object(house, digest)), path)
    house.note(project=project)
    return {"missing": damaged, "project": project, "beside": beside, "since": _clock(house)}


def receive(house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> dict[str, Any]:
    """Keep files: for each a JSON line `{digest, size}`, then its bytes. One that is not what it is called is refused."""
    count = 0
    while True:
        line = given.readline()
        if not line:
            return {"received": count}
        head = json.loads(line)
        _keep(house, head["digest"], head["size"], given)
        count += 1


def command(house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> dict[str, Any]:
    """Run `commands` in the project's folder, before any test."""
    house.note(before=True)
    env = {**house.env, relay_house.MARK: house.name}
    return relay_house.run_commands(order["commands"], order["cwd"], env, order.get("seconds"))


def stand(house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> dict[str, Any]:
    """Set up what all workers of this host share: what it exports, or what went wrong. The relay's end tears it down."""
    env = {**house.env, **order["env"], relay_house.MARK: house.name}
    own = {**order, "env": env}
    return set_up(
        own, notes_of(os.path.join(house.folder, STANDING), order["suite"]), os.path.join(house.folder, "shared")
    )[1]


def fetch(house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> None:
    """Hand over files below `root` that match `globs` and changed since: a JSON line `{name, size}` and bytes for each."""
    for path, size in found(order["root"], order["globs"], order["since"]):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        with open(descriptor, "rb") as file:
            name = os.path.relpath(path, order["root"])
            executable = bool(os.fstat(file.fileno()).st_mode & 0o111)
            _answer(answer, {"name": name, "size": size, "executable": executable})
            left = size
            while left > 0:
                data = file.read(min(CHUNK, left)) or bytes(min(CHUNK, left))  # It has shrunk meanwhile.
                answer.write(data)
                left -= len(data)


def tidy(house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> dict[str, Any]:
    """End and remove what dead relays have left."""
    return {
        "removed": relay_house.tidy(house.base, order["label"], order["keep_seconds"], house.env, order.get("envs"))
    }


def end(house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> dict[str, Any]:
    """End what another relay has left, by its mark; `proof`: nothing of it lives."""
    return {"proof": relay_house.end_marked(order["name"])}


def look(house: House, order: dict[str, Any], given: BinaryIO, answer: BinaryIO) -> dict[str, Any]:
    """What an interpreter prints for some `code`; `python` is the first of `pythons` that there is, or None."""
    python = relay_house.find_python(order["pythons"], house.folder)
    if python is None:
        return {"python": None, "code": None, "output": ""}
    command = [python, "-c", order["code"]]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False
    )
    return {"python": python, "code": done.returncode, "output": done.stdout[-2000:].decode("utf-8", "replace")}


JOBS = {
    "look": look,
    "lay": lay,
    "receive": receive,
    "command": command,
    "fetch": fetch,
    "stand": stand,
    "tidy": tidy,
    "end": end,
}


def _answer(answer: BinaryIO, told: dict[str, Any]) -> None:
    answer.write(json.dumps(told).encode("ascii") + b"\n")


def _object(house: House, digest: str) -> str:
    return os.path.join(house.objects, digest[:2], digest[2:])


def _keep(house: House, digest: str, size: int, given: BinaryIO) -> None:
    path = _object(house, digest)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".")
    try:
        hashed = hashlib.sha256()
        with open(descriptor, "wb") as file:
            while size > 0:
                data = given.read(min(CHUNK, size))
                if not data:
                    raise ValueError("the transfer ended too early")
                hashed.update(data)
                file.write(data)
                size -= len(data)
        if hashed.hexdigest() != digest:
            raise ValueError("what came is not what it is called: " + digest)
        os.rename(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise


def _lay_file(house: House, target: str, digest: str) -> bool:
    """False: what is kept is not what it is called; it is kept no longer."""
    source = _object(house, digest)
    hashed = hashlib.sha256()
    with open(source, "rb") as kept, open(target, "wb") as file:
        while True:
            data = kept.read(CHUNK)
            if not data:
                break
            hashed.update(data)
            file.write(data)
    if hashed.hexdigest() != digest:
        os.unlink(source)
        return False
    os.utime(source)
    return True


def _clock(house: House) -> float:
    """Now, on the clock by which files of this host get their times."""
    path = os.path.join(house.folder, "laid")
    with open(path, "wb"):
        pass
    return os.stat(path).st_mtime
