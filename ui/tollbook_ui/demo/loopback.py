"""An HTTP server for the demo's neighbours of the intake: POST in, JSON out, one thread for each connection.

It runs no event loop, so that all CPU time of a request is its thread's and can be measured.
"""

from collections.abc import Callable
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tollbook_ui.demo.processes import tell, wait_for_parent

JSON = "application/json"

Answer = Callable[[Message, bytes], bytes]
"""Makes the answer's body of the request's headers and body; raises ValueError for a body that is no question."""


def bound(answer: Answer) -> ThreadingHTTPServer:
    """A server on a free port of the loopback address; the caller runs it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body sent after its headers would wait 40 ms for their acknowledgement

        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                self._send(HTTPStatus.OK, answer(self.headers, question))
            except ValueError as error:
                self._send(HTTPStatus.BAD_REQUEST, str(error).encode())

        def _send(self, status: HTTPStatus, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", JSON)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing: the demo's own output is all there is to read."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def serve(answer: Answer) -> None:
    """Tell the parent the port, and serve until it wants this process to end."""
    server = bound(answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    tell(port=server.server_port)
    wait_for_parent()
    server.shutdown()
    thread.join()
    server.server_close()
