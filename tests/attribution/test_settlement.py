"""Settling again, late data, and what readers see meanwhile."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import engine, set_rate, settle, superseded, windows_to_settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Node, QueryError, Store

from tests.attribution.facts import NOON, Intake, Point, S, Span, chat, trace_id
from tests.attribution.laws import assert_the_ledger_balances

HOUR = timedelta(hours=1)
HISTORY = "SELECT window, settlement, amount_usd, difference_usd, previous != 0 AS again FROM settlements ORDER BY settlement"
ONE_CENT_MORE = """
INSERT INTO resource_costs_settled (window, tenant, settlement, category, resource, amount_usd, basis)
VALUES ({window:DateTime('UTC')}, {tenant:String}, {settlement:UInt64}, 'tokens', 'openai/gpt-4o', 0.01, 'computed')
"""
LINES = "SELECT * EXCEPT (settlement) FROM ledger ORDER BY ALL"


def test_nothing_new_means_nothing_to_do(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=1_000)])
    assert settle(store).windows == 1
    assert settle(store).windows == 0


def test_an_empty_store_settles_to_nothing(store: Store) -> None:
    summary = settle(store)
    assert (summary.windows, summary.lines, summary.amount_usd) == (0, 0, Decimal(0))


def test_settling_twice_gives_the_same_lines(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "1", 2)
    intake.spans([chat(1, 1, input=1_000, resource={A.HOST_ID: "h", A.HOST_TYPE: "box"}), chat(2, 1, input=7)])
    settle(store)
    before = store.query(LINES)
    again = settle(store, since=NOON, until=NOON + HOUR)
    assert (again.windows, again.difference_usd) == (1, 0)
    assert store.query(LINES) == before
    assert_the_ledger_balances(store)


def test_a_late_span_changes_its_own_hour_only(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=1_000)])
    intake.spans([chat(2, 1, input=1_000)], NOON + HOUR)
    settle(store)
    intake.spans([chat(3, 1, input=2_000)])
    late = settle(store)
    assert (late.windows, late.difference_usd) == (1, Decimal("0.005"))
    history = [(row["window"].hour, row["amount_usd"], row["difference_usd"], row["again"]) for row in store.query(HISTORY)]
    assert history == [
        (12, Decimal("0.0025"), Decimal("0.0025"), 0),
        (13, Decimal("0.0025"), Decimal("0.0025"), 0),
        (12, Decimal("0.0075"), Decimal("0.005"), 1),
    ]


def test_a_segment_loaded_twice_costs_once(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=1_000)])
    [segment] = intake.folder.iterdir()
    store.load("spans", segment, segment.stem, NOON)
    store.load("spans", segment, "sent again under another name", NOON)
    summary = settle(store)
    assert (summary.spans, summary.amount_usd) == (1, Decimal("0.0025"))


def test_superseded_rows_are_deleted(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=1_000)])
    settle(store)
    settle(store, since=NOON)
    superseded.Removal.of(store).note([NOON])
    superseded.Removal.of(store).run(store, now=True)
    for table in ("ledger", "calls", "requests", "resource_costs", "span_costs"):
        assert store.query(f"SELECT count() AS rows, uniqExact(settlement) AS ids FROM {table}_settled")[0]["ids"] == 1, table
    assert store.query("SELECT count() AS rows FROM work_spans") == [{"rows": 0}]


def test_a_step_that_fails_leaves_what_readers_see(store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    intake.spans([chat(1, 1, input=1_000)])
    settle(store)
    before = store.query(LINES)
    intake.spans([chat(2, 1, input=1_000)])
    run = engine.run_step

    def fails_before_the_end(node: Node, step: str, *how: Any) -> None:
        if step == "90_settlement.sql":
            raise QueryError("the disk is gone")
        run(node, step, *how)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "run_step", fails_before_the_end)
        with pytest.raises(QueryError, match="the disk is gone"):
            settle(store)
    assert store.query(LINES) == before
    assert store.query("SELECT count() AS rows FROM work_spans") == [{"rows": 0}]
    assert settle(store).amount_usd == Decimal("0.005")
    superseded.Removal.of(store).note([NOON])
    superseded.Removal.of(store).run(store, now=True)
    assert store.query("SELECT uniqExact(settlement) AS ids FROM ledger_settled") == [{"ids": 1}]


def test_a_ledger_that_does_not_balance_is_never_shown(store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    intake.spans([chat(1, 1, input=1_000)])
    settle(store)
    before = store.query(LINES)
    run = engine.run_step

    def loses_a_cent(node: Node, step: str, parameters: Any, *how: Any) -> None:
        run(node, step, parameters, *how)
        if step == "59_resource_costs.sql":
            node.command(ONE_CENT_MORE, parameters)

    monkeypatch.setattr(engine, "run_step", loses_a_cent)
    with pytest.raises(QueryError, match="the ledger does not balance"):
        settle(store, since=NOON)
    assert store.query(LINES) == before


def test_an_hour_that_cannot_be_settled_holds_up_no_other(store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    for hours in range(3):
        intake.spans([chat(1, 1, input=1_000)], NOON + hours * HOUR)
    run = engine.run_step

    def fails_at_noon(node: Node, step: str, parameters: Any, *how: Any) -> None:
        if parameters["window"] == NOON:
            raise QueryError("a number is too large")
        run(node, step, parameters, *how)

    monkeypatch.setattr(engine, "run_step", fails_at_noon)
    said = f"the hour of {NOON:%Y-%m-%d} 12:00 UTC of tenant default cannot be settled: a number is too large"
    with pytest.raises(QueryError, match=said):
        settle(store)
    assert [row["window"].hour for row in store.query(HISTORY)] == [13, 14]
    assert [unsettled.window for unsettled in windows_to_settle(store)] == [NOON]


def test_a_range_settles_its_hours_again_and_no_others(store: Store, intake: Intake) -> None:
    for hours in range(3):
        intake.spans([chat(1, 1, input=1_000)], NOON + hours * HOUR)
    settle(store)
    since, until = NOON + timedelta(minutes=90), NOON + timedelta(hours=2)
    assert [unsettled.window for unsettled in windows_to_settle(store, since, until)] == [NOON + HOUR]
    assert settle(store, since=since, until=until).windows == 1


def test_metrics_alone_make_an_hour_to_settle(store: Store, intake: Intake) -> None:
    intake.points([Point("process.cpu.time", 1.0)])
    assert settle(store).windows == 1


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)])
def test_a_sender_with_a_wrong_clock_is_settled_too(store: Store, intake: Intake, at: datetime) -> None:
    intake.spans([chat(1, 1, input=1_000)], at)
    summary = settle(store)
    assert (summary.windows, summary.spans, summary.amount_usd) == (1, 1, Decimal("0.0025"))
    assert settle(store).windows == 0


def test_progress_is_told_after_each_hour(store: Store, intake: Intake) -> None:
    for hours in range(2):
        intake.spans([chat(1, 1, input=1_000)], NOON + hours * HOUR)
    told: list[tuple[int, int, datetime]] = []
    settle(store, progress=lambda *step: told.append(step))
    assert told == [(1, 2, NOON), (2, 2, NOON + HOUR)]


def test_a_request_has_its_name_status_and_owners(store: Store, intake: Intake) -> None:
    intake.spans([
        Span(1, 1, name="POST /intake", kind="server", duration_ns=5 * S, resource={A.TOLLBOOK_SITE: "plant"}),
        Span(1, 2, 1, name="intake", error=True, attributes={A.TOLLBOOK_KIND: "request", A.TOLLBOOK_TEAM: "docs"}),
        Span(1, 3, 2, attributes={A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_SIZE: 10, A.GEN_AI_WORKFLOW_NAME: "w"}),
        chat(1, 4, 2, input=1_000, attributes={A.TOLLBOOK_CUSTOMER: "acme"}),
    ])  # fmt: skip
    settle(store)
    [request] = store.query("SELECT * FROM requests")
    wanted = {
        "name": "intake", "status": "error", "team": "docs", "workflow": "w", "customer": "acme", "site": "plant",
        "span_count": 4, "inference_count": 1, "handoff_count": 1, "handoff_bytes": 10, "hops": 1,
        "duration_ns": 5 * S, "cost_usd": Decimal("0.0025"), "continued": False, "input_age_ns": None,
    }  # fmt: skip
    assert {key: request[key] for key in wanted} == wanted
    [line] = store.query("SELECT team, workflow, customer FROM ledger")
    assert line == {"team": "docs", "workflow": "w", "customer": "acme"}


def test_the_rest_of_a_trace_in_the_next_hour_is_marked_as_continued(store: Store, intake: Intake) -> None:
    intake.spans([Span(1, 1, start_ns=3_590 * S, duration_ns=20 * S), chat(1, 2, 1, start_ns=3_605 * S, input=1_000)])
    intake.spans([chat(2, 1, 99, start_ns=3_605 * S, input=1_000)])
    settle(store)
    rows = store.query("SELECT window, trace_id, continued, cost_usd FROM requests ORDER BY window, trace_id")
    assert [(row["window"].hour, row["trace_id"], row["continued"], row["cost_usd"]) for row in rows] == [
        (12, trace_id(1), False, None),  # nothing of it has a known price
        (13, trace_id(1), True, Decimal("0.0025")),
        (13, trace_id(2), False, Decimal("0.0025")),
    ]


EXPIRE = "ALTER TABLE spans DELETE WHERE received_at < {before:DateTime('UTC')} SETTINGS mutations_sync = 1"


def test_an_hour_whose_facts_have_expired_keeps_its_settlement(store: Store, intake: Intake) -> None:
    """Not even a late span and a wish to settle again make it less; other hours, and an hour never settled, go on."""
    intake.spans([chat(1, 1, input=1_000)])
    intake.spans([chat(2, 1, input=1_000)], NOON + HOUR)
    assert settle(store).amount_usd == Decimal("0.005")
    before = store.query(LINES)
    expired = store.query("SELECT max(received_at) AS at FROM spans")[0]["at"] + timedelta(seconds=1)
    store.command(EXPIRE, {"before": expired})
    assert store.query("SELECT count() AS n FROM spans") == [{"n": 0}]
    assert settle(store, since=NOON).windows == 0
    intake.spans([chat(3, 1, input=9_000)])
    intake.spans([chat(4, 1, input=2_000)], NOON + 2 * HOUR)
    late = settle(store, since=NOON)
    assert (late.windows, late.amount_usd) == (1, Decimal("0.005"))
    assert store.query(LINES)[: len(before)] == before
