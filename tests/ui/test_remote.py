"""The answers of a running server, where it ends before they do."""

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tollbook_schema.store import StoreUnavailableError
from tollbook_ui.remote import RemoteAnswers


class _Dying(BaseHTTPRequestHandler):
    """Says how much will come, and leaves before that."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        if "/focus" in self.path:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n9\r\n")
        else:
            self.send_header("content-length", "100")
            self.end_headers()
            self.wfile.write(b'{"spans": 1')
        self.close_connection = True

    def log_message(self, *_said: object) -> None:
        """Nothing."""


@pytest.fixture
def answers() -> Iterator[RemoteAnswers]:
    with closing(_Closing(("127.0.0.1", 0), _Dying)) as server:
        yield RemoteAnswers(f"http://127.0.0.1:{server.server_port}")


class _Closing(HTTPServer):
    """Serves in a thread until it is closed."""

    def server_activate(self) -> None:
        super().server_activate()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


def test_an_answer_that_is_cut_off_is_told_as_such(answers: RemoteAnswers) -> None:
    with pytest.raises(StoreUnavailableError, match="does not answer, or not to the end"):
        answers.extent()


def test_a_file_that_is_cut_off_leaves_the_one_before(answers: RemoteAnswers, tmp_path: Path) -> None:
    file = tmp_path / "focus.csv"
    file.write_text("last week's")
    with pytest.raises(StoreUnavailableError, match="does not answer, or not to the end"):
        answers.bills.export(file, None, None)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("focus.csv", "last week's")]
