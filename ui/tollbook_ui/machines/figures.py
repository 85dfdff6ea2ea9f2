"""What answers about machines are made of. Money is `Decimal` and exact."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tollbook_schema.tenants import DEFAULT_TENANT


@dataclass(frozen=True)
class Policy:
    """A rule in force, past or to come."""

    tenant: str
    subject: str
    """idle, shared or accelerator."""
    method: str
    effect: str
    """What the method does, in words."""
    valid_from: datetime | None
    """None for what holds by default."""
    source: str


@dataclass(frozen=True)
class NewPolicy:
    """A rule as somebody sets it; it holds from the hour of `valid_from` on, since ever if not given."""

    subject: str
    method: str
    tenant: str = DEFAULT_TENANT
    valid_from: datetime | None = None
    source: str = "set by the user"


@dataclass(frozen=True)
class AcceleratorRate:
    """What an hour of a model of accelerator costs."""

    model: str
    amount: Decimal
    currency: str
    provider: str
    region: str
    valid_from: datetime | None
    valid_until: datetime | None
    source: str


@dataclass(frozen=True)
class NewAcceleratorRate:
    """The hour of an accelerator as somebody sets its price."""

    model: str
    """As hw.model says it."""
    amount: Decimal
    currency: str = "USD"
    provider: str = ""
    region: str = ""
    valid_from: datetime | None = None
    source: str = "set by the user"


@dataclass(frozen=True)
class NewElectricity:
    """What power costs somewhere, as somebody sets it."""

    per_kwh: Decimal
    currency: str = "USD"
    site: str = ""
    """Site (tollbook.site) or region; everywhere if not given."""
    pue: Decimal | None = None
    """Power usage effectiveness: what the building draws for each kWh of its machines; 1 if not given."""
    provider: str = ""
    valid_from: datetime | None = None
    source: str = "set by the user"


@dataclass(frozen=True)
class Paid:
    """What was paid for a period whatever is used of it."""

    commitment_id: str
    kind: str
    unit: str
    covers: str
    capacity_per_hour: Decimal | None
    amount: Decimal
    currency: str
    valid_from: datetime
    valid_until: datetime
    provider: str
    region: str
    account: str
    tenant: str
    source: str


@dataclass(frozen=True)
class NewPaid:
    """A commitment as somebody sets it."""

    commitment_id: str
    amount: Decimal
    valid_from: datetime
    valid_until: datetime
    unit: str = ""
    covers: str = ""
    capacity_per_hour: Decimal | None = None
    currency: str = "USD"
    kind: str = ""
    provider: str = ""
    region: str = ""
    account: str = ""
    tenant: str = DEFAULT_TENANT
    source: str = "set by the user"


@dataclass(frozen=True)
class RateFile:
    """A file of rates."""

    kind: str
    """instance, accelerator or commitment."""
    name: str
    content: str
    defaults: dict[str, str] = field(default_factory=dict)
    """Values of columns that the file does not have."""


@dataclass(frozen=True)
class RatesImported:
    """What a file came to."""

    name: str
    kind: str
    rows: int
