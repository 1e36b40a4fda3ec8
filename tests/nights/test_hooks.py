"""Who is told of a run's end, of what, and that it changes nothing."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS
from tests.faults.project import Project, until

pytestmark = pytest.mark.timeout(TEST_SECONDS)

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "run-ended.json"
KEEP = '\n[tool.doit-fleet.hooks.file]\ncommand = "cat > ../told-$DOIT_FLEET_EXIT_CODE.json"\n'
GOOD = 'rows = [{ name = "a" }, { name = "b" }]\ncommand = "true"\n'
BAD = 'rows = [{ name = "a" }, { name = "b" }]\ncommand = "echo oh; test $DOIT_FLEET_TEST = a"\n'


def told(root: Path, code: int) -> dict[str, Any]:
    """What the hook was told for that exit code; it fits the published schema."""
    found: dict[str, Any] = json.loads((root.parent / f"told-{code}.json").read_text())
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    assert found["exit_code"] == code
    return found


class Web:
    """A server that answers as it is told, and remembers what it got."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.holds = threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                web.got.append((dict(self.headers), content))
                answer = web.answers.pop(0) if web.answers else 204
                if answer == 0:
                    web.holds.wait(30)
                    return
                self.send_response(answer)
                self.send_header("Location", f"http://127.0.0.1:{web.server.server_port}/elsewhere")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/secret-path"


@pytest.fixture
def web() -> Iterator[Web]:
    """Such a server on loopback."""
    made = Web()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.holds.set()
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_green_run_is_told(bench: Bench) -> None:
    """What it was, how it went, where its reports are; the schema is a schema."""
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))
    bench.suite(GOOD + KEEP)

    done = bench.fleet()

    found = told(bench.root, 0)
    assert done.code == 0, done.output
    assert (found["outcome"], found["counts"], found["tests"]) == ("passed", {"passed": 2}, 2)
    assert (found["open"], found["resumed"], found["failures"]) == (False, False, [])
    assert found["run"] in done.output
    assert all(Path(path).exists() for path in found["reports"])


def test_a_red_run_names_its_failures(bench: Bench) -> None:
    """With the file of what they printed."""
    bench.suite(BAD + KEEP)

    done = bench.fleet()

    found = told(bench.root, 1)
    (failure,) = found["failures"]
    assert done.code == 1, done.output
    assert (failure["test"], failure["verdict"]) == ("bench::b", "failed")
    assert (bench.root / failure["log"]).read_text() == "oh\n"


def test_a_run_that_is_not_trustworthy_is_told(bench: Bench) -> None:
    """Exit code 2: its time was over; it stays open."""
    bench.suite('rows = [{ name = "a" }]\ncommand = "sleep 600"\n' + KEEP)

    done = bench.fleet("run.timeout_seconds=1")

    found = told(bench.root, 2)
    assert done.code == 2, done.output
    assert (found["outcome"], found["open"], found["missing"]) == ("untrustworthy", True, 1)
    assert "timed out" in found["reason"]


def test_a_mistake_behind_a_run_is_told(bench: Bench) -> None:
    """Exit code 3 where a run had begun: whoever waits for the run waits for its command."""
    bench.suite(GOOD + KEEP)

    done = bench.fleet("gather", "reproduce", "nobody")

    found = told(bench.root, 3)
    assert done.code == 3, done.output
    assert (found["outcome"], found["counts"]) == ("refused", {"passed": 2})


@pytest.mark.parametrize("arguments", [("list",), ("plan",), ("bench.nonsense=1",)])
def test_where_no_run_begins_nobody_is_told(bench: Bench, arguments: tuple[str, ...]) -> None:
    """Tasks that inform, and mistakes before anything ran."""
    bench.suite(GOOD + KEEP)

    bench.fleet(*arguments)

    assert list(bench.root.parent.glob("told-*")) == []


def test_an_old_result_said_again_is_no_run(bench: Bench) -> None:
    """Up to date: nothing ran, nobody is told."""
    bench.suite(GOOD + KEEP)
    bench.fleet()
    (bench.root.parent / "told-0.json").unlink()

    assert bench.fleet().code == 0
    assert list(bench.root.parent.glob("told-*")) == []


def test_a_stopped_run_and_one_that_goes_on_are_told(tmp_path: Path) -> None:
    """130, open; then 0, and that it was resumed."""
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    rows = ", ".join(f'{{ name = "t{n}" }}' for n in range(20))
    command = 'echo x >> "$FLEET_TRACE"; sleep 0.1'
    suite = f"[tool.doit-fleet.suites.bench]\nframework = 'command'\nrows = [{rows}]\ncommand = '{command}'\n"
    project.write("pyproject.toml", suite + KEEP.replace("../told", f"{tmp_path}/told"))
    project.arguments = ("workers.count=2",)
    running = project.start()
    running.until_begun(6)
    running.signal(signal.SIGINT)

    assert running.end() == 130, running.output
    first = told(project.root, 130)
    again = project.start()
    assert again.end() == 0, again.output
    second = told(project.root, 0)

    assert (first["outcome"], first["open"], first["resumed"]) == ("stopped", True, False)
    assert (second["open"], second["resumed"], second["run"]) == (False, True, first["run"])
    assert second["done_before"] == sum(first["counts"].values())
    assert second["counts"] == {"passed": 20}
    until(lambda: not project.left(), project.left, 15)


