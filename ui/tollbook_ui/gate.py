"""The gate before everything: each request to each route says who it is, and what nobody thought of needs the most.

It stands outside the application, so a route that somebody adds is guarded before it is written.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Asgi
from tollbook_collector import otlp_http
from tollbook_collector.counters import Counters
from tollbook_collector.door import UNKNOWN
from tollbook_collector.errors import ForbiddenError, RefusedError, UnauthenticatedError
from tollbook_collector.otlp_http import EXPORTS, PRINCIPAL
from tollbook_schema.keys import Keys, Principal, Scope

from tollbook_ui.api import PREFIX, Problem
from tollbook_ui.pages import SignIn
from tollbook_ui.sessions import Sessions, kept_secret
from tollbook_ui.settings import Settings
from tollbook_ui.visitors import HEADER, Everybody, Visit, Visitors, as_header

OPEN = frozenset({"/healthz", "/readyz"})
"""Answered to everybody: probes have no keys, and these say no more than one word to strangers."""

SIGN_IN = frozenset({"/login", "/login/oidc", "/login/callback", "/logout"})

READING = frozenset({"GET", "HEAD", "OPTIONS"})

NOBODY = "this server answers nobody without a valid key or a sign-in"

HINTS: Mapping[int, str] = {
    401: "send Authorization: Bearer tb_..., or sign in at /login; keys are made with: tollbook keys create",
    403: "ask the operator for a key of that scope",
}


@dataclass(frozen=True)
class Entry:
    """What the gate knows its visitors by, and where it counts whom it refused."""

    keys: Keys
    operator_token: str
    counters: Counters


def before(app: FastAPI, settings: Settings, data: Path, entry: Entry) -> "Gate":
    """The gate before an application, which is given the routes of signing in; an open one where nobody is asked."""
    asked = settings.auth == "required"
    secret = settings.session_secret or (kept_secret(data) if asked else secrets.token_hex(32))
    sessions = Sessions(secret, entry.keys, settings.session_hours * 3600)
    visitors = Visitors(entry.keys, sessions, entry.operator_token) if asked else Everybody()
    sign_in = SignIn(visitors, sessions, entry.counters, settings.public_url)
    if asked:
        app.router.routes.extend(sign_in.routes())
    if settings.oidc_issuer:
        from tollbook_ui.oidc import Provider  # noqa: PLC0415 - Authlib is read only where it is used

        app.router.routes.extend(Provider(settings, sign_in, sessions, secret).routes())
    return Gate(app, visitors, entry.counters, sign_in)


@dataclass(frozen=True)
class Need:
    """What it takes to pass."""

    scope: Scope
    operator: bool = False
    """Only who belongs to no tenant: the answer is about all of them."""

    def met(self, principal: Principal) -> bool:
        """Whether this principal may pass."""
        return self.scope in principal.scopes and not (self.operator and principal.tenant is not None)


PRICED = (
    "/prices",
    "/prices/imports",
    "/prices/aliases",
    "/prices/discounts",
    "/exchange_rates",
    "/exchange_rates/imports",
    "/reprice",
)
"""Routes that change what things cost for every tenant."""

RULES: Mapping[tuple[str, str], Need] = {
    ("GET", "/metrics"): Need(Scope.READ, operator=True),
    ("GET", f"{PREFIX}/doctor"): Need(Scope.READ, operator=True),
    ("GET", f"{PREFIX}/collector"): Need(Scope.READ, operator=True),
    ("POST", f"{PREFIX}/sql"): Need(Scope.READ),
    ("POST", f"{PREFIX}/backup"): Need(Scope.ADMIN, operator=True),
    **{("POST", f"{PREFIX}{path}"): Need(Scope.ADMIN, operator=True) for path in PRICED},
}
"""Where it is other than: reading asks for read, and all else for admin."""

CLOSED = (f"{PREFIX}/keys",)
"""Paths, and those below them, that ask for admin even to be read."""


def need(method: str, path: str) -> Need:
    """What a request takes. A WebSocket, which has no method, is a GET."""
    if path in EXPORTS:
        return Need(Scope.INGEST)
    if any(path == closed or path.startswith(f"{closed}/") for closed in CLOSED):
        return Need(Scope.ADMIN)
    default = Need(Scope.READ) if method in READING else Need(Scope.ADMIN)
    return RULES.get(("GET" if method in READING else method, path), default)


class Gate:
    """The outermost layer of the server."""

    def __init__(self, app: ASGIApp, visitors: Visitors, counters: Counters, sign_in: SignIn) -> None:
        self._app = app
        self._visitors = visitors
        self._counters = counters
        self._sign_in = sign_in

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Passes one request or WebSocket on, or refuses it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        visit = self._visitors.of(headers)
        try:
            self._check(scope, headers, visit)
        except RefusedError as error:
            self._counters.add("refused_total", reason=error.reason)
            await self._refuse(error, scope, headers, receive, send)
            return
        if scope["type"] == "websocket":
            receive = self._watched(receive, send, headers)
        await self._app(_introduced(scope, visit.principal), receive, send)

    def _check(self, scope: Asgi, headers: Headers, visit: Visit) -> None:
        method, path = scope.get("method", "GET"), scope["path"]
        acting = scope["type"] == "websocket" or method not in READING
        if acting and path not in EXPORTS and (visit.by_cookie or path in SIGN_IN) and self._foreign(headers):
            raise ForbiddenError("this came from a page of another site")
        if path in SIGN_IN or (path in OPEN and method in READING):
            return
        if visit.principal is None:
            raise UnauthenticatedError(
                UNKNOWN if path in EXPORTS else "this server answers nobody without a valid key or a sign-in"
            )
        wanted = need(method, path)
        if not wanted.met(visit.principal):
            whose = " of the operator" if wanted.operator else ""
            raise ForbiddenError(f"this takes a key{whose} with the scope {wanted.scope}")

    def _foreign(self, headers: Headers) -> bool:
        """Whether a browser says that the request is from a page of another origin."""
        origin = headers.get("origin")
        own = {headers.get("host", ""), self._sign_in.public_host} - {""}
        return origin is not None and urlsplit(origin).netloc not in own

    async def _refuse(self, error: RefusedError, scope: Asgi, headers: Headers, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _refuse_websocket(error, scope, send)
            return
        await self._refusal(error, scope, headers)(scope, receive, send)

    def _refusal(self, error: RefusedError, scope: Asgi, headers: Headers) -> Response:
        if scope["path"] in EXPORTS:
            return otlp_http.refusal(error, headers)
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return self._sign_in.refusal(error, scope)
        title = "Not signed in" if error.http_status == 401 else "Not allowed"
        problem = Problem(title=title, status=error.http_status, detail=str(error), hint=HINTS[error.http_status])
        return JSONResponse(problem.model_dump(), error.http_status, error.headers(), "application/problem+json")

    def _watched(self, receive: Receive, send: Send, headers: Headers) -> Receive:
        """Ends a connection at the first message that comes after its visitor's key or sign-in ended."""

        async def watched() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and self._visitors.of(headers).principal is None:
                await send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        return watched


def _introduced(scope: Asgi, principal: Principal | None) -> Asgi:
    """The request with who sent it, which a client cannot say."""
    headers = [(name, value) for name, value in scope["headers"] if name.lower().replace(b"_", b"-") != HEADER.encode()]
    if principal is not None:
        headers.append((HEADER.encode(), as_header(principal)))
    return {**scope, "headers": headers, PRINCIPAL: principal}


async def _refuse_websocket(error: RefusedError, scope: Asgi, send: Send) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(name.encode(), value.encode()) for name, value in error.headers().items()]
    await send({"type": "websocket.http.response.start", "status": error.http_status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
