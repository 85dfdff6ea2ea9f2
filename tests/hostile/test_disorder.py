"""Spans out of order: children first, parents never or hours later, one id twice, no id, ends before starts (P11)."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_schema import attributes as A  # noqa: N812

from tests.hostile import senders
from tests.schema.otlp import attributes
from tests.served import served
from tests.soak.figures import Fault

HOUR_NS = 3_600 * 10**9
MS = senders.MS
CALL = {
    A.TOLLBOOK_KIND: "inference",
    A.GEN_AI_OPERATION_NAME: "chat",
    A.GEN_AI_REQUEST_MODEL: "gpt-4o",
    A.GEN_AI_PROVIDER_NAME: "openai",
    A.GEN_AI_USAGE_INPUT_TOKENS: 1000,
}
"""A call that costs 1000 x $0.0000025 = $0.0025."""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        served(tmp_path_factory.mktemp("disorder")) as server,
        httpx.Client(base_url=server.url, timeout=120, trust_env=False) as web,
    ):
        yield web


@pytest.fixture(scope="module")
def start_ns() -> int:
    """The start of an hour three hours ago."""
    return (time.time_ns() // HOUR_NS - 3) * HOUR_NS


def span(trace: int, number: int, parent: int, start_ns: int, length_ns: int = 10 * MS, **own: Any) -> ExportTraceServiceRequest:
    """One span in a request of its own."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(attributes({A.SERVICE_NAME: "late"}))
    resource.scope_spans.add().spans.add(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=own.pop("name", "work"),
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + length_ns,
        attributes=attributes(own.get("attributes", {})),
    )
    return request


def stored(web: httpx.Client, spans: int, *traces: int) -> None:
    """Waits for spans of these traces, then settles."""
    ids = ", ".join(f"'{trace:032x}'" for trace in traces)
    senders.until(web, f"SELECT count() FROM spans WHERE lower(hex(trace_id)) IN ({ids})", [(spans,)])
    senders.all_loaded(web)  # a span is seen a moment before it is counted
    senders.settle(web)


def ledger(web: httpx.Client, trace: int) -> list[list[Any]]:
    """Team, role and cost of the calls of a trace."""
    return senders.ask(web, f"SELECT team, toString(role), toString(cost_usd) FROM calls WHERE trace_id = unhex('{trace:032x}')")


@pytest.mark.fault("P11", "parent two hours late", "its owner owns the call within one settlement")
def test_a_parent_that_comes_late_is_attributed_by_the_next_settlement(fault: Fault, web: httpx.Client, start_ns: int) -> None:
    senders.send(web, span(1, 12, 11, start_ns + MS, attributes=CALL))
    stored(web, 1, 1)
    assert ledger(web, 1) == [["", "counted", "0.0025"]]
    senders.send(web, span(1, 11, 0, start_ns, 30 * MS, name="answer", attributes={A.TOLLBOOK_TEAM: "search"}))
    stored(web, 2, 1)
    receipt = web.get(f"/api/v1/receipts/{1:032x}").json()
    fault.found(f"owner {ledger(web, 1)[0][0]!r} after one settlement, {receipt['total_usd']} USD as before")
    assert ledger(web, 1) == [["search", "counted", "0.0025"]]
    assert (receipt["name"], receipt["total_usd"]) == ("answer", "0.0025")


@pytest.mark.fault("P11", "children first, parents never", "each counted once, under its own name")
def test_a_child_whose_parent_never_comes_counts_by_itself(fault: Fault, web: httpx.Client, start_ns: int) -> None:
    senders.send(web, span(2, 22, 99, start_ns + 5 * MS, name="orphan", attributes=CALL))
    senders.send(
        web,
        span(3, 33, 32, start_ns + 2 * MS, name="third", attributes=CALL),
        span(3, 32, 31, start_ns + MS, 20 * MS, name="second"),
    )
    senders.send(web, span(3, 31, 0, start_ns, 40 * MS, name="first"))
    stored(web, 4, 2, 3)
    orphan, ordered = (web.get(f"/api/v1/requests/{trace:032x}").json() for trace in (2, 3))
    depths = [(row["name"], row["depth"]) for row in ordered["rows"]]
    fault.found(f"orphan is {orphan['receipt']['name']!r} for {orphan['receipt']['total_usd']} USD; {len(depths)} spans in order")
    assert (orphan["receipt"]["name"], orphan["receipt"]["total_usd"]) == ("orphan", "0.0025")
    assert depths == [("first", 0), ("second", 1), ("third", 2)]
    assert ordered["receipt"]["total_usd"] == "0.0025"


@pytest.mark.fault("P11", "one span id in two traces, and twice in one", "each trace its own; twice in one counts once")
def test_a_span_id_belongs_to_its_trace(fault: Fault, web: httpx.Client, start_ns: int) -> None:
    for trace in (4, 5):
        senders.send(web, span(trace, 44, 0, start_ns, name=f"of {trace}", attributes=CALL))
    senders.send(web, span(5, 44, 0, start_ns, 11 * MS, name="of 5", attributes=CALL))
    stored(web, 3, 4, 5)
    totals = [web.get(f"/api/v1/receipts/{trace:032x}").json()["total_usd"] for trace in (4, 5)]
    fault.found(f"{totals} USD")
    assert totals == ["0.0025", "0.0025"]


@pytest.mark.fault(
    "P11", "ids of zeros, ends before starts, its own parent, a circle", "refused with a reason, or stored and drawn"
)
def test_spans_that_cannot_be_do_no_harm(fault: Fault, web: httpx.Client, start_ns: int) -> None:
    for trace, number in ((0, 1), (6, 0)):
        answer = senders.post(web, "/v1/traces", span(trace, number, 0, start_ns).SerializeToString())
        assert (answer.status_code, b"all zero" in answer.content) == (200, True)
    senders.send(web, span(7, 71, 0, start_ns + 10 * MS, -5 * MS, name="backwards", attributes=CALL))
    senders.send(web, span(8, 81, 81, start_ns, name="own parent", attributes=CALL))
    senders.send(web, span(9, 91, 92, start_ns, name="a"), span(9, 92, 91, start_ns, name="b", attributes=CALL))
    stored(web, 4, 7, 8, 9)
    views = [web.get(f"/api/v1/requests/{trace:032x}") for trace in (7, 8, 9)]
    totals = [view.json()["receipt"]["total_usd"] for view in views]
    fault.found(f"2 refused with a reason; {[view.status_code for view in views]}, {totals} USD")
    assert [view.status_code for view in views] == [200, 200, 200]
    assert totals == ["0.0025"] * 3
    assert [len(view.json()["rows"]) for view in views] == [1, 1, 2]
    (backwards,) = views[0].json()["rows"]
    assert backwards["duration_ns"] == -5 * MS
