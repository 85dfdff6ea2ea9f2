"""The formats that bills come in: which columns tell them apart, which they cannot do without. Pure.

What each of their columns means stands in `formats/<name>.sql`. Columns are compared by their letters and digits alone, so
`lineItem/UnblendedCost`, `line_item_unblended_cost` and `LineItem UnblendedCost` are one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from tollbook_schema import sql

_ASKED = re.compile(r"(?:\bat|\))\['(\w+)'\]")
_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Format:
    """One kind of export."""

    name: str
    told_by: tuple[tuple[str, ...], ...]
    """Columns that all of its files have, and no other format's: one of each group."""
    needs: tuple[tuple[str, ...], ...]
    """Columns without which there is no bill: one of each group, spelled as people know them, the usual name first."""
    columns: tuple[tuple[str, tuple[str, ...]], ...]
    """What the format calls the columns that problems are told of."""
    together: tuple[str, ...] = ()
    """Columns that a file has all of or none of."""
    tags: tuple[str, ...] = ()
    """Starts of column names that are tags."""
    read_by: str = ""
    """Name of the statement that reads its rows, where it is not its own."""
    late_usage: bool = False
    """Whether usage of an earlier month may be billed in a later one without being called a correction."""
    blank_is_free: bool = False
    """Whether a line without a cost costs nothing."""

    @property
    def script(self) -> str:
        """The statement that reads its rows."""
        return sql.text("tollbook_attribution", f"bills/formats/{self.read_by or self.name}.sql")

    def asked(self) -> frozenset[str]:
        """Columns that the statement asks for."""
        return frozenset(_ASKED.findall(self.script))

    def spelled(self, column: str) -> str:
        """What the format calls a column of FOCUS."""
        return dict(self.columns).get(column, (column,))[0]

    def called(self, column: str, header: Sequence[str]) -> str:
        """What a file with that header calls a column of FOCUS."""
        names = {word(name): name for name in header}
        spelled = dict(self.columns).get(column, (column,))
        return next((names[word(name)] for name in spelled if word(name) in names), spelled[0])

    def missing(self, header: Sequence[str]) -> list[str]:
        """Columns that it needs and this header has not."""
        there = {word(name) for name in header}
        half = [name for name in self.together if word(name) not in there]
        return [
            *(group[0] for group in self.needs if not there & {word(name) for name in group}),
            *(half if len(half) < len(self.together) else ()),
        ]

    def ambiguous(self, header: Sequence[str]) -> list[str]:
        """The spellings of the first column that it asks for and this header has more than once."""
        asked = self.asked()
        spelled = [[name for name in header if word(name) == own] for own in dict.fromkeys(map(word, header)) if own in asked]
        return next((names for names in spelled if len(names) > 1), [])

    def lacks_periods(self, header: Sequence[str]) -> bool:
        """Whether it may name billing periods and this header does not."""
        return bool(self.together) and not {word(name) for name in self.together} & {word(name) for name in header}


FOCUS = Format(
    name="focus",
    told_by=(("BilledCost", "EffectiveCost"), ("ChargeCategory", "ChargePeriodStart", "BillingPeriodStart", "ChargeType")),
    needs=(
        ("BilledCost",),
        ("BillingCurrency",),
        ("ChargePeriodStart",),
        ("ChargePeriodEnd",),
        ("ChargeCategory", "ChargeType"),
        ("ServiceProviderName", "ProviderName", "Provider"),
    ),
    together=("BillingPeriodStart", "BillingPeriodEnd"),
    columns=(
        ("EffectiveCost", ("EffectiveCost", "AmortizedCost")),
        ("ChargeCategory", ("ChargeCategory", "ChargeType")),
        ("PricingQuantity", ("PricingQuantity", "UsageQuantity")),
        ("ServiceProviderName", ("ServiceProviderName", "ProviderName", "Provider")),
    ),
)

TAKEN = (
    "BilledCost", "EffectiveCost", "ListCost", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart",
    "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ChargeDescription", "ServiceProviderName", "ServiceName",
    "ServiceCategory", "BillingAccountId", "SubAccountId", "SubAccountName", "RegionId", "ResourceId", "ResourceName",
    "ResourceType", "SkuId", "SkuMeter", "ConsumedQuantity", "ConsumedUnit", "InvoiceId", "Tags",
)  # fmt: skip
"""Columns of FOCUS that people may say the columns of any other bill to be."""

