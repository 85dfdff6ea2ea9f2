"""Signing in: a key becomes a cookie that browsers keep to themselves, and that ends."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.testclient import WebSocketDenialResponse
from tollbook_schema.keys import Keys, Principal, Scope
from tollbook_schema.store import Store
from tollbook_ui import answers as module
from tollbook_ui.answers import Answers
from tollbook_ui.pages import inside
from tollbook_ui.sessions import Sessions, kept_secret

from tests.ui.guarded import Guarded, guarded

BROWSER = {"accept": "text/html,application/xhtml+xml"}
SECRET = "s" * 32
STREAM = "ws://localhost/_stcore/stream"


@pytest.fixture
def house(store: Store, tmp_path: Path) -> Iterator[Guarded]:
    """A guarded server over an empty store."""
    module.set_current(Answers(store), guarded=True)
    yield guarded(store, tmp_path)
    module.set_current(None)


def sign_in(client: TestClient, key: str, **form: str) -> Response:
    return client.post("/login", data={"key": key, **form}, headers={"origin": "http://localhost"})


def test_a_person_signs_in_looks_around_and_signs_out(house: Guarded) -> None:
    client = house.client()
    refused = client.get("/requests?team=search", headers=BROWSER)
    assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")
    onward = re.search(r'name="next" value="([^"]+)"', refused.text)
    assert onward is not None
    assert onward[1] == "/requests?team=search"
    came_in = sign_in(client, f" {house.key('read', tenant='acme')} ", next=onward[1])
    assert (came_in.status_code, came_in.headers["location"]) == (303, "/requests?team=search")
    assert '"tenant": "acme"' in client.get("/requests").text
    assert "the data of acme" in client.get("/logout").text
    assert client.post("/logout", headers={"origin": "http://localhost"}).headers["location"] == "/login"
    assert client.get("/requests").status_code == 401


def test_the_cookie_is_for_this_site_and_for_no_script(house: Guarded) -> None:
    said = sign_in(house.client(), house.key("read", tenant="acme")).headers["set-cookie"]
    assert re.fullmatch(r"tollbook_session=\S+; HttpOnly; Max-Age=43200; Path=/; SameSite=lax", said)


def test_over_tls_the_cookie_never_travels_in_the_clear(house: Guarded) -> None:
    client = house.client(base_url="https://localhost")
    said = client.post("/login", data={"key": house.key("read", tenant="acme")}).headers["set-cookie"]
    assert said.startswith("__Host-tollbook_session=")
    assert said.endswith("; SameSite=lax; Secure")
    assert client.get("/overview").status_code == 200


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        ("", 401, "That is no valid key."),
        ("tb_0", 401, "That is no valid key."),
        ("x" * 9000, 401, "That is no valid key."),
        ('"><script>alert(1)</script>', 401, "That is no valid key."),
        ("{ingest}", 403, "its scopes lack read"),
        ("{revoked}", 401, "It may have been revoked"),
        ("the operator's own", 401, "That is no valid key."),
    ],
)
def test_a_wrong_key_brings_the_form_again(house: Guarded, key: str, status: int, said: str) -> None:
    revoked = house.key("read", tenant="acme")
    house.keys.revoke(revoked)
    typed = key.format(ingest=house.key("ingest", tenant="acme"), revoked=revoked)
    answer = sign_in(house.client(), typed)
    assert (answer.status_code, "set-cookie" in answer.headers) == (status, False)
    assert said in answer.text
    assert not typed or typed not in answer.text


def test_a_session_ends_with_its_key(house: Guarded) -> None:
    client, key = house.client(), house.key("read", tenant="acme")
    sign_in(client, key)
    assert client.get("/overview").status_code == 200
    house.keys.revoke(key)
    assert client.get("/overview").status_code == 401


def test_a_copied_cookie_is_worthless_once_its_owner_signs_out(house: Guarded) -> None:
    client, thief = house.client(), house.client()
    sign_in(client, house.key("read", tenant="acme"))
    thief.cookies.update(client.cookies)
    assert thief.get("/overview").status_code == 200
    client.post("/logout")
    assert thief.get("/overview").status_code == 401


def test_a_page_of_another_site_can_neither_act_nor_sign_somebody_in_or_out(house: Guarded) -> None:
    client, foreign = house.client(), {"origin": "http://localhost:8000"}
    admin = house.key("read", "admin")
    assert client.post("/login", data={"key": admin}, headers=foreign).status_code == 403
    sign_in(client, admin)
    wish = {"name": "theirs", "tenant": "acme", "scopes": ["read"]}
    for headers in (foreign, {"origin": "null"}, {"origin": "https://evil.example"}):
        assert client.post("/api/v1/keys", json=wish, headers=headers).status_code == 403
        assert client.post("/logout", headers=headers).status_code == 403
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(STREAM, headers=headers):
            pass
        assert refused.value.status_code == 403
    with client.websocket_connect(STREAM, headers={"origin": "http://localhost"}) as stream:
        stream.send_text("here")
        assert stream.receive_text().startswith("here: ")
    assert client.post("/api/v1/keys", json=wish, headers={"origin": "http://localhost"}).status_code == 200


def test_a_proxy_in_front_is_known_by_the_public_address(store: Store, tmp_path: Path) -> None:
    house = guarded(store, tmp_path, public_url="https://tollbook.example")
    client = house.client()
    came_in = client.post("/login", data={"key": house.key("read")}, headers={"origin": "https://tollbook.example"})
    assert came_in.status_code == 303
    assert "Secure" in came_in.headers["set-cookie"]


def test_a_wrong_key_beside_a_good_cookie_is_wrong(house: Guarded) -> None:
    client = house.client()
    sign_in(client, house.key("read", tenant="acme"))
    assert client.get("/overview", headers={"x-api-key": "tb_0"}).status_code == 401


def test_somebody_signed_in_is_told_what_is_not_for_them(house: Guarded) -> None:
    client = house.client()
    sign_in(client, house.key("read", tenant="acme"))
    answer = client.get("/metrics", headers=BROWSER)
    assert answer.status_code == 403
    assert "this takes a key of the operator with the scope read" in answer.text


@pytest.mark.parametrize(
    ("onward", "leads_to"),
    [
        ("/requests?a=1#b", "/requests?a=1#b"),
        ("", "/"),
        ("requests", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nset-cookie: x=y", "/"),
        ("\\\\evil.example", "/"),
        ("/login?next=/login", "/"),
        ("/logout", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(house: Guarded, onward: str, leads_to: str) -> None:
    assert inside(onward) == leads_to
    answer = sign_in(house.client(), house.key("read"), next=onward)
    assert answer.headers["location"] == leads_to


def test_the_form_runs_no_script_and_stands_in_no_frame(house: Guarded) -> None:
    policy = house.client().get("/login").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    shown = house.client().get('/"><script>alert(1)</script>', headers=BROWSER).text
    assert "<script" not in shown


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


PERSON = Principal("acme", frozenset({Scope.READ}), "", "ann@example.com")


def test_a_session_ends_by_itself(store: Store, tmp_path: Path) -> None:
    clock = Clock()
    sessions = Sessions(SECRET, Keys(store, tmp_path / "keys.json"), 3600, clock)
    cookie = sessions.of_person(PERSON)
    clock.now += 3599
    assert sessions.principal(cookie) == PERSON
    clock.now += 3
    assert sessions.principal(cookie) is None


def test_only_this_servers_own_sessions_are_taken(store: Store, tmp_path: Path) -> None:
    keys = Keys(store, tmp_path / "keys.json")
    own, other = Sessions(SECRET, keys, 3600), Sessions("t" * 32, keys, 3600)
    cookie = own.of_person(PERSON)
    value, stamp, signature = cookie.split(".")
    assert own.principal(cookie) == PERSON
    assert other.principal(cookie) is None
    for forged in ("", value, f"{value}.{stamp}", f"{value}x.{stamp}.{signature}", f"{value}.AAAA.{signature}", cookie * 50, "ü"):
        assert own.principal(forged) is None


def test_the_secret_of_the_cookies_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path)
    assert (len(secret), kept_secret(tmp_path)) == (64, secret)
    assert (tmp_path / "session.secret").stat().st_mode & 0o777 == 0o600
