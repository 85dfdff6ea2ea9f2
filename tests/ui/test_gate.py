"""The gate: every route, method and WebSocket asks who comes, and each gets only what its key is for (S10)."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Mount
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from tollbook_collector.otlp_http import EXPORTS
from tollbook_collector.settings import Settings as CollectorSettings
from tollbook_schema.environment import SettingsError
from tollbook_schema.store import Store
from tollbook_ui import answers as module
from tollbook_ui import reach
from tollbook_ui.answers import Answers
from tollbook_ui.gate import OPEN, SIGN_IN
from tollbook_ui.settings import Settings
from tollbook_ui.visitors import HEADER

from tests.ui.guarded import OPERATOR_TOKEN, Guarded, guarded

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"]
DASHBOARD = [
    "/",
    "/overview",
    "/requests",
    "/_stcore/health",
    "/_stcore/script-health-check",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/stream",
    "/_stcore/upload_file/a/b",
    "/_stcore/agent/",
    "/media/0123.csv",
    "/component/x/index.html",
    "/static/js/index.js",
    "/app/static/x",
]
NOWHERE = [
    "/docs",
    "/redoc",
    "/openapi.json",
    "/nothing",
    "/api/v2/x",
    "//api/v1/extent",
    "/HEALTHZ",
    "/healthz/",
    "/login/x",
    "/%2e%2e/etc",
]
WRONG_KEY = f"tb_{'0' * 12}_{'0' * 64}"
STRANGERS = {
    "nothing": {},
    "a wrong key": {"authorization": f"Bearer {WRONG_KEY}"},
    "a wrong x-api-key": {"x-api-key": WRONG_KEY},
    "a wrong password": {"authorization": "Basic " + base64.b64encode(f"a:{WRONG_KEY}".encode()).decode()},
    "no key at all": {"authorization": "Bearer "},
    "a forged cookie": {"cookie": "tollbook_session=eyJrZXlfaWQiOiAiIn0.abc.def"},
    "a forged principal": {HEADER: '{"tenant": null, "scopes": ["admin", "read", "ingest"], "key_id": "", "name": "me"}'},
}


@pytest.fixture(scope="module")
def house(_session_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A guarded server over whatever is stored."""
    found = guarded(_session_store, tmp_path_factory.mktemp("house"))
    module.set_current(Answers(_session_store), guarded=True)
    yield found
    module.set_current(None)


def paths(routes: list[BaseRoute]) -> set[str]:
    """Every path of an application, parameters filled in."""
    named = {str(getattr(route, "path", "")) for route in routes if not isinstance(route, Mount)}
    included = [inner for route in routes for inner in getattr(getattr(route, "original_router", None), "routes", [])]
    return {path.replace("{", "").replace("}", "") for path in named if path} | (paths(included) if included else set())


def test_every_route_of_the_application_is_known_to_these_tests(house: Guarded) -> None:
    found = paths(house.app.router.routes)
    described = {path.replace("{", "").replace("}", "") for path in house.app.openapi()["paths"]}
    assert {*EXPORTS, *OPEN, "/metrics", "/login", "/logout"} <= found
    assert len(described) > 20
    assert "/api/v1/sql" in described


@pytest.mark.parametrize("stranger", STRANGERS)
def test_every_route_and_method_refuses_strangers(house: Guarded, stranger: str) -> None:
    described = {path.replace("{", "").replace("}", "") for path in house.app.openapi()["paths"]}
    client, asked = house.client(), 0
    for path in sorted({*paths(house.app.router.routes), *described, *DASHBOARD, *NOWHERE} - SIGN_IN - OPEN):
        for method in METHODS:
            answer = client.request(method, f"http://localhost{path}", headers=STRANGERS[stranger], content=b"{}")
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == 'Bearer realm="tollbook"'
            asked += 1
    assert asked > 400


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("path", ["/", "/_stcore/stream", "/v1/traces", "/api/v1/sql", "/nothing", "/healthz"])
def test_every_websocket_refuses_strangers(house: Guarded, path: str, stranger: str) -> None:
    client = house.client()
    if path in OPEN:
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(path, headers=STRANGERS[stranger]):
            pass
        return
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(path, headers=STRANGERS[stranger]):
        pass
    assert refused.value.status_code == 401


