"""What questions about bills answer with. Money has every digit; its currency stands beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

DIGITS = 76
"""Of an amount, as the store has them: Python's own 28 lose the last ones of a large bill."""


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, with every digit."""
    with localcontext(prec=DIGITS):
        return sum(amounts, Decimal(0))


@dataclass(frozen=True)
class Period:
    """A billing period of a provider and billing account, as its newest import says it."""

    provider: str
    billing_account_id: str
    billing_period_start: datetime
    billing_period_end: datetime
    billing_currency: str
    billed_cost: Decimal
    effective_cost: Decimal
    lines: int
    format: str
    files: Sequence[str]
    imported_at: datetime
    versions: int
    """Imports that brought this period, the one in force among them, and those that were taken back."""
    import_id: int = 0
    """The last import that brought lines of it."""


@dataclass(frozen=True)
class Charge:
    """Charges of one service and account."""

    billing_period: str
    """Its first day."""
    provider: str
    account: str
    service: str
    charge_category: str
    charge_class: str
    currency: str
    lines: int
    billed_cost: Decimal
    effective_cost: Decimal


@dataclass(frozen=True)
class Bill:
    """What was charged; the rows add up to the bill."""

    rows: tuple[Charge, ...]


@dataclass(frozen=True)
class Taken:
    """What files of bills brought."""

    import_id: int
    files: int
    lines: int
    reconciled: bool
    """Whether hours of the ledger change by it."""
    rows: tuple[Period, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Undone:
    """An import that was taken back."""

    import_id: int
    lines: int
    """Of the bills that it had brought, until now."""
    reconciled: bool
    """Whether hours of the ledger change by it."""
    rows: tuple[Period, ...]
    """What it had taken the place of, and is in force again."""


@dataclass(frozen=True)
class Statement:
    """A provider's service and account: attributed + idle + shared + unattributed = billed, to the last digit."""

    billing_period: str
    provider: str
    account: str
    service: str
    currency: str
    billed: Decimal
    attributed: Decimal
    """To requests."""
    idle: Decimal
    shared: Decimal
    unattributed: Decimal
    pending: Decimal
    """Part of the unattributed that is not in the ledger: its hours are not settled yet, there is no exchange rate, or it is less
    than the ledger's 18 decimals."""
    billed_usd: Decimal
    estimate_usd: Decimal
    """What the ledger had before the bill came, for what the bill names."""
    price_usd: Decimal
    """Difference made by price: what telemetry knows, at what it was billed, less what it was estimated at."""
    quantity_usd: Decimal
    """Difference made by quantity that telemetry tells of and the bill does not; negative."""
    unknown_usage_usd: Decimal
    """Difference made by what was billed and telemetry does not tell of."""

    @property
    def closes(self) -> bool:
        """Whether the four parts are the bill, to the last digit."""
        return total((self.attributed, self.idle, self.shared, self.unattributed)) == self.billed


@dataclass(frozen=True)
class Remainder:
    """Money that is attributed to nobody, by its name."""

    billing_period: str
    provider: str
    account: str
    service: str
    item: str
    currency: str
    amount: Decimal


@dataclass(frozen=True)
class BilledOnly:
    """Billed, and no telemetry tells of it."""

    billing_period: str
    provider: str
    account: str
    service: str
    resource: str
    reason: str
    currency: str
    amount: Decimal
    lines: int


@dataclass(frozen=True)
class SeenOnly:
    """In the ledger, in a time that a bill of its provider covers, and not in the bill; it keeps its estimate."""

    category: str
    resource: str
    provider: str
    account: str
    hours: int
    amount_usd: Decimal


@dataclass(frozen=True)
class MissingRate:
    """Charges in a currency that has no exchange rate for their day: they are not in the ledger."""

    currency: str
    day: str
    provider: str
    amount: Decimal
    lines: int
    known_from: str = ""
    """The day of the nearest rate: the last one before, else the first one after; empty where the currency has none."""
    known_until: str = ""
    """The last day that it holds."""


@dataclass(frozen=True)
class Reconciliation:
    """Bills against the ledger."""

    cost: str
    """Which cost of the bill counts: billed or effective."""
    reconciled_at: datetime | None
    unsettled_hours: int
    """Hours that this changes and that are not settled yet."""
    rows: tuple[Statement, ...]
    remainders: tuple[Remainder, ...]
    billed_only: tuple[BilledOnly, ...]
    seen_only: tuple[SeenOnly, ...]
    not_in_the_bill_usd: Decimal
    """Estimates of what no bill names."""
    missing_rates: tuple[MissingRate, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """What a person said a billed line is of."""

    mapping_id: str
    set_at: datetime
    provider: str
    account: str
    service: str
    resource: str
    sku: str
    category: str
    ledger_resource: str
    ledger_provider: str


@dataclass(frozen=True)
class NewMapping:
    """Billed lines, told by any of their provider, account, service, resource and SKU, and what they are of. `%` as in LIKE."""

    target: str
    """`compute/host:i-0abc`, `tokens/openai/gpt-4o`, `tokens/*` for all of a category of the provider, or `none`."""
    provider: str = ""
    account: str = ""
    service: str = ""
    resource: str = ""
    sku: str = ""
    ledger_provider: str = ""
    tenant: str = "default"
