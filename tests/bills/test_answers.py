"""What is asked of bills: the statement adds up, orphans are named both ways, a mapping counts, FOCUS comes out clean."""

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.bills import export
from tollbook_ui.bills.figures import NewMapping, Reconciliation
from tollbook_ui.figures import Period
from tollbook_ui.periods import BadQuestionError

from tests.attribution.facts import NOON, Intake, S, Span, chat
from tests.bills.conftest import Folder, focus
from tests.conftest import emptied

DAY = Period(NOON.replace(hour=0), NOON.replace(hour=0) + timedelta(days=1))


@pytest.fixture(scope="module")
def answers(_session_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """An hour of two machines and two calls, and a bill of one of the machines, one that nobody saw, and a tax."""
    store, path = emptied(_session_store), tmp_path_factory.mktemp("bills")
    for kind in ("box", "rack"):
        set_rate(store, kind, "1.00", 1)
    hour = {"duration_ns": 3600 * S - 1, "attributes": {A.TOLLBOOK_CPU_TIME: 900 * S, "tollbook.team": "core"}}
    Intake(store, path).spans([
        Span(1, 1, resource={A.HOST_ID: "i-0abc", A.HOST_TYPE: "box"}, service="a", **hour),
        Span(2, 1, resource={A.HOST_ID: "i-0def", A.HOST_TYPE: "rack"}, service="b", **hour),
        chat(3, 1, input=1000, output=100),
    ])  # fmt: skip
    settle(store)
    found = Answers(store)
    file = Folder(path).csv(
        focus(BilledCost="1.25", EffectiveCost="1", ConsumedQuantity="1"),
        focus(BilledCost="3", ResourceId="i-unseen", ConsumedQuantity="2"),
        focus(BilledCost="0.7", ChargeCategory="Tax", ResourceId="", ServiceName="Tax", ConsumedQuantity=""),
    )
    assert found.bills.take([file]).reconciled
    settle(store)
    return found


def add_up(found: Reconciliation) -> None:
    for row in found.rows:
        assert row.attributed + row.idle + row.shared + row.unattributed == row.billed
        assert row.price_usd + row.quantity_usd + row.unknown_usage_usd == row.billed_usd - row.estimate_usd


def test_bills_and_ledger_are_set_against_each_other(answers: Answers) -> None:
    found = answers.bills.reconciliation()
    add_up(found)
    machines, tax = found.rows
    assert (machines.service, machines.billed, machines.pending) == ("Amazon Elastic Compute Cloud", Decimal("4.25"), 0)
    assert round(machines.attributed + machines.idle, 6) == Decimal("1.25")
    assert (tax.billed, tax.unattributed) == (Decimal("0.7"), Decimal("0.7"))
    assert round(machines.price_usd, 6) == Decimal("0.25")
    assert {(row.resource, row.reason) for row in found.billed_only} == {("i-unseen", "no telemetry"), ("", "tax")}
    assert [(row.resource, row.hours) for row in found.seen_only] == [("host:i-0def", 1)]
    assert round(found.not_in_the_bill_usd, 6) == 1
    assert {row.item: row.amount for row in found.remainders}["tax"] == Decimal("0.7")
    assert found.unsettled_hours == 0


def test_a_mapping_says_what_cannot_be_known(answers: Answers) -> None:
    made = answers.bills.map(NewMapping("compute/host:i-0def", resource="i-uns%"))
    settle(answers.store)
    found = answers.bills.reconciliation(provider="aws", period="2026-11")
    add_up(found)
    assert found.seen_only == ()
    assert "i-unseen" not in {row.resource for row in found.billed_only}
    assert [row.mapping_id for row in answers.bills.mappings()] == [made.mapping_id]
    answers.bills.unmap(made.mapping_id)
    settle(answers.store)
    assert [row.resource for row in answers.bills.reconciliation().seen_only] == ["host:i-0def"]
    assert answers.bills.mappings() == ()
    for wrong in (NewMapping("compute/host:x"), NewMapping("rent/x", provider="aws"), NewMapping("tokens", provider="aws")):
        with pytest.raises(BadQuestionError):
            answers.bills.map(wrong)


def test_the_effective_cost_can_be_what_counts(answers: Answers) -> None:
    assert answers.bills.reconcile(cost="effective")
    settle(answers.store)
    found = answers.bills.reconciliation()
    add_up(found)
    assert found.cost == "effective"
    assert found.rows[0].billed == Decimal("2.5")
    with pytest.raises(BadQuestionError, match="billed or effective"):
        answers.bills.reconcile(cost="list")
    assert answers.bills.reconcile(cost="billed")
    settle(answers.store)
    assert answers.bills.reconciliation().rows[0].billed == Decimal("4.25")


def test_bills_are_listed_and_summed(answers: Answers) -> None:
    [period] = answers.bills.periods()
    assert (period.provider, period.billing_account_id, period.lines, period.billed_cost) == (
        "aws",
        "payer-1",
        3,
        Decimal("4.95"),
    )
    shown = answers.bills.show(period="2026-11")
    assert sum(row.billed_cost for row in shown.rows) == period.billed_cost
    assert answers.bills.show(provider="azure").rows == ()


def test_a_tenant_sees_its_own_bills_only(answers: Answers) -> None:
    other = answers.of("acme")
    assert other.bills.periods() == ()
    assert other.bills.reconciliation().rows == ()
    assert len(answers.of("default").bills.reconciliation().rows) == 2


def test_what_was_attributed_is_told_as_focus(answers: Answers, tmp_path: Path) -> None:
    lint = pytest.importorskip("focus_data_toolkit.model.validator")
    text = b"".join(export.focus_csv(answers.store, DAY)).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    [total] = answers.store.query("SELECT sum(amount) AS amount FROM ledger")
    assert sum(Decimal(row["BilledCost"]) for row in rows) == total["amount"]
    report = lint.lint_focus_1_4_structure("Cost and Usage", rows)
    assert report.ok, report.messages()[:5]
    ratios: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        if row["AllocatedMethodId"]:
            [element] = json.loads(row["AllocatedMethodDetails"], parse_float=Decimal)["Elements"]
            origin = row["ResourceId"], row["ServiceName"]
            ratios[origin] = ratios.get(origin, Decimal(0)) + element["AllocatedRatio"]
    assert set(ratios.values()) == {1}
    assert {json.loads(row["AllocatedTags"]).get("team") for row in rows if row["AllocatedTags"]} >= {"core"}
    file = tmp_path / "focus.parquet"
    assert answers.bills.export(file, DAY.since, DAY.until, "parquet") > 0
    assert file.read_bytes()[:4] == b"PAR1"