def test_probes_and_the_form_are_all_that_strangers_get(house: Guarded) -> None:
    client = house.client()
    assert (client.get("/healthz").text, client.get("/readyz").text) == ("ok\n", "not ready\n")
    assert [client.request(method, path).status_code for path in OPEN for method in ("POST", "PUT", "DELETE")] == [401] * 6
    assert client.get("/login").status_code == 200
    assert client.get("/logout").headers["location"] == "/login"
    assert "acme" not in client.get("/login").text


def test_the_operator_learns_why_it_is_not_ready(house: Guarded) -> None:
    assert house.client(OPERATOR_TOKEN).get("/readyz").text == "the collector is not running\n"
    assert house.client(house.key("read", tenant="acme")).get("/readyz").text == "not ready\n"


@pytest.mark.parametrize(
    ("key", "method", "path", "status"),
    [
        ("ingest", "GET", "/api/v1/extent", 403),
        ("ingest", "POST", "/api/v1/sql", 403),
        ("ingest", "GET", "/", 403),
        ("ingest", "GET", "/metrics", 403),
        ("read", "POST", "/v1/traces", 403),
        ("read", "POST", "/api/public/otel/v1/traces", 403),
        ("read", "GET", "/api/v1/extent", 200),
        ("read", "GET", "/api/v1/openapi.json", 200),
        ("read", "GET", "/overview", 200),
        ("read", "GET", "/metrics", 403),
        ("read", "GET", "/api/v1/doctor", 403),
        ("read", "HEAD", "/api/v1/doctor", 403),
        ("read", "POST", "/api/v1/settle", 403),
        ("read", "POST", "/api/v1/rates", 403),
        ("read", "GET", "/api/v1/keys", 403),
        ("read", "POST", "/api/v1/keys", 403),
        ("read", "GET", "/api/v1/keys/", 403),
        ("read", "DELETE", "/api/v1/keys/000000000000", 403),
        ("read", "PUT", "/_stcore/upload_file/a/b", 403),
        ("operator", "GET", "/metrics", 200),
        ("operator", "GET", "/api/v1/doctor", 200),
        ("operator", "GET", "/api/v1/keys", 403),
        ("operator", "POST", "/api/v1/settle", 403),
        ("operator", "POST", "/v1/traces", 403),
        ("admin", "GET", "/api/v1/keys", 200),
        ("admin", "POST", "/api/v1/settle", 200),
        ("admin", "GET", "/api/v1/extent", 403),
        ("admin", "DELETE", "/api/v1/keys/000000000000", 422),
    ],
)
def test_a_key_opens_what_it_is_for(house: Guarded, key: str, method: str, path: str, status: int) -> None:
    kinds = {
        "ingest": (("ingest",), "acme"),
        "read": (("read",), "acme"),
        "operator": (("read",), None),
        "admin": (("admin",), None),
    }
    scopes, tenant = kinds[key]
    assert house.client(house.key(*scopes, tenant=tenant)).request(method, path).status_code == status


def test_the_refusal_says_what_is_missing_and_keeps_the_key_to_itself(house: Guarded) -> None:
    key = house.key("ingest", tenant="acme")
    answer = house.client(key).get("/api/v1/extent")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "this takes a key with the scope read"
    assert key.split("_")[2] not in str(answer.headers) + answer.text


def test_nobody_can_say_of_himself_who_he_is(house: Guarded) -> None:
    key = house.key("read", tenant="acme")
    forged = [(HEADER, STRANGERS["a forged principal"][HEADER]), ("X_Tollbook_Principal", "{}"), (HEADER.upper(), "{}")]
    said = json.loads(house.client(key).get("/overview", headers=forged).text)
    assert (said["tenant"], said["scopes"]) == ("acme", ["read"])


