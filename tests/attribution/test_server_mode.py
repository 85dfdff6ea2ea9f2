"""The same steps on a ClickHouse server."""

from decimal import Decimal
from pathlib import Path

import pytest
from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span, chat
from tests.attribution.laws import assert_the_ledger_balances
from tests.clickhouse_server import clickhouse_server


@pytest.mark.slow
def test_a_server_settles_to_the_same_ledger(tmp_path: Path) -> None:
    host = {A.HOST_ID: "h", A.HOST_TYPE: "box"}
    folder = tmp_path / "server"
    folder.mkdir()
    with clickhouse_server(folder) as url:
        store = Store.open(url=url)
        store.migrate()
        intake = Intake(store, tmp_path)
        set_rate(store, "box", "3.60", 1)
        intake.spans([
            chat(1, 1, input=1_117, cache_read=1_024, output=46, duration_ns=10 * S, resource=host),
            Span(2, 1, duration_ns=S, resource=host, attributes={A.TOLLBOOK_CPU_TIME: S}),
        ])  # fmt: skip
        assert settle(store).amount_usd == Decimal("0.0119725")
        intake.spans([chat(3, 1, input=1_000)])
        late = settle(store)
        assert (late.windows, late.difference_usd) == (1, Decimal("0.0025"))
        assert settle(store, since=NOON).difference_usd == 0
        assert_the_ledger_balances(store)
        store.close()
