"""Other people's servers in miniature: enough of S3, DynamoDB, SQS and Kinesis for their real clients."""

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

CHANGED_S = 1_700_000_000


class Objects(BaseHTTPRequestHandler):
    """Keeps objects by path; answers calls in JSON with what `answers` holds for them."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]
    answers: dict[str, Any]
    requests: list[str]

    def do_GET(self) -> None:
        path, query = self._where()
        if "list-type=2" in query or path.count("/") == 1:
            keys = "".join(f"<Contents><Key>{key.split('/', 2)[2]}</Key></Contents>" for key in self.objects)
            self._answer(200, f"<ListBucketResult>{keys}</ListBucketResult>".encode())
        elif path not in self.objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        else:
            data, status = self.objects[path], 200
            wanted = self.headers.get("Range")
            if wanted:
                first, last = wanted.removeprefix("bytes=").split("-")
                data, status = data[int(first) : int(last) + 1], 206
            self._answer(status, data, self._state(path))

    def do_HEAD(self) -> None:
        path, _query = self._where()
        if path not in self.objects:
            self._answer(404, b"")
            return
        self._answer(200, self.objects[path], self._state(path), bodiless=True)

    def do_PUT(self) -> None:
        path, _query = self._where()
        source = self.headers.get("x-amz-copy-source")
        if source:
            self.objects[path] = self.objects["/" + unquote(source).lstrip("/")]
            self._answer(200, b'<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>')
            return
        self.objects[path] = self._body()
        self._answer(200, b"", self._state(path))

    def do_POST(self) -> None:
        body = self._body()
        _path, query = self._where()
        if "uploads" in query:
            self._answer(200, b"<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>")
        elif "uploadId" in query:
            self._answer(200, b'<CompleteMultipartUploadResult><ETag>"m"</ETag></CompleteMultipartUploadResult>')
        else:
            target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            answer = self.answers[target]
            answer = answer(json.loads(body)) if callable(answer) else answer
            self._answer(200, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.0"})

    def do_DELETE(self) -> None:
        self.objects.pop(self._where()[0], None)
        self._answer(204, b"")

    def log_message(self, *_args: Any) -> None:
        """Stay silent."""

    def _where(self) -> tuple[str, str]:
        parts = urlsplit(self.path)
        self.requests.append(f"{self.command} {parts.path}")
        return unquote(parts.path), parts.query

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return _unchunked(body) if "aws-chunked" in self.headers.get("Content-Encoding", "") else body
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return _unchunked(whole)

    def _state(self, path: str) -> dict[str, str]:
        etag = hashlib.md5(self.objects[path], usedforsecurity=False).hexdigest()
        return {"ETag": f'"{etag}"', "Last-Modified": formatdate(CHANGED_S, usegmt=True)}

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, bodiless: bool = False) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/xml", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if not bodiless:
            self.wfile.write(body)


def _unchunked(body: bytes) -> bytes:
    """The content of a body in AWS's own chunks, with its trailers left out."""
    whole = b""
    while body:
        head, _end, body = body.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            return whole
        whole, body = whole + body[:size], body[size + 2 :]
    return whole


@contextlib.contextmanager
def serving(answers: dict[str, Any] | None = None) -> Iterator[tuple[str, type[Objects]]]:
    """A server on a free port of this machine: its URL, and what it holds."""
    handler = type("Held", (Objects,), {"objects": {}, "answers": answers or {}, "requests": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()
