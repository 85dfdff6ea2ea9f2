"""A small HTTP server of the tests' own: known bodies, and a record of what it was sent."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

CHANGED = "Sun, 22 Nov 2026 04:00:00 GMT"
CHANGED_NS = 1_795_320_000 * 10**9
ASSET = bytes(range(250)) * 4
TEXT = b"the same line again and again\n" * 200
ZIPPED = gzip.compress(TEXT, mtime=0)
CHUNKS = (b"one", b"three", b"seventeen")


class Web:
    """Serves while the block runs.

    `/asset` has an age, `/gzip` is compressed, `/chunked` comes in pieces, `/echo` sends back what it gets, `/to` redirects,
    anything else is missing.
    """

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.requests: list[dict[str, str]] = []
        """Headers of each request, names in lower case."""
        self._server = ThreadingHTTPServer((address, 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://{address}:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - one answer each
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.requests.append({name.lower(): value for name, value in self.headers.items()})
                body = self._body()
                parts = urlsplit(self.path)
                match parts.path:
                    case "/asset":
                        self._answer(200, ASSET, {"Last-Modified": CHANGED, "ETag": 'W/"v7"'})
                    case "/gzip":
                        self._answer(200, ZIPPED, {"Content-Encoding": "gzip"})
                    case "/chunked":
                        self._chunked(CHUNKS, {})
                    case "/zipped-chunks":
                        self._chunked([ZIPPED[:20], ZIPPED[20:]], {"Content-Encoding": "gzip"})
                    case "/echo":
                        self._answer(200, body, {})
                    case "/to":
                        self._answer(302, b"", {"Location": parse_qs(parts.query)["url"][0]})
                    case _:
                        self._answer(404, b"missing", {})

            do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - names that its base calls

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return body
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def _chunked(self, chunks: Any, headers: dict[str, str]) -> None:
                self.send_response(200)
                for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
                    self.send_header(name, value)
                self.end_headers()
                for chunk in chunks:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        return Handler
