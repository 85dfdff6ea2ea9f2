"""What the money bought: the worked examples T4 and T5, and C05 to C08 over a store."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.figures import Period, Scope
from tollbook_ui.outcomes import formulas
from tollbook_ui.outcomes.figures import Score
from tollbook_ui.periods import BadQuestionError

from tests.answers.books import MONDAY, Spent, write
from tests.attribution.facts import Intake, chat

D = Decimal
DAY = timedelta(days=1)
FIRST, SECOND = Period(MONDAY, MONDAY + DAY), Period(MONDAY + DAY, MONDAY + 2 * DAY)


@pytest.mark.parametrize(("share", "usd"), [("0.3", 144_000), ("0.4", 192_000), ("0.5", 240_000)])
def test_the_integration_tax_of_a_quarter(share: str, usd: int) -> None:
    assert formulas.integration_tax(D(10), D(6), D(80), D(100), D(share)) == usd


def test_growth_by_the_month_and_the_cost_of_one_output() -> None:
    assert round(formulas.monthly_growth(D("0.35"), 18) * 100, 3) == D("1.681")
    assert formulas.unit_cost_change(D("0.4"), D(0)) == D("0.4")
    assert formulas.unit_cost_change(D("0.4"), D("0.4")) == 0


def test_the_return_changes_by_exactly_the_tax(store: Store) -> None:
    write(
        store,
        [
            Spent(MONDAY, "agents", "30", 10, more={"team": "core"}),
            Spent(MONDAY, "search", "10", 10, more={"team": "search"}),
            Spent(MONDAY, "", "8", category="compute", item="cpu", unit="second", allocation="idle"),
        ],
    )
    outcomes, scope = Answers(store).outcomes, Scope(MONDAY, MONDAY + DAY, workflow="agents")
    without = outcomes.roi(scope, D(100))
    taxed = outcomes.roi(scope, D(100), tax_hours=D("0.5"), rate_usd=D(100))
    assert (without.run_usd, without.idle_usd, without.net_usd) == (30, 6, 64)  # three quarters of the idle money
    assert without.net_usd - taxed.net_usd == taxed.tax_usd == 50
    assert taxed == replace(without, tax_usd=D(50), cost_usd=D(86), net_usd=D(14), roi=14 / 86)

    capacity = outcomes.capacity(Scope(MONDAY, MONDAY + DAY))
    assert (capacity.total_usd, capacity.used_usd, capacity.empty_usd) == (48, 40, 8)


def test_idle_and_unowned_add_up_to_what_nobody_used(store: Store) -> None:
    write(
        store,
        [
            Spent(MONDAY, "agents", "30", 10, more={"team": "core"}),
            Spent(MONDAY, "", "4", 2),
            Spent(MONDAY, "", "8", category="compute", item="cpu", unit="second", allocation="idle", more={"team": "core"}),
            Spent(MONDAY, "", "1", category="third_party", item="search", unit="request", allocation="unattributed"),
            Spent(MONDAY, "", "5", category="storage", item="gb", unit="gb", allocation="shared", more={"team": "core"}),
            Spent(MONDAY, "", "2", category="storage", item="gb", unit="gb", allocation="shared"),
        ],
    )
    found = Answers(store).outcomes.capacity(Scope(MONDAY, MONDAY + DAY))
    rows = {row.team: row for row in found.rows}
    assert (rows["core"].used_usd, rows["core"].idle_usd, rows["core"].shared_usd) == (35, 8, 0), "what lies stored is in use"
    assert (rows[""].unowned_usd, rows[""].unattributed_usd) == (6, 1)
    empty = sum(row.idle_usd + row.shared_usd + row.unattributed_usd + row.unowned_usd for row in found.rows)
    assert empty == found.empty_usd == found.total_usd - found.used_usd == 15


def test_forty_percent_more_for_the_same_output_is_flagged(store: Store) -> None:
    write(
        store,
        [
            Spent(MONDAY, "agents", "10", 20, more={"project": "desk"}),
            Spent(MONDAY + DAY, "agents", "14", 20, more={"project": "desk"}),
            Spent(MONDAY, "search", "10", 20),
            Spent(MONDAY + DAY, "search", "14", 28),
        ],
    )
    found = Answers(store).outcomes.output(FIRST, SECOND)
    rows = {row.workflow: row for row in found.rows[1:]}
    assert rows["agents"].unit_cost_change == pytest.approx(0.4)
    assert rows["agents"].flagged
    assert not rows["search"].flagged
    of_project = Answers(store).outcomes.output(FIRST, SECOND, Scope(project="desk")).rows[0]
    assert (of_project.spend_before_usd, of_project.spend_after_usd) == (10, 14)
    assert found.rows[0].unit_cost_change == pytest.approx(28 * 40 / (20 * 48) - 1)


def evaluation(trace: bytes, label: str, value: float | None) -> bytes:
    export = ExportLogsServiceRequest()
    record = (
        export.resource_logs.add()
        .scope_logs.add()
        .log_records.add(trace_id=trace, time_unix_nano=int(MONDAY.timestamp()) * 10**9, event_name="gen_ai.evaluation.result")
    )
    said = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.label": label}
    record.attributes.extend(KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in said.items())
    if value is not None:
        record.attributes.append(KeyValue(key="gen_ai.evaluation.score.value", value=AnyValue(double_value=value)))
    return export.SerializeToString()


def test_scores_make_the_four_headline_numbers_and_the_cost_of_a_good_answer(store: Store, tmp_path) -> None:
    measured = {"duration_ns": 250_000_000, "input_age_ns": 3_600 * 10**9}
    house = Spent(MONDAY, "drafts", "0", 1, model="house-9", priced=False)
    write(store, [Spent(MONDAY, "agents", "10", 4, more={"team": "core", **measured}), house])
    traces = [(1).to_bytes(8, "big") + at.to_bytes(8, "big") for at in range(1, 5)]
    intake = Intake(store, tmp_path)
    for trace, label, value in zip(traces, ("good", "", "bad"), (None, 0.9, 0.9), strict=False):
        intake._load("logs", evaluation(trace, label, value))
    store.command("ALTER TABLE requests_settled UPDATE cost_usd = NULL WHERE workflow = 'drafts' SETTINGS mutations_sync = 1")
    intake._load("logs", evaluation((2).to_bytes(8, "big") + (1).to_bytes(8, "big"), "good", None))
    answers = Answers(store)
    row, unknown = answers.costs.by(Scope(MONDAY, MONDAY + DAY), ["workflow"]).rows
    assert (unknown.good_requests, unknown.usd_per_good_answer) == (1, None)
    assert (row.scored_requests, row.good_requests, row.usd_per_good_answer) == (3, 2, D("3.75"))
    first, rest = answers.costs.by(Scope(MONDAY, MONDAY + DAY), ["hour", "workflow"], limit=1).rows
    assert (first.good_requests, rest.good_requests) == (2, 1)
    point, _drafts = answers.outcomes.headlines(Scope(MONDAY, MONDAY + DAY)).rows
    assert (point.duration_p50_ns, point.input_age_p50_ns, point.usd_per_request) == (250_000_000, 3_600 * 10**9, D("2.5"))
    assert (point.score_mean, round(point.good_ratio or 0, 4)) == (0.9, 0.6667)


def test_a_score_by_hand_replaces_the_one_before(store: Store, tmp_path) -> None:
    Intake(store, tmp_path).spans([chat(7, 71, input=1, output=1)])
    write(store, [Spent(MONDAY, "agents", "1", 1)])
    outcomes, trace = Answers(store).outcomes, f"{7:032x}"
    outcomes.score(Score(trace, label="bad"))
    outcomes.score(Score(trace, label="good"))
    assert store.query("SELECT good FROM scores") == [{"good": True}]
    for wrong in (
        Score(trace),
        Score(f"{8:032x}", label="good"),
        Score("no trace", label="good"),
        Score(trace, value=float("inf")),
    ):
        with pytest.raises(BadQuestionError):
            outcomes.score(wrong)
