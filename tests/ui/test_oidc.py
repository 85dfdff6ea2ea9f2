"""Signing in with an identity provider: what the ID token says decides what somebody sees, and silence shows nothing."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from tollbook_schema.environment import SettingsError
from tollbook_schema.store import Store
from tollbook_ui.oidc import Guests, NotInvitedError
from tollbook_ui.settings import Settings

from tests.ui.guarded import guarded
from tests.ui.provider import CLIENT, PASSWORD, Provider, serving

ANN = {"email": "ann@example.com", "email_verified": True, "tenant": "acme"}
House = Callable[..., TestClient]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving() as found:
        found.claims = dict(ANN)
        yield found


@pytest.fixture
def house(store: Store, tmp_path: Path, provider: Provider) -> House:
    """A browser before a server whose people sign in with the provider."""

    def browser(**settings: Any) -> TestClient:
        given = {"oidc_issuer": provider.url, "oidc_client_id": CLIENT, "oidc_client_secret": PASSWORD}
        return guarded(store, tmp_path, **{**given, **settings}).client()

    return browser


def trip(browser: TestClient, onward: str = "/overview") -> Any:
    """To the provider and back; the answer to coming back."""
    left = browser.get("/login/oidc", params={"next": onward})
    assert left.status_code == 302, left.text
    back = httpx2.get(left.headers["location"]).headers["location"]
    return browser.get(back.replace("http://localhost", "", 1))


def seen(browser: TestClient) -> dict[str, Any]:
    """Who the dashboard takes the browser for."""
    said: dict[str, Any] = json.loads(browser.get("/overview").text)
    return said


def test_somebody_signs_in_and_sees_the_tenant_that_the_provider_names(house: House, provider: Provider) -> None:
    browser = house()
    assert "Sign in with 127.0.0.1" in browser.get("/login").text
    came_in = trip(browser, "/requests?team=search")
    assert (came_in.status_code, came_in.headers["location"]) == (303, "/requests?team=search")
    assert "HttpOnly" in came_in.headers["set-cookie"]
    assert seen(browser) == {"tenant": "acme", "scopes": ["read"], "key_id": "", "name": "ann@example.com"}
    assert provider.asked[0]["code_challenge_method"] == "S256"
    assert provider.asked[0]["response_type"] == "code"
    assert browser.post("/api/v1/settle").status_code == 403
    browser.post("/logout")
    assert browser.get("/overview").status_code == 401


@pytest.mark.parametrize(
    ("settings", "claims", "said"),
    [
        ({}, {"tenant": None}, "names no tenant for you"),
        ({}, {"tenant": ""}, "names no tenant for you"),
        ({}, {"tenant": ["acme"]}, "names no tenant for you"),
        ({}, {"tenant": "a' OR '1"}, "names no tenant for you"),
        ({}, {"tenant": {"$ne": 1}}, "names no tenant for you"),
        ({"oidc_tenant_claim": "org"}, {}, "names no tenant for you"),
        ({"oidc_domains": "other.example"}, {}, "not of a domain that may sign in"),
        ({"oidc_domains": "example.com"}, {"email_verified": False}, "has not verified it"),
        ({"oidc_domains": "example.com"}, {"email": "ann@example.com.evil.example"}, "not of a domain that may sign in"),
        ({"oidc_groups": "finops"}, {"groups": ["staff"]}, "in none of the groups"),
        ({"oidc_groups": "finops"}, {"groups": "finops"}, "in none of the groups"),
        ({"oidc_operators": "sre"}, {"groups": ["staff"], "tenant": None}, "names no tenant for you"),
    ],
)
def test_whoever_is_not_invited_sees_nothing(
    house: House, provider: Provider, settings: dict[str, str], claims: dict[str, Any], said: str
) -> None:
    provider.claims |= claims
    browser = house(**settings)
    refused = trip(browser)
    assert refused.status_code == 403
    assert said in refused.text
    assert browser.get("/overview").status_code == 401


@pytest.mark.parametrize(
    ("settings", "claims", "tenant"),
    [
        ({"oidc_domains": "other.example, Example.com"}, {}, "acme"),
        ({"oidc_groups": "finops, staff"}, {"groups": ["staff"]}, "acme"),
        ({"oidc_tenant_claim": "org"}, {"org": "umbrella"}, "umbrella"),
        ({"oidc_operators": "sre"}, {"groups": ["sre"], "tenant": None}, None),
        ({"oidc_operators": "sre", "oidc_groups": "finops", "oidc_groups_claim": "roles"}, {"roles": ["sre"]}, None),
    ],
)
def test_whoever_is_invited_sees_what_is_theirs(settings: dict[str, str], claims: dict[str, Any], tenant: str | None) -> None:
    guests = Guests.of(Settings(**settings))  # type: ignore[arg-type]  # all of these are text
    assert guests.principal({"sub": "u1", **ANN, **claims}).tenant == tenant


def test_a_person_without_a_verified_address_goes_by_another_name() -> None:
    guests = Guests.of(Settings())
    claims = {"sub": "u1", "tenant": "acme", "email": "boss@example.com"}
    assert guests.principal(claims).name == "u1"
    assert guests.principal({**claims, "preferred_username": "ann"}).name == "ann"
    with pytest.raises(NotInvitedError):
        guests.principal({"sub": "u1"})


def as_somebody_elses(provider: Provider) -> None:
    provider.claims["iss"] = "https://evil.example"


def for_somebody_else(provider: Provider) -> None:
    provider.claims["aud"] = "another application"


def out_of_date(provider: Provider) -> None:
    provider.claims |= {"iat": 1, "exp": 2}


def of_another_trip(provider: Provider) -> None:
    provider.claims["nonce"] = "replayed"


def signed_by_another(provider: Provider) -> None:
    provider.published = RSAKey.generate_key(2048, {"kid": "1"})


def none_at_all(provider: Provider) -> None:
    provider.leaves_out_id_token = True


@pytest.mark.parametrize(
    "wrong", [as_somebody_elses, for_somebody_else, out_of_date, of_another_trip, signed_by_another, none_at_all]
)
def test_an_id_token_that_is_not_right_lets_nobody_in(
    house: House, provider: Provider, wrong: Callable[[Provider], None]
) -> None:
    wrong(provider)
    browser = house()
    refused = trip(browser)
    assert refused.status_code == 502
    assert "failed" in refused.text
    assert browser.get("/overview").status_code == 401


def test_a_provider_that_says_it_is_another_is_not_believed(house: House, provider: Provider) -> None:
    provider.metadata["issuer"] = "https://evil.example"
    assert house().get("/login/oidc").status_code == 502


def test_a_provider_that_is_away_is_told_and_keys_still_work(house: House) -> None:
    browser = house(oidc_issuer="http://127.0.0.1:9")
    assert browser.get("/login/oidc").status_code == 502
    assert "API key" in browser.get("/login").text


def test_coming_back_without_having_left_lets_nobody_in(house: House, provider: Provider) -> None:
    victim, attacker = house(), house()
    left = attacker.get("/login/oidc")
    stolen = httpx2.get(left.headers["location"]).headers["location"].replace("http://localhost", "", 1)
    assert victim.get(stolen).status_code == 502  # the attacker's own code, given to somebody else
    assert attacker.get(f"/login/callback?code=x&state={parse_qs(urlsplit(stolen).query)['state'][0]}x").status_code == 502
    assert attacker.get("/login/callback?error=access_denied&error_description=<script>").status_code == 502
    assert victim.get("/overview").status_code == 401


def test_the_way_back_is_the_public_address(house: House, provider: Provider) -> None:
    browser = house(public_url="https://tollbook.example/")
    asked = parse_qs(urlsplit(browser.get("/login/oidc").headers["location"]).query)
    assert asked["redirect_uri"] == ["https://tollbook.example/login/callback"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"TOLLBOOK_OIDC_ISSUER": "https://id.example", "TOLLBOOK_AUTH": "required"},
        {"TOLLBOOK_OIDC_ISSUER": "https://id.example", "TOLLBOOK_OIDC_CLIENT_ID": "tollbook"},
        {"TOLLBOOK_OIDC_CLIENT_SECRET_FILE": "/nowhere/secret"},
        {"TOLLBOOK_SESSION_SECRET": "short"},
        {"TOLLBOOK_SESSION_HOURS": "0"},
        {"TOLLBOOK_AUTH": "on"},
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        Settings.from_environment(wrong)


def test_a_secret_may_stand_in_a_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the provider\n")
    settings = Settings.from_environment({"TOLLBOOK_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret")})
    assert settings.oidc_client_secret == "of the provider"
    assert "of the provider" not in repr(settings)
