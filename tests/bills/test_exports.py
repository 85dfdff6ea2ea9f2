"""Exports as providers write them: their columns, their spellings of numbers and days, their files; each to the digit."""

import codecs
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tollbook_attribution.bills import BillError, Options, load
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers

from tests.bills.conftest import FOCUS_ROW, Folder, as_csv, focus

Row = dict[str, Any]

UNDATED = {name: value for name, value in FOCUS_ROW.items() if not name.startswith("BillingPeriod")}

PREVIEW = {
    "BilledCost": "0.5", "BillingAccountId": "93", "BillingCurrency": "EUR", "BillingPeriodStart": "2026-11-01T00:00Z",
    "BillingPeriodEnd": "2026-12-01T00:00Z", "ChargeCategory": "Usage", "ChargeSubcategory": "On-Demand", "EffectiveCost": "0.5",
    "ChargePeriodStart": "2026-11-20T12:00Z", "ChargePeriodEnd": "2026-11-20T13:00Z", "InvoiceIssuer": "", "Provider": "Oracle",
    "Publisher": "Oracle", "Region": "eu-frankfurt-1", "ResourceId": "ocid1.x", "ServiceName": "COMPUTE", "UsageQuantity": "2",
    "UsageUnit": "OCPU-Hour", "Tags": '{"team": "search", "size": 3}', "oci_CompartmentId": "c1", "oci_BackReferenceNumber": "",
}  # fmt: skip
"""Oracle's FOCUS, of the preview before 1.0."""

VIEW = {
    "ProviderName": "Google Cloud", "BilledCost": 0.1, "EffectiveCost": 0.1, "BillingAccountId": "01-A", "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-11-01 07:00:00 UTC", "BillingPeriodEnd": "2026-12-01 08:00:00 UTC", "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-10-31 06:00:00 UTC", "ChargePeriodEnd": "2026-10-31 07:00:00 UTC", "ServiceName": "Vertex AI",
    "Tags": [{"Key": "team", "Value": "search", "x_type": "label"}], "x_CostType": "regular",
}  # fmt: skip
"""Google's view in BigQuery: months by its own clock, usage billed late, tags as a list."""

STREAMED = {
    "BilledCost": 1e-07, "BillingCurrency": "USD", "ChargeCategory": "Usage", "ChargePeriodStart": "2026-11-20T00:00:00.000Z",
    "ChargePeriodEnd": "2026-11-21T00:00:00.000Z", "ConsumedQuantity": 3, "ConsumedUnit": "GB", "EffectiveCost": 1e-07,
    "ServiceName": "Fast Data Transfer", "ServiceProviderName": "Vercel", "Tags": {"ProjectName": "shop"},
}  # fmt: skip
"""A team's charges of a host, one object a line and no billing period."""

CUR_2 = {
    "bill_payer_account_id": "1", "bill_billing_period_start_date": "2026-11-01T00:00:00.000Z",
    "bill_billing_period_end_date": "2026-12-01T00:00:00.000Z", "line_item_usage_account_id": "2",
    "line_item_line_item_type": "Usage",
    "line_item_usage_start_date": "2026-11-20T12:00:00.000Z", "line_item_usage_end_date": "2026-11-20T13:00:00.000Z",
    "line_item_currency_code": "USD", "line_item_unblended_cost": "4.0", "line_item_product_code": "AmazonEC2",
    "product": '{"product_name":"Amazon Elastic Compute Cloud","region":"us-east-1"}', "resource_tags": '{"user_team":"search"}',
    "discount": "{}", "split_line_item_split_cost": "", "split_line_item_parent_resource_id": "",
    "pricing_public_on_demand_cost": "4.5",
}  # fmt: skip
POD = {
    **CUR_2, "line_item_unblended_cost": "0.0", "split_line_item_split_cost": "1.5", "split_line_item_parent_resource_id": "i-1",
    "line_item_resource_id": "arn:aws:eks:pod",
}  # fmt: skip
EDP = {**CUR_2, "line_item_line_item_type": "EdpDiscount", "line_item_unblended_cost": "-0.4"}
CREDIT = {**CUR_2, "line_item_line_item_type": "Credit", "line_item_unblended_cost": "-1.05"}

