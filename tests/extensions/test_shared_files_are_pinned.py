"""`extends` takes local files, and remote ones only as their digest says."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline.errors import SettingsError
from tests.extensions.sites import Site

CONTENT = b"workers.count = 12\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Shelf(BaseHTTPRequestHandler):
    """Serves one file and counts how often."""

    served = 0

    def do_GET(self) -> None:
        """Answer."""
        type(self).served += 1
        self.send_response(200 if self.path == "/team.toml" else 404)
        self.end_headers()
        if self.path == "/team.toml":
            self.wfile.write(CONTENT)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """Serve the file on this machine."""
    Shelf.served = 0
    server = HTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def problem(site: Site, extends: str) -> str:
    """Return the only problem of a project that extends so."""
    site.write("fleet.toml", f"\nextends = {extends}\n")
    with pytest.raises(SettingsError) as caught:
        site.build().check()
    (text,) = caught.value.problems
    assert text.startswith("fleet.toml:2: extends: ")
    return text


def test_a_remote_file_is_fetched_once_and_kept(site: Site, address: str) -> None:
    """Afterwards it works offline, and its values name the address."""
    site.write("fleet.toml", f'extends = {{ url = "{address}/team.toml", sha256 = "{DIGEST}" }}')
    for _ in range(2):
        fleet = site.build()
        fleet.check()
        assert fleet.workers.count.get() == 12

    assert Shelf.served == 1
    assert str(fleet.workers.count.provenance()) == f"{address}/team.toml:1"


def test_a_remote_file_of_another_digest_is_refused(site: Site, address: str) -> None:
    """And not kept."""
    text = problem(site, f'{{ url = "{address}/team.toml", sha256 = "{"0" * 64}" }}')

    assert f"has sha256 {DIGEST}, not {'0' * 64} as pinned" in text
    assert not list(site.home.rglob("*.toml"))


def test_a_kept_file_that_was_changed_is_fetched_again(site: Site, address: str) -> None:
    """Nothing is trusted by its name."""
    kept = site.home / ".cache" / "doit-fleet" / "extends" / f"{DIGEST}.toml"
    kept.parent.mkdir(parents=True)
    kept.write_text("workers.count = 666")
    site.write("fleet.toml", f'extends = {{ url = "{address}/team.toml", sha256 = "{DIGEST}" }}')
    fleet = site.build()
    fleet.check()

    assert (fleet.workers.count.get(), Shelf.served) == (12, 1)


def test_a_remote_file_needs_a_digest(site: Site) -> None:
    """The message says how to pin, and hides passwords."""
    text = problem(site, '{ url = "https://me:word@example.test/t.toml" }')

    assert "needs a digest" in text
    assert "word" not in text


@pytest.mark.parametrize(
    ("extends", "expected"),
    [
        ("3", "expected a path"),
        ("{ file = 'x' }", "got keys file"),
        ("'missing.toml'", "'missing.toml' cannot be read: No such file"),
        (f"{{ url = 'ftp://x/y', sha256 = '{DIGEST}' }}", "neither an https nor an http address"),
        (f"{{ url = 'http://127.0.0.1:1/y', sha256 = '{DIGEST}' }}", "cannot be fetched: "),
        ("{ url = 'https://x/y', sha256 = '../../x' }", "must be 64 hexadecimal digits"),
        (f"{{ path = 'team.toml', sha256 = '{DIGEST}' }}", "as pinned"),
    ],
)
def test_what_cannot_be_had_is_an_error(site: Site, extends: str, expected: str) -> None:
    """With its reason."""
    site.write("team.toml", "run.seed = 1")

    assert expected in problem(site, extends)


def test_later_files_lie_above_earlier_ones(site: Site) -> None:
    """A local file may be pinned too."""
    site.write("a.toml", "run.seed = 1\nrun.fail_fast = 1")
    site.write("b.toml", CONTENT.decode() + "run.seed = 2")
    digest = hashlib.sha256(CONTENT + b"run.seed = 2").hexdigest().upper()
    site.write("fleet.toml", f"extends = ['a.toml', {{ path = 'b.toml', sha256 = '{digest}' }}]")
    fleet = site.build()
    fleet.check()

    assert (fleet.run.seed.get(), fleet.run.fail_fast.get()) == (2, 1)


def test_a_shared_file_extends_nothing(site: Site) -> None:
    """Chains would hide where a value comes from."""
    site.write("a.toml", "\nextends = 'b.toml'")
    site.write("fleet.toml", "extends = 'a.toml'")

    with pytest.raises(SettingsError, match=r"a.toml:2: a shared file may not extend another one"):
        site.build().check()


def test_only_a_project_extends(site: Site) -> None:
    """A user's own file would change other people's projects unseen."""
    site.write_home("\nextends = 'a.toml'")

    with pytest.raises(SettingsError, match=r"doit-fleet.toml:2: only a project's own file may extend shared ones"):
        site.build().check()
