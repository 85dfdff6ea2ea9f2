"""Parts wait to be merged while a large hour is written, and no longer."""

from decimal import Decimal

import pytest
from tollbook_attribution import engine, merges, ranges, settle
from tollbook_schema.store import Node, QueryError, Store, StoreError

from tests.attribution.facts import Intake, chat

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


def test_a_small_hour_holds_up_no_merges() -> None:
    assert ranges.Range().tables == ()