AWS_CUR = Format(
    name="aws_cur",
    told_by=(
        ("lineItem/UnblendedCost", "lineItem/UsageStartDate", "lineItem/LineItemType"),
        ("lineItem/UsageAccountId", "bill/PayerAccountId"),
    ),
    needs=(
        ("lineItem/UnblendedCost",),
        ("lineItem/CurrencyCode",),
        ("lineItem/LineItemType",),
        ("lineItem/UsageStartDate", "bill/BillingPeriodStartDate"),
    ),
    together=("bill/BillingPeriodStartDate", "bill/BillingPeriodEndDate"),
    columns=(
        ("BilledCost", ("lineItem/UnblendedCost",)),
        ("EffectiveCost", ("reservation/EffectiveCost", "savingsPlan/SavingsPlanEffectiveCost")),
        ("ListCost", ("pricing/publicOnDemandCost",)),
        ("ListUnitPrice", ("pricing/publicOnDemandRate",)),
        ("ContractedUnitPrice", ("lineItem/UnblendedRate",)),
        ("PricingQuantity", ("lineItem/UsageAmount",)),
        ("ConsumedQuantity", ("lineItem/UsageAmount",)),
        ("BillingPeriodStart", ("bill/BillingPeriodStartDate",)),
        ("BillingPeriodEnd", ("bill/BillingPeriodEndDate",)),
        ("ChargePeriodStart", ("lineItem/UsageStartDate",)),
        ("ChargePeriodEnd", ("lineItem/UsageEndDate",)),
        ("BillingCurrency", ("lineItem/CurrencyCode",)),
    ),
    tags=("resourceTags/", "resource_tags_"),
)

_AZURE_DAYS = ("Date", "UsageDateTime", "UsageDate", "UsageStart", "BillingMonth")

AZURE = Format(
    name="azure",
    told_by=(
        ("CostInBillingCurrency", "PreTaxCost", "Cost", "ExtendedCost"),
        ("MeterId", "MeterCategory", "MeterName"),
        ("SubscriptionId", "SubscriptionGuid", "SubscriptionName"),
    ),
    needs=(
        ("CostInBillingCurrency", "PreTaxCost", "Cost", "ExtendedCost"),
        ("BillingCurrency", "BillingCurrencyCode", "Currency", "CurrencyCode"),
        _AZURE_DAYS,
    ),
    columns=(
        ("BilledCost", ("CostInBillingCurrency", "PreTaxCost", "Cost", "ExtendedCost")),
        ("EffectiveCost", ("CostInBillingCurrency", "PreTaxCost", "Cost", "ExtendedCost")),
        ("ListCost", ("PaygCostInBillingCurrency",)),
        ("ListUnitPrice", ("PayGPrice",)),
        ("ContractedUnitPrice", ("EffectivePrice", "UnitPrice", "ResourceRate")),
        ("PricingQuantity", ("Quantity", "UsageQuantity", "ConsumedQuantity")),
        ("ConsumedQuantity", ("Quantity", "UsageQuantity", "ConsumedQuantity")),
        ("BillingPeriodStart", ("BillingPeriodStartDate", *_AZURE_DAYS)),
        ("BillingPeriodEnd", ("BillingPeriodEndDate", *_AZURE_DAYS)),
        ("ChargePeriodStart", _AZURE_DAYS),
        ("ChargePeriodEnd", _AZURE_DAYS),
        ("BillingCurrency", ("BillingCurrency", "BillingCurrencyCode", "Currency", "CurrencyCode")),
        ("ChargeCategory", ("ChargeType",)),
    ),
)

AZURE_ANALYSIS = replace(
    AZURE,
    told_by=(
        ("Cost", "PreTaxCost"),
        ("CostUSD", "PreTaxCost", "SubscriptionId", "BillingMonth"),
        ("UsageDate", "BillingMonth"),
        ("Currency",),
    ),
)
"""What its portal's cost analysis downloads, and its query API answers: a row a day or a month, of whatever was grouped by."""

OCI = Format(
    name="oci",
    told_by=(("cost/myCost", "usage/billedQuantity"), ("lineItem/intervalUsageStart", "lineItem/tenantId")),
    needs=(("cost/myCost",), ("cost/currencyCode",), ("lineItem/intervalUsageStart",), ("lineItem/intervalUsageEnd",)),
    columns=(
        ("BilledCost", ("cost/myCost",)),
        ("EffectiveCost", ("cost/myCost",)),
        ("ContractedUnitPrice", ("cost/unitPrice",)),
        ("PricingQuantity", ("usage/billedQuantity",)),
        ("ConsumedQuantity", ("usage/billedQuantity",)),
        ("BillingPeriodStart", ("lineItem/intervalUsageStart",)),
        ("BillingPeriodEnd", ("lineItem/intervalUsageStart",)),
        ("ChargePeriodStart", ("lineItem/intervalUsageStart",)),
        ("ChargePeriodEnd", ("lineItem/intervalUsageEnd",)),
        ("BillingCurrency", ("cost/currencyCode",)),
    ),
    tags=("tags/",),
    blank_is_free=True,
)

