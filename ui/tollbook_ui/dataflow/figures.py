"""What answers about data are made of."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tollbook_ui.figures import Period
from tollbook_ui.unsettled import FromLedger


@dataclass(frozen=True)
class TransferRow:
    """Bytes of one pipeline that crossed one kind of boundary between two places."""

    workflow: str
    network: str
    """same_zone, cross_zone, cross_region, internet, internet_in, nat, private_link or unknown."""
    source: str
    destination: str
    requests: int
    moved_bytes: int
    priced_bytes: int
    known_usd: Decimal | None
    """Of the priced bytes; None where none has a price."""
    unpriced: str
    """Why the others have none."""


@dataclass(frozen=True)
class Transfers(FromLedger):
    """Bytes that moved in a period, each counted once."""

    period: Period
    moved_bytes: int
    priced_bytes: int
    known_usd: Decimal | None
    rows: tuple[TransferRow, ...]

    @property
    def priced_share(self) -> float | None:
        """Share of the bytes that have a price."""
        return self.priced_bytes / self.moved_bytes if self.moved_bytes else None


@dataclass(frozen=True)
class StoredRow:
    """A copy of an asset, over the days of the period that are over."""

    asset_id: str
    location: str
    provider: str
    storage_class: str
    region: str
    last_bytes: int
    held_hours: float
    gb_months: Decimal
    """Size x time, by 10^9 bytes and the days of the month."""
    known_usd: Decimal | None
    unpriced: str
    told_by: str
    """declared, or handoff."""
    copies: int
    """Places that hold the asset."""


@dataclass(frozen=True)
class Stored(FromLedger):
    """Stored data of a period."""

    period: Period
    rows: tuple[StoredRow, ...]


@dataclass(frozen=True)
class ServiceRow:
    """What one service took of one thing it counts."""

    service: str
    product: str
    item: str
    uses: int
    quantity: Decimal
    known_usd: Decimal | None
    unpriced_uses: int
    unpriced: str


@dataclass(frozen=True)
class Services(FromLedger):
    """Services of a period that are paid by use."""

    period: Period
    rows: tuple[ServiceRow, ...]


@dataclass(frozen=True)
class PrincipalRow:
    """Calls of one model that used one asset, for one principal."""

    tenant: str
    kind: str
    """user, or service where no span names a user."""
    principal: str
    """The user as the spans name them; else the service that called, with its namespace before a slash where it has one."""
    asset: str
    model: str
    """That answered, where it is known, else that was asked for."""
    calls: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Principals(FromLedger):
    """Who had which assets read for which models in a period."""

    period: Period
    rows: tuple[PrincipalRow, ...]


@dataclass(frozen=True)
class Access:
    """Which accesses are asked about; None means any."""

    asset: str | None = None
    model: str | None = None
    """As it was asked for, or as it answered."""
    principal: str | None = None


@dataclass(frozen=True)
class StoredAsset:
    """A copy of an asset at one size, as somebody declares it."""

    asset_id: str
    location: str
    provider: str
    storage_class: str
    region: str
    bytes: int
    held_from: datetime
    held_until: datetime | None
    service_name: str = ""
    workflow: str = ""
    team: str = ""
    project: str = ""
    feature: str = ""
    customer: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Declared:
    """What came of a file of stored assets."""

    file: str
    rows: int
    new_rows: int
