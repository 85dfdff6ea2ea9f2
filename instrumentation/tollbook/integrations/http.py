"""What a request over HTTP says, whichever library makes it: bytes both ways, the asset that is read, the headers that go along.

Only the hooks differ from library to library.
"""

import re
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.context import _SUPPRESS_HTTP_INSTRUMENTATION_KEY, Context, create_key
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import carriers, cpu, hosts
from tollbook.contexts import SPAN_KEY, get_current, with_values
from tollbook.handle import INERT, Handle, Value, _error_type, _is_failure
from tollbook.integrations import model_http
from tollbook.integrations.base import Handover, Joined
from tollbook.runtime import is_off
from tollbook.shield import shielded

_COVERED: Final = create_key("tollbook-covered")
"""The span that already tells what its library sends over the wire."""
_OPERATIONS: Final = {"GET": "read", "HEAD": "lookup", "OPTIONS": "lookup", "PUT": "write", "DELETE": "delete"}
"""By method; any other is a call: data goes out, and an answer comes back."""
_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_REGION: Final = re.compile(r"(?:^|[.-])([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9])\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$")
_GOOGLE_REGION: Final = re.compile(r"^([a-z]+-[a-z]+[0-9]+)-[a-z]+\.(?:googleapis\.com|pkg\.dev)$")
_READ: Final = frozenset({200, 203, 206, 304})
"""Answers that hold the asset, or say that the copy of it that is there is good."""
_BEGINNING: Final = shielded("begin an HTTP request")
_FINISHING: Final = shielded("finish an HTTP request")
_READING: Final = shielded("read a model's answer")
_REMOTE: Final = {A.TOLLBOOK_INFERENCE_LOCATION: "remote"}

Lookup = Callable[[str], str | None]
"""Finds a header by its lower-case name."""


class Client:
    """An HTTP library: how its requests begin.

    Args:
        beneath: scopes of other instrumentations of it.
    """

    def __init__(self, beneath: Sequence[str] = ()) -> None:
        self._beneath = beneath
        self._handovers: dict[str, Handover] = {}
        self._to_models = Handover("call", beneath=beneath, attributes=_REMOTE, is_inference=True)

    def begin(
        self, method: str, url: str, body: Callable[[], Any] | None = None, *, measures_cpu: bool = True
    ) -> "Exchange | None":
        """A request that begins; nothing where nothing is recorded, or where a span around it tells of it already.

        Args:
            method: of HTTP.
            url: where it goes.
            body: gives the body, where it is text or bytes: what asks a model is an inference.
            measures_cpu: off where the request ends on another thread or task than it began on.
        """
        with _BEGINNING:
            context = get_current()
            if is_off() or (context and is_covered(context)):
                return None
            parts = urlsplit(url)
            target = _target(method, parts.scheme, parts.netloc)
            if not self._traces_http(context):
                return None
            if method == "POST" and body is not None and (call := model_http.asked(target.host, parts.path, body)) is not None:
                handle = self._to_models.begin(call.name, {**target.said, **call.said}, measures_cpu=measures_cpu)
                return None if handle is INERT else Exchange(handle, method, target, parts.path, model_http.Answer(call, handle))
            handover = self._handovers.get(target.operation)
            if handover is None:
                handover = self._handovers[target.operation] = Handover(target.operation, beneath=self._beneath)
            handle = handover.begin(method, target.said, measures_cpu=measures_cpu)
            return None if handle is INERT else Exchange(handle, method, target, parts.path)
        return None

    def _traces_http(self, context: Context) -> bool:
        """Whether HTTP is to be traced; where it is not, another instrumentation's span of the same request is still told."""
        return not context.get(_SUPPRESS_HTTP_INSTRUMENTATION_KEY) or _scope_of(context) in self._beneath


