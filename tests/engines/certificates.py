"""A certificate authority of the tests' own and a server's certificates, made by openssl."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

from attrs import frozen

from tests.engines.errors import EngineTrouble

DAYS = "3650"
NEW_KEY = ("-newkey", "rsa:2048", "-nodes", "-keyout")
NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"


@frozen(kw_only=True)
class Certificates:
    """PEM files."""

    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """What is in that folder, made when it is not."""
    authority = make_authority(folder)
    return signed(authority, folder / "server", subject="/CN=127.0.0.1", names=NAMES)


@frozen(kw_only=True)
class Authority:
    """Who signs: PEM files."""

    ca: Path
    key: Path


def make_authority(folder: Path) -> Authority:
    """The one in that folder, made when it is not there."""
    made = Authority(ca=folder / "ca.pem", key=folder / "ca.key")
    if not made.ca.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / "ca.fresh"
        lasting = ("-subj", "/CN=doit-fleet tests", "-days", DAYS, "-out", fresh)
        _openssl("req", "-x509", *NEW_KEY, made.key, *lasting)
        fresh.replace(made.ca)
    return made


def signed(authority: Authority, place: Path, *, subject: str, names: str = "") -> Certificates:
    """`place`.pem and `place`.key, made when they are not there; `names` is a subjectAltName line or nothing."""
    made = Certificates(ca=authority.ca, certificate=place.with_suffix(".pem"), key=place.with_suffix(".key"))
    if not made.certificate.exists():
        request, fresh = place.with_suffix(".csr"), place.with_suffix(".signed")
        more = ("-addext", names) if names else ()
        _openssl("req", *NEW_KEY, made.key, "-subj", subject, *more, "-out", request)
        signer = (
            "-CA",
            authority.ca,
            "-CAkey",
            authority.key,
            "-set_serial",
            f"0x{secrets.token_hex(8)}",
            "-days",
            DAYS,
        )
        _openssl("x509", "-req", "-in", request, *signer, "-copy_extensions", "copy", "-out", fresh)
        fresh.replace(made.certificate)  # Last: it says that all is there.
    return made


def _openssl(*arguments: str | Path) -> None:
    try:
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise EngineTrouble("no openssl for certificates", "apt-get install openssl") from None
    if done.returncode:
        raise EngineTrouble(f"openssl {arguments[0]}: {done.stderr.strip()}", "OpenSSL 3 is needed")
