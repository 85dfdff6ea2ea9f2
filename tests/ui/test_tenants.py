"""Two tenants in one store: with a key of one, no route and no SQL tells anything of the other (S11)."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from tollbook_attribution import set_rate, settle
from tollbook_collector import segment as segments
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store
from tollbook_ui import answers as module
from tollbook_ui.answers import Answers

from tests.attribution.facts import MS, NOON, Intake, Point, S, Span, chat
from tests.conftest import emptied
from tests.ui.guarded import OPERATOR_TOKEN, Guarded, guarded

HOUR = {"since": "2026-11-20T12:00", "until": "2026-11-20T13:00"}
TENANTS = ("acme", "umbrella")
TRACES = {"acme": f"{1:032x}", "umbrella": f"{2:032x}"}
SPANS = {"acme": f"{11:016x}", "umbrella": f"{21:016x}"}
SHARED = 7
"""A trace that both have, with the same span in it."""
HIDDEN = "umbrella"
"""In every name that tenant umbrella gave to anything, and in no other."""


@dataclass
class TenantsIntake(Intake):
    """Loads facts as the collector does for the key of a tenant."""

    tenant: str = "default"

    def _load(self, signal: Any, body: bytes) -> None:
        path = self.folder / uuid.uuid4().hex
        named = segments.digest(signal, self.tenant, body)
        path.write_bytes(segments.frame(len(body), named, _resources(signal, body), self.tenant) + body)
        self.store.load(signal, path, path.name, NOON)


def _resources(signal: str, body: bytes) -> int:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    if signal == "spans":
        return len(ExportTraceServiceRequest.FromString(body).resource_spans)
    return len(ExportMetricsServiceRequest.FromString(body).resource_metrics)


def facts_of(intake: TenantsIntake, number: int) -> None:
    """An hour of one tenant, whose name is in everything that it names."""
    name = intake.tenant
    host = {A.HOST_ID: f"{name}-host", A.HOST_NAME: f"{name}-host", A.HOST_TYPE: "box"}
    owners = {
        A.TOLLBOOK_TEAM: f"{name}-team",
        A.GEN_AI_WORKFLOW_NAME: f"{name}-workflow",
        "tollbook.project": f"{name}-project",
        "tollbook.feature": f"{name}-feature",
        "tollbook.customer": f"{name}-customer",
    }
    handoff = {
        A.TOLLBOOK_KIND: "handoff",
        A.TOLLBOOK_HANDOFF_OPERATION: "lookup",
        A.TOLLBOOK_HANDOFF_SIZE: 100,
        A.TOLLBOOK_SCAFFOLDING_CLASS: "lookup",
        A.TOLLBOOK_ASSET_ID: f"s3://{name}/corpus",
        A.TOLLBOOK_ASSET_EVENT_TIME: int(NOON.timestamp()) * S - 3600 * S,
    }
    secret = {"prompt": f"{name} prompt", "gen_ai.input.messages": f"{name} message"}
    root = number * 10 + 1
    common: dict[str, Any] = {"service": f"{name}-service", "resource": host}
    used = {A.TOLLBOOK_CPU_TIME: 50 * MS, A.TOLLBOOK_KIND: "request"}
    spans = [Span(number, root, 0, f"{name} answer", 0, 200 * MS, attributes=owners | used | secret, **common)]
    for turn in range(3):
        found = owners | handoff
        spans.append(Span(number, root + 1 + turn, root, f"{name} lookup", (5 + turn) * MS, MS, attributes=found, **common))
    call: dict[str, Any] = {"model": f"{name}-model", "input": 100, "output": 10, "start_ns": 20 * MS, "duration_ns": 99 * MS}
    spans.append(chat(number, root + 8, root, name=f"{name} chat", attributes=owners | secret, **call, **common))
    priced: dict[str, Any] = {**call, "model": "gpt-4o"}
    spans.append(chat(number, root + 9, root, name=f"{name} chat", attributes=owners | secret, **priced, **common))
    spans.append(chat(SHARED, 1, name=f"{name} shared", attributes=owners, **{**priced, "input": number * 1_000}, **common))
    intake.spans(spans)
    gpu = {"hw.id": f"{name}-gpu", "hw.type": "gpu"}
    intake.points([Point("hw.gpu.utilization", 0.5, second * S, attributes=gpu, **common) for second in range(5)])


@pytest.fixture(scope="module")
def house(_session_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A guarded server over a settled hour of two tenants."""
    store, folder = emptied(_session_store), tmp_path_factory.mktemp("two")
    set_rate(store, "box", "0.36", 2)
    for number, tenant in enumerate(TENANTS, 1):
        facts_of(TenantsIntake(store, folder, tenant), number)
    settle(store)
    found = guarded(store, folder)
    module.set_current(Answers(store), guarded=True)
    yield found
    module.set_current(None)