class Exchange:
    """One request and its answer. Its span ends with the answer's body: read to the end, closed or abandoned."""

    def __init__(self, handle: Handle, method: str, target: "Target", path: str, answer: model_http.Answer | None = None) -> None:
        self.handle: Final = handle
        """The handle of the span: current while the library's own code runs."""
        self._method = method
        self._target = target
        self._path = path
        self._answer = answer
        self._out: int | None = None
        self._in: int | None = None
        self._came: int | None = None
        self._encoded = False
        self._answered = False
        self._finished = False
        self._said: dict[str, Value] = {}
        cover(handle)
        self._held = Held.on(handle.span) if isinstance(handle, Joined) else None

    def headers(self, baggage: str | None) -> dict[str, str]:
        """What the message carries to this host; the `baggage` is empty where there shall be none.

        Args:
            baggage: the header that is there already, of the user's own or of another instrumentation.
        """
        with shielded("prepare headers"):
            ours = hosts.is_ours(self._target.host, self._target.port)
            said = carriers.told(ours=ours, context=self.handle._context)
            known = said.pop("baggage", "")
            if baggage:
                known = carriers.merged(baggage, known) if ours else carriers.public(baggage)
            return {**said, "baggage": known}
        return {"baggage": carriers.public(baggage or "")}

    def sent(self, size: int | None) -> None:
        """Count bytes of the request's body."""
        if size is not None:
            self._out = (self._out or 0) + size

    def sending(self, body: Iterable[Any]) -> Iterator[Any]:
        """The pieces of a body that is sent as it is made."""
        for piece in body:
            self.sent(_length(piece))
            yield piece

    def answered(self, status: int, header: Lookup) -> None:
        """Take what the head of the answer says."""
        with shielded("read an HTTP answer"):
            self._said[A.HTTP_RESPONSE_STATUS_CODE] = status
            if status >= 400:
                self.handle.fail(str(status))
            encoding = header("content-encoding")
            self._encoded = bool(encoding) and encoding != "identity"
            self._answered = True
            if self._answer is not None:
                self._answer.head(status, header("content-type"))
            if self._method == "GET" and status in _READ:
                self._name_asset(header)

    def received(self, size: int, data: Any = None) -> None:
        """Count bytes of the answer's body as the application gets them; the bytes themselves tell what a model says it used."""
        self._in = (self._in or 0) + size
        if data is not None and self.heard(data):
            self.finish()

    def came(self, size: int, data: Any = None) -> None:
        """Count bytes of the answer's body as they come, compressed or not. Alone they are what the application gets."""
        self._came = (self._came or 0) + size
        if data is not None and not self._encoded and self.heard(data):
            self.finish()

    def heard(self, data: bytes) -> bool:
        """Look at bytes of a model's answer, decompressed; whether it is complete now, and who reads it may leave the rest."""
        if self._answer is not None and not self._finished:
            with _READING:
                self._answer.take(data)
                if self._answer.over:
                    self.handle.until_now()
                return self._answer.over
        return False

    @property
    def asks_model(self) -> bool:
        """Whether it is a question to a model, whose answer tells what it used."""
        return self._answer is not None

    def finish(self, error: BaseException | None = None) -> None:
        """Tell what was counted and end the span, once."""
        if self._finished:
            return
        self._finished = True
        sent, payload = self._out or 0, self._in if self._in is not None else self._came
        with _FINISHING:
            came = self._came if self._came is not None or self._encoded else self._in
            if self._out is not None:
                self._add(A.HTTP_REQUEST_BODY_SIZE, sent)
            if self._answered and not (came is None and self._encoded and payload):
                self._add(A.HTTP_RESPONSE_BODY_SIZE, came or 0)
                self._add(A.TOLLBOOK_HANDOFF_WIRE_SIZE, sent + (came or 0))
            if self._answered or self._out is not None:
                self._add(A.TOLLBOOK_HANDOFF_SIZE, sent + (payload or 0))
            self.handle.span.set_attributes(self._said)
            if self._held is not None and error is not None and _is_failure(error):
                self.handle.fail(_error_type(error))
        if self._answer is not None:
            with _READING:
                self._answer.finish(sent, payload)
        self.handle.end(error)
        if self._held is not None:
            self._held.release()

    def ends_with(self, body: Any) -> None:
        """Finish at the latest when the answer's body is abandoned."""
        weakref.finalize(body, self.finish)

    @property
    def finished(self) -> bool:
        """Whether all has been told."""
        return self._finished

    def _add(self, key: str, size: int) -> None:
        """Set a size; the span of another instrumentation may have told of an earlier hop of a redirect."""
        known = (getattr(self.handle.span, "attributes", None) or {}).get(key, 0) if self._held is not None else 0
        self._said[key] = size + known

    def _name_asset(self, header: Lookup) -> None:
        changed, version = header("last-modified"), header("etag")
        if changed or version:
            self.handle.asset(
                f"{self._target.base}{self._path}", version.removeprefix("W/").strip('"') if version else None, _moment(changed)
            )


