"""What a request that comes in says, whichever server takes it: its route, its bytes, how it ended.

Who owns it and how old its inputs are is what the caller says.
"""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import SpanKind, get_current_span
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import carriers, owners
from tollbook.handle import INERT, Handle, Value, _error_type, _is_failure
from tollbook.inputs import opened
from tollbook.integrations.base import Joined
from tollbook.integrations.http import Held
from tollbook.shield import shielded
from tollbook.work import Work

_BEGINNING: Final = shielded("begin a request that comes in")
_ENDING: Final = shielded("end a request that comes in")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"})


class Request(Work):
    """A request by its route. A route that nobody knows names no workflow, so that a scan of a site does not make hundreds."""

    def __init__(
        self, name: str, route: str | None, attributes: Mapping[str, Value | None], kind: SpanKind = SpanKind.SERVER
    ) -> None:
        super().__init__("request", name, attributes, span_kind=kind)
        self._route = route

    def _owned(self, _name: str, context: Context) -> tuple[dict[str, Value], Context]:
        carried = owners.carried(context)
        given: dict[str, str] = {}
        if self._route is not None and A.GEN_AI_WORKFLOW_NAME not in carried:
            given = {A.GEN_AI_WORKFLOW_NAME: self._route}
            context = owners.carrying(given, context)
        return {**self._attributes, **carried, **given}, context

    def joined(self, span: Any) -> Handle:
        """The handle of a span that another instrumentation has made of the same request."""
        attributes, context = self._owned(self.name, get_current())
        known = getattr(span, "attributes", None) or {}
        span.set_attributes({key: value for key, value in attributes.items() if key not in known})
        return Joined(span, context, opened(context), None, measures_cpu=False)


@lru_cache(512)
def http_request(method: str, route: str | None) -> Request:
    """Requests of one method and route."""
    method = method if method in _METHODS else "_OTHER"
    said: dict[str, Value | None] = {A.HTTP_REQUEST_METHOD: method, A.HTTP_ROUTE: route}
    return Request(f"{method} {route}" if route else method, route, said)


@lru_cache(512)
def rpc_request(method: str) -> Request:
    """Requests of one method of gRPC, such as `/shop.Orders/Get`."""
    service, _slash, name = method.strip("/").rpartition("/")
    said: dict[str, Value | None] = {A.RPC_SYSTEM_NAME: "grpc", "rpc.service": service, "rpc.method": name}
    return Request(method.strip("/"), method.strip("/"), said)


class Served:
    """One request that is being answered."""

    def __init__(self, handle: Handle) -> None:
        self.handle: Final = handle
        self._in: int | None = None
        self._out: int | None = None
        self._over_ns: int | None = None
        self._ended = False
        self._held = Held.on(handle.span) if isinstance(handle, Joined) else None

    @classmethod
    def begin(
        cls, work: Request, headers: carriers.Headers, beneath: Sequence[str], *, measures_cpu: bool = True
    ) -> "Served | None":
        """A request that begins; nothing where nothing is recorded.

        Args:
            work: what the request is.
            headers: what the caller sent along.
            beneath: scopes of other instrumentations, whose current span is of this request.
            measures_cpu: off where it ends on another thread.
        """
        with _BEGINNING:
            if not is_instrumentation_enabled():
                return None
            span = get_current_span()
            scope = getattr(getattr(span, "instrumentation_scope", None), "name", None)
            token = attach(carriers.received(headers))
            try:
                joins = scope in beneath and span.is_recording()
                handle = work.joined(span) if joins else work.begin(work.name, measures_cpu)
            finally:
                detach(token)
            return None if handle is INERT else cls(handle)
        return None

    def received(self, size: int) -> None:
        """Count bytes of the request's body."""
        self._in = (self._in or 0) + size

    def sent(self, size: int) -> None:
        """Count bytes of the answer's body."""
        self._out = (self._out or 0) + size

    def answered(self, status: int) -> None:
        """Say how the request is answered; by HTTP's rules only an answer from 500 up is the server's error."""
        with _ENDING:
            self.handle.set(A.HTTP_RESPONSE_STATUS_CODE, status)
            self._out = self._out or 0
            if status >= 500:
                self.handle.fail(str(status))

    def over(self) -> None:
        """The answer is complete: what the application does after that is not the caller's wait."""
        if self._over_ns is None:
            self._over_ns = time.time_ns()
            self._tell()

    def end(self, error: BaseException | None = None) -> None:
        """End the span, once."""
        if self._ended:
            return
        self._ended = True
        with _ENDING:
            if self._over_ns is None:
                self._tell()
            else:
                self.handle._left_ns = self._over_ns
            if self._held is not None and error is not None and _is_failure(error):
                self.handle.set(A.ERROR_TYPE, _error_type(error))
        self.handle.end(error)
        if self._held is not None:
            self._held.release(self._over_ns)

    def _tell(self) -> None:
        with _ENDING:
            if self._in is not None:
                self.handle.set(A.HTTP_REQUEST_BODY_SIZE, self._in)
            if self._out is not None:
                self.handle.set(A.HTTP_RESPONSE_BODY_SIZE, self._out)
