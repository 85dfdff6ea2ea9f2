"""The price book: dated rows of `prices`, each of which is a box of conditions in which one price holds. Never overwritten.

Lists (genai-prices', LiteLLM's) come whole, once per version, and the newest version decides what the list says. What people set
themselves comes row by row, and the newest row of a box decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal, localcontext
from operator import attrgetter
from typing import Literal

from tollbook_schema import sql
from tollbook_schema.store import Store

Precedence = Literal["undated list", "list", "dated list", "own"]
"""Who is heard first where several name a price: the last one here."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_S = 86_400
NO_LIMIT = 2**63 - 1


SMALLEST = Decimal("1e-18")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Price:
    """One row of `prices`: what one unit of one item costs inside one box of conditions."""

    tenant: str = ""
    """Whose price it is; empty for every tenant."""
    price_id: str = ""
    """Made of provider, model, item and conditions where not given."""
    version: str
    category: str = "tokens"
    provider: str
    model: str
    """The product: a model, a storage class, an accelerator, a service."""
    item: str
    unit: str
    amount: Decimal
    """For one unit."""
    quoted: Decimal | None = None
    """As its source says it: for `per` units."""
    per: int = 1
    currency: str = "USD"
    valid_from: datetime = EPOCH
    valid_until: datetime | None = None
    day_from_s: int = 0
    day_until_s: int = DAY_S
    min_quantity: int = 0
    max_quantity: int = NO_LIMIT
    """Half open: holds for min_quantity <= quantity < max_quantity."""
    service_tier: str = ""
    batch: bool = False
    variant: str = ""
    region: str = ""
    account: str = ""
    conditions: str = ""
    """The conditions in words; made of them where not given."""
    precedence: Precedence = "own"
    source: str
    source_url: str = ""
    retrieved_at: datetime = field(default_factory=_now)
    added_at: datetime = field(default_factory=_now)

    def __post_init__(self) -> None:
        if self.quoted is None:
            object.__setattr__(self, "quoted", self.amount * self.per)
        if not self.conditions:
            object.__setattr__(self, "conditions", _in_words(self))
        if not self.price_id:
            suffix = f" ({self.conditions})" if self.conditions else ""
            object.__setattr__(self, "price_id", "/".join((self.provider, self.model, self.item)) + suffix)


def each(quoted: Decimal, per: int) -> Decimal:
    """What one unit costs where `per` of them cost `quoted`, cut off at the 18th decimal."""
    with localcontext(prec=60, rounding=ROUND_DOWN):
        return (quoted / per).quantize(SMALLEST)


COLUMNS = tuple(entry.name for entry in fields(Price))

BOX = (
    "tenant", "category", "provider", "model", "item", "unit", "valid_from", "day_from_s", "day_until_s", "min_quantity",
    "max_quantity", "service_tier", "batch", "variant", "region", "account",
)  # fmt: skip
"""Columns that tell boxes apart; a row of the same box says the same thing anew."""


def add(store: Store, rows: Iterable[Price]) -> int:
    """Adds to the book what it does not say already, and returns how many rows that were.

    Rows of a list are taken where this version of the list is not stored yet; own rows where the newest row of their box says
    something else.
    """
    given = list(rows)
    lists = {(row.tenant, row.source, row.version) for row in given if row.precedence != "own"}
    stored = _stored(store, lists)
    said = _said(store) if any(row.precedence == "own" for row in given) else {}
    new = [row for row in given if _is_new(row, stored, said)]
    insert(store, new)
    return len(new)


def insert(store: Store, rows: Sequence[Price]) -> None:
    """Adds rows as they are."""
    values = attrgetter(*COLUMNS)
    store.insert("prices", [values(row) for row in rows], COLUMNS)


def has_version(store: Store, source: str, version: str) -> bool:
    """Whether this version of a list is stored for every tenant."""
    return ("", source, version) in _stored(store, {("", source, version)})


def _stored(store: Store, lists: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Which of these (tenant, source, version) are stored."""
    sources = sorted({source for _, source, _ in lists})
    rows = store.query(_sql("price_versions.sql"), {"sources": sources}) if sources else []
    return {(row["tenant"], row["source"], row["version"]) for row in rows}


def _said(store: Store) -> dict[tuple[object, ...], tuple[Decimal, str, datetime | None]]:
    """What own rows say at present, by box."""
    rows = store.query(_sql("own_prices.sql"))
    return {_box(row): (row["amount"], row["currency"], _utc(row["valid_until"])) for row in rows}


def _box(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(_utc(value) if isinstance(value := row[name], datetime) else value for name in BOX)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _is_new(
    row: Price, stored: set[tuple[str, str, str]], said: dict[tuple[object, ...], tuple[Decimal, str, datetime | None]]
) -> bool:
    if row.precedence != "own":
        return (row.tenant, row.source, row.version) not in stored
    box = tuple(getattr(row, name) for name in BOX)
    return said.get(box) != (row.amount, row.currency, row.valid_until)


def _in_words(price: Price) -> str:
    words = []
    counted = price.category == "tokens"  # the others are measured: between 99 GB and 100 GB there is more
    if price.min_quantity > 0:
        words.append(
            f"more than {price.min_quantity - 1} input tokens" if counted else f"from {price.min_quantity} {price.unit} on"
        )
    if price.max_quantity < NO_LIMIT:
        words.append(f"up to {price.max_quantity - 1} input tokens" if counted else f"below {price.max_quantity} {price.unit}")
    if (price.day_from_s, price.day_until_s) != (0, DAY_S):
        words.append(f"{_clock(price.day_from_s)} to {_clock(price.day_until_s)} UTC")
    named = (("service tier", price.service_tier), ("", price.variant), ("region", price.region), ("account", price.account))
    words += [f"{name} {value}".strip() for name, value in named if value]
    if price.batch:
        words.append("batch")
    if price.tenant:
        words.append(f"tenant {price.tenant}")
    return ", ".join(words)


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"


def _sql(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
