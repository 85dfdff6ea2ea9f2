"""Who had which data read for which model: the planted principals, and no others."""

from dataclasses import replace
from typing import Any

from fastapi.testclient import TestClient
from tollbook_attribution import engine
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store
from tollbook_ui import api
from tollbook_ui.answers import Answers
from tollbook_ui.dataflow import show
from tollbook_ui.dataflow.figures import Access
from tollbook_ui.figures import Scope

from tests.attribution.facts import NOON, Intake, S, Span, chat
from tests.ui.test_tenants import TenantsIntake

HOUR = Scope(since=NOON, until=NOON.replace(hour=13))
ODD = 'o\'Brien\\ "ж" {x} <b>@example.com'


def asking(
    trace: int, span: int, parent: int = 0, *, who: dict[str, Any] | None = None, asset: str = "prices", **more: Any
) -> Span:
    """A call of a model that used an asset."""
    named = {A.TOLLBOOK_INPUT_ASSET_IDS: [asset], **(who or {})}
    return chat(trace, span, parent, start_ns=span * S, input=10, output=1, attributes=named, **more)


def planted() -> list[Span]:
    """Every way to say who asked, some beside the point."""
    request = {A.TOLLBOOK_KIND: "request"}
    return [
        # Two users in one trace; the second is named two spans above her call.
        Span(1, 1, attributes=request),
        Span(1, 2, 1, attributes={A.USER_ID: "ann"}),
        asking(1, 3, 2),
        Span(1, 4, 1, attributes={"enduser.id": "bob"}),
        Span(1, 5, 4),
        asking(1, 6, 5, response_model="gpt-4o-2024-08-06"),
        # The call's own span is nearer than any other; so is a name that is odd.
        Span(2, 21, attributes={A.USER_ID: "ann"}),
        asking(2, 22, 21, who={"enduser.pseudo.id": ODD}),
        # Nobody is named: the service itself.
        asking(3, 31, service="nightly", resource={"service.namespace": "jobs"}),
        asking(3, 32, service="nightly"),
        # The span above is lost: the only request says who; two that differ say nothing.
        Span(4, 41, attributes={**request, "user.name": "cleo"}),
        asking(4, 42, 49),
        Span(5, 51, attributes={**request, A.USER_ID: "ann"}),
        Span(5, 52, attributes={**request, A.USER_ID: "bob"}),
        asking(5, 53, 59, service="torn"),
        # A span that is its own parent ends the search.
        Span(6, 61, 62),
        asking(6, 62, 61, service="knot"),
        Span(6, 63, 62, attributes={A.USER_ID: "below"}),
        # Other models, other assets.
        asking(7, 71, who={A.USER_ID: "dan"}, model="gpt-4o-mini"),
        asking(8, 81, who={A.USER_ID: "eve"}, asset="stock"),
    ]


def test_the_principals_that_fed_an_asset_to_a_model_are_those_planted(store: Store, intake: Intake) -> None:
    intake.spans(planted())
    TenantsIntake(store, intake.folder, "acme").spans([asking(1, 3, 2, who={A.USER_ID: "fay"})])
    engine.settle(store)
    answers = Answers(store)
    found = answers.data.principals(HOUR, Access("prices", "gpt-4o"))
    assert sorted((row.tenant, row.kind, row.principal, row.calls) for row in found.rows) == sorted([
        ("default", "user", "ann", 1),
        ("default", "user", "bob", 1),
        ("default", "user", ODD, 1),
        ("default", "user", "cleo", 1),
        ("default", "service", "jobs/nightly", 1),
        ("default", "service", "nightly", 1),
        ("default", "service", "torn", 1),
        ("default", "service", "knot", 1),
        ("acme", "user", "fay", 1),
    ])  # fmt: skip
    (bob,) = answers.data.principals(HOUR, Access(principal="bob")).rows
    assert (bob.asset, bob.model, bob.first_at) == ("prices", "gpt-4o-2024-08-06", NOON.replace(second=6))
    assert bob.last_at == bob.first_at
    assert [row.principal for row in answers.data.principals(HOUR, Access(model="gpt-4o-mini")).rows] == ["dan"]
    assert [row.principal for row in answers.data.principals(HOUR, Access(asset="stock")).rows] == ["eve"]
    assert answers.data.principals(HOUR, Access("stock", "gpt-4o-mini")).rows == ()
    assert len(answers.data.principals(HOUR, limit=3).rows) == 3
    assert [row.principal for row in answers.data.principals(replace(HOUR, service="torn")).rows] == ["torn"]
    assert answers.data.principals(replace(HOUR, team="nobody")).rows == ()
    client = TestClient(api.create(answers), base_url="http://localhost")
    asked = {"since": "2026-11-20", "until": "2026-11-21", "principal": ODD}
    assert [row["principal"] for row in client.get("/api/v1/principals", params=asked).json()["rows"]] == [ODD]
    assert client.get("/api/v1/principals", params={**asked, "format": "csv"}).text.count("\n") == 2
    assert len(list(show.principals(found))) == 2
