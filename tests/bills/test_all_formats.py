"""Every format's bill against one ledger: attributed + idle + shared + unattributed = billed; its FOCUS export lints clean."""

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from pyarrow import parquet
from tollbook_attribution import currencies, set_rate, settle
from tollbook_attribution.bills import load
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.bills import export
from tollbook_ui.figures import Period

from tests.attribution.facts import NOON, Intake, S, Span, chat
from tests.bills.conftest import Folder, as_csv, focus
from tests.bills.test_exports import FILES

NOVEMBER = {"ChargePeriodStart": "2026-11-01", "ChargePeriodEnd": "2026-12-01", "ConsumedQuantity": "", "ConsumedUnit": ""}
KINDS = [
    {"BilledCost": "10.0000000000000000000000001"},
    {"BilledCost": "-7.5", "ChargeCategory": "Credit", "ResourceId": "", "ChargeDescription": "promotion"},
    {"BilledCost": "19.000000000000003", "ChargeCategory": "Tax", "ResourceId": "", "ServiceName": "Tax"},
    {"BilledCost": "-3.333333333333333333", "ChargeClass": "Correction"},
    {"BilledCost": "0.1", "ChargeCategory": "Adjustment", "ResourceId": "", "ChargeDescription": "rounding"},
    {"BilledCost": "30", "ChargeCategory": "Purchase", "ResourceId": "", "ChargeFrequency": "Recurring"},
]
"""Usage, a credit, taxes, a refund, an adjustment and a purchase."""


def focus_of(provider: str, service: str, resource: str, **changes: str) -> list[dict[str, str]]:
    base = {
        "ChargeClass": "",
        "ServiceProviderName": provider,
        "ServiceName": service,
        "ResourceId": resource,
        "SubAccountId": "a",
        "ChargeFrequency": "",
    }
    return [focus(**{**NOVEMBER, **base, **kind, **changes}) for kind in KINDS]


CUR = {
    "bill/PayerAccountId": "cur", "bill/BillingPeriodStartDate": "2026-11-01T00:00:00Z",
    "bill/BillingPeriodEndDate": "2026-12-01T00:00:00Z",
    "lineItem/UsageAccountId": "2", "lineItem/LineItemType": "Usage", "lineItem/UsageStartDate": "2026-11-20T12:00:00Z",
    "lineItem/UsageEndDate": "2026-11-20T13:00:00Z", "lineItem/CurrencyCode": "USD", "lineItem/UnblendedCost": "1.25",
    "lineItem/ProductCode": "AmazonEC2", "lineItem/ResourceId": "i-0abc", "lineItem/UsageAmount": "1", "pricing/unit": "Hrs",
}  # fmt: skip
AZURE = {
    "billingAccountId": "ba", "billingPeriodStartDate": "11/01/2026", "billingPeriodEndDate": "11/30/2026",
    "SubscriptionId": "sub",
    "date": "11/20/2026", "meterCategory": "Azure OpenAI", "meterName": "gpt-4o Inp glbl Tokens", "meterId": "m",
    "quantity": "24", "unitOfMeasure": "1K",
    "costInBillingCurrency": "2.4000000000000004", "billingCurrency": "EUR", "chargeType": "Usage", "ResourceId": "",
}  # fmt: skip
ORACLE = {
    "lineItem/referenceNo": "1", "lineItem/tenantId": "ocid1.tenancy", "lineItem/intervalUsageStart": "2026-11-20T12:00Z",
    "lineItem/intervalUsageEnd": "2026-11-20T13:00Z", "product/service": "COMPUTE", "product/resourceId": "i-0abc",
    "usage/billedQuantity": "1",
    "cost/productSku": "B1", "cost/unitPrice": "0.06", "cost/myCost": "0.06", "cost/currencyCode": "USD",
    "cost/billingUnitReadable": "ONE HOURS",
    "lineItem/isCorrection": "false",
}  # fmt: skip
GOOGLE = {
    "billing_account_id": "g", "service": {"description": "Compute Engine"}, "sku": {"id": "k", "description": "N1"},
    "project": {"id": "p1"},
    "usage_start_time": "2026-11-20 12:00:00 UTC", "usage_end_time": "2026-11-20 13:00:00 UTC", "cost": 0.1, "currency": "USD",
    "cost_type": "regular", "invoice": {"month": "202611"},
    "credits": [{"name": "sustained", "amount": -0.01, "type": "DISCOUNT"}], "resource": {"name": "i-0abc"},
}  # fmt: skip
AWS_TYPES = (
    "Usage",
    "Tax",
    "Credit",
    "Refund",
    "Fee",
    "EdpDiscount",
    "SavingsPlanCoveredUsage",
    "SavingsPlanNegation",
    "BundledDiscount",
)