CONSOLE = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id\n"
    "1795132800,1795219200,2026-11-20T00:00:00,2026-11-21T00:00:00,0.003835980000000000000000000001,usd,"
    '"gpt-4o-2024-08-06, input",proj_1,org-1\n'
    "1795219200,1795305600,2026-11-21T00:00:00,2026-11-22T00:00:00,,,,,\n"
)
"""OpenAI's costs from its console: a day without costs is a row too."""

PAGE = {
    "object": "page", "has_more": False, "next_page": None,
    "data": [
        {"object": "bucket", "start_time": 1793750400, "end_time": 1793836800, "results": [
            {"amount": {"value": 0.06, "currency": "usd"}, "line_item": "gpt-4o, output", "project_id": "proj_2"},
            {"amount": {"value": 0.04, "currency": "usd"}, "line_item": "web search tool calls", "project_id": "proj_2"},
        ]},
        {"object": "bucket", "start_time": 1793836800, "end_time": 1793923200, "results": []},
    ],
}  # fmt: skip

CLAUDE = (
    "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type\n"
    "2026-11-20,Claude Sonnet 4.5,Default,key,message,≤ 200k,input_cache_read,18.71,18.71,token\n"
    "2026-11-20,Claude Sonnet 4.5,Default,key,message,≤ 200k,output,0.29,0.29,token\n"
)
BUCKETS = [
    {"object": "bucket", "start_time": 1793750400, "end_time": 1793836800, "results": [
        {"object": "organization.costs.result", "amount": {"value": 0.06, "currency": "usd"}, "line_item": "gpt-4o, output"},
    ]},
    {"object": "bucket", "start_time": 1793836800, "end_time": 1793923200, "results": []},
]  # fmt: skip
"""Pages of OpenAI's costs as a script saves them: a bucket a line."""

PORTAL = {"UsageDate": "20261105", "CostUSD": "3.1", "Cost": "2.9", "Currency": "EUR", "ServiceName": "Virtual Machines"}
"""What Azure's cost analysis downloads."""

QUERY = (
    '{"id": "subscriptions/sub-1/providers/Microsoft.CostManagement/query/q", "type": "Microsoft.CostManagement/query",'
    '"properties": {"nextLink": null, "columns": [{"name": "Cost", "type": "Number"}, {"name": "UsageDate", "type": "Number"},'
    '{"name": "ServiceName", "type": "String"}, {"name": "Currency", "type": "String"}],'
    '"rows": [[0.10000000000000000001, 20261105, "Azure OpenAI", "EUR"], [2, 20261106, "Azure OpenAI", "EUR"]]}}'
)
"""What Azure's query API answers: columns and rows, of the subscription that its id names."""

MONTHS = {"id": "subscriptions/sub-2/x", "properties": {
    "columns": [{"name": "PreTaxCost"}, {"name": "BillingMonth"}, {"name": "ServiceName"}, {"name": "Currency"}],
    "rows": [[12.3, "2026-11-01T00:00:00", "Storage", "EUR"], [1e-7, "2026-11-01T00:00:00", "Bandwidth", "EUR"]],
}}  # fmt: skip
"""The same, asked month by month."""

DETAILS = {"nextLink": None, "value": [{
    "id": "/subscriptions/g/x", "kind": "legacy", "type": "Microsoft.Consumption/usageDetails", "tags": {"team": "search"},
    "properties": {
        "billingAccountId": "86", "billingPeriodStartDate": "2026-11-01T00:00:00.0000000Z", "chargeType": "Usage",
        "billingPeriodEndDate": "2026-11-30T00:00:00.0000000Z", "date": "2026-11-20T00:00:00.0000000Z", "subscriptionId": "g",
        "meterId": "m", "meterDetails": {"meterName": "D2", "meterCategory": "Virtual Machines"}, "quantity": 1.5, "cost": 0.25,
        "billingCurrency": "USD",
    },
}]}  # fmt: skip
"""Usage details as Azure's API answers them."""

