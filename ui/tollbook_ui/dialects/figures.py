"""Figures about how calls are told."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Use:
    """What the calls of one model, told in one dialect, came to."""

    dialect: str
    """As the table names it; empty where the hour was settled before it was kept."""
    provider: str
    model: str
    calls: int
    """Counted ones."""
    tokens: int
    cost_usd: Decimal
    """Of those that have a price."""
    unpriced_calls: int


@dataclass(frozen=True)
class Normalization:
    """What is settled, and with which table."""

    version: str
    """Of the table that this release settles with."""
    since: datetime | None
    """Start of the first hour; none where nothing is settled."""
    until: datetime | None
    hours: int
    """Settled ones, each tenant's counted."""
    outdated_hours: int
    """Those that were settled with another table."""
    rows: tuple[Use, ...]


@dataclass(frozen=True)
class Change:
    """What the calls of one model, told in one dialect, came to before and come to now."""

    dialect: str
    provider: str
    model: str
    calls_before: int
    calls: int
    tokens_before: int
    tokens: int
    cost_usd_before: Decimal
    cost_usd: Decimal
    unpriced_calls_before: int
    unpriced_calls: int


@dataclass(frozen=True)
class Renormalization:
    """What settling again with the table in force has changed."""

    version: str
    since: datetime | None
    until: datetime | None
    hours: int
    outdated_hours: int
    """Of these, those that had been settled with another table."""
    calls_before: int
    calls: int
    tokens_before: int
    tokens: int
    cost_usd_before: Decimal
    cost_usd: Decimal
    rows: tuple[Change, ...]
    """What has changed, most money first."""
