"""The fault proxy: what it passes, counts, slows, cuts, answers and loses."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.engines.faults import Answer, Corrupt, Cut, Hold, LostAnswer, Slow
from tests.engines.fixtures import Bucket, DockerEngine, RegistryAddress
from tests.engines.proxy import FaultProxy

MakeProxy = Callable[[str], FaultProxy]
DROPPED = (OSError, http.client.HTTPException)


class Echo(BaseHTTPRequestHandler):
    """Answers what it was sent."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        """The body again; in chunks when the path says so."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(body)
        self.send_response(200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Line:
    """A client, a proxy and an engine."""

    def __init__(self, proxy: FaultProxy, seen: list[bytes]) -> None:
        self.proxy, self.seen = proxy, seen

    def post(self, body: bytes, path: str = "/") -> bytes:
        """One request on a connection of its own."""
        client = http.client.HTTPConnection(self.proxy.address, timeout=20)
        try:
            client.request("POST", path, body)
            return client.getresponse().read()
        finally:
            client.close()


@pytest.fixture
def line(fault_proxy: MakeProxy) -> Iterator[Line]:
    """A proxy before an echo."""
    handler = type("Handler", (Echo,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Line(fault_proxy(f"127.0.0.1:{server.server_port}"), handler.seen)  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_faults_bytes_pass_unchanged_and_are_counted(line: Line) -> None:
    """Bodies by length and in chunks come back whole, on a connection that is kept."""
    client = http.client.HTTPConnection(line.proxy.address, timeout=5)
    for path in ("/a", "/chunks", "/a"):
        client.request("POST", path, b"x" * 100_000)
        assert client.getresponse().read() == b"x" * 100_000
    client.close()

    assert line.proxy.count() == 3
    assert line.proxy.count("POST", "^/a$") == 2
    assert line.proxy.count("GET") == 0
    assert line.proxy.sent == 300_000
    assert line.proxy.received > 300_000, "the frames of chunks are counted too"


def test_a_body_asked_for_beforehand_passes(line: Line) -> None:
    """A client that waits for `100 Continue` gets it."""
    client = http.client.HTTPConnection(line.proxy.address, timeout=5)
    client.putrequest("POST", "/")
    client.putheader("Content-Length", "2")
    client.putheader("Expect", "100-continue")
    client.endheaders()
    client.sock.settimeout(5)
    assert client.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"ab")
    assert client.getresponse().read() == b"ab"
    client.close()


def test_an_answer_of_the_proxy_never_reaches_the_engine(line: Line) -> None:
    """The first two requests that match are answered with 503 and Retry-After; the third and others pass."""
    line.proxy.add(Answer(status=503, headers={"Retry-After": "7"}, body=b"no"), method="POST", path="^/busy", times=2)
    client = http.client.HTTPConnection(line.proxy.address, timeout=5)
    answers = []
    for path in ("/other", "/busy", "/busy", "/busy"):
        client.request("POST", path, b"body")
        answer = client.getresponse()
        answers.append((answer.status, answer.getheader("Retry-After"), answer.read()))
    client.close()

    busy = (503, "7", b"no")
    assert answers == [(200, None, b"body"), busy, busy, (200, None, b"body")]
    assert line.seen == [b"body", b"body"]
    assert [found.status for found in line.proxy.requests] == [200, 503, 503, 200]


def test_the_nth_request_can_be_meant(line: Line) -> None:
    """`skip` lets the first ones pass."""
    line.proxy.add(Answer(status=500), skip=1, times=1)
    assert [line.post(b"x") for _ in range(3)] == [b"x", b"", b"x"]


def test_a_lost_answer_was_obeyed(line: Line) -> None:
    """The engine has done it; the client cannot know."""
    line.proxy.add(LostAnswer(), times=1)
    with pytest.raises(DROPPED):
        line.post(b"done")
    assert line.seen == [b"done"]
    assert line.post(b"again") == b"again"


def test_an_answer_can_be_cut(line: Line) -> None:
    """The connection breaks after so many bytes of the answer."""
    line.proxy.add(Cut(answer_bytes=10), times=1)
    with pytest.raises(DROPPED):
        line.post(b"x" * 100)
    assert line.proxy.received == 10


def test_a_request_can_be_cut(line: Line) -> None:
    """The engine gets so many bytes of the request and never the rest."""
    line.proxy.add(Cut(request_bytes=10), times=1)
    with pytest.raises(DROPPED):
        line.post(b"x" * 100_000)
    assert line.proxy.sent == 10
    assert b"x" * 100_000 not in line.seen


def test_a_corrupt_answer_has_its_length(line: Line) -> None:
    """One bit differs."""
    line.proxy.add(Corrupt())
    assert line.post(b"abc") == b"`bc"


def test_a_slow_engine_takes_its_time(line: Line) -> None:
    """A delay before, and so many bytes a second there and back."""
    line.proxy.add(Slow(delay_seconds=0.1, bytes_per_second=50_000))
    began = time.monotonic()
    assert line.post(b"x" * 10_000) == b"x" * 10_000
    assert time.monotonic() - began >= 0.45


def test_a_held_request_waits_for_the_test(line: Line) -> None:
    """What happens meanwhile is for the test to say."""
    hold = Hold()
    line.proxy.add(hold, path="^/held", times=1)
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.append(line.post(b"late", "/held")))
    thread.start()
    assert hold.arrived.wait(10)
    assert line.post(b"early") == b"early"
    assert line.seen == [b"early"]
    hold.release()
    thread.join(10)
    assert answers == [b"late"]


def test_an_engine_that_is_away_drops_connections(line: Line) -> None:
    """Where nothing listens, clients see what they would see without a proxy between; later it is there again."""
    there, line.proxy.upstream = line.proxy.upstream, "127.0.0.1:1"
    with pytest.raises(DROPPED):
        line.post(b"x")
    line.proxy.upstream = there
    assert line.post(b"x") == b"x"


def test_kept_connections_can_be_broken(line: Line) -> None:
    """A client with a kept connection finds it closed."""
    client = http.client.HTTPConnection(line.proxy.address, timeout=5)
    client.request("POST", "/", b"x")
    assert client.getresponse().read() == b"x"
    line.proxy.break_connections()
    assert client.sock.recv(1) == b""
    client.close()


def test_healing_ends_all_faults(line: Line) -> None:
    """After it everything passes."""
    line.proxy.add(Answer(status=500))
    assert line.post(b"x") == b""
    line.proxy.heal()
    assert line.post(b"x") == b"x"


def test_a_registry_behind_the_proxy_sends_clients_back_to_it(
    registry: RegistryAddress, fault_proxy: MakeProxy
) -> None:
    """The place for an upload is told as the proxy's."""
    proxy = fault_proxy(registry.address)
    client = http.client.HTTPConnection(proxy.address, timeout=5)
    client.request("POST", "/v2/engines/proxy/blobs/uploads/", b"")
    answer = client.getresponse()
    client.close()
    assert answer.status == 202
    assert (answer.getheader("Location") or "").startswith(f"http://{proxy.address}/v2/engines/proxy/")


def test_s3_behind_the_proxy_accepts_signatures(s3: Bucket, fault_proxy: MakeProxy) -> None:
    """Signed requests pass, large bodies too."""
    import boto3

    proxy = fault_proxy(s3.url.removeprefix("http://"))
    keys = {"aws_access_key_id": s3.access_key, "aws_secret_access_key": s3.secret_key}
    client = boto3.client("s3", endpoint_url=proxy.url, region_name="us-east-1", **keys)
    client.put_object(Bucket=s3.bucket, Key="k", Body=b"x" * 3_000_000)
    assert client.get_object(Bucket=s3.bucket, Key="k")["Body"].read() == b"x" * 3_000_000
    client.close()
    assert proxy.count("PUT", f"^/{s3.bucket}/k") == 1
    assert proxy.received >= 3_000_000


def test_docker_behind_the_proxy_runs_and_follows_containers(
    docker_engine: DockerEngine, base_image: str, fault_proxy: MakeProxy
) -> None:
    """A daemon at a Unix socket is served by HTTP, attached streams included."""
    import docker

    proxy = fault_proxy(docker_engine.host)
    client = docker.DockerClient(base_url=f"tcp://{proxy.address}", timeout=30)
    try:
        assert client.containers.run(base_image, ["echo", "hello"], remove=True) == b"hello\n"
    finally:
        client.close()
    assert proxy.count("POST", "/containers/create") == 1
