"""Cache economics by hand: fresh input costs $3 a million, reading $0.30, writing $3.75."""

from datetime import timedelta
from decimal import Decimal

from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.figures import Scope

from tests.answers.books import MONDAY, Spent, write

D = Decimal
HOUR = timedelta(hours=1)
DAY = Scope(MONDAY, MONDAY + timedelta(days=1))


def spent(hour: int, workflow: str, item: str, tokens: int, usd: str, model: str = "sonnet") -> Spent:
    return Spent(MONDAY + hour * HOUR, workflow, usd, 1, item=item, quantity=tokens, model=model)


def test_what_caching_saved_cost_and_wasted(store: Store) -> None:
    million = 1_000_000
    write(
        store,
        [
            spent(0, "rag", "input", million, "3"),
            spent(0, "rag", "cache_write", million, "3.75"),
            spent(1, "rag", "cache_read", 2 * million, "0.6"),
            spent(5, "mail", "cache_write", million, "3.75"),
            spent(9, "mail", "output", million, "15"),
            spent(20, "mail", "cache_read", million, "0.3"),  # long after what was written at five has gone
            spent(23, "late", "cache_write", million, "3.75"),
            spent(24, "late", "cache_read", million, "0.3"),  # beyond the period, and still read
            spent(0, "odd", "cache_read", million, "0.1", model="only-cached"),
        ],
    )
    found = Answers(store).costs.caches(DAY)
    rows = {row.workflow: row for row in found.rows}
    rag, mail, odd = rows["rag"], rows["mail"], rows["odd"]
    assert (rag.saved_usd, rag.write_premium_usd, rag.wasted_usd, rag.net_usd) == (D("5.4"), D("0.75"), 0, D("4.65"))
    assert rag.hit_ratio == 0.5
    assert (mail.saved_usd, mail.wasted_usd, mail.unread_tokens, mail.net_usd) == (D("2.7"), D("0.75"), million, D("1.95"))
    late = rows["late"]
    assert (late.read_tokens, late.unread_tokens, late.write_premium_usd, late.wasted_usd) == (0, 0, D("0.75"), 0)
    assert (odd.saved_usd, odd.net_usd) == (None, None)
    assert (found.saved_usd, found.wasted_usd, found.net_usd, found.unknown_rows) == (D("8.1"), D("0.75"), D("5.85"), 1)
    assert found.hit_ratio == 0.5
    assert (found.avoided_calls, found.avoided_usd) == (0, None)