def test_a_post_has_secrets_in_its_headers_only(bench: Bench, web: Web) -> None:
    """From the environment, and nowhere in what is printed or written."""
    more = f'\n[tool.doit-fleet.hooks.chat]\nurl = "{web.url}"\nheaders.Authorization = {{ secret = "chat" }}\n'
    bench.suite(GOOD + more)
    bench.environment["DOIT_FLEET_SECRET_CHAT"] = "Bearer sesame"

    done = bench.fleet()

    ((headers, content),) = web.got
    jsonschema.validate(content, json.loads(SCHEMA.read_text()))
    assert done.code == 0, done.output
    assert headers["Authorization"] == "Bearer sesame"
    assert headers["Content-Type"] == "application/json"
    assert "sesame" not in done.output
    reports = [path for path in (bench.root / "build").rglob("*") if path.is_file()]
    assert reports
    assert not any(b"sesame" in path.read_bytes() for path in reports)


def test_a_post_is_tried_again(bench: Bench, web: Web) -> None:
    """When its server is busy, not when it refuses."""
    bench.suite(GOOD + f'\n[tool.doit-fleet.hooks.chat]\nurl = "{web.url}"\n')
    web.answers = [503, 429, 200]

    done = bench.fleet()

    assert (done.code, len(web.got)) == (0, 3), done.output
    assert "warning: hook" not in done.output


@pytest.mark.parametrize(
    ("answers", "tries", "why"),
    [
        ([403], 1, "it answered with status 403"),
        ([302], 1, "it answered with status 302"),
        ([500, 500, 500], 3, "it answered with status 500, 3 times"),
        ([0, 0, 0], 3, "no answer within 0.5 s, 3 times"),
    ],
)
def test_a_post_that_fails_is_a_warning(bench: Bench, web: Web, answers: list[int], tries: int, why: str) -> None:
    """No verdict and no exit code is another for it; its address is not told; no redirection is followed."""
    secret = '\n[tool.doit-fleet.hooks.chat]\nsecret_url = { secret = "chat" }\ntimeout_seconds = 0.5\n'
    bench.suite(BAD + secret)
    bench.environment["DOIT_FLEET_SECRET_CHAT"] = web.url
    web.answers = list(answers)

    done = bench.fleet()

    assert (done.code, len(web.got)) == (1, tries), done.output
    assert f"warning: hook 'chat' was not told of the run's end: {why}" in done.output
    assert "secret-path" not in done.output
    assert bench.outcomes()["a"] == ("passed", "")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ('"echo no such room >&2; exit 7"', "it ended with status 7: no such room"),
        ('["./nowhere"]', "cannot start './nowhere'"),
        ('"trap : TERM; sleep 600 & while :; do wait; done"', "it took longer than 1 s"),
    ],
)
def test_a_command_that_fails_is_a_warning(bench: Bench, command: str, why: str) -> None:
    """It ends in its time, with all that it has started."""
    mark = f"hook-of-{bench.root.parent.name}"
    more = f'\n[tool.doit-fleet.hooks.x]\ncommand = {command}\ntimeout_seconds = 1\nenv.MARK = "{mark}"\n'
    bench.suite(GOOD + more)

    done = bench.fleet()

    assert done.code == 0, done.output
    assert f"warning: hook 'x' was not told of the run's end: {why}" in done.output
    until(lambda: not _marked(mark), lambda: str(_marked(mark)), 5)


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        ("retries = 1", "hook 'x' has no way to be told"),
        ('url = "http://x"\ncommand = "true"', "hook 'x' has command and url"),
        ('secret_url = { secret = "nobody-knows" }', "secret 'nobody-knows' is not known here"),
    ],
)
def test_a_hook_that_cannot_be_told_is_refused_before(bench: Bench, hook: str, why: str) -> None:
    """Exit 3, and no test has run."""
    bench.suite(
        'rows = [{ name = "a" }]\ncommand = "echo ran >> ../trace"\n' + f"\n[tool.doit-fleet.hooks.x]\n{hook}\n"
    )

    done = bench.fleet()

    assert (done.code, bench.ran) == (3, []), done.output
    assert why in done.output


def _marked(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"MARK={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_a_second_signal_at_the_very_end_says_what_is_left(tmp_path: Path) -> None:
    """Tests are stopped and the run is left, only a hook is still told: whoever does not wait for it learns the same."""
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    gone, told_now = tmp_path / "gone", tmp_path / "telling"
    hook = f"touch {told_now}; for i in $(seq 600); do test -e {gone} && exit; sleep 0.05; done"
    suite = 'framework = "command"\nrows = [{ name = "a" }]\ncommand = "touch ../begun; sleep 60"\n'
    project.write(
        "pyproject.toml",
        f"[tool.doit-fleet.suites.s]\n{suite}[tool.doit-fleet.hooks.slow]\ncommand = {json.dumps(hook)}\n",
    )
    running = project.start("workers.count=1")
    until((tmp_path / "begun").exists, "the test has begun")
    running.signal(signal.SIGINT)
    until(told_now.exists, "the hook is told")
    running.signal(signal.SIGINT)

    try:
        assert running.end(10) == 130, running.output
        assert (
            "left at once: run " in running.output and "stays open, and `doit-fleet` goes on with it" in running.output
        )
    finally:
        gone.touch()