@pytest.fixture(scope="module")
def clients(house: Guarded) -> dict[str, TestClient]:
    """Somebody of each tenant."""
    return {tenant: house.client(house.key("read", tenant=tenant)) for tenant in TENANTS}


NAMED = {"trace_id": TRACES[HIDDEN], "span_id": SPANS[HIDDEN], "week": "2026-W47"}
ASKED = [{"by": "team,workflow,customer"}, {"format": "csv", "service": f"{HIDDEN}-service", "team": f"{HIDDEN}-team"}]


def questions(house: Guarded) -> list[str]:
    """Every GET that the API describes, asked for the trace, span, week and names of tenant umbrella, as far as it takes them."""
    found = []
    for path, methods in house.app.openapi()["paths"].items():
        if "get" in methods and "/keys" not in path and "reports" not in path:
            known = {told["name"] for told in methods["get"].get("parameters", []) if told["in"] == "query"}
            for more in ASKED:
                asked = {name: value for name, value in {**HOUR, **more}.items() if name in known}
                found.append(f"{path.format(**NAMED)}?{urlencode(asked)}")
    return [*found, *(f"/api/v1/reports/2026-W47?{urlencode({**HOUR, 'format': shape})}" for shape in ("json", "html"))]


def test_no_route_tells_a_tenant_of_another(house: Guarded, clients: dict[str, TestClient]) -> None:
    told_to_its_own = 0
    for question in questions(house):
        answer = clients["acme"].get(question)
        body = answer.text.replace(question, "")
        assert HIDDEN not in body, question
        assert answer.status_code in (200, 403, 404, 422), question
        told_to_its_own += "csv" not in question and HIDDEN in clients[HIDDEN].get(question).text
    assert told_to_its_own > 20, "the hour of tenant umbrella shows in too few answers for this test to mean much"


def test_a_trace_of_another_tenant_is_a_trace_that_is_not_stored(clients: dict[str, TestClient]) -> None:
    theirs, nobodys = TRACES[HIDDEN], f"{99:032x}"
    for path in ("requests/{0}", "receipts/{0}", "requests/{0}/spans/" + SPANS[HIDDEN], "requests/{0}/same_data"):
        refused, unknown = (clients["acme"].get(f"/api/v1/{path.format(trace)}") for trace in (theirs, nobodys))
        assert (refused.status_code, refused.text.replace(theirs, nobodys)) == (unknown.status_code, unknown.text)


def test_totals_are_of_one_tenant_and_add_up_to_the_operators(house: Guarded, clients: dict[str, TestClient]) -> None:
    operator = house.client(OPERATOR_TOKEN)
    spans = {who: client.get("/api/v1/extent").json()["spans"] for who, client in {**clients, "operator": operator}.items()}
    assert spans == {"acme": 7, "umbrella": 7, "operator": 14}
    calls = [
        client.get("/api/v1/overview", params=HOUR).json()["traffic"]["requests"] for client in (*clients.values(), operator)
    ]
    assert calls == [2, 2, 4]


def test_a_trace_id_of_two_tenants_is_two_requests(house: Guarded, clients: dict[str, TestClient]) -> None:
    operator, trace = house.client(OPERATOR_TOKEN), f"{SHARED:032x}"
    for path in (f"/api/v1/receipts/{trace}", f"/api/v1/requests/{trace}", f"/api/v1/requests/{trace}/spans/{1:016x}"):
        refused = operator.get(path)
        assert refused.status_code == 422
        assert f"trace {trace} is one of several tenants, acme, umbrella: say whose with tenant" in refused.text
        for tenant, client in clients.items():
            assert operator.get(path, params={"tenant": tenant}).json() == client.get(path).json()
        assert clients["acme"].get(path, params={"tenant": HIDDEN}).status_code == 404
    assert operator.get(f"/api/v1/requests/{trace}/same_data", params={"tenant": "acme"}).status_code == 200
    for told in ({"label": "good"}, {"label": "good", "tenant": "acme"}):
        answer = operator.post("/api/v1/scores", json={"trace_id": trace, **told})
        assert (answer.status_code, "say whose with tenant" in answer.text) == ((200, False) if "tenant" in told else (422, True))
    paid = {tenant: client.get(f"/api/v1/receipts/{trace}").json()["total_usd"] for tenant, client in clients.items()}
    assert {tenant: Decimal(usd) for tenant, usd in paid.items()} == {"acme": Decimal("0.0026"), "umbrella": Decimal("0.0051")}
    listed = operator.get("/api/v1/requests", params=HOUR).json()["rows"]
    assert sorted(row["cost_usd"] for row in listed if row["trace_id"] == trace) == sorted(paid.values())


