"""People who sign in with an identity provider: authorization code with PKCE, by Authlib. The ID token says what they see."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response
from tollbook_schema.keys import Principal, Scope
from tollbook_schema.tenants import NAME as TENANT_NAME

from tollbook_ui.pages import SignIn, inside
from tollbook_ui.sessions import Sessions
from tollbook_ui.settings import Settings

log = logging.getLogger("tollbook")

TRIP_SECONDS = 600
"""How long somebody may take at the identity provider."""

WRONG = (AuthlibBaseError, JoseError, httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, ValueError, KeyError)
"""What a provider that is away, misbehaves or is impersonated ends in."""


class NotInvitedError(Exception):
    """The provider knows this person, and the settings let them see nothing; the message says why."""


@dataclass(frozen=True)
class Guests:
    """Who among those that the provider knows sees what."""

    tenant_claim: str
    domains: frozenset[str]
    groups: frozenset[str]
    groups_claim: str
    operators: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> "Guests":
        """As set."""
        return cls(
            settings.oidc_tenant_claim,
            _names(settings.oidc_domains.lower()),
            _names(settings.oidc_groups),
            settings.oidc_groups_claim,
            _names(settings.oidc_operators),
        )

    def principal(self, claims: Mapping[str, Any]) -> Principal:
        """Who the verified claims of an ID token say it is.

        Raises:
            NotInvitedError: they may see nothing.
        """
        mail, groups = _mail(claims), _listed(claims.get(self.groups_claim))
        if self.domains and mail.rpartition("@")[2].lower() not in self.domains:
            raise NotInvitedError("your e-mail address is not of a domain that may sign in, or your provider has not verified it")
        if self.groups and not groups & (self.groups | self.operators):
            raise NotInvitedError("you are in none of the groups that may sign in")
        name = mail or str(claims.get("preferred_username") or claims["sub"])
        return Principal(self._tenant(claims, groups), frozenset({Scope.READ}), "", name[:200])

    def _tenant(self, claims: Mapping[str, Any], groups: frozenset[str]) -> str | None:
        if groups & self.operators:
            return None
        tenant = claims.get(self.tenant_claim)
        if not isinstance(tenant, str) or not TENANT_NAME.fullmatch(tenant):
            raise NotInvitedError(f"your provider names no tenant for you in the claim {self.tenant_claim!r}")
        return tenant


class Provider:
    """One identity provider, and the routes of the way through it."""

    def __init__(self, settings: Settings, sign_in: SignIn, sessions: Sessions, cookie_secret: str) -> None:
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._public_url = settings.public_url.rstrip("/")
        self._guests = Guests.of(settings)
        self._sign_in = sign_in
        self._sessions = sessions
        self._cookie_secret = cookie_secret
        self._tls = settings.tls_cert
        secret = settings.oidc_client_secret
        self._client = OAuth().register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=secret or None,
            server_metadata_url=f"{self._issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
                "timeout": 10,
            },
        )
        sign_in.provider_name = urlsplit(self._issuer).hostname or "the identity provider"

    def routes(self) -> list[Route]:
        """What the server adds to the routes of signing in; the trip's state is in a cookie of its own, for these alone."""
        return [Route("/login/oidc", self._trip(self._leave)), Route("/login/callback", self._trip(self._return))]

    def _trip(self, endpoint: Any) -> SessionMiddleware:
        return SessionMiddleware(
            request_response(endpoint),
            self._cookie_secret,
            session_cookie="tollbook_trip",
            max_age=TRIP_SECONDS,
            path="/login",
            same_site="lax",
            https_only=self._public_url.startswith("https://") or bool(self._tls),
        )

    async def _leave(self, request: Request) -> Response:
        request.session.clear()
        request.session["next"] = inside(request.query_params.get("next", "/"))
        try:
            await self._check_issuer()
            answer: Response = await self._client.authorize_redirect(request, self._callback(request))
        except WRONG as error:
            return self._lost(error)
        return answer

    async def _return(self, request: Request) -> Response:
        onward = str(request.session.get("next", "/"))
        try:
            await self._check_issuer()
            token = await self._client.authorize_access_token(request)
            person = self._guests.principal(token["userinfo"])
        except NotInvitedError as error:
            return self._sign_in.failed(f"You may not sign in: {error}.", 403)
        except WRONG as error:
            return self._lost(error)
        request.session.clear()
        log.info("signed in by %s: %s (%s)", self._sign_in.provider_name, person.name, person.tenant or "operator")
        return self._sign_in.signed_in(request, self._sessions.of_person(person), onward)

    async def _check_issuer(self) -> None:
        said = str((await self._client.load_server_metadata()).get("issuer", "")).rstrip("/")
        if said != self._issuer:
            raise ValueError(f"the provider says it is {said[:200]!r}, not {self._issuer!r}")

    def _callback(self, request: Request) -> str:
        base = self._public_url or f"{request.url.scheme}://{request.url.netloc}"
        return f"{base}/login/callback"

    def _lost(self, error: Exception) -> Response:
        log.warning("cannot sign in by %s: %s", self._sign_in.provider_name, type(error).__name__)
        return self._sign_in.failed("Signing in with the identity provider failed. Try again, or ask for a key.", 502)


def _mail(claims: Mapping[str, Any]) -> str:
    """The e-mail address, if the provider has verified it."""
    mail = claims.get("email")
    return mail if isinstance(mail, str) and claims.get("email_verified") is True else ""


def _listed(value: Any) -> frozenset[str]:
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