GOOGLE = Format(
    name="google",
    told_by=(
        ("billing_account_id",),
        ("usage_start_time", "usage_start_date"),
        ("cost", "sku.id", "sku", "service", "unrounded_cost"),
    ),
    needs=(("cost", "unrounded_cost"), ("currency",), ("usage_start_time", "usage_start_date")),
    columns=(
        ("BilledCost", ("unrounded_cost", "cost")),
        ("EffectiveCost", ("unrounded_cost", "cost")),
        ("ListCost", ("cost_at_list",)),
        ("ContractedUnitPrice", ("price.effective_price", "price")),
        ("PricingQuantity", ("usage.amount_in_pricing_units", "usage")),
        ("ConsumedQuantity", ("usage.amount", "usage")),
        ("BillingPeriodStart", ("invoice.month", "invoice", "invoice_date", "usage_start_time", "usage_start_date")),
        ("BillingPeriodEnd", ("invoice.month", "invoice", "invoice_date", "usage_start_time", "usage_start_date")),
        ("ChargePeriodStart", ("usage_start_time", "usage_start_date")),
        ("ChargePeriodEnd", ("usage_end_time", "usage_end_date")),
        ("BillingCurrency", ("currency",)),
    ),
    late_usage=True,
)

OPENAI = Format(
    name="openai",
    read_by="api_costs",
    told_by=(("amount_value",), ("amount_currency",), ("start_time", "start_time_iso")),
    needs=(("amount_value",), ("amount_currency",), ("start_time", "start_time_iso"), ("end_time", "end_time_iso")),
    columns=(
        ("BilledCost", ("amount_value",)),
        ("EffectiveCost", ("amount_value",)),
        ("ConsumedQuantity", ("quantity",)),
        ("BillingPeriodStart", ("start_time", "start_time_iso")),
        ("BillingPeriodEnd", ("start_time", "start_time_iso")),
        ("ChargePeriodStart", ("start_time", "start_time_iso")),
        ("ChargePeriodEnd", ("end_time", "end_time_iso")),
        ("BillingCurrency", ("amount_currency",)),
    ),
)

ANTHROPIC = Format(
    name="anthropic",
    read_by="api_costs",
    told_by=(("usage_date_utc",), ("cost_usd",)),
    needs=(("usage_date_utc",), ("cost_usd",)),
    columns=(
        ("BilledCost", ("cost_usd",)),
        ("EffectiveCost", ("cost_usd",)),
        ("ListCost", ("list_price_usd",)),
        ("BillingPeriodStart", ("usage_date_utc",)),
        ("BillingPeriodEnd", ("usage_date_utc",)),
        ("ChargePeriodStart", ("usage_date_utc",)),
        ("ChargePeriodEnd", ("usage_date_utc",)),
    ),
)

_PAGED = tuple((column, ("data",)) for column in (
    "BilledCost", "EffectiveCost", "BillingCurrency",
    "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd",
))  # fmt: skip
OPENAI_PAGES = Format("openai", (("object",), ("data",), ("has_more",)), (("data",),), _PAGED, read_by="api_costs")
ANTHROPIC_PAGES = Format("anthropic", (("data",), ("has_more",)), (("data",),), _PAGED, read_by="api_costs")
_BUCKETS = tuple((column, ("results",)) for column in ("BilledCost", "EffectiveCost", "BillingCurrency"))
OPENAI_BUCKETS = Format("openai", (("start_time",), ("end_time",), ("results",)), (("results",),), _BUCKETS, read_by="api_costs")
ANTHROPIC_BUCKETS = Format(
    "anthropic", (("starting_at",), ("ending_at",), ("results",)), (("results",),), _BUCKETS, read_by="api_costs"
)

FORMATS = (
    FOCUS, AWS_CUR, OCI, GOOGLE, AZURE, AZURE_ANALYSIS, OPENAI, ANTHROPIC, OPENAI_PAGES, ANTHROPIC_PAGES, OPENAI_BUCKETS,
    ANTHROPIC_BUCKETS,
)  # fmt: skip
"""In the order they are looked for: FOCUS first, as Azure's own columns stand in some of its files too."""


COMPANIONS = (
    ("FOCUS's Invoice Detail, which sums up the charges of Cost and Usage", ("InvoiceDetailGrain", "InvoiceIssueStatus")),
    ("FOCUS's Billing Period", ("BillingPeriodStatus",)),
    ("FOCUS's Contract Commitment", ("ContractCommitmentType", "ContractCommitmentCategory")),
    ("Oracle's usage report, which has quantities and no cost", ("usage/consumedQuantity", "usage/consumedQuantityUnits")),
)
"""Data sets that exports bring beside a bill, and columns of theirs that no bill has."""


def companion(header: Sequence[str]) -> str:
    """The data set beside a bill whose columns these are; empty where it is none."""
    there = {word(name) for name in header}
    if "costmycost" in there:
        return ""
    return next((name for name, columns in COMPANIONS if there & {word(column) for column in columns}), "")


@cache
def word(name: str) -> str:
    """A column's name by its letters and digits."""
    return _WORD.sub("", name.casefold())


def detected(header: Sequence[str]) -> Format | None:
    """The format whose columns these are; None where it is none."""
    there = {word(name) for name in header}
    return next((found for found in FORMATS if all(there & {word(name) for name in group} for group in found.told_by)), None)
