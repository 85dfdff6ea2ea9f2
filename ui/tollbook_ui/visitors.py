"""Who comes with a request: by a key in its headers, or by the cookie of a sign-in."""

import hmac
import json
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from tollbook_schema.keys import ANYBODY, Keys, Principal, Scope, presented

from tollbook_ui.sessions import Sessions

COOKIE = "tollbook_session"
HEADER = "x-tollbook-principal"
"""The gate says in it who asks, to those inside that see headers alone; what a client sends under this name is taken away."""

OPERATOR = Principal(None, frozenset(Scope), "", "the operator, on this machine")


@dataclass(frozen=True)
class Visit:
    """One request's visitor."""

    principal: Principal | None
    by_cookie: bool
    """Whether the browser said it on its own, as it does for a page of somebody else too."""


class Visitors:
    """Knows keys, sessions and the operator of this machine."""

    def __init__(self, keys: Keys, sessions: Sessions, operator_token: str) -> None:
        self._keys = keys
        self._sessions = sessions
        self._operator_token = operator_token.encode()

    def of(self, headers: Headers) -> Visit:
        """Whoever sent these headers. A key that is wrong is nobody, whatever cookie is beside it."""
        key = presented(headers.get("authorization", ""), headers.get("x-api-key", ""))
        if key:
            return Visit(self.of_key(key), by_cookie=False)
        cookie = cookie_of(headers)
        return Visit(self._sessions.principal(cookie) if cookie else None, by_cookie=bool(cookie))

    def of_key(self, key: str) -> Principal | None:
        """Whoever shows this key."""
        if hmac.compare_digest(key.encode(), self._operator_token):
            return OPERATOR
        return self._keys.verify(key)


class Everybody(Visitors):
    """Where nobody is asked who they are."""

    def __init__(self) -> None:
        """Knows nobody, and lets everybody do everything."""

    def of(self, headers: Headers) -> Visit:  # noqa: ARG002 - whatever they are
        """Anybody; a browser on this machine may still come from somebody else's page."""
        return Visit(ANYBODY, by_cookie=True)

    def of_key(self, key: str) -> Principal | None:  # noqa: ARG002
        """Anybody."""
        return ANYBODY


def cookie_of(headers: Headers) -> str:
    """The session in the cookies; empty where there is none."""
    cookies = cookie_parser(headers.get("cookie", ""))
    return cookies.get(f"__Host-{COOKIE}") or cookies.get(COOKIE, "")


def as_header(principal: Principal) -> bytes:
    """The principal as the value of HEADER."""
    said = {
        "tenant": principal.tenant,
        "scopes": sorted(principal.scopes),
        "key_id": principal.key_id,
        "name": principal.name,
    }
    return json.dumps(said).encode("ascii")


def from_header(value: str) -> Principal:
    """The principal that the gate wrote."""
    said = json.loads(value)
    return Principal(said["tenant"], frozenset(Scope(scope) for scope in said["scopes"]), said["key_id"], said["name"])
