"""The pages of signing in: the form, the way through an identity provider, the page that refuses, and signing out."""

import logging
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope as Asgi
from tollbook_collector.counters import Counters
from tollbook_collector.errors import RefusedError
from tollbook_schema.keys import Principal, Scope

from tollbook_ui.sessions import Sessions
from tollbook_ui.visitors import COOKIE, Visitors, cookie_of

if TYPE_CHECKING:
    from jinja2 import Template

log = logging.getLogger("tollbook")

MAX_FORM_BYTES = 8192

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


class SignIn:
    """Routes and pages of signing in."""

    def __init__(self, visitors: Visitors, sessions: Sessions, counters: Counters, public_url: str = "") -> None:
        self._visitors = visitors
        self._sessions = sessions
        self._counters = counters
        self._public_url = public_url.rstrip("/")
        self.public_host = urlsplit(public_url).netloc
        self.provider_name = ""
        """Host of the identity provider; empty where there is none."""

    def routes(self) -> list[Route]:
        """What the server adds to its own routes."""
        return [
            Route("/login", self._form, methods=["GET"]),
            Route("/login", self._take_key, methods=["POST"]),
            Route("/logout", self._ask_out, methods=["GET"]),
            Route("/logout", self._out, methods=["POST"]),
        ]

    def refusal(self, error: RefusedError, scope: Asgi) -> Response:
        """The page for somebody with a browser who may not see what they asked for: the form, where signing in would help."""
        if error.http_status == 401:
            path, query = scope["path"], scope.get("query_string", b"").decode("latin-1")
            return self._page("form", 401, error.headers(), onward=f"{path}?{query}" if query else path)
        return self._page("refused", error.http_status, said=str(error))

    def signed_in(self, request: Request, cookie: str, onward: str) -> Response:
        """The answer that makes a browser's session and sends it where it wanted to go."""
        response = RedirectResponse(inside(onward), 303, HEADERS)
        secure = self._secure(request.url)
        response.set_cookie(
            f"__Host-{COOKIE}" if secure else COOKIE,
            cookie,
            max_age=self._sessions.lasting_seconds,
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax",
        )
        return response

    def failed(self, said: str, status: int) -> Response:
        """The form again, with what went wrong."""
        self._counters.add("refused_total", reason="unauthenticated")
        return self._page("form", status, said=said, onward="/")

    async def _form(self, request: Request) -> Response:
        return self._page("form", 200, onward=inside(request.query_params.get("next", "/")))

    async def _take_key(self, request: Request) -> Response:
        form = await _fields(request)
        principal = self._visitors.of_key(form.get("key", "").strip())
        if principal is None or not principal.key_id:
            return self.failed("That is no valid key. It may have been revoked, or have expired.", 401)
        if Scope.READ not in principal.scopes:
            return self.failed("That key is for sending only: its scopes lack read.", 403)
        log.info("signed in with key %s (%s)", principal.key_id, principal.tenant or "operator")
        return self.signed_in(request, self._sessions.of_key(principal), form.get("next", "/"))

    async def _ask_out(self, request: Request) -> Response:
        principal = self._visitors.of(request.headers).principal
        return self._page("out", 200, said=_whom(principal)) if principal else RedirectResponse("/login", 303)

    async def _out(self, request: Request) -> Response:
        self._sessions.end(cookie_of(request.headers))
        response = RedirectResponse("/login", 303, HEADERS)
        secure = self._secure(request.url)
        response.delete_cookie(f"__Host-{COOKIE}" if secure else COOKIE, path="/", secure=secure, httponly=True, samesite="lax")
        return response

    def _secure(self, url: URL) -> bool:
        return url.scheme == "https" or self._public_url.startswith("https://")

    def _page(self, kind: str, status: int, headers: Any = None, **shown: str) -> Response:
        page = _template().render(kind=kind, provider=self.provider_name, **shown)
        return HTMLResponse(page, status, {**HEADERS, **(headers or {})})


def inside(onward: str) -> str:
    """The path, if it leads nowhere but to this server; else the first page."""
    parts = urlsplit(onward)
    outside = parts.scheme or parts.netloc or not onward.startswith("/") or onward.startswith(("//", "/\\", "/login", "/logout"))
    return "/" if outside or not onward.isprintable() or "\\" in onward else onward


def _whom(principal: Principal) -> str:
    whose = f"the data of {principal.tenant}" if principal.tenant else "the data of all tenants"
    return f"{principal.name}, who sees {whose}"


async def _fields(request: Request) -> dict[str, str]:
    """The form's fields; of one that is too large, none."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode("latin-1"), max_num_fields=10).items()}


@cache
def _template() -> "Template":
    from jinja2 import Environment  # noqa: PLC0415 - an eighth of a second, of interest to who signs in

    text = resources.files("tollbook_ui").joinpath("signin.html.j2").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(text)