def test_what_is_joined_over_traces_adds_up_over_tenants(house: Guarded, clients: dict[str, TestClient]) -> None:
    operator = house.client(OPERATOR_TOKEN)
    for path, count in (("freshness", "inferences"), ("workflows", "requests"), ("hotspots", "spans")):
        whole, *parts = (sum(row[count] for row in rows_of(client, path)) for client in (operator, *clients.values()))
        assert whole == sum(parts), path
    whole, *shares = (client.get("/api/v1/freshness", params=HOUR).json()["coverage"] for client in (operator, *clients.values()))
    for counted in ("calls", "calls_priced", "inferences", "requests", "requests_owned"):
        assert whole[counted] == sum(share[counted] for share in shares), counted


def rows_of(client: TestClient, path: str) -> list[dict[str, Any]]:
    """The rows of an answer about the hour."""
    rows: list[dict[str, Any]] = client.get(f"/api/v1/{path}", params=HOUR).json()["rows"]
    return rows


ROUND_ABOUT = [
    "SELECT * FROM spans",
    "SELECT * FROM otel_traces",
    "SELECT * FROM span_content",
    "SELECT * FROM metrics",
    "SELECT * FROM ledger",
    "SELECT * FROM requests",
    "SELECT * FROM calls",
    "SELECT * FROM findings",
    "SELECT * FROM accelerator_usage",
    "SELECT * FROM settlements",
    "SELECT * FROM api_keys",
    "SELECT * FROM spans WHERE tenant = 'umbrella'",
    "SELECT * FROM default.spans AS s WHERE s.tenant != 'acme' OR 1 = 1",
    "SELECT DISTINCT tenant FROM spans UNION ALL SELECT DISTINCT tenant FROM ledger UNION ALL SELECT tenant FROM settlements",
    "SELECT groupArray(service_name) FROM spans",
    "SELECT (SELECT groupArray(name) FROM spans)",
    "WITH s AS (SELECT name FROM spans) SELECT * FROM s",
    "SELECT b.name FROM spans AS a RIGHT JOIN spans AS b ON a.span_id = b.span_id",
    "SELECT * FROM view(SELECT name FROM spans)",
    "SELECT name FROM spans WHERE throwIf(position(name, 'umbrella') > 0) = 0",
    "SELECT name FROM spans PREWHERE toUInt64(name) = 1",
    "SELECT name FROM spans WHERE toUInt64(name) = 1",
    "SELECT * FROM merge('default', 'spans')",
    "SELECT * FROM merge(currentDatabase(), '.*')",
    "SELECT * FROM loop(spans)",
    "SELECT * FROM mergeTreeIndex(default, spans)",
    "SELECT * FROM remote('127.0.0.1', default.spans)",
    "SELECT * FROM clusterAllReplicas('default', default.spans)",
    "SELECT * FROM file('*')",
    "SELECT * FROM url('http://127.0.0.1:1/')",
    "SELECT * FROM system.query_log",
    "SELECT * FROM system.processes",
    "SELECT query FROM system.query_cache",
    "SELECT * FROM system.settings",
    'SELECT * FROM "system"."parts_columns"',
    "SELECT * FROM information_schema.columns",
    "SHOW TABLES",
    "SHOW CREATE TABLE spans",
    "EXPLAIN SELECT * FROM spans",
    "SELECT name FROM spans SETTINGS additional_table_filters = {}",
    "SELECT getSetting('additional_table_filters')",
    "SET additional_table_filters = {}",
    "SELECT 1; SELECT name FROM spans",
    "INSERT INTO spans (tenant, name) VALUES ('umbrella', 'planted')",
    "SELECT * FROM schema_migrations",
    "SELECT dictGet('default.x', 'y', 1)",
]


def test_no_sql_tells_a_tenant_of_another(clients: dict[str, TestClient]) -> None:
    answered = []
    for statement in ROUND_ABOUT:
        for shape in ("json", "csv"):
            answer = clients["acme"].post(f"/api/v1/sql?format={shape}", json={"query": statement})
            told = answer.text.replace("'umbrella'", "").replace("\\'umbrella\\'", "")
            assert HIDDEN not in told, statement
            assert answer.status_code in (200, 400), (statement, answer.text)
        answered += [statement] if answer.status_code == 200 else []
    assert set(answered) >= set(ROUND_ABOUT[:5])
    assert not [
        statement for statement in answered if any(word in statement for word in ("system", "merge", "SETTINGS", "INSERT"))
    ]


def test_a_tenants_own_rows_are_all_there(clients: dict[str, TestClient]) -> None:
    for tenant in TENANTS:
        answer = clients[tenant].post("/api/v1/sql", json={"query": "SELECT DISTINCT toString(tenant), service_name FROM spans"})
        assert answer.json()["rows"] == [[tenant, f"{tenant}-service"]]
