"""An identity provider on loopback: it lets everybody in, checks PKCE and password, and says of them what a test wants."""

import base64
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, PASSWORD = "tollbook", "tollbooks-own-password"


@dataclass
class Provider:
    """The provider, and what it says."""

    claims: dict[str, Any] = field(default_factory=dict)
    """Over those that every ID token has."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Over what it says of itself."""
    signs_with: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    leaves_out_id_token: bool = False
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    """Parameters of each authorization."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    published: RSAKey = field(init=False)

    def __post_init__(self) -> None:
        self.published = self.signs_with

    async def describe(self, _request: Request) -> Response:
        """What discovery finds."""
        said = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return JSONResponse({**said, **self.metadata})

    async def keys(self, _request: Request) -> Response:
        """Its public key."""
        return JSONResponse({"keys": [self.published.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        """Lets in whoever comes."""
        wish = dict(request.query_params)
        self.asked.append(wish)
        code = f"code {len(self.asked)}"
        self.codes[code] = wish
        return RedirectResponse(f"{wish['redirect_uri']}?{urlencode({'code': code, 'state': wish['state']})}", 302)

    async def token(self, request: Request) -> Response:
        """Changes a code, once, for an ID token."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        wish = self.codes.pop(form["code"], None)
        verified = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if wish is None or verified != wish["code_challenge"] or wish["code_challenge_method"] != "S256":
            return JSONResponse({"error": "invalid_grant"}, 400)
        if request.headers.get("authorization") != _basic(CLIENT, PASSWORD):
            return JSONResponse({"error": "invalid_client"}, 401)
        now = int(time.time())
        every = {"iss": self.url, "aud": CLIENT, "sub": "u1", "iat": now, "exp": now + 300, "nonce": wish["nonce"]}
        id_token = jwt.encode({"alg": "RS256", "kid": "1"}, {**every, **self.claims}, self.signs_with)
        answer = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300}
        return JSONResponse(answer if self.leaves_out_id_token else {**answer, "id_token": id_token})


@contextmanager
def serving() -> Iterator[Provider]:
    """A provider that answers on loopback."""
    provider = Provider()
    routes = [
        Route("/.well-known/openid-configuration", provider.describe),
        Route("/keys", provider.keys),
        Route("/authorize", provider.authorize),
        Route("/token", provider.token, methods=["POST"]),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    provider.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
