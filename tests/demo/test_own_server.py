"""What the demo asks of its server, and what it says where the server does not do it."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from tollbook_ui.demo import own_server


class Broken(BaseHTTPRequestHandler):
    """A server whose store takes nothing and whose settlements fail."""

    def do_GET(self) -> None:
        self._send(200, b"tollbook_collector_spool_oldest_seconds 4.2\ntollbook_collector_spool_bytes 99\n")

    def do_POST(self) -> None:
        self._send(503, b"the store is away")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_waits_for_the_store_is_read_from_the_servers_own_counters(url: str) -> None:
    assert own_server.oldest_unstored_seconds(url) == 4.2


def test_spans_that_are_never_stored_are_an_error(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_server, "STORED_SECONDS", 0.2)
    with pytest.raises(own_server.OwnServerError, match="the last spans are not stored"):
        own_server.wait_until_stored(url)


def test_a_settlement_that_fails_is_an_error_that_says_why(url: str) -> None:
    with pytest.raises(own_server.OwnServerError, match="settle answered 503: the store is away"):
        own_server.settle(url)


def test_a_server_that_is_gone_is_an_error() -> None:
    with pytest.raises(own_server.OwnServerError, match="did not answer"):
        own_server.settle("http://127.0.0.1:1")
