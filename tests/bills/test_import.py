"""Bills of every format, however they are packed; a billing period is replaced by its newest import."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tollbook_attribution.bills import BillError, Options, load
from tollbook_schema.store import Store

from tests.bills.conftest import Folder, as_csv, focus


def lines(store: Store) -> list[dict[str, Any]]:
    return store.query("SELECT * FROM bill ORDER BY file, line, charge_category DESC")


def billed(store: Store) -> Decimal:
    return Decimal(store.query("SELECT sum(billed_cost) AS billed FROM bill")[0]["billed"])


def test_a_period_is_replaced_by_its_newest_import_and_both_are_kept(store: Store, folder: Folder) -> None:
    load(store, [folder.csv(focus(BilledCost="1"), focus(BilledCost="2"))])
    october = {
        "BillingPeriodStart": "2026-10-01",
        "BillingPeriodEnd": "2026-11-01",
        "ChargePeriodStart": "2026-10-02",
        "ChargePeriodEnd": "2026-10-03",
    }
    load(store, [folder.csv(focus(**october))])
    load(store, [folder.csv(focus(BilledCost="5", ChargeClass="Correction"))])
    assert billed(store) == Decimal("6.5")
    assert store.query("SELECT count() AS rows FROM bill_lines") == [{"rows": 4}]
    load(store, [folder.csv(focus(BilledCost="-0.25", ChargeCategory="Credit"))], Options(add=True))
    assert billed(store) == Decimal("6.25")
    [november] = store.query("SELECT lines, billed_cost FROM current_bill_periods WHERE toMonth(billing_period_start) = 11")
    assert november == {"lines": 2, "billed_cost": Decimal("4.75")}


def test_every_digit_is_kept(store: Store, folder: Folder) -> None:
    costs = [
        "0.00000000000000000000000000000000000000000000000001",
        "1.2000000000000001E-5",
        "123456789012345678.000000000000000001",
        "-5e-7",
    ]
    load(store, [folder.csv(*(focus(BilledCost=cost) for cost in costs))])
    assert [row["billed_cost"] for row in lines(store)] == [Decimal(cost) for cost in costs]
    load(store, [folder.csv(*(focus(BilledCost=cost) for cost in ("1.234,5", "(7,25)", "8")))], Options(comma=True))
    assert [row["billed_cost"] for row in lines(store)] == [Decimal("1234.5"), Decimal("-7.25"), Decimal(8)]
    load(store, [folder.csv(focus(BilledCost="$10,100.00 "), delimiter=";")])
    assert billed(store) == Decimal(10100)
    load(store, [folder.csv(focus(BilledCost="7", ChargeDescription='a "b",\n\tc'), delimiter="\t")])
    [line] = lines(store)
    assert (line["billed_cost"], line["charge_description"], line["region"]) == (7, 'a "b",\n\tc', "")
    with pytest.raises(BillError, match=r"bill\.csv, line 4, column BilledCost: 'x'"):
        load(store, [folder.csv(focus(ChargeDescription="a\nb"), focus(BilledCost="x"), delimiter="\t")])


def test_files_are_packed_in_many_ways(store: Store, folder: Folder) -> None:
    text = as_csv([focus(), focus(BilledCost="2")])
    packed = folder.path / "bill*.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    load(store, [packed])
    assert billed(store) == Decimal("3.5")
    archive = folder.path / "export.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("part1.csv", text)
        zipped.writestr("part2.csv", as_csv([focus(BilledCost="4")]))
        zipped.writestr("manifest.json", "{}")
    assert {row["file"] for row in lines(store)} == {"bill*.csv.gz"}
    load(store, [archive])
    assert billed(store) == Decimal("7.5")
    assert {row["file"] for row in lines(store)} == {"export.zip/part1.csv", "export.zip/part2.csv"}


def test_archives_hold_archives_and_files_of_any_compression(store: Store, folder: Folder) -> None:
    held = [as_csv([focus(BilledCost=str(number), ResourceId=f"i-{number}")]).encode() for number in range(1, 5)]
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as zipped:
        zipped.writestr("1.csv", held[0])
    members = {
        "in.zip": inner.getvalue(),
        "2.csv.bz2": bz2.compress(held[1]),
        "3.csv.xz": lzma.compress(held[2]),
        "4.csv.zst": pa.compress(held[3], codec="zstd", asbytes=True),
        "manifest.json": b"{}",
    }
    archive = folder.path / "bill.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for name, content in members.items():
            info = tarfile.TarInfo(f"month/{name}")
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    load(store, [archive])
    assert {row["file"]: row["billed_cost"] for row in lines(store)} == {
        "bill.tar.gz/month/in.zip/1.csv": 1,
        "bill.tar.gz/month/2.csv.bz2": 2,
        "bill.tar.gz/month/3.csv.xz": 3,
        "bill.tar.gz/month/4.csv.zst": 4,
    }
    for name, content in (
        ("half.zst", members["4.csv.zst"]),
        ("half.bz2", members["2.csv.bz2"]),
        ("half.tar", archive.read_bytes()),
    ):
        half = folder.path / name
        half.write_bytes(content[: len(content) // 2])
        with pytest.raises(BillError, match=f"{name}.*: (cannot be unpacked|is no readable tar archive)"):
            load(store, [half])


def test_what_is_taken_back_of_an_earlier_month_is_of_the_month_that_bills_it(store: Store, folder: Folder) -> None:
    september = {"ChargePeriodStart": "2026-09-01", "ChargePeriodEnd": "2026-10-01"}
    load(store, [folder.csv(focus(), focus(BilledCost="-0.5", **september))])
    assert billed(store) == 1


def test_parquet_says_the_same(store: Store, embedded_store: Store, folder: Folder) -> None:
    file = folder.path / "bill.parquet"
    told = {name: value for name, value in focus().items() if name not in ("BilledCost", "BillingPeriodStart")}
    columns = ", ".join(f"'{value}' AS {name}" for name, value in told.items())
    embedded_store.command(f"""
        INSERT INTO FUNCTION file('{file}', 'Parquet')
        SELECT {columns}, 1.5e-7::Float64 AS BilledCost, toDateTime64('2026-11-01 00:00:00', 3, 'UTC') AS BillingPeriodStart,
            map('team', 'a''b') AS Tags
    """)
    load(store, [file])
    [row] = lines(store)
    assert (row["billed_cost"], row["tags"], row["line"]) == (Decimal("1.5e-7"), {"team": "a'b"}, 1)


def test_an_azure_export_of_either_age(store: Store, folder: Folder) -> None:
    new = {
        "billingAccountId": "ba",
        "billingPeriodStartDate": "11/01/2026",
        "billingPeriodEndDate": "11/30/2026",
        "SubscriptionId": "sub",
        "date": "11/30/2026",
        "meterCategory": "Virtual Machines",
        "meterId": "m",
        "quantity": "24",
        "unitOfMeasure": "1 Hour",
        "costInBillingCurrency": "2.4000000000000004",
        "billingCurrency": "EUR",
        "chargeType": "Usage",
        "frequency": "UsageBased",
        "ResourceId": "/subscriptions/sub/virtualMachines/box",
        "tags": '"team": "search"',
    }
    load(store, [folder.csv(new, {**new, "chargeType": "Refund", "costInBillingCurrency": "-1"})])
    first, refund = lines(store)
    assert (first["provider"], first["sub_account_id"], first["billed_cost"]) == ("azure", "sub", Decimal("2.4000000000000004"))
    assert (first["tags"], refund["charge_category"], refund["charge_class"]) == ({"team": "search"}, "Adjustment", "Correction")
    profiles = [{**new, "billingProfileId": f"profile {name}", "billingCurrency": name} for name in ("EUR", "USD")]
    brought = load(store, [folder.csv(*profiles)]).rows  # a Customer Agreement has a profile, and an invoice, for each currency
    assert [(row.billing_account_id, row.billing_currency) for row in brought] == [("profile EUR", "EUR"), ("profile USD", "USD")]
    old = {
        "SubscriptionGuid": "sub",
        "UsageDateTime": "2026-10-20",
        "MeterCategory": "Storage",
        "MeterId": "m",
        "UsageQuantity": "1",
        "PreTaxCost": "0.5",
        "Currency": "EUR",
        "InstanceId": "disk",
        "ConsumedService": "Microsoft.Storage",
    }
    load(store, [folder.csv(old)])
    assert billed(store) == Decimal("1.9000000000000004") + 2 * Decimal("2.4000000000000004")
    [row] = store.query("SELECT toString(billing_period_start) AS start, resource_id FROM bill WHERE billed_cost = 0.5")
    assert (row["start"][:10], row["resource_id"]) == ("2026-10-01", "disk")


def test_an_oci_report(store: Store, folder: Folder) -> None:
    row = {
        "lineItem/referenceNo": "1",
        "lineItem/tenantId": "ocid1.tenancy",
        "lineItem/intervalUsageStart": "2026-11-20T12:00Z",
        "lineItem/intervalUsageEnd": "2026-11-20T13:00Z",
        "product/service": "COMPUTE",
        "product/compartmentId": "c1",
        "product/resourceId": "ocid1.instance.i1",
        "usage/billedQuantity": "1",
        "cost/productSku": "B1",
        "cost/unitPrice": "0.06",
        "cost/myCost": "0.06",
        "cost/currencyCode": "USD",
        "cost/billingUnitReadable": "ONE HOURS",
        "lineItem/isCorrection": "false",
        "tags/team": "search",
    }
    rows = [row, {**row, "lineItem/referenceNo": "2", "cost/myCost": "-0.01", "lineItem/isCorrection": "true"}]
    load(store, [folder.csv(*rows)])
    usage, correction = lines(store)
    assert (usage["provider"], usage["billed_cost"], usage["tags"]) == ("oci", Decimal("0.06"), {"team": "search"})
    assert (correction["charge_class"], billed(store)) == ("Correction", Decimal("0.05"))
    free = {**row, "lineItem/referenceNo": "3", "cost/unitPrice": "", "cost/myCost": ""}
    assert load(store, [folder.csv(*rows, free)]).warnings[-1] == (
        "bill.csv, line 4, column cost/myCost: 1 line has no cost here; each was taken as 0"
    )
    assert billed(store) == Decimal("0.05")
    with pytest.raises(BillError, match=r"line 4, column cost/myCost: is empty"):
        load(store, [folder.csv(*rows, free | {"cost/unitPrice": "0.06"})])


def test_a_google_export_nested_and_flat(store: Store, folder: Folder) -> None:
    nested = {
        "billing_account_id": "b",
        "service": {"id": "s", "description": "Compute Engine"},
        "sku": {"id": "k", "description": "N1"},
        "usage_start_time": "2026-10-31 23:00:00 UTC",
        "usage_end_time": "2026-11-01 00:00:00 UTC",
        "project": {"id": "p1", "name": "one"},
        "labels": [{"key": "team", "value": "search"}],
        "cost": 0.1,
        "currency": "USD",
        "cost_type": "regular",
        "usage": {"amount": 3600.0, "unit": "seconds"},
        "invoice": {"month": "202611"},
        "credits": [{"name": "sustained", "full_name": "Sustained use", "amount": -0.0123456789012345678, "type": "DISCOUNT"}],
    }
    text = json.dumps(nested).replace("-0.012345678901234568", "-0.0123456789012345678")
    load(store, [folder.text(text + "\n", "google.jsonl")])
    usage, credit = lines(store)
    assert (usage["provider"], usage["sub_account_id"], usage["billed_cost"]) == ("google", "p1", Decimal("0.1"))
    assert (credit["charge_category"], credit["billed_cost"]) == ("Credit", Decimal("-0.0123456789012345678"))
    assert usage["tags"] == {"team": "search"}
    flat = {
        "billing_account_id": "b",
        "service.description": "Compute Engine",
        "sku.id": "k",
        "usage_start_time": "2026-11-20 00:00:00 UTC",
        "usage_end_time": "2026-11-20 01:00:00 UTC",
        "project.id": "p1",
        "cost": "0.2",
        "currency": "USD",
        "invoice.month": "202611",
        "cost_type": "tax",
    }
    load(store, [folder.csv(flat)])
    assert [(row["charge_category"], row["billed_cost"]) for row in lines(store)] == [("Tax", Decimal("0.2"))]


def test_commitments_are_spread_by_the_effective_cost(store: Store, folder: Folder) -> None:
    row = {
        "bill/PayerAccountId": "1",
        "bill/BillingPeriodStartDate": "2026-11-01T00:00:00Z",
        "bill/BillingPeriodEndDate": "2026-12-01T00:00:00Z",
        "lineItem/UsageAccountId": "2",
        "lineItem/LineItemType": "SavingsPlanCoveredUsage",
        "lineItem/UsageStartDate": "2026-11-20T12:00:00Z",
        "lineItem/UsageEndDate": "2026-11-20T13:00:00Z",
        "lineItem/CurrencyCode": "USD",
        "lineItem/UnblendedCost": "1",
        "savingsPlan/SavingsPlanEffectiveCost": "0.7",
        "savingsPlan/TotalCommitmentToDate": "",
        "savingsPlan/UsedCommitment": "",
        "resourceTags/user:team": "search",
    }
    negation = {**row, "lineItem/LineItemType": "SavingsPlanNegation", "lineItem/UnblendedCost": "-1"}
    fee = {
        **row,
        "lineItem/LineItemType": "SavingsPlanRecurringFee",
        "lineItem/UnblendedCost": "1",
        "savingsPlan/TotalCommitmentToDate": "1",
        "savingsPlan/UsedCommitment": "0.7",
    }
    load(store, [folder.csv(row, negation, fee)])
    [sums] = store.query("SELECT sum(billed_cost) AS billed, sum(effective_cost) AS effective FROM bill")
    assert sums == {"billed": Decimal(1), "effective": Decimal(1)}
    assert lines(store)[0]["tags"] == {"user:team": "search"}


def test_a_second_name_of_a_column_is_known(store: Store, folder: Folder) -> None:
    row = {("ProviderName" if name == "ServiceProviderName" else name): value for name, value in focus().items()}
    athena = {
        "bill_payer_account_id": "1",
        "bill_billing_period_start_date": "2026-11-01",
        "bill_billing_period_end_date": "2026-12-01",
        "line_item_usage_account_id": "2",
        "line_item_line_item_type": "Usage",
        "line_item_usage_start_date": "2026-11-20 12:00:00",
        "line_item_usage_end_date": "2026-11-20 13:00:00",
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": "1",
    }
    load(store, [folder.csv(row), folder.csv(athena, name="cur.csv")])
    assert {row["format"] for row in lines(store)} == {"focus", "aws_cur"}


def test_a_bill_much_smaller_than_the_one_before_is_refused_as_a_part(store: Store, folder: Folder) -> None:
    month = [focus(BilledCost="2", ResourceId=f"i-{number}") for number in range(30)]
    assert load(store, [folder.csv(*month)]).warnings == load(store, [folder.csv(*month)]).warnings == ()
    october = {"BillingPeriodStart": "2026-10-01", "BillingPeriodEnd": "2026-11-01"}
    days = {"ChargePeriodStart": "2026-10-02", "ChargePeriodEnd": "2026-10-03"}
    day = folder.csv(*month[:3], focus(**october, **days), name="day.csv")
    told = r"day.csv: would take the place of 30 lines \(60 USD\), of aws payer-1 from 2026-11-01, with 3 lines \(6 USD\)"
    with pytest.raises(BillError, match=f"{told}: a part comes beside it with --add; .*--replace"):
        load(store, [day])
    assert billed(store) == 60
    with pytest.raises(ValueError, match="not both"):
        load(store, [day], Options(add=True, replace=True))
    credited = [*month, focus(BilledCost="-45.5", ChargeCategory="Credit")]
    in_place_of = "aws payer-1 from 2026-11-01: {} in the place of {}".format
    assert load(store, [folder.csv(*credited)]).warnings == (in_place_of("31 lines (14.5 USD)", "30 lines (60 USD)"),)
    assert load(store, [folder.csv(*month)]).warnings == (in_place_of("30 lines (60 USD)", "31 lines (14.5 USD)"),)
    assert load(store, [day], Options(replace=True)).warnings == (in_place_of("3 lines (6 USD)", "30 lines (60 USD)"),)
    assert billed(store) == Decimal("7.5")
