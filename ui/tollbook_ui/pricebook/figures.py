"""Answers about prices, as dataclasses: the API's JSON, the CLI's CSV and the tables have their fields."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class PriceRow:
    """One dated price; `valid_until` is `None` while it holds, `max_quantity` where there is no bound."""

    price_id: str
    version: str
    tenant: str
    category: str
    provider: str
    model: str
    item: str
    unit: str
    amount: Decimal
    """For one unit."""
    quoted: Decimal
    """As its source says it, for `per` units."""
    per: int
    currency: str
    valid_from: datetime | None
    """`None` for since ever."""
    valid_until: datetime | None
    conditions: str
    source: str
    source_url: str
    retrieved_at: datetime


@dataclass(frozen=True)
class ShownPrice:
    """A price of a model, and whether it decides at the moment that was asked about."""

    decides: bool
    price: PriceRow


@dataclass(frozen=True)
class Shown:
    """What the book says of a model's name."""

    provider: str
    model: str
    at: datetime
    stands_for: tuple[str, ...]
    """`provider/model` of the book, the first one first; empty where the name is unknown."""
    reason: str
    """How the name was read, or why there is no price."""
    rows: tuple[ShownPrice, ...]


@dataclass(frozen=True)
class ProblemRow:
    """What is wrong with a file, and where."""

    file: str
    line: int
    column: str
    level: str
    """error or warning."""
    message: str


@dataclass(frozen=True)
class Taken:
    """What a file of prices came to."""

    file: str
    source: str
    version: str
    prices: int
    """In the file."""
    added: int
    """That the book did not have; nothing while there are errors."""
    rows: tuple[ProblemRow, ...]
    """Errors first."""

    @property
    def errors(self) -> int:
        """Problems that kept the file out."""
        return sum(row.level == "error" for row in self.rows)


@dataclass(frozen=True)
class NewPrice:
    """A price as somebody sets it, its members as the columns of a file; see `tollbook prices columns`."""

    provider: str
    model: str
    item: str
    amount: str
    per: str = "1"
    unit: str = ""
    currency: str = "USD"
    category: str = "tokens"
    valid_from: str = ""
    valid_until: str = ""
    time_from: str = ""
    time_until: str = ""
    min_quantity: str = ""
    max_quantity: str = ""
    service_tier: str = ""
    batch: str = ""
    variant: str = ""
    region: str = ""
    account: str = ""
    tenant: str = ""
    source_url: str = ""


@dataclass(frozen=True)
class Change:
    """One price that two sides say differently; `None` where a side says nothing."""

    price_id: str
    valid_from: datetime | None
    before: Decimal | None
    before_currency: str
    before_source: str
    after: Decimal | None
    after_currency: str
    after_source: str


@dataclass(frozen=True)
class Changes:
    """How two versions of the book, or a file and the book, differ."""

    before: str
    after: str
    rows: tuple[Change, ...]


@dataclass(frozen=True)
class ExchangeRate:
    """What a unit of a currency is worth, from a day to its last day."""

    currency: str
    day: date
    last_day: date
    usd_per_unit: Decimal
    source: str


@dataclass(frozen=True)
class NewExchangeRate:
    """A rate as somebody sets it; it holds a week beyond its day if no last day is given."""

    currency: str
    usd_per_unit: str
    day: date
    last_day: date | None = None
    source: str = "set"


@dataclass(frozen=True)
class Alias:
    """A model name of the telemetry, and the price that it stands for; an empty price takes it back."""

    model: str
    price: str
    provider: str = ""
    """Of the telemetry; empty for any."""
    tenant: str = ""


@dataclass(frozen=True)
class Discount:
    """What a contract takes off list prices; a member that is empty stands for anything."""

    discount_id: str
    percent: Decimal
    tenant: str = ""
    category: str = ""
    provider: str = ""
    model: str = ""
    item: str = ""
    account: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    source: str = "set"


@dataclass(frozen=True)
class RepricedRow:
    """What settling again has changed for an owner's use of a model, and why."""

    tenant: str
    team: str
    provider: str
    model: str
    category: str
    item: str
    before_quantity: Decimal
    after_quantity: Decimal
    before_usd: Decimal
    after_usd: Decimal
    difference_usd: Decimal
    before_unpriced_calls: int
    after_unpriced_calls: int
    reason: str


@dataclass(frozen=True)
class Repriced:
    """A period settled again: what it came to before and after, per owner and model, and why."""

    repricing_id: str
    since: datetime
    until: datetime
    windows: int
    """Hours settled again."""
    before_usd: Decimal
    after_usd: Decimal
    difference_usd: Decimal
    before_unpriced_calls: int
    after_unpriced_calls: int
    rows: tuple[RepricedRow, ...]
    """What has changed, the largest difference first."""


@dataclass(frozen=True)
class Repricing:
    """One time that a period was settled again."""

    repricing_id: str
    started_at: datetime
    since: datetime
    until: datetime
    changes: int
    before_usd: Decimal
    """Of what has changed."""
    after_usd: Decimal


@dataclass(frozen=True)
class Column:
    """A column that a file of prices may have."""

    column: str
    needed: bool
    meaning: str
