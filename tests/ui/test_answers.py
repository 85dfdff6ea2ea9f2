"""Each question and its answer, over an hour whose amounts were worked out by hand."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tollbook_schema import sql
from tollbook_ui import answers as module
from tollbook_ui import figures as f
from tollbook_ui.answers import Answers, BadQuestionError
from tollbook_ui.errors import UnknownTraceError
from tollbook_ui.look import blocks, cost

from tests.attribution.facts import MS, S
from tests.ui.conftest import HOUR, WEEK
from tests.ui.ledger import ANSWER, LOCAL, NOON, REMOTE, STAND_IN, UNPRICED

BOUND: dict[str, Any] = {
    **module._bound(HOUR)[1],
    "trace_id": ANSWER,
    "span_id": "0" * 16,
    "limit": 1,
    "offset": 0,
    "order": "newest",
    "step": "hour",
    "by": ["team"],
    "model": None,
}

ROWS = {
    "accelerator_series": f.AcceleratorPoint,
    "accelerators": f.AcceleratorRow,
    "calls": f.CallRow,
    "cost_by_category": f.CategoryCost,
    "cost_series": f.CostPoint,
    "coverage": f.Coverage,
    "extent": f.Extent,
    "findings": f.Finding,
    "freshness": f.FreshnessRow,
    "freshness_assets": f.AssetAge,
    "freshness_buckets": f.AgeBucket,
    "freshness_points": f.AgePoint,
    "hosts": f.Host,
    "hotspots": f.HotspotRow,
    "owners": f.OwnerRow,
    "rates": f.Rate,
    "receipt_items": f.ReceiptItem,
    "receipt_lines": f.ReceiptLine,
    "receipt_unpriced": f.UnpricedCall,
    "request_assets": f.Asset,
    "request_resources": f.Resource,
    "request_spans": f.Span,
    "requests": f.RequestRow,
    "scaffolding_classes": f.ClassTotal,
    "totals": f.Totals,
    "traffic": f.Traffic,
    "traffic_series": f.TrafficPoint,
    "unpriced_calls": f.UnpricedCalls,
    "workflows": f.WorkflowRow,
}


@pytest.mark.parametrize(("query", "row"), ROWS.items())
def test_a_query_answers_with_the_fields_of_its_row_in_order(answers: Answers, query: str, row: Any) -> None:
    described = answers.store.query(f"DESCRIBE TABLE ({sql.text('tollbook_ui', f'queries/{query}.sql')})", BOUND)
    assert [column["name"] for column in described] == [field.name for field in fields(row)]


def test_the_total_is_the_sum_of_where_the_money_went(answers: Answers) -> None:
    found = answers.overview(HOUR)
    totals = found.totals
    assert totals.total_usd == totals.requests_usd + totals.idle_usd + totals.shared_usd + totals.unattributed_usd
    assert totals.total_usd == module.total(row.amount_usd for row in found.rows)
    assert totals.total_usd == module.total(point.amount_usd for point in found.cost_series)
    tokens = {row.simulated: row.amount_usd for row in found.rows if row.category == "tokens"}
    assert tokens == {False: Decimal("0.0075"), True: Decimal("0.00035")}
    assert totals.simulated_usd == Decimal("0.00035")


def test_the_machine_is_paid_for_whole_and_what_nobody_used_is_idle(answers: Answers) -> None:
    compute = [row for row in answers.overview(HOUR).rows if row.category == "compute"]
    host = answers.hosts(HOUR)
    assert [(row.host, row.host_type, row.rated) for row in host] == [("h1", "box", True)]
    assert module.total(row.amount_usd for row in compute) == host[0].amount_usd


def test_traffic_counts_requests_and_what_they_moved(answers: Answers) -> None:
    traffic = answers.overview(HOUR).traffic
    assert (traffic.requests, traffic.errors, traffic.simulated_requests) == (5, 0, 1)
    assert (traffic.inferences, traffic.handoff_bytes) == (5, 2048 + 4096)
    assert traffic.duration_p50_ns == 80 * MS


def test_what_has_no_price_is_listed_and_not_zero(answers: Answers) -> None:
    found = answers.overview(HOUR).unpriced
    assert [(row.provider, row.model, row.calls, row.example_trace_id) for row in found] == [
        ("house", "house-model-9", 1, UNPRICED)
    ]
    receipt = answers.receipt(UNPRICED)
    assert receipt.total_usd is None
    assert [(call.model, call.price_status) for call in receipt.unpriced] == [("house-model-9", "unpriced")]


def test_coverage_says_what_share_of_the_totals_is_known(answers: Answers) -> None:
    found = answers.coverage(HOUR)
    assert (found.calls_priced, found.calls, found.calls_priced_ratio) == (2, 3, pytest.approx(2 / 3))
    assert (found.tokens_priced, found.tokens, found.tokens_priced_ratio) == (1610, 1625, pytest.approx(1610 / 1625))
    assert (found.hosts_rated, found.hosts) == (1, 1)
    assert (found.inferences_with_age, found.inferences) == (1, 5)
    assert (found.requests_owned, found.requests) == (4, 5)


def test_a_receipt_is_the_sum_of_its_lines_and_of_its_items(answers: Answers) -> None:
    receipt = answers.receipt(ANSWER)
    assert receipt.state == "settled"
    assert receipt.total_usd == module.total(line.amount_usd for line in receipt.rows)
    assert receipt.total_usd == module.total(item.amount_usd for item in receipt.items)
    tokens = [(line.item, line.quantity, line.amount_usd, line.basis) for line in receipt.rows if line.category == "tokens"]
    assert len(tokens) == 2
    assert sum(amount for _, _, amount, _ in tokens) == Decimal("0.0075")
    assert {basis for *_, basis in tokens} == {"computed"}
    assert all(line.price_id and line.price_version for line in receipt.rows)


def test_a_simulated_amount_is_told_apart_on_the_receipt(answers: Answers) -> None:
    receipt = answers.receipt(STAND_IN)
    assert receipt.total_usd == receipt.simulated_usd == Decimal("0.00035")


def test_a_trace_that_is_not_stored_is_unknown(answers: Answers) -> None:
    with pytest.raises(UnknownTraceError, match="00ff"):
        answers.receipt("00ff".rjust(32, "0"))
    with pytest.raises(BadQuestionError, match="32 hex digits"):
        answers.request("not-a-trace")


def test_a_request_shows_its_spans_data_machines_and_money(answers: Answers) -> None:
    found = answers.request(ANSWER.upper())
    assert [(span.name, span.depth, span.start_offset_ns) for span in found.rows] == [
        ("answer", 0, 0),
        ("read corpus", 1, 5 * MS),
        ("chat", 1, 20 * MS),
    ]
    assert [span.self_ns for span in found.rows] == [40 * MS, 10 * MS, 150 * MS]
    assert [(asset.asset_id, asset.age_ns) for asset in found.assets] == [("s3://corpus/a", 3_600 * S)]
    assert [(resource.service_name, resource.host_id, resource.spans) for resource in found.resources] == [("api", "h1", 3)]
    assert found.receipt.total_usd == module.total(span.cost_usd for span in found.rows if span.cost_usd is not None)
    assert found.request is not None
    assert found.request.cost_usd == found.receipt.total_usd


def test_a_span_shows_what_is_stored_of_it(answers: Answers) -> None:
    found = answers.span(ANSWER, f"{13:016x}")
    assert (found["name"], found["request_model"], found["input_tokens"]) == ("chat", "gpt-4o", 1000)
    with pytest.raises(UnknownTraceError):
        answers.span(ANSWER, "ff" * 8)
    with pytest.raises(BadQuestionError, match="16 hex digits, not 'root'"):
        answers.span(ANSWER, "root")


def test_an_owner_whose_calls_have_no_price_has_no_amount(answers: Answers) -> None:
    found = {(row.workflow, row.allocation): row for row in answers.owners(HOUR, by=("workflow",)).rows}
    nameless = found["", "request"]
    assert (nameless.requests, nameless.amount_usd, nameless.unpriced_calls) == (1, None, 1)
    assert found["answers", "request"].unpriced_calls == 0
    assert module.total(row.amount_usd for row in found.values() if row.amount_usd) == answers.overview(HOUR).totals.total_usd
    page = str(blocks.html(cost.owner_table(answers.owners(HOUR, by=("workflow",)), "workflow")))
    assert "+ 1 unpriced" in page
    assert page.index("unknown") > page.index("chats")


@pytest.mark.parametrize(
    ("order", "first"), [("newest", REMOTE), ("oldest", ANSWER), ("duration", UNPRICED), ("bytes", REMOTE), ("age", ANSWER)]
)
def test_requests_come_in_the_order_asked_for(answers: Answers, order: str, first: str) -> None:
    found = answers.requests(HOUR, order=order)
    assert (found.rows[0].trace_id, found.total_count) == (first, 5)


def test_requests_come_in_pages(answers: Answers) -> None:
    pages = [answers.requests(HOUR, limit=2, offset=offset).rows for offset in (0, 2, 4)]
    ids = [row.trace_id for page in pages for row in page]
    assert ids == [REMOTE, LOCAL, UNPRICED, STAND_IN, ANSWER]


def test_an_order_or_page_that_is_not_there_is_refused(answers: Answers) -> None:
    with pytest.raises(BadQuestionError, match="'wealth'; use newest"):
        answers.requests(order="wealth")
    with pytest.raises(BadQuestionError, match="not 0 rows"):
        answers.requests(limit=0)


def test_owners_add_up_to_the_total_with_a_row_for_nobody(answers: Answers) -> None:
    found = answers.owners(HOUR, by=("workflow", "team"))
    assert found.by == ("team", "workflow")
    assert module.total(row.amount_usd for row in found.rows if row.amount_usd is not None) == found.totals.total_usd
    chats = next(row for row in found.rows if row.workflow == "chats")
    assert (chats.team, chats.amount_usd, chats.simulated_usd, chats.requests) == (
        "search",
        Decimal("0.00035"),
        Decimal("0.00035"),
        1,
    )
    assert {row.project for row in found.rows} == {None}
    assert {row.tenant for row in answers.owners(HOUR, by=("tenant",)).rows} == {"default"}
    with pytest.raises(BadQuestionError, match="no owner key 'colour'"):
        answers.owners(by=("colour",))


def test_a_scope_leaves_out_other_owners(answers: Answers) -> None:
    chats = answers.overview(f.Scope(since=HOUR.since, until=HOUR.until, workflow="chats"))
    assert (chats.totals.total_usd, chats.traffic.requests) == (Decimal("0.00035"), 1)
    nobody = answers.requests(f.Scope(since=HOUR.since, until=HOUR.until, team=""))
    assert [row.trace_id for row in nobody.rows] == [UNPRICED]


def test_a_period_is_whole_hours_and_another_period_is_empty(answers: Answers) -> None:
    inside = f.Scope(since=NOON + timedelta(minutes=20), until=NOON + timedelta(minutes=40))
    assert answers.overview(inside).totals == answers.overview(HOUR).totals
    assert answers.overview(f.Scope(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=2))).totals.lines == 0


def test_calls_list_tokens_by_model_and_leave_unknown_counts_unknown(answers: Answers) -> None:
    rows = {(row.model, row.simulated): row for row in answers.calls(HOUR).rows}
    gpt = rows["gpt-4o", False]
    assert (gpt.calls, gpt.input_tokens, gpt.output_tokens, gpt.cost_usd) == (1, 1000, 500, Decimal("0.0075"))
    assert rows["house-model-9", False].cost_usd is None
    assert rows["magika", False].price_status == "local"
    assert rows["magika", False].input_tokens is None


def test_freshness_is_the_age_of_the_oldest_input_at_inference(answers: Answers) -> None:
    found = answers.freshness(HOUR)
    rows = {row.workflow: row for row in found.rows}
    assert (rows["answers"].age_p50_ns, rows["answers"].inferences_with_age) == (3_600 * S, 1)
    assert (rows["chats"].age_max_ns, rows["chats"].inferences) == (None, 1)
    assert [(row.asset_id, row.age_max_ns) for row in found.assets] == [("s3://corpus/a", 3_600 * S)]
    assert [(bucket.upper_ns, bucket.inferences) for bucket in found.buckets if bucket.inferences] == [(86_400 * S, 1)]
    assert [(point.trace_id, point.duration_ns) for point in found.points] == [(ANSWER, 150 * MS)]


def test_hotspots_are_glue_and_never_the_work_itself(answers: Answers) -> None:
    found = answers.hotspots(HOUR)
    copy = next(row for row in found.rows if row.name == "read corpus")
    assert (copy.scaffolding_class, copy.self_ns, copy.bytes, copy.example_trace_id) == ("copy", 10 * MS, 2048, ANSWER)
    assert all(row.scaffolding_class != "useful" for row in found.rows)
    assert sum(row.spans for row in found.classes) == 10


def test_the_same_model_is_compared_in_process_and_remote(answers: Answers) -> None:
    found = answers.comparison(HOUR)
    local, remote = (next(row for row in found.rows if row.workflow == name) for name in ("local", "remote"))
    assert (local.location, local.duration_p50_ns, local.model_p50_ns, local.tax_p50_ns, local.hops_p50) == (
        "in_process", 10 * MS, 8 * MS, 2 * MS, 0,
    )  # fmt: skip
    assert (remote.location, remote.duration_p50_ns, remote.model_p50_ns, remote.tax_p50_ns, remote.hops_p50) == (
        "remote", 30 * MS, 8 * MS, 22 * MS, 1,
    )  # fmt: skip
    assert [(pair.model, pair.duration_ns, pair.tax_ns, pair.bytes, pair.hops) for pair in found.pairs] == [
        ("magika", 20 * MS, 20 * MS, 4096, 1)
    ]


def test_the_week_holds_the_hour_and_the_week_before_holds_nothing(answers: Answers) -> None:
    week = answers.weekly(WEEK)
    assert week.period == f.Period(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    assert week.overview.totals == answers.overview(HOUR).totals
    assert week.previous.totals.lines == 0
    assert week.requests.rows[0].trace_id == ANSWER


def test_sums_keep_digits_that_a_float_or_a_default_decimal_would_lose() -> None:
    assert module.total([Decimal(12345678901234567890), Decimal("1e-18")]) == Decimal("12345678901234567890.000000000000000001")


def test_nobody_asks_a_process_that_has_no_store_open() -> None:
    module.set_current(None)
    with pytest.raises(RuntimeError, match="tollbook up"):
        module.current()