LISTED = [{
    "currency": "EUR", "instanceId": "/subscriptions/g/vm1", "meterDetails": None, "meterId": "m", "pretaxCost": "0.0125",
    "usageStart": "2026-11-20T00:00:00Z", "usageEnd": "2026-11-20T23:59:59Z", "usageQuantity": "1.5", "subscriptionGuid": "g",
}]  # fmt: skip
"""The same as its command line lists them."""

REPORT = {
    "has_more": False, "next_page": None,
    "data": [{"starting_at": "2026-10-02T00:00:00Z", "ending_at": "2026-10-03T00:00:00Z", "results": [
        {"currency": "USD", "amount": "123.78912", "workspace_id": "w", "description": "Claude Sonnet 4.5 Usage - Input Tokens",
         "cost_type": "tokens", "model": "claude-sonnet-4-5", "token_type": "uncached_input_tokens"},
    ]}],
}  # fmt: skip
"""Anthropic's cost report: amounts in cents."""


COST_TABLE = (
    "Invoice number,5012345678\nInvoice date,2026-11-30\nDue date,\nBilling ID,01-A\nCurrency,AUD\n\n"
    "Billing account name,Billing account ID,Project ID,Service description,SKU description,Credit type,Cost type,"
    "Usage start date,Usage end date,Usage amount,Usage unit,Unrounded Cost ($),Cost ($)\n"
    'Acme,01-A,p-1,Vertex AI,Gemini in,,Usage,2026-11-01,2026-11-30,"1,234",count,"1,012.345678",1012.35\n'
    "Acme,01-A,p-1,Vertex AI,Gemini in,Promotion,Usage,2026-11-01,2026-11-30,0,,-5,-5.00\n"
    "Acme,01-A,,,,,Rounding error,,,,,-0.005678,-0.01\n"
)
"""Google's cost table, as its console saves it: the currency stands above the header, the last day is part of the usage."""