BILLS: dict[str, str] = {
    "focus-aws.csv": as_csv(focus_of("AWS", "Amazon Elastic Compute Cloud", "i-0abc")),
    "focus-azure.csv": as_csv(focus_of("Microsoft", "Azure OpenAI", "", SkuMeter="gpt-4o Inp glbl Tokens")),
    "focus-gcp.csv": as_csv(focus_of("Google Cloud", "Vertex AI", "", SkuMeter="Gemini 2.5 Flash")),
    "focus-oci.csv": as_csv(focus_of("Oracle", "COMPUTE", "ocid1.instance.i-0abc")),
    "focus-snowflake.csv": as_csv(focus_of("Snowflake", "Warehouse", "WH")),
    "focus-databricks.csv": as_csv(focus_of("Databricks", "Model Serving", "endpoint")),
    "focus-openai.csv": as_csv(focus_of("OpenAI", "API", "gpt-4o")),
    "cur.csv": as_csv([
        CUR | {"lineItem/LineItemType": kind, "lineItem/UnblendedCost": cost}
        for kind, cost in zip(AWS_TYPES, ("1.25", "0.19", "-0.3", "-0.0000000001", "12", "-0.07", "2", "-2", "-0.5"), strict=True)
    ]),
    "azure.csv": as_csv([
        AZURE | {"chargeType": kind} for kind in ("Usage", "Purchase", "Refund", "UnusedReservation", "RoundingAdjustment")
    ]),
    "oracle.csv": as_csv([ORACLE, ORACLE | {"cost/myCost": "-0.01", "lineItem/isCorrection": "true"}]),
    "google.jsonl": "".join(
        f"{json.dumps(GOOGLE | {'cost_type': kind})}\n" for kind in ("regular", "tax", "adjustment", "rounding_error")
    ),
    **{f"other-{name}": text for name, (text, _) in FILES.items()},
}  # fmt: skip
"""Bills of all formats that are known."""


@pytest.mark.long
def test_every_format_adds_up_against_a_ledger_and_its_export_lints_clean(store: Store, intake: Intake, folder: Folder) -> None:
    set_rate(store, "box", "1.00", 1)
    for code in ("EUR", "AUD"):
        currencies.set_exchange_rate(store, code, "1.1", date(2026, 11, 1), now=NOON)
    box = {A.HOST_ID: "i-0abc", A.HOST_TYPE: "box"}
    calls = [chat(number, 1, input=1000 * number + 7, output=77, start_ns=number * 60 * S) for number in range(10, 14)]
    intake.spans([Span(1, 1, duration_ns=3600 * S - 1, resource=box, attributes={A.TOLLBOOK_CPU_TIME: 900 * S}), *calls])
    load(store, [folder.text(text, name) for name, text in BILLS.items()])
    settle(store)
    found = Answers(store).bills.reconciliation().rows
    for row in found:
        assert row.attributed + row.idle + row.shared + row.unattributed == row.billed, row
    [total] = store.query("SELECT sum(billed_cost) AS billed FROM bill")
    assert abs(sum(row.billed for row in found) - total["billed"]) < Decimal("1E-20")  # 28 digits are counted in
    assert {row.provider for row in found if row.attributed} >= {"aws", "openai"}
    period = Period(NOON.replace(day=1, hour=0), NOON.replace(month=12, day=1, hour=0))
    written = list(csv.DictReader(io.StringIO(b"".join(export.focus_csv(store, period)).decode())))
    lint = pytest.importorskip("focus_data_toolkit.model.validator")
    assert lint.lint_focus_1_4_structure("Cost and Usage", written).ok
    table = parquet.read_table(io.BytesIO(b"".join(export.focus_parquet(store, period))))
    assert table.num_rows == len(written)
    assert sum(table["BilledCost"].to_pylist()) == sum(Decimal(row["BilledCost"]) for row in written)
    kinds = {row["ChargeCategory"] for row in written}
    assert kinds == {"Usage", "Credit", "Tax", "Adjustment", "Purchase"}
