"""One body of OTLP to one address over HTTP: what came back, and whether sending the same bytes again helps.

A guest reads little of what a server says: no redirect is followed, no more than 64 KiB of an answer is read, and a 2xx that
cannot be read is a delivery. Imported where something is sent, never before.
"""

import gzip
import os
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Final, NamedTuple

import requests
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from requests.adapters import HTTPAdapter
from requests.utils import get_netrc_auth

RETRYABLE: Final = frozenset((408, 429, 502, 503, 504))
"""OTLP's retryable answers, and a request that took the server too long to receive."""
TOO_LARGE: Final = 413
LONGEST_ANSWER: Final = 65_536
LONGEST_WAIT_S: Final = 300.0
"""What a server may ask for in Retry-After."""
COMPRESS_LEVEL: Final = 1
_GZIP: Final = b"\x1f\x8b"
"""How a packed body begins; OTLP never does."""


class Outcome(Enum):
    """What became of a body."""

    DELIVERED = auto()
    LATER = auto()
    """Not taken, and the same bytes may be taken later."""
    TOO_LARGE = auto()
    REFUSED = auto()
    """Not taken, and never will be."""


class Answer(NamedTuple):
    """What a server said to a body."""

    outcome: Outcome
    wait_s: float = 0.0
    """What it asks to wait before the next try; 0 where it says nothing."""
    rejected: int = 0
    """Spans of a delivered body that it did not keep."""
    detail: str = ""


class Delivery:
    """A connection that is kept open between bodies.

    Args:
        url: where bodies go, such as http://127.0.0.1:4318/v1/traces.
        headers: sent with each body.
        compression: `gzip` or `none`.
        timeout_s: for connecting, and for each wait for bytes of the answer.
        verify: a file of authorities to trust, instead of those that `requests` brings.
        cert: the client's certificate, or certificate and key.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        compression: str = "gzip",
        timeout_s: float = 10.0,
        verify: str | None = None,
        cert: str | tuple[str, str] | None = None,
    ) -> None:
        self.url = url
        self._compression = compression
        self._timeout_s = timeout_s
        self._headers = {**(headers or {}), "Content-Type": "application/x-protobuf"}
        self._headers_of_gzip = {**self._headers, "Content-Encoding": "gzip"}
        self._verify = verify
        self._cert = cert
        self._session: requests.Session | None = None
        self._pid = 0

    def packed(self, body: bytes) -> bytes:
        """A body as it is sent; the same at every try, so that a receiver knows it again."""
        return gzip.compress(body, COMPRESS_LEVEL, mtime=0) if self._compression == "gzip" else body

    def send(self, packed: bytes) -> Answer:
        """Sends a packed body and reads the answer; blocks for a few timeouts at most unless the server dribbles.

        No instrumentation of HTTP makes a span of it: that span would have to be sent as well.
        """
        token = attach(set_value("suppress_instrumentation", True, set_value(_SUPPRESS_INSTRUMENTATION_KEY, True)))
        try:
            return self._sent(packed)
        finally:
            detach(token)

    def _sent(self, packed: bytes) -> Answer:
        headers = self._headers_of_gzip if packed.startswith(_GZIP) else self._headers  # a shelf may hold both
        try:
            response = self._opened().post(
                self.url, packed, headers=headers, timeout=self._timeout_s, allow_redirects=False, stream=True
            )
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            return Answer(Outcome.LATER, detail=type(error).__name__)
        except requests.RequestException as error:
            return Answer(Outcome.REFUSED, detail=type(error).__name__)
        with closing(response):
            code = response.status_code
            if 200 <= code < 300:
                return Answer(Outcome.DELIVERED, rejected=_rejected(self._read(response)))
            if code in RETRYABLE:
                return Answer(Outcome.LATER, wait_s=_wait_s(response.headers.get("Retry-After", "")), detail=f"status {code}")
            return Answer(Outcome.TOO_LARGE if code == TOO_LARGE else Outcome.REFUSED, detail=f"status {code}")

    def forget(self) -> None:
        """Opens a new connection next time, whatever the present one is doing."""
        self._session = None

    def close(self) -> None:
        """Closes the connection."""
        if self._session is not None and self._pid == os.getpid():
            self._session.close()
        self._session = None

    def _opened(self) -> requests.Session:
        if self._session is None or self._pid != os.getpid():  # a forked child shares no socket with its parent
            self._session = self._begun()
            self._pid = os.getpid()
        return self._session

    def _begun(self) -> requests.Session:
        """A session that has read proxies, authorities and passwords from the environment: once, and not for each body (1 ms)."""
        session = requests.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=1))
        found = session.merge_environment_settings(self.url, {}, True, self._verify, self._cert)
        session.proxies, session.verify, session.cert = found["proxies"], found["verify"], found["cert"]
        session.auth = get_netrc_auth(self.url)
        session.trust_env = False
        return session

    def _read(self, response: requests.Response) -> bytes:
        """The answer, as much of it as a guest reads; empty where there is more, or where it does not come."""
        until, content = time.monotonic() + self._timeout_s, b""
        try:
            for piece in response.iter_content(4096):
                content += piece
                if len(content) > LONGEST_ANSWER or time.monotonic() > until:
                    return b""
        except requests.RequestException:
            return b""
        return content


def _rejected(content: bytes) -> int:
    """Spans that an ExportTraceServiceResponse says were not kept."""
    if not content:
        return 0
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse  # noqa: PLC0415

    try:
        return max(0, ExportTraceServiceResponse.FromString(content).partial_success.rejected_spans)
    except DecodeError:
        return 0


def _wait_s(said: str) -> float:
    """Seconds of a Retry-After, which is a number or a date; 0 where it is neither."""
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_WAIT_S)