def lines_of(rows: list[Row]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


FILES: dict[str, tuple[str, str]] = {
    "oracle.csv": (as_csv([PREVIEW]), "0.5"),
    "google.jsonl": (lines_of([VIEW]), "0.1"),
    "table.csv": (COST_TABLE, "1007.34"),
    "host.jsonl": (lines_of([STREAMED, {**STREAMED, "BilledCost": 20.5, "ServiceName": "Pro"}]), "20.5000001"),
    "cur2.csv": (as_csv([{**CUR_2, "line_item_resource_id": ""}, POD, {**EDP, "line_item_resource_id": ""}]), "3.6"),
    "chosen.csv": (as_csv([{name: value for name, value in CUR_2.items() if "billing_period" not in name}]), "4"),
    "costs.csv": (CONSOLE, "0.003835980000000000000000000001"),
    "costs.json": (json.dumps(PAGE, indent=2), "0.1"),
    "buckets.jsonl": (lines_of(BUCKETS), "0.06"),
    "portal.csv": (as_csv([PORTAL]), "2.9"),
    "query.json": (QUERY, "2.10000000000000000001"),
    "months.json": (json.dumps(MONTHS), "12.3000001"),
    "details.json": (json.dumps(DETAILS), "0.25"),
    "listed.json": (json.dumps(LISTED), "0.0125"),
    "wrapped.json": (
        json.dumps({"data": [{**FOCUS_ROW, "Tags": {"team": "search"}, "BillingAccountId": "held"}]}, indent=1),
        "1.5",
    ),
    "claude.csv": (CLAUDE, "19"),
    "report.json": (json.dumps(REPORT), "1.2378912"),
}
"""Files and what they add up to."""


def test_exports_of_many_providers_add_up(store: Store, folder: Folder) -> None:
    found = load(store, [folder.text(text, name) for name, (text, _) in FILES.items()], Options())
    billed = {
        row["file"]: row["billed"] for row in store.query("SELECT file, sum(billed_cost) AS billed FROM bill GROUP BY file")
    }
    assert billed == {name: Decimal(total) for name, (_, total) in FILES.items()}
    assert [warning for warning in found.warnings if "no billing periods" in warning] == [
        f"{name} names no billing periods: each charge is of the calendar month that it begins in"
        for name in ("host.jsonl", "chosen.csv")
    ]
    rows = {row["file"]: row for row in store.query("SELECT * FROM bill ORDER BY line DESC")}
    assert {(row["file"], row["provider"]) for row in rows.values()} == {
        ("oracle.csv", "oci"), ("google.jsonl", "google"), ("table.csv", "google"),
        ("host.jsonl", "vercel"), ("cur2.csv", "aws"), ("chosen.csv", "aws"), ("costs.csv", "openai"),
        ("costs.json", "openai"), ("claude.csv", "anthropic"), ("buckets.jsonl", "openai"), ("portal.csv", "azure"),
        ("query.json", "azure"), ("months.json", "azure"), ("details.json", "azure"),
        ("listed.json", "azure"), ("wrapped.json", "aws"),
        ("report.json", "anthropic"),
    }  # fmt: skip
    assert (rows["query.json"]["sub_account_id"], rows["wrapped.json"]["tags"]) == ("sub-1", {"team": "search"})
    assert [str(rows["months.json"][f"charge_period_{end}"])[:10] for end in ("start", "end")] == ["2026-11-01", "2026-12-01"]
    details = rows["details.json"]
    assert (details["service_name"], details["sku_meter"], details["tags"]) == ("Virtual Machines", "D2", {"team": "search"})
    table = rows["table.csv"]  # rows are by line, the last one first: this is the usage
    assert (table["billing_currency"], table["consumed_quantity"], table["charge_category"]) == ("AUD", 1234, "Usage")
    assert str(table["charge_period_end"])[:10] == "2026-12-01"
    assert rows["oracle.csv"]["tags"] == {"team": "search", "size": "3"}
    assert rows["google.jsonl"]["tags"] == {"team": "search"}
    assert (rows["cur2.csv"]["service_name"], rows["cur2.csv"]["tags"]) == (
        "Amazon Elastic Compute Cloud",
        {"user_team": "search"},
    )
    assert rows["chosen.csv"]["list_cost"] == Decimal("4.5")
    assert (rows["costs.csv"]["billing_currency"], rows["costs.csv"]["resource_id"]) == ("USD", "gpt-4o-2024-08-06")
    days = {name: str(row["charge_period_start"])[:10] for name, row in rows.items()}
    assert (days["costs.csv"], days["costs.json"], days["report.json"]) == ("2026-11-20", "2026-11-04", "2026-10-02")
    months = {str(row["billing_period_start"])[:7] for row in rows.values()}
    assert months == {"2026-10", "2026-11"}


WRITTEN = {
    "1 234.50": "1234.5", "1\u202f234.5": "1234.5", "1'234.50": "1234.5", "1,234,567": "1234567", "USD 5.25": "5.25",
    "5.25 EUR": "5.25",    "\u22125.00": "-5", "5.00-": "-5", "-$3.10": "-3.1", "+7": "7",
    ".5": "0.5", "1E-7": "0.0000001", "-0": "0",
}  # fmt: skip
WRITTEN_WITH_COMMAS = {"1 234,50": "1234.5", "1.234.567": "1234567", "1,5E-7": "0.00000015", "(7,25)": "-7.25", "12": "12"}


@pytest.mark.parametrize(("comma", "written"), [(False, WRITTEN), (True, WRITTEN_WITH_COMMAS)], ids=["points", "commas"])
def test_numbers_are_read_as_people_write_them(store: Store, folder: Folder, written: dict[str, str], *, comma: bool) -> None:
    load(store, [folder.csv(*(focus(BilledCost=text, ResourceId=text) for text in written))], Options(comma=comma))
    read = store.query("SELECT resource_id, billed_cost FROM bill")
    assert {row["resource_id"]: row["billed_cost"] for row in read} == {text: Decimal(value) for text, value in written.items()}


AZURE = {
    "BillingAccountId": "ba", "BillingPeriodStartDate": "01/11/2026", "BillingPeriodEndDate": "30/11/2026", "SubscriptionId": "s",
    "Date": "05/11/2026", "MeterCategory": "Virtual Machines", "MeterId": "m", "Quantity": "1", "CostInBillingCurrency": "2.5",
    "BillingCurrency": "EUR", "ChargeType": "Usage",
}  # fmt: skip
SLASHED = {"BillingPeriodStart": "01/11/2026", "BillingPeriodEnd": "01/12/2026", "ChargePeriodEnd": "06/11/2026"}


@pytest.mark.parametrize(
    ("rows", "day"),
    [
        ([AZURE], "2026-11-05"),
        ([focus(ChargePeriodStart="05/11/2026", **SLASHED)], "2026-11-05"),
        ([focus(ChargePeriodStart="11/05/2026", BillingPeriodStart="11/01/2026", BillingPeriodEnd="12/01/2026",
                ChargePeriodEnd="11/06/2026")], "2026-11-05"),
        ([focus(ChargePeriodStart="2026/11/05", BillingPeriodStart="2026/11/01", BillingPeriodEnd="2026/12/01",
                ChargePeriodEnd="2026/11/6 12:00")], "2026-11-05"),
    ],
    ids=["by a day above 12", "by the start of the period", "the month first", "the year first"],
)  # fmt: skip
def test_the_order_of_day_and_month_is_that_of_the_file(store: Store, folder: Folder, rows: list[Row], day: str) -> None:
    load(store, [folder.csv(*rows)])
    [row] = store.query(
        "SELECT toString(toDate(charge_period_start)) AS day, toString(toDate(billing_period_start)) AS month FROM bill"
    )
    assert (row["day"], row["month"]) == (day, "2026-11-01")


def test_a_file_with_both_orders_of_day_and_month_is_refused(store: Store, folder: Folder) -> None:
    with pytest.raises(BillError, match=r"bill\.csv: has 1 times with the day first and 1 with the month first"):
        load(store, [folder.csv({**AZURE, "Date": "11/20/2026", "BillingPeriodEndDate": "30/11/2026"})])


ODD: dict[str, Callable[[str], bytes]] = {
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big end first": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "a spreadsheet's own first line": lambda text: b"sep=;\r\n" + text.replace(",", ";").replace("\n", "\r\n").encode(),
    "rows without a word": lambda text: (
        (text + ",,,\n" * 3).replace(",,,\n", "," * text.split("\n")[0].count(",") + "\n").encode()
    ),
    "gzip in pieces": lambda text: gzip.compress(text[:100].encode()) + gzip.compress(text[100:].encode()),
    "gzip of UTF-16": lambda text: gzip.compress(text.encode("utf-16")),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_file_is_read_however_it_was_saved(store: Store, folder: Folder, kind: str) -> None:
    path = folder.path / "bill.csv"
    path.write_bytes(ODD[kind](as_csv([focus(BilledCost="1.25"), focus(BilledCost="-0.25", ChargeCategory="credit")])))
    load(store, [path])
    assert store.query("SELECT sum(billed_cost) AS billed, count() AS lines FROM bill") == [{"billed": Decimal(1), "lines": 2}]


def test_parquet_has_decimals_times_and_maps_whatever_it_is_called(store: Store, folder: Folder) -> None:
    pq = folder.path / "cur.csv"
    rows: Row = {name: pa.array([value, value]) for name, value in CUR_2.items()}
    rows |= {
        "line_item_unblended_cost": pa.array([Decimal("0.12345678901234567890123456789"), None], pa.decimal128(38, 29)),
        "line_item_usage_start_date": pa.array([1_795_176_000_000] * 2, pa.timestamp("ms")),
        "line_item_usage_end_date": pa.array([1_795_176_000_000_000] * 2, pa.timestamp("us", tz="America/New_York")),
        "resource_tags": pa.array([[("user_team", "search")], []], pa.map_(pa.string(), pa.string())),
        "product": pa.array([[("product_name", "EC2")], []], pa.map_(pa.string(), pa.string())),
    }
    parquet.write_table(pa.table(rows), pq)
    with pytest.raises(BillError, match=r"cur\.csv, line 2, column line_item_unblended_cost: is empty"):
        load(store, [pq])
    parquet.write_table(pa.table(rows).slice(0, 1), pq)
    load(store, [pq])
    [row] = store.query("SELECT * FROM bill")
    assert (row["billed_cost"], row["tags"], row["service_name"]) == (
        Decimal("0.12345678901234567890123456789"), {"user_team": "search"}, "EC2",
    )  # fmt: skip
    assert str(row["charge_period_start"])[:19] == str(row["charge_period_end"])[:19] == "2026-11-20 12:00:00"


def test_a_column_that_one_late_row_alone_names_is_read(store: Store, folder: Folder) -> None:
    row = {"billing_account_id": "b", "service": {"description": "x"}, "usage_start_time": "2026-11-20 12:00:00 UTC", "cost": 1}
    row |= {"currency": "USD", "invoice": {"month": "202611"}}
    late = {**row, "credits": [{"name": "free", "amount": -0.5}]}
    load(store, [folder.text(lines_of([{**row, "id": n} for n in range(25_001)] + [late]), "google.jsonl")])
    assert store.query("SELECT sum(billed_cost) AS billed FROM bill") == [{"billed": Decimal("25001.5")}]


def test_a_months_parts_come_with_their_manifest(store: Store, folder: Folder) -> None:
    parts = [folder.csv(focus(BilledCost=str(cost)), name=f"part_{cost}.csv") for cost in (1, 2)]
    load(store, [*parts, folder.text("{}", "_manifest.json")])
    assert store.query("SELECT sum(billed_cost) AS billed FROM bill") == [{"billed": Decimal(3)}]


BESIDE = {
    "invoices.csv": as_csv(
        [{"BilledCost": "3", "BillingCurrency": "USD", "ChargeCategory": "Usage", "InvoiceDetailGrain": "Total"}]
    ),
    "periods.csv": as_csv([{"BillingPeriodStart": "2026-11-01", "BillingPeriodStatus": "Closed", "InvoiceIssuerName": "AWS"}]),
    "commitments.csv": as_csv([{"ContractCommitmentId": "c", "ContractCommitmentType": "Spend"}]),
    "usage.csv": as_csv([{"lineItem/tenantId": "t", "usage/consumedQuantity": "1", "usage/billedQuantity": "1"}]),
}
"""Data sets that come with a bill, and tell of the same charges again or of none."""


def test_what_comes_with_a_bill_is_left_out_and_named(store: Store, folder: Folder) -> None:
    for name, text in BESIDE.items():
        with pytest.raises(BillError, match=f"{name}: is .*: no bill"):
            load(store, [folder.text(text, name)])
    for name in ("SHA256SUMS", "_run.json", ".crc"):
        folder.text("{", name)
    folder.csv(focus(BilledCost="3"))
    found = load(store, [folder.path])
    assert [warning.split(" is ")[0] for warning in found.warnings] == sorted(BESIDE)
    assert store.query("SELECT sum(billed_cost) AS billed FROM bill") == [{"billed": Decimal(3)}]


INVOICE = """product,description,hours,start,end,USD
Droplets,web,720,2026-11-01,2026-12-01,$6.00
GPUs,h100,10,2026-11-05,2026-11-06,$33.90
"""
COLUMNS = ("BilledCost=USD", "ChargePeriodStart=start", "chargeperiodend=end", "ServiceName=product", "ConsumedQuantity=hours")
CONSTANTS = ("ServiceProviderName=Acme Cloud", "BillingCurrency=USD", "ChargeCategory=Usage", "ConsumedUnit=Hours")


def test_the_columns_of_any_other_bill_are_said_in_focus(store: Store, folder: Folder) -> None:
    options = Options(columns=COLUMNS, constants=CONSTANTS)
    load(store, [folder.text(INVOICE)], options)
    rows = store.query("SELECT provider, service_name, billed_cost, consumed_quantity, consumed_unit FROM bill ORDER BY line")
    assert [tuple(row.values()) for row in rows] == [
        ("acme-cloud", "Droplets", 6, 720, "Hours"), ("acme-cloud", "GPUs", Decimal("33.9"), 10, "Hours"),
    ]  # fmt: skip
    for text, asked, wrong in (
        (INVOICE, Options(), "say what they are with --map and --set"),
        (INVOICE.replace("$6.00", "six"), options, "line 2, column USD: 'six' is not a number"),
        (INVOICE, Options(columns=(*COLUMNS, "ListCost=list"), constants=CONSTANTS), "line 1, column list: is not in the header"),
        (INVOICE, Options(columns=COLUMNS), "column BillingCurrency: is missing"),
    ):
        with pytest.raises(BillError, match=re.escape(wrong)):
            load(store, [folder.text(text)], asked)
    with pytest.raises(ValueError, match="not 'Price=USD'; it has BilledCost"):
        load(store, [folder.text(INVOICE)], Options(columns=("Price=USD",)))


def test_a_currency_that_a_report_does_not_tell_is_said(store: Store, folder: Folder) -> None:
    silent = {name: value for name, value in CUR_2.items() if name != "line_item_currency_code"}
    load(store, [folder.csv(silent)], Options(constants=("BillingCurrency=USD",)))
    assert store.query("SELECT billing_currency, billed_cost FROM bill") == [{"billing_currency": "USD", "billed_cost": 4}]


def workbook() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
    return content.getvalue()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a gzip file without its first lines": (lambda: gzip.compress(as_csv([focus()]).encode())[:60], "cannot be read as text"),
    "a workbook": (workbook, "bill.csv: is a workbook of a spreadsheet; save its sheet as CSV"),
    "letters of another time": (lambda: as_csv([focus(ServiceName="Größe")]).encode("latin-1"), "no text in UTF-8 or UTF-16"),
    "half of a Parquet file": (lambda: b"PAR1" + b"x" * 50, "bill.csv: cannot be read as Parquet"),
    "half of a billing period": (
        lambda: as_csv([{name: value for name, value in FOCUS_ROW.items() if name != "BillingPeriodEnd"}]).encode(),
        "line 1, column BillingPeriodEnd: is missing from this focus file",
    ),
    "an amount that is none": (lambda: as_csv([focus(BilledCost="NaN")]).encode(), "line 2, column BilledCost: is empty"),
    "no amount at all": (lambda: as_csv([focus(BilledCost="Infinity")]).encode(), "'Infinity' is not a number"),
    "a cost of a costs page without an amount": (
        lambda: json.dumps({**PAGE, "data": [{"start_time": 1795132800, "end_time": 1795219200, "results": [
            {"amount": {"value": None, "currency": "usd"}}]}]}).encode(),
        "line 1, column data",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_is_named_and_trying_again_does_not_help(store: Store, folder: Folder, kind: str) -> None:
    make, expected = REFUSED[kind]
    path = folder.path / "bill.csv"
    path.write_bytes(make())
    with pytest.raises(BillError) as found:
        load(store, [path])
    assert expected in str(found.value)
    assert "the same files will be refused again" in str(found.value)
    assert store.query("SELECT count() AS rows FROM bill_lines") == [{"rows": 0}]


def test_a_month_by_another_clock_is_that_month(store: Store, folder: Folder) -> None:
    shanghai = {"BillingPeriodStart": "2026-11-01T00:00:00+08:00", "BillingPeriodEnd": "2026-12-01T00:00:00+08:00"}
    load(
        store,
        [folder.csv(focus(ServiceProviderName="Alibaba Cloud", BillingCurrency="cny", **shanghai))],
        Options(period="2026-11"),
    )
    [row] = store.query("SELECT provider, billing_currency FROM bill")
    assert row == {"provider": "alibaba-cloud", "billing_currency": "CNY"}
    asked = Answers(store).bills
    assert [len(asked.periods(period=month)) for month in ("2026-10", "2026-11")] == [0, 1]
    assert [len(asked.reconciliation(period=month).rows) for month in ("2026-10", "2026-11")] == [0, 1]
