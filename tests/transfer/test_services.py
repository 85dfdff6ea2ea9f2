"""Services paid by use: what a span tells of its cost counts, else its units at a price, else the reason is named."""

from decimal import Decimal
from typing import Any

from tollbook_attribution import engine, prices
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Span
from tests.transfer.conftest import price

SERVICES = """SELECT reinterpretAsUInt64(reverse(span_id)) AS span, service, item, quantity, basis, unpriced, cost_usd
FROM services ORDER BY span, item"""
CANNOT_BE = "its quantity cannot be: no number, below 0 or absurd"


def asked(span: int, parent: int = 0, **attributes: Any) -> Span:
    """A call of a service; attributes with two underscores for a dot."""
    return Span(
        span // 10, span, parent, kind="client", attributes={key.replace("__", "."): value for key, value in attributes.items()}
    )


def test_services_are_priced_by_what_they_count(store: Store, intake: Intake) -> None:
    prices.add(
        store,
        [
            price("third_party", "read_unit", "0.000016", "read_unit", provider="pinecone", model="serverless"),
            price("third_party", "request", "0.008", "request", provider="tavily", model="web_lookup"),
            price("third_party", "page", "0.0015", "page", provider="ocr", model="scan"),
            price("third_party", "query", "0.001", "query", provider="qdrant"),
        ],
    )
    intake.spans(
        [
            asked(11, db__system__name="pinecone", pinecone__usage__read_units=5),
            asked(21, db__system__name="pinecone", pinecone__usage__read_units=7),
            asked(22, 21, db__system__name="pinecone", pinecone__usage__read_units=7),  # told again from within
            asked(31, db__system__name="chroma", db__operation__cost=0.25),
            asked(41, db__system__name="pinecone", pinecone__usage__write_units=2, db__operation__cost=0),  # 0 is unknown
            asked(51, gen_ai__operation__name="execute_tool", gen_ai__tool__name="web_lookup"),
            asked(61, gen_ai__operation__name="execute_tool", gen_ai__tool__name="add_numbers"),  # nobody's service
            asked(71, db__system__name="postgresql"),  # paid for as a machine
            asked(81, db__system__name="qdrant"),
            asked(91, tollbook__service__name="ocr", tollbook__service__item="page", tollbook__service__quantity=3),
            asked(101, tollbook__service__name="maps", tollbook__service__cost=0.5, tollbook__service__currency="CHF"),
            asked(111, db__system__name="pinecone"),
            *(
                asked(number, tollbook__service__name="ocr", tollbook__service__item="page", tollbook__service__quantity=said)
                for number, said in ((121, -7), (131, "seven"), (141, 1e25))
            ),
            asked(151, db__system__name="pinecone", pinecone__usage__read_units=-5),
        ]
    )
    engine.settle(store)
    assert [tuple(row.values()) for row in store.query(SERVICES)] == [
        (11, "pinecone", "read_unit", 5, "computed", "", Decimal("0.00008")),
        (22, "pinecone", "read_unit", 7, "computed", "", Decimal("0.000112")),
        (31, "chroma", "operation", 1, "provider", "", Decimal("0.25")),
        (41, "pinecone", "write_unit", 2, "computed", "", Decimal("0.000008")),  # of the public list
        (51, "tavily", "request", 1, "computed", "", Decimal("0.008")),
        (81, "qdrant", "query", 1, "computed", "", Decimal("0.001")),
        (91, "ocr", "page", 3, "computed", "", Decimal("0.0045")),
        (101, "maps", "request", 1, "provider", "no exchange rate for CHF on 2026-11-20", None),
        (111, "pinecone", "query", 1, "computed", "no price for a query of pinecone", None),
        *((number, "ocr", "page", 0, "computed", CANNOT_BE, None) for number in (121, 131, 141)),
        (151, "pinecone", "read_unit", 0, "computed", CANNOT_BE, None),
    ]
    total = "SELECT sum(amount_usd) AS usd, count() AS lines FROM ledger WHERE category = 'third_party'"
    assert store.query(total) == [{"usd": Decimal("0.2637"), "lines": 7}]