def test_a_connection_ends_with_its_key(house: Guarded) -> None:
    key = house.key("read", tenant="acme")
    with house.client(key).websocket_connect("/_stcore/stream") as stream:
        stream.send_text("first")
        assert stream.receive_text().startswith('first: {"tenant": "acme"')
        house.keys.revoke(key)
        stream.send_text("second")
        with pytest.raises(WebSocketDisconnect):
            stream.receive_text()


def test_refusals_are_counted(house: Guarded) -> None:
    before = house.collector.counters.value("refused_total", reason="unauthenticated")
    house.client().get("/api/v1/extent")
    house.client(WRONG_KEY).post("/v1/traces")
    assert house.collector.counters.value("refused_total", reason="unauthenticated") == before + 2


def test_keys_are_made_listed_and_revoked_over_the_api(house: Guarded) -> None:
    admin = house.client(OPERATOR_TOKEN)
    made = admin.post("/api/v1/keys", json={"name": "shop", "tenant": "acme", "scopes": ["read"]}).json()["key"]
    assert house.client(made).get("/api/v1/extent").status_code == 200
    listed = admin.get("/api/v1/keys").text
    assert made.split("_")[1] in listed
    assert made.split("_")[2] not in listed
    assert "sha256" not in listed
    assert admin.delete(f"/api/v1/keys/{made.split('_')[1]}").json()["state"] == "revoked"
    assert house.client(made).get("/api/v1/extent").status_code == 401
    assert admin.post("/api/v1/keys", json={"name": "shop", "tenant": "Acme", "scopes": ["read"]}).status_code == 422


def test_without_keys_everybody_on_this_machine_may_do_everything(store: Store, tmp_path: Path) -> None:
    client = guarded(store, tmp_path, auth="none").client()
    assert [client.get(path).status_code for path in ("/api/v1/extent", "/metrics", "/overview", "/api/v1/keys")] == [200] * 4
    assert client.post("/api/v1/settle").status_code == 200


def test_a_page_of_another_site_cannot_act_on_a_server_without_keys(store: Store, tmp_path: Path) -> None:
    client = guarded(store, tmp_path, auth="none").client()
    foreign = {"origin": "http://evil.example", "content-type": "text/plain"}
    assert client.post("/api/v1/settle", headers=foreign).status_code == 403
    assert client.post("/api/v1/settle", headers={"origin": "http://localhost"}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "[::]", "", "192.168.1.7", "10.0.0.1", "collector.example", "127.1", "localhost.example"],
)
def test_beyond_loopback_it_does_not_start_without_keys(host: str) -> None:
    quiet = CollectorSettings(grpc_port=-1)
    for settings, http, collector in ((Settings(), host, quiet), (Settings(), "127.0.0.1", CollectorSettings(grpc_host=host))):
        with pytest.raises(SettingsError, match=r"set TOLLBOOK_AUTH=required .*, or keep TOLLBOOK_\w*HOST at 127.0.0.1"):
            reach.check(settings, http, collector)
    reach.check(Settings(auth="required"), host, CollectorSettings(grpc_host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_on_loopback_it_starts_without_keys(host: str) -> None:
    reach.check(Settings(), host, CollectorSettings(grpc_host=host))


def test_keys_in_the_clear_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    reach.check(Settings(auth="required"), "0.0.0.0", CollectorSettings())
    assert "keys travel in the clear" in caplog.text
    caplog.clear()
    reach.check(Settings(auth="required", tls_cert="c", tls_key="k"), "0.0.0.0", CollectorSettings())
    reach.check(Settings(auth="required", public_url="https://t.example"), "0.0.0.0", CollectorSettings())
    assert caplog.text == ""


def test_a_request_past_the_gate_gets_no_answer(house: Guarded) -> None:
    with pytest.raises(RuntimeError, match="past the gate"):
        TestClient(house.app).get("/api/v1/extent")
