"""What calls cost by the price book: conditions, currencies, discounts, contracts, reported costs. Sums worked out by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import currencies, price_book, price_files, settle
from tollbook_attribution.price_files import Wish
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, S, chat, span_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

OURS = """\
provider,model,item,amount,per,currency,valid_from,valid_until,min_quantity,max_quantity,service_tier,batch,region,account,tenant
acme,fast-1,input,1,1M,EUR,,,,,,,,,
acme,fast-1,output,3,1M,EUR,,,,,,,,,
acme,slow-1,input,100,1M,JPY,,,,,,,,,
acme,long-1,input,1,1M,USD,,,,100000,,,,,
acme,long-1,input,4,1M,USD,,,100000,,,,,,
acme,long-1,input,2,1M,USD,,,,100000,,,eu-west-1,,
acme,long-1,input,0.5,1M,USD,,,,100000,,true,,,
acme,seen-1,input,10,1M,USD,,2026-11-20T12:00:30Z,,,,,,,
acme,seen-1,input,2,1M,USD,2026-11-20T12:00:30Z,,,,,,,,
openai,gpt-4.1,input,1.5,1M,USD,,,,,,,,contract-7,
openai,o3,input,1.25,1M,USD,,,,,,,,,default
openai,o3,input,9,1M,USD,,,,,,,,,globex
acme,draw-1,image,0.04,1,USD,,,,,,,,,
"""

USED = {
    "in_euros": {"provider": "acme", "model": "fast-1", "input": 1_000, "output": 100},
    "in_yen": {"provider": "acme", "model": "slow-1", "input": 1_000},
    "short": {"provider": "acme", "model": "long-1", "input": 99_999},
    "long": {"provider": "acme", "model": "long-1", "input": 100_000},
    "in_region": {"provider": "acme", "model": "long-1", "input": 1_000, "attributes": {"gen_ai.request.region": "eu-west-1"}},
    "in_batch": {"provider": "acme", "model": "long-1", "input": 1_000, "attributes": {"gen_ai.request.batch": True}},
    "before": {"provider": "acme", "model": "seen-1", "input": 1_000, "start_ns": 30 * S - 1},
    "after": {"provider": "acme", "model": "seen-1", "input": 1_000, "start_ns": 30 * S},
    "by_account": {"model": "gpt-4.1", "input": 1_000, "attributes": {"gen_ai.account.id": "contract-7"}},
    "by_tenant": {"model": "o3", "input": 1_000},
    "discounted": {"provider": "mistral", "model": "mistral-large-latest", "input": 1_000_000},
    "pictures": {"provider": "acme", "model": "draw-1", "attributes": {"gen_ai.usage.images": 3}},
    "kept_1h": {
        "provider": "anthropic", "model": "claude-sonnet-4-5", "input": 1_000, "cache_write": 600,
        "attributes": {"gen_ai.usage.cache_write.1h.input_tokens": 200},
    },
    "searched": {
        "provider": "anthropic", "model": "claude-sonnet-4-5", "input": 1_000, "attributes": {"gen_ai.usage.web_searches": 2},
    },
    "heard": {"provider": "groq", "model": "whisper-large-v3", "attributes": {"gen_ai.usage.audio_seconds": 3_600}},
    "flex_batch": {"model": "gpt-5-mini", "input": 1_000, "service_tier": "flex"},
    "no_such_tier": {"model": "gpt-4o", "input": 1_000, "service_tier": "flex"},
    "reported": {"input": 1_000, "output": 100, "attributes": {"gen_ai.usage.cost": 0.007}},
    "reported_0": {"input": 1_000, "attributes": {"gen_ai.usage.cost": 0.0}},
    "reported_in_euros": {"input": 1_000, "attributes": {"gen_ai.usage.cost": 0.01, "gen_ai.usage.cost.currency": "EUR"}},
    "reported_in_yen": {"input": 1_000, "attributes": {"gen_ai.usage.cost": 7.0, "gen_ai.usage.cost.currency": "JPY"}},
    "reported_of_unknown": {"provider": "acme", "model": "unheard-of", "input": 5, "attributes": {"gen_ai.usage.cost": 0.5}},
    "aliased": {"provider": "azure.ai.openai", "model": "prod-chat", "input": 1_000},
    "of_two_names": {"provider": "perplexity", "model": "perplexity/sonar", "input": 1_000, "output": 100},
    "with_a_fee": {"provider": "perplexity", "model": "sonar", "input": 1_000, "output": 100},
    "from_cache": {"input": 1_000, "attributes": {"tollbook.cache.hit": True}},
    "only_in_map": {"provider": "openai", "model": "gpt-from-map", "input": 1_000},
    "in_map_too": {"model": "gpt-4o-mini", "input": 1_000},
}  # fmt: skip
"""Calls by what is special about them."""

COSTS = {
    "in_euros": "0.00140946",  # (1000 x 1 + 100 x 3) / 1M EUR x 1.0842
    "short": "0.099999",
    "long": "0.4",
    "in_region": "0.002",
    "in_batch": "0.0005",
    "before": "0.01",
    "after": "0.002",
    "by_account": "0.0015",
    "by_tenant": "0.00125",
    "discounted": "1.7",  # 2 USD less 15 %
    "pictures": "0.12",
    "kept_1h": "0.0039",  # 400 x 3 + 400 x 3.75 + 200 x 6
    "searched": "0.023",
    "heard": "0.111",
    "flex_batch": "0.000125",
    "no_such_tier": "0.0025",
    "reported": "0.007",
    "reported_0": "0.0025",
    "reported_in_euros": "0.010842",
    "reported_in_yen": "0.0025",
    "reported_of_unknown": "0.5",
    "aliased": "0.0025",
    "of_two_names": "0.0005",  # 1,000 x 0.25 + 100 x 2.5; the list has a model of this name beside sonar, which has a fee
    "with_a_fee": "0.0131",  # 1,000 x 1 + 100 x 1 + 12 for 1,000 requests
    "from_cache": "0",
    "only_in_map": "0.0011",
    "in_map_too": "0.00015",  # the list's price: a map without a date fills gaps only
}

MAP = {
    "gpt-from-map": {"litellm_provider": "openai", "input_cost_per_token": 1.1e-06},
    "gpt-4o-mini": {"litellm_provider": "openai", "input_cost_per_token": 9e-06},
}


def load(store: Store, text: str, file: str = "ours.csv", now: datetime = NOW) -> price_book.Loaded:
    """Loads a file of this text into the book."""
    return price_book.load(store, price_files.read(file, text.encode(), Wish(), now))


@pytest.fixture
def calls(store: Store, intake: Intake) -> dict[str, dict[str, Any]]:
    """The calls of `USED`, settled by a book of all kinds of prices."""
    load(store, OURS)
    load(store, json.dumps(MAP), "map.json")
    currencies.set_exchange_rate(store, "EUR", "1.0842", date(2026, 11, 18), now=NOW)
    currencies.set_exchange_rate(store, "JPY", "0.0067", date(2026, 10, 1), now=NOW)
    price_book.set_discount(store, "mistral-2026", "15", now=NOW, provider="mistral", tenant="default")
    price_book.set_discount(store, "not ours", "90", now=NOW, tenant="globex")
    price_book.set_alias(store, "prod-chat", "openai/gpt-4o", now=NOW)
    intake.spans([chat(number, number, **terms) for number, terms in enumerate(USED.values(), start=1)])
    settle(store)
    names = {span_id(number): name for number, name in enumerate(USED, start=1)}
    return {names[row["span_id"]]: row for row in store.query("SELECT * FROM calls")}


def test_every_condition_of_a_price_is_kept(store: Store, calls: dict[str, dict[str, Any]]) -> None:
    costs = {name: call["cost_usd"] for name, call in calls.items() if call["cost_usd"] is not None}
    assert costs == {name: Decimal(usd) for name, usd in COSTS.items()}

    assert (calls["in_yen"]["price_status"], calls["in_yen"]["reason"]) == (
        "unpriced",
        "no exchange rate for JPY of 2026-11-20",
    )
    reasons = {name: call["reason"] for name, call in calls.items() if call["cost_usd"] is not None and call["reason"]}
    assert reasons == {
        "no_such_tier": "service tier flex has no price of its own: priced as standard",
        "reported": "the price book comes to 0.0035 USD",
        "reported_0": "a reported cost of 0 is read as unknown",
        "reported_in_euros": "the price book comes to 0.0025 USD",
        "reported_in_yen": "the reported cost is not read: no exchange rate for JPY of 2026-11-20",
        "aliased": "stands for openai/gpt-4o",
        "from_cache": "answered from a cache of one's own: nothing to pay",
    }

    bases = {name for name, call in calls.items() if call["basis"] == "provider"}
    assert bases == {"reported", "reported_in_euros", "reported_of_unknown"}
    assert (calls["reported"]["provider_cost_usd"], calls["reported"]["computed_usd"]) == (Decimal("0.007"), Decimal("0.0035"))
    assert (calls["reported_0"]["provider_cost_usd"], calls["reported_0"]["flags"]) == (None, ["reported_cost_zero"])
    assert (calls["from_cache"]["avoided_usd"], calls["from_cache"]["cost_usd"]) == (Decimal("0.0025"), 0)

    lines = store.query("SELECT * FROM ledger ORDER BY span_id, item")
    of = {name: [line for line in lines if line["span_id"] == calls[name]["span_id"]] for name in calls}
    euros = of["in_euros"][0]
    assert (euros["item"], euros["amount"], euros["currency"], euros["amount_usd"]) == (
        "input",
        Decimal("0.001"),
        "EUR",
        Decimal("0.0010842"),
    )
    assert [line["method"] for line in of["discounted"]] == ["counted on the span of the call, less 15 % (mistral-2026)"]
    assert [(line["item"], line["amount_usd"], line["basis"]) for line in of["reported"]] == [
        ("input", Decimal("0.005"), "provider"),
        ("output", Decimal("0.002"), "provider"),
    ]
    assert [(line["item"], line["unit"], line["amount"], line["currency"]) for line in of["reported_in_euros"]] == [
        ("input", "token", Decimal("0.01"), "EUR")
    ]
    assert [(line["item"], line["unit"]) for line in of["reported_of_unknown"]] == [("reported", "request")]
    assert {line["price_id"] for line in of["by_tenant"]} == {"openai/o3/input (tenant default)"}


EDGES = [
    ({"provider": "deepseek", "model": "deepseek-chat"}, datetime(2026, 3, 2, 16, 30, tzinfo=UTC), "0.00027", "0.000135"),
    ({"provider": "deepseek", "model": "deepseek-chat"}, datetime(2026, 3, 3, 0, 30, tzinfo=UTC), "0.000135", "0.00027"),
    ({"model": "o3"}, datetime(2025, 6, 10, tzinfo=UTC), "0.01", "0.002"),
]
"""What 1,000 tokens of input cost just before an edge and at it."""


def test_a_price_of_hours_or_lengths_holds_there_whatever_is_set_later_for_all(store: Store, intake: Intake) -> None:
    terms = {"provider": "acme", "model": "day-1", "item": "input", "per": "1M"}
    set_now = {"amount": "1", "time_from": "12:00", "time_until": "13:00"}
    price_book.set_price(store, {**terms, **set_now}, NOW)
    price_book.set_price(store, {**terms, "model": "long-2", "amount": "4", "min_quantity": "2000"}, NOW)
    for model in ("day-1", "long-2"):
        price_book.set_price(store, {**terms, "model": model, "amount": "2"}, NOW + timedelta(minutes=1))
    calls = [("day-1", 1_000, 0), ("day-1", 1_000, 3_600 * S), ("long-2", 1_999, 0), ("long-2", 2_000, 0)]
    intake.spans([
        chat(number, number, provider="acme", model=model, input=length, start_ns=start_ns)
        for number, (model, length, start_ns) in enumerate(calls, start=1)
    ])  # fmt: skip
    settle(store)
    costs = store.query("SELECT cost_usd FROM calls ORDER BY trace_id")
    assert [row["cost_usd"] for row in costs] == [Decimal(usd) for usd in ("0.001", "0.002", "0.003998", "0.008")]


def test_both_sides_of_an_edge_are_exact(store: Store, intake: Intake) -> None:
    for number, (model, edge, _, _) in enumerate(EDGES, start=1):
        for side, start_ns in ((0, S - 1), (1, S)):
            call = chat(number, 10 * number + side, input=1_000, start_ns=start_ns, duration_ns=1, **model)
            intake.spans([call], edge - timedelta(seconds=1))
    settle(store)
    costs = store.query("SELECT cost_usd FROM calls ORDER BY trace_id, span_id")
    assert [row["cost_usd"] for row in costs] == [Decimal(usd) for _, _, *sides in EDGES for usd in sides]
