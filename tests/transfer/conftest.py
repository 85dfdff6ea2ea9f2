"""Where spans of transfers are put, and prices to work with: the user's own, which are heard before any list."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tollbook_attribution import prices
from tollbook_attribution.prices import Price
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Span

AWS = {"cloud.provider": "aws", "cloud.region": "eu-west-1", "cloud.availability_zone": "eu-west-1a", "host.name": "a"}
ZONE_B = {**AWS, "cloud.availability_zone": "eu-west-1b", "host.name": "b"}
GB = 10**9


@pytest.fixture
def intake(store: Store, tmp_path: Path) -> Intake:
    """Where tests put their spans."""
    return Intake(store, tmp_path)


def price(category: str, item: str, amount: str, unit: str, **terms: Any) -> Price:
    """A price of the user's own."""
    given = {"version": "1", "provider": "aws", "model": "", "source": "contract"} | terms
    return Price(category=category, item=item, amount=Decimal(amount), unit=unit, **given)


def set_prices(store: Store) -> None:
    """What the tests of transfer count on: $0.09 a GB over the internet up to 15 GB a month, then $0.07."""
    prices.add(
        store,
        [
            price("transfer", "internet", "0.09", "gb", max_quantity=15),
            price("transfer", "internet", "0.07", "gb", min_quantity=15),
            price("transfer", "internet_in", "0", "gb"),
            price("transfer", "cross_zone", "0.02", "gb"),
            price("transfer", "cross_region", "30", "tb"),
            price("transfer", "private_link", "0.01", "gib"),
            price("transfer", "nat", "0.04", "gb"),
            price("transfer", "internet", "0.05", "gb", region="us-east-1", currency="EUR"),
        ],
    )


def handoff(trace: int, span: int, size: int | None, parent: int = 0, **given: Any) -> Span:
    """A handoff; `network`, `operation`, `source_region` and the like as keywords, else as for `Span`."""
    fields = {name: given.pop(name) for name in ("start_ns", "resource", "service") if name in given}
    attributes = {
        f"tollbook.handoff.{name.replace('_', '.')}": value for name, value in given.items() if not name.startswith("_")
    }
    more = given.get("_more", {})
    sized = {} if size is None else {"tollbook.handoff.size": size}
    workflow = {"gen_ai.workflow.name": f"pipeline {trace}", "tollbook.kind": "handoff"}
    return Span(
        trace, span, parent, **{"name": "handoff", "resource": AWS, **fields, "attributes": attributes | sized | workflow | more}
    )


def http(trace: int, span: int, parent: int, sizes: tuple[int, int], address: str, **fields: Any) -> Span:
    """A request over HTTP with the sizes of its two bodies."""
    attributes = {"http.request.body.size": sizes[0], "http.response.body.size": sizes[1], "server.address": address}
    return Span(trace, span, parent, **{"name": "GET", "kind": "client", "resource": AWS, **fields, "attributes": attributes})
