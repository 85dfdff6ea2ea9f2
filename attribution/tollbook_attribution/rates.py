"""What machines cost: dated rates per instance type, set by the user."""

from datetime import UTC, datetime
from decimal import Decimal

from tollbook_schema.store import Store

SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)

COLUMNS = (
    "rate_id", "provider", "instance_type", "region", "vcpus", "memory_gib", "usd_per_hour", "valid_from", "source", "set_at",
)  # fmt: skip


def set_rate(
    store: Store,
    instance_type: str,
    usd_per_hour: Decimal | str,
    vcpus: Decimal | int | str,
    *,
    provider: str = "",
    region: str = "",
    memory_gib: Decimal | int | str | None = None,
    valid_from: datetime | None = None,
    source: str = "set by the user",
) -> str:
    """Adds the rate of an instance type from `valid_from` on (None: since ever) and returns its id. Nothing is overwritten.

    A rate applies to machines whose `host.type` equals `instance_type`, in `region` or, with an empty region, everywhere.
    Hours already settled keep their result until they are settled again, with `settle(store, since=…)`.

    Raises:
        ValueError: a rate or a number of CPUs that cannot be.
    """
    rate, cpus = Decimal(usd_per_hour), Decimal(vcpus)
    if not instance_type or not rate.is_finite() or not cpus.is_finite() or rate < 0 or cpus <= 0:
        raise ValueError(f"not a rate: {instance_type!r} at {usd_per_hour} USD per hour with {vcpus} CPUs")
    start = (valid_from or SINCE_EVER).astimezone(UTC)
    place = "/".join(part for part in (provider, region, instance_type) if part)
    rate_id = f"{place}@{start:%Y-%m-%dT%H:%M:%SZ}"
    memory = None if memory_gib is None else Decimal(memory_gib)
    row = (rate_id, provider, instance_type, region, cpus, memory, rate, start, source, datetime.now(UTC))
    store.insert("instance_rates", [row], COLUMNS)
    return rate_id
