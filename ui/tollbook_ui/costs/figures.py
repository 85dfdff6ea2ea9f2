"""What answers about cost are made of. Money is `Decimal` in US dollars and exact; `None` is what nobody knows, never a zero."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from tollbook_ui.figures import Period
from tollbook_ui.plain import Grid, grid
from tollbook_ui.unsettled import FromLedger


@dataclass(frozen=True)
class CostRow:
    """Money of one group; `keys` are its values of the keys that were asked for, in their order."""

    keys: tuple[str, ...]
    """`''` where nothing names the key."""
    amount_usd: Decimal | None
    """`None` where nothing in the group has a known price."""
    share: float | None
    """Of the total."""
    lines: int
    tokens: Decimal | None
    """Of its lines, whatever their kind."""
    calls: int | None
    """Model calls that should cost money; `None` where the keys do not divide calls."""
    unpriced_calls: int | None
    tokens_priced_ratio: float | None
    """Share of its calls' tokens that have a price; `None` where none are known, or the keys do not divide calls."""
    requests: int | None
    """`None` where the keys do not divide requests."""
    scored_requests: int | None
    good_requests: int | None
    """Requests whose every score says that the answer was good."""
    usd_per_request: Decimal | None
    usd_per_thousand_tokens: Decimal | None
    """All money of the group, by its tokens."""
    usd_per_good_answer: Decimal | None
    """Money of all requests with a score, by those whose answer was good."""
    estimated_usd: Decimal
    """The part that rests on an estimate."""
    wasted_usd: Decimal
    """The part that bought nothing: calls that failed, were aborted, retried, cut off or made twice."""
    simulated_usd: Decimal


@dataclass(frozen=True)
class Cost(FromLedger):
    """Money by keys; `rows` add up to `total`, to the last digit."""

    period: Period
    by: tuple[str, ...]
    where: tuple[str, ...]
    total: CostRow
    rows: tuple[CostRow, ...]
    calls_priced_ratio: float | None
    """Share of the model calls that have a price; `None` where there are none, or the filter does not divide calls."""

    def grid(self) -> Grid:
        """The rows with a column for each key."""
        return keyed(self.by, CostRow, self.rows, "keys")


@dataclass(frozen=True)
class CauseRow:
    """What one cause did to the cost."""

    cause: str
    amount_usd: Decimal
    meaning: str


@dataclass(frozen=True)
class Driver:
    """One cause at one workload."""

    workload: tuple[str, ...]
    cause: str
    detail: str
    """The model, else what the money was paid for."""
    amount_usd: Decimal
    said: str
    """The figures that moved, in words."""


@dataclass(frozen=True)
class BridgeRow:
    """One workload in both periods; its causes add up to `change_usd`, to the last digit."""

    workload: tuple[str, ...]
    before_usd: Decimal
    after_usd: Decimal
    change_usd: Decimal
    volume_usd: Decimal
    mix_usd: Decimal
    model_usd: Decimal
    cache_usd: Decimal
    price_usd: Decimal
    coverage_usd: Decimal
    idle_usd: Decimal
    new_usd: Decimal
    gone_usd: Decimal
    shared_usd: Decimal
    unattributed_usd: Decimal
    requests_before: int
    requests_after: int
    unpriced_before: int
    unpriced_after: int


@dataclass(frozen=True)
class Bridge(FromLedger):
    """Why cost changed from one period to another. Causes, rows and drivers each add up to `change_usd`, to the last digit."""

    before: Period
    after: Period
    by: tuple[str, ...]
    where: tuple[str, ...]
    before_usd: Decimal
    after_usd: Decimal
    change_usd: Decimal
    change_ratio: float | None
    sentence: str
    causes: tuple[CauseRow, ...]
    rows: tuple[BridgeRow, ...]
    drivers: tuple[Driver, ...]
    drivers_left_usd: Decimal
    """What all drivers beyond those listed come to."""
    priced_ratio_before: float | None
    priced_ratio_after: float | None
    notes: tuple[str, ...]
    """What to know before believing it."""

    def grid(self) -> Grid:
        """The rows with a column for each key."""
        return keyed(self.by, BridgeRow, self.rows, "workload")


@dataclass(frozen=True)
class AnomalyRow:
    """Hours or days at which a group cost far more than usual, or the first day of a new one."""

    keys: tuple[str, ...]
    since: datetime
    until: datetime
    amount_usd: Decimal
    usual_usd: Decimal
    """The median of comparable times; 0 of a group that is new."""
    more_usd: Decimal
    distance: float | None
    """From the usual, in distances that are usual: 6 or more; `None` of a group that is new."""
    cause: str
    """What moved it, against the same time a week or a day before; empty where that is unknown."""


@dataclass(frozen=True)
class Anomalies(FromLedger):
    """What is out of the ordinary, the dearest first."""

    period: Period
    by: tuple[str, ...]
    where: tuple[str, ...]
    known_since: datetime | None
    """What came before is unknown, and nothing is compared with it."""
    rows: tuple[AnomalyRow, ...]

    def grid(self) -> Grid:
        """The rows with a column for each key."""
        return keyed(self.by, AnomalyRow, self.rows, "keys")


@dataclass(frozen=True)
class CacheRow:
    """What caching did for one workload and model. Token kinds exclude each other."""

    workflow: str
    provider: str
    model: str
    input_tokens: Decimal
    """Paid in full."""
    read_tokens: Decimal
    written_tokens: Decimal
    unread_tokens: Decimal
    """Of those written: at least so many were never read."""
    hit_ratio: float | None
    """Share of all input that was read from the cache."""
    saved_usd: Decimal | None
    """What reading saved against the price of fresh input; `None` where that price is unknown."""
    write_premium_usd: Decimal | None
    """What writing cost more than fresh input would have."""
    wasted_usd: Decimal | None
    """Of that, for what was never read."""
    net_usd: Decimal | None
    """Saved less premium."""


@dataclass(frozen=True)
class Caches(FromLedger):
    """Cache economics of a period: of providers' caches by workload and model, and of one's own caches."""

    period: Period
    rows: tuple[CacheRow, ...]
    hit_ratio: float | None
    saved_usd: Decimal
    write_premium_usd: Decimal
    wasted_usd: Decimal
    net_usd: Decimal
    unknown_rows: int
    """Rows whose saving is unknown; they are in no sum."""
    avoided_calls: int
    """Calls that one's own cache answered."""
    avoided_usd: Decimal | None
    """What these calls would have cost; `None` where that is unknown."""


def keyed(by: tuple[str, ...], row: type[Any], rows: tuple[object, ...], place: str) -> Grid:
    """Rows as a grid whose first columns are the keys; with its columns even where there is no row."""
    names = [field.name for field in fields(row) if field.name != place]
    plain = grid(rows, names)
    taken = tuple((*getattr(row, place), *values) for row, values in zip(rows, plain.rows, strict=True))
    return Grid((*by, *names), taken)
