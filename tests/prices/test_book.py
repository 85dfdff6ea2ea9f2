"""The price book over the API: files, prices, rates, names, differences, and settling again."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tollbook_attribution import settle
from tollbook_schema.store import Store
from tollbook_ui import api
from tollbook_ui.answers import Answers
from tollbook_ui.pricebook import reading
from tollbook_ui.pricebook.figures import NewExchangeRate, NewPrice
from tollbook_ui.pricebook.remote import RemotePriceBook

from tests.attribution.facts import Intake, chat

OURS = "provider,model,item,amount,per,currency,valid_from,valid_until\n"
GOOD = OURS + "acme,fast-1,input,1.10,1M,EUR,2026-01-01,\nacme,fast-1,input,1.00,1M,EUR,,2026-01-01\n"
BAD = OURS + 'acme,fast-1,input,"1,10",1M,EUR,,\nacme,fast-1,output,3,1M,EUR,,\nacme,fast-1,output,4,1M,EUR,2026-01-01,\n'


@pytest.fixture
def client(store: Store) -> TestClient:
    """The API over an empty store."""
    return TestClient(api.create(Answers(store)))


@pytest.fixture
def book(client: TestClient) -> RemotePriceBook:
    """The price book as a command has it of a running server."""

    def call(kind: Any, path: str, asked: Any, body: object | None, method: str | None = None) -> Any:
        from pydantic import TypeAdapter

        sent = json.loads(json.dumps(body, default=str))
        given = {name: value for name, value in asked.items() if value is not None}
        answer = client.request(method or ("GET" if body is None else "POST"), f"/api/v1{path}", params=given, json=sent)
        assert answer.status_code == 200, answer.text
        return TypeAdapter(kind).validate_json(answer.content)

    return RemotePriceBook(call)


def test_a_file_is_loaded_whole_once_or_not_at_all(client: TestClient, book: RemotePriceBook) -> None:
    found = client.post("/api/v1/prices/imports", json={"name": "ours.csv", "content": BAD}).json()
    assert found["added"] == 0
    assert [(row["line"], row["column"], row["level"]) for row in found["rows"]] == [
        (2, "amount", "error"),
        (4, "valid_from", "error"),
    ]
    assert book.prices(provider="acme") == ()

    assert (book.take("ours.csv", GOOD.encode()).added, book.take("ours.csv", GOOD.encode()).added) == (2, 0)
    first, second = book.prices(provider="acme")
    assert (first.quoted, first.currency, first.valid_from, first.valid_until) == (
        Decimal("1.1"),
        "EUR",
        datetime(2026, 1, 1, tzinfo=UTC),
        None,
    )
    assert (second.amount, second.valid_from, second.source) == (Decimal("0.000001"), None, "file ours.csv")

    changed = book.against("ours.csv", GOOD.replace("1.10", "1.21").encode())
    assert [(row.before, row.after) for row in changed.rows] == [(Decimal("0.0000011"), Decimal("0.00000121"))]


def test_the_newest_version_of_a_map_decides_and_both_are_kept(store: Store, book: RemotePriceBook) -> None:
    maps = [
        {"gpt-x": {"litellm_provider": "openai", "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06}},
        {"gpt-x": {"litellm_provider": "openai", "input_cost_per_token": 2e-06}},
    ]
    first, second = (book.take("map.json", json.dumps(each).encode()) for each in maps)
    assert [(row.item, row.amount) for row in book.prices(source="litellm")] == [("input", Decimal("0.000002"))]
    assert store.query("SELECT count() AS rows FROM prices WHERE source = 'litellm'") == [{"rows": 3}]
    changes = book.differences(first.version, second.version, "litellm")
    assert [(row.price_id, row.before, row.after) for row in changes.rows] == [
        ("openai/gpt-x/input", Decimal("0.000001"), Decimal("0.000002")),
        ("openai/gpt-x/output", Decimal("0.000004"), None),
    ]


def test_a_name_is_shown_with_the_price_that_decides_at_a_time(client: TestClient, book: RemotePriceBook) -> None:
    book.take("ours.csv", GOOD.encode())
    deciding = [
        [row.price.quoted for row in book.show("Fast-1", "acme", at).rows if row.decides]
        for at in (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    ]
    assert deciding == [[Decimal(1)], [Decimal("1.1")]]
    assert book.show("gpt-4o-2024-08-06", "azure.ai.openai").stands_for == ("openai/gpt-4o",)
    shown = book.show("gpt-4o").rows
    assert len(shown) == len({(row.price.provider, row.price.price_id, row.price.valid_from) for row in shown})

    assert (book.show("our-chat", "azure").stands_for, book.show("our-chat", "azure").reason) == (
        (),
        "unknown model azure/our-chat",
    )
    refused = client.post("/api/v1/prices/aliases", json={"model": "our-chat", "price": "openai/gpt-99"})
    assert (refused.status_code, refused.json()["detail"].partition(";")[0]) == (422, "nobody prices openai/gpt-99")
    client.post("/api/v1/prices/aliases", json={"model": "Our-Chat", "price": "openai/gpt-4o-2024-08-06"})
    assert book.show("our-chat", "azure").stands_for == ("openai/gpt-4o",)
    client.post("/api/v1/prices/aliases", json={"model": "our-chat", "price": ""})
    assert (book.show("our-chat", "azure").stands_for, book.aliases()) == ((), ())


def test_a_price_that_cannot_be_is_refused_with_its_column(client: TestClient) -> None:
    price = {"provider": "acme", "model": "m", "item": "input", "amount": "1", "per": "1M"}
    for wrong, message in (
        ({"amount": "-1"}, "amount: '-1' is below 0"),
        ({"per": "1"}, "amount: 1 USD for one token cannot be: is per=1M missing?"),
        ({"currency": "euro"}, "currency: 'euro' is no currency: three letters, as EUR"),
        ({"tenant": "No Such!"}, "a tenant is named by up to 63 small letters"),
    ):
        refused = client.post("/api/v1/prices", json={**price, **wrong})
        assert (refused.status_code, refused.json()["detail"][: len(message)]) == (422, message)


def test_exchange_rates_come_one_by_one_or_by_the_file(client: TestClient, book: RemotePriceBook) -> None:
    rates = "currency,day,usd_per_unit,last_day\nEUR,2026-11-19,1.08,\nJPY,2026-11-19,0.0067,2026-11-30\n"
    assert (book.take_exchange_rates("ecb.csv", rates.encode()), book.take_exchange_rates("ecb.csv", rates.encode())) == (2, 0)
    wrong = rates + 'EUR,2026-11-19,1.09,\nUSD,2026-11-19,1,\nCHF,19.11.2026,1.1,\nGBP,2026-11-19,"1,3",\n'
    refused = client.post("/api/v1/exchange_rates/imports", json={"name": "ecb.csv", "content": wrong})
    assert refused.json()["detail"].splitlines() == [
        "ecb.csv, line 4, column day: line 2 has a rate of EUR for that day already",
        "ecb.csv, line 5, column currency: a dollar is a dollar",
        "ecb.csv, line 6, column day: '19.11.2026' is no day: 2026-11-20",
        "ecb.csv, line 7, column usd_per_unit: '1,3' is no number: decimals are written with a point",
        "nothing was loaded; the same file will be refused again",
    ]
    book.set_exchange_rate(NewExchangeRate("EUR", "1.0842", datetime(2026, 11, 20, tzinfo=UTC).date()))
    assert [(row.currency, str(row.day), row.usd_per_unit) for row in book.exchange_rates()] == [
        ("EUR", "2026-11-20", Decimal("1.0842")),
        ("EUR", "2026-11-19", Decimal("1.08")),
        ("JPY", "2026-11-19", Decimal("0.0067")),
    ]
    priced = f"{OURS}acme,m,input,1,1M,EUR,,\nacme,m,output,2,1M,CHF,,\nacme,m,image,2,1,CHF,,\n"
    assert [
        (row.line, row.column, row.level, row.message.partition(":")[0]) for row in book.take("ours.csv", priced.encode()).rows
    ] == [(3, "currency", "warning", "CHF has no exchange rate")]
    assert [reading.doubt_of_currency(book, currency) for currency in ("USD", "eur", "XYZ")] == [
        "", "", "XYZ has no exchange rate: what is priced in it has no value until one is set with tollbook prices rate",
    ]  # fmt: skip


def test_a_contract_with_a_provider_whom_no_price_names_is_doubted(book: RemotePriceBook) -> None:
    assert [reading.doubt_of_provider(book, provider) for provider in ("", "openai", "vertex_ai", "opnai")] == [
        "", "", "", "no price is of the provider 'opnai': nothing is taken off",
    ]  # fmt: skip


def test_settling_again_says_what_changed_for_whom_and_why(store: Store, intake: Intake, book: RemotePriceBook) -> None:
    owner = {"attributes": {"tollbook.team": "search"}}
    intake.spans([chat(1, 1, input=1_000, **owner), chat(2, 1, provider="acme", model="fast-1", input=1_000, **owner)])
    settle(store)
    book.set(NewPrice("openai", "gpt-4o", "input", "2", per="1M", valid_from="2026-11-01"))
    book.set(NewPrice("acme", "fast-1", "input", "1", per="1M"))

    day = datetime(2026, 11, 20, tzinfo=UTC)
    found = book.reprice(day, datetime(2026, 11, 21, tzinfo=UTC))
    assert (found.windows, found.before_usd, found.after_usd, found.difference_usd) == (
        1,
        Decimal("0.0025"),
        Decimal("0.003"),
        Decimal("0.0005"),
    )
    assert (found.before_unpriced_calls, found.after_unpriced_calls) == (1, 0)
    told = {(row.team, row.provider, row.model, row.item): (row.difference_usd, row.reason) for row in found.rows}
    [version] = store.query("SELECT DISTINCT toString(price_version) AS version FROM ledger WHERE provider = 'openai'")
    reason = f"a million $2.5000 → $2.0000; price openai/gpt-4o/input of 0.2.3 is now openai/gpt-4o/input of {version['version']}"
    assert told["search", "openai", "gpt-4o", "input"] == (Decimal("-0.0005"), reason)
    assert told["search", "acme", "fast-1", ""] == (0, "1 call is no longer without a price")
    assert told["search", "acme", "fast-1", "input"][0] == Decimal("0.001")
    assert store.query("SELECT sum(difference_usd) AS usd FROM settlements WHERE previous > 0") == [{"usd": Decimal("0.0005")}]

    assert book.reprice(day, datetime(2026, 11, 21, tzinfo=UTC)).rows == ()
    [kept] = book.repricings()
    assert (kept.changes, kept.after_usd - kept.before_usd) == (3, Decimal("0.0005"))


def test_a_file_is_checked_without_a_store(tmp_path: Path) -> None:
    file = tmp_path / "ours.csv"
    file.write_text(BAD)
    checked = subprocess.run(
        [Path(sys.executable).with_name("tollbook"), "prices", "check", file, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert "decimals are written with a point" in checked.stdout
