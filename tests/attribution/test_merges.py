"""Parts wait to be merged while a large hour is written, and no longer."""

from decimal import Decimal

import pytest
from tollbook_attribution import engine, merges, ranges, set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema import sql
from tollbook_schema.store import Node, QueryError, Store, StoreError

from tests.attribution.facts import Intake, S, Span, chat
from tests.attribution.laws import assert_the_ledger_balances

MERGED = "OPTIMIZE TABLE calls_settled FINAL"


def test_parts_are_merged_again_after_a_large_hour_that_fails_too(
    embedded_store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = embedded_store
    monkeypatch.setattr(ranges, "SPANS_AT_A_TIME", 2)
    intake.spans([chat(trace, 1, input=1_000) for trace in range(1, 7)])
    refused: list[str] = []
    run = engine.run_step

    def seen(node: Node, step: str, *how: object) -> None:
        run(node, step, *how)  # type: ignore[arg-type]
        if step == "60_requests.sql":
            with pytest.raises(StoreError) as error:
                store.command(MERGED)
            refused.append(str(error.value))
            if len(refused) == 1:
                raise QueryError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "run_step", seen)
        with pytest.raises(QueryError, match="the disk is gone"):
            settle(store)
        store.command(MERGED)
        assert settle(store).amount_usd == Decimal("0.015")
    assert all("Cancelled merging" in said for said in refused), refused
    assert len(refused) == 2
    store.command(MERGED)
    with merges.put_off(store, ("ledger_settled",)):
        store.command(MERGED)  # of another table
    levels = "SELECT max(level) > 0 AS merged FROM system.parts WHERE active AND table = 'calls_settled'"
    assert store.query(levels) == [{"merged": True}]


def test_a_large_hour_takes_out_again_what_it_took_in(
    embedded_store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes over its edges is deleted on the way: where merges are stopped, that would wait for ever."""
    store = embedded_store
    monkeypatch.setattr(ranges, "SPANS_AT_A_TIME", 2)
    set_rate(store, "box", "3.60", 2)
    box = {A.HOST_ID: "h", A.HOST_TYPE: "box"}
    intake.spans([
        *(chat(trace, 1, input=1_000, start_ns=3_900 * S) for trace in range(1, 7)),
        chat(8, 1, scope="framework", input=700, start_ns=3_595 * S, duration_ns=20 * S),
        chat(8, 2, 1, scope="sdk", input=700, start_ns=3_605 * S, duration_ns=5 * S),
        Span(9, 1, start_ns=1_800 * S, duration_ns=3_600 * S, resource=box, attributes={A.TOLLBOOK_CPU_TIME: 3_600 * S}),
        Span(9, 2, 1, start_ns=3_700 * S, duration_ns=60 * S, resource=box),
    ])  # fmt: skip
    settled = settle(store)
    assert (settled.windows, settled.calls) == (2, 7)
    assert_the_ledger_balances(store)
    assert store.query("SELECT quantity FROM ledger WHERE item = 'CPU time' ORDER BY window, quantity") == [
        {"quantity": 1_800},
        {"quantity": 1_800},
    ]
    assert store.query(sql.text("tollbook_attribution", "queries/work_tables_merged.sql")) == []


def test_a_small_hour_holds_up_no_merges() -> None:
    assert ranges.Range().tables == ()