class Held:
    """Keeps a span of another instrumentation open, which ends it when the answer's head is there, until its body is."""

    def __init__(self, span: Any) -> None:
        self._span = span
        self._holders = 0
        self._asked = False

    @classmethod
    def on(cls, span: Any) -> "Held | None":
        """The one that holds this span; nothing where the span cannot be held."""
        with shielded("hold a span"):
            held = span.__dict__.get("end")
            if not isinstance(held, cls):
                held = cls(span)
                span.end = held
            held._holders += 1
            return held
        return None

    def __call__(self, end_time: int | None = None) -> None:
        """What the other instrumentation calls for the span's end."""
        self._asked = True
        if self._holders <= 0:
            self._end(end_time)
        else:
            self._stop_cpu_clock()

    def release(self, end_time: int | None = None) -> None:
        """End the span, now or as of then, if that was asked for, else leave it to whoever made it."""
        self._holders -= 1
        if self._holders <= 0:
            with shielded("release a span"):
                if self._asked:
                    self._end(end_time)
                else:
                    self._span.__dict__.pop("end", None)

    def _stop_cpu_clock(self) -> None:
        """What the program does until the answer is read is not the call's: its span processor is told the time now."""
        with shielded("stop a CPU clock"):
            started_ns = self._span.__dict__.pop("_tollbook_started", None)
            if started_ns is not None and self._span._tollbook_thread == threading.get_ident():
                self._span.set_attribute(A.TOLLBOOK_CPU_TIME, cpu.clock_ns() - started_ns)

    def _end(self, end_time: int | None) -> None:
        self._span.__dict__.pop("end", None)
        self._span.end(end_time)


def cover(handle: Handle) -> None:
    """While the handle's span is current, what its library sends over the wire is told by it alone."""
    handle._context = with_values(handle._context, {_COVERED: handle.span, _SUPPRESS_HTTP_INSTRUMENTATION_KEY: True})


def is_covered(context: Context | None = None) -> bool:
    """Whether the current span tells already what is sent over the wire."""
    context = get_current() if context is None else context
    covering = context.get(_COVERED)
    return covering is not None and covering is context.get(SPAN_KEY)


def region_of(host: str) -> str | None:
    """The cloud region of a well-known endpoint, where its name says it: `s3.eu-west-1.amazonaws.com`."""
    found = _REGION.search(host) or _GOOGLE_REGION.search(host)
    return found.group(1) if found else None


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a request goes to, and what its span says of that."""

    host: str
    port: int | None
    base: str
    """The address without path, query and credentials; a port that goes without saying is left out."""
    operation: str
    said: Mapping[str, Value | None]


@lru_cache(1024)
def _target(method: str, scheme: str, place: str) -> Target:
    parts = urlsplit(f"{scheme}://{place}")
    host, usual = parts.hostname or "", _PORTS.get(scheme)
    port = parts.port or usual
    place = _place(host, None if port == usual else port)
    operation = _OPERATIONS.get(method, "call")
    reads, region = operation == "read", region_of(host)
    said: dict[str, Value | None] = {
        A.TOLLBOOK_HANDOFF_SOURCE if reads else A.TOLLBOOK_HANDOFF_DESTINATION: place or None,
        A.TOLLBOOK_HANDOFF_SOURCE_REGION if reads else A.TOLLBOOK_HANDOFF_DESTINATION_REGION: region,
        A.TOLLBOOK_HANDOFF_NETWORK: "loopback" if host and hosts.is_this_machine(host) else None,
        A.SERVER_ADDRESS: host or None,
        A.SERVER_PORT: port,
        A.HTTP_REQUEST_METHOD: method,
    }
    return Target(host, port, f"{scheme}://{place}", operation, said)


def _place(host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def _scope_of(context: Context) -> str | None:
    return getattr(getattr(context.get(SPAN_KEY), "instrumentation_scope", None), "name", None)


def _length(piece: Any) -> int | None:
    if isinstance(piece, str):
        return len(piece.encode())
    size = getattr(piece, "nbytes", None)  # of a memoryview, whose length is not its bytes
    return size if isinstance(size, int) else len(piece)


def _moment(changed: str | None) -> int | None:
    if not changed:
        return None
    try:
        return int(parsedate_to_datetime(changed).timestamp()) * 10**9
    except (TypeError, ValueError):
        return None
