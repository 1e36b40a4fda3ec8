"""A certificate authority of the tests' own and a server's certificate for loopback, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

from attrs import frozen

from tests.engines.errors import EngineTrouble

DAYS = "3650"
NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"


@frozen(kw_only=True)
class Certificates:
    """PEM files."""

    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """What is in that folder, made when it is not."""
    made = Certificates(ca=folder / "ca.pem", certificate=folder / "server.pem", key=folder / "server.key")
    if not made.certificate.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(folder, made)
    return made


def _make(folder: Path, made: Certificates) -> None:
    ca_key = folder / "ca.key"
    new_key = ("-newkey", "rsa:2048", "-nodes", "-keyout")
    _openssl("req", "-x509", *new_key, ca_key, "-subj", "/CN=doit-fleet tests", "-days", DAYS, "-out", made.ca)
    request = folder / "server.csr"
    _openssl("req", *new_key, made.key, "-subj", "/CN=127.0.0.1", "-addext", NAMES, "-out", request)
    signed = folder / "server.signed"
    signer = ("-CA", made.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", DAYS, "-copy_extensions", "copy")
    _openssl("x509", "-req", "-in", request, *signer, "-out", signed)
    signed.replace(made.certificate)  # Last: it says that all is there.


def _openssl(*arguments: str | Path) -> None:
    try:
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise EngineTrouble("no openssl for certificates", "apt-get install openssl") from None
    if done.returncode:
        raise EngineTrouble(f"openssl {arguments[0]}: {done.stderr.strip()}", "OpenSSL 3 is needed")
