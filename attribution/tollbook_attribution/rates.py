"""What machines cost: dated rates per instance type, and what of each is for CPUs, memory and accelerators."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from tollbook_schema.store import Store

SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)

GIB_PER_CPU = 8
"""Where a rate names its memory but not what of it is for memory, a CPU costs as much as so many GiB: a
convention, near what clouds ask for machines that differ in memory alone. `split` names it."""

PURCHASES = ("on_demand", "spot", "reserved")
"""Ways to buy a machine that may have rates of their own. One that does not say is on demand."""

SMALLEST = Decimal("1e-18")
LARGEST = Decimal("1e12")
"""USD per hour; beyond it, a window's cost would not fit."""


@dataclass(frozen=True)
class InstanceRate:
    """One row of `instance_rates`: what an hour of a type of machine costs from a moment on."""

    rate_id: str
    provider: str
    instance_type: str
    region: str
    purchase: str
    vcpus: Decimal
    memory_gib: Decimal | None
    usd_per_hour: Decimal
    cpu_usd_per_hour: Decimal
    memory_usd_per_hour: Decimal
    accelerator_usd_per_hour: Decimal
    accelerators: int
    split: str
    valid_from: datetime
    source: str
    set_at: datetime


COLUMNS = tuple(field.name for field in fields(InstanceRate))


def set_rate(
    store: Store,
    instance_type: str,
    usd_per_hour: Decimal | str,
    vcpus: Decimal | int | str,
    *,
    provider: str = "",
    region: str = "",
    purchase: str = "",
    memory_gib: Decimal | int | str | None = None,
    memory_share: Decimal | str | None = None,
    accelerators: int = 0,
    accelerator_share: Decimal | str | None = None,
    valid_from: datetime | None = None,
    source: str = "set by the user",
) -> str:
    """Adds the rate of an instance type from `valid_from` on (None: since ever) and returns its id. Nothing is overwritten.

    A rate applies to machines whose `host.type` equals `instance_type`, in `region` or, with an empty region, everywhere.
    Hours already settled keep their result until they are settled again, with `settle(store, since=…)`.

    Args:
        store: where.
        instance_type: as `host.type` says it.
        usd_per_hour: of the whole machine.
        vcpus: its CPUs.
        provider: of the machine.
        region: empty for every region.
        purchase: one of `PURCHASES`, as people spell it; empty for any.
        memory_gib: its memory; without it all of the rate that is not for accelerators is for its CPUs.
        memory_share: what of the rate is for memory, 0 to 1; without it a CPU costs as much as `GIB_PER_CPU` GiB.
        accelerators: how many it has that this rate pays for.
        accelerator_share: what of the rate is for them, 0 to 1.
        valid_from: from when on.
        source: where the rate is from.

    Raises:
        ValueError: a rate, a share or a number of CPUs that cannot be.
    """
    rate = made(
        instance_type, usd_per_hour, vcpus, provider=provider, region=region, purchase=purchase, memory_gib=memory_gib,
        memory_share=memory_share, accelerators=accelerators, accelerator_share=accelerator_share, valid_from=valid_from,
        source=source,
    )  # fmt: skip
    add_rates(store, [rate])
    return rate.rate_id


def add_rates(store: Store, rates: list[InstanceRate]) -> None:
    """Adds rates as they are, all or none."""
    store.insert("instance_rates", [tuple(getattr(rate, name) for name in COLUMNS) for rate in rates], COLUMNS)


def made(
    instance_type: str,
    usd_per_hour: Decimal | str,
    vcpus: Decimal | int | str,
    *,
    provider: str = "",
    region: str = "",
    purchase: str = "",
    memory_gib: Decimal | int | str | None = None,
    memory_share: Decimal | str | None = None,
    accelerators: int = 0,
    accelerator_share: Decimal | str | None = None,
    valid_from: datetime | None = None,
    source: str = "set by the user",
) -> InstanceRate:
    """A rate as `set_rate` would add it. Raises as it does."""
    total, cpus = Decimal(usd_per_hour), Decimal(vcpus)
    if not instance_type or not total.is_finite() or not cpus.is_finite() or not 0 <= total <= LARGEST or cpus <= 0:
        raise ValueError(f"not a rate: {instance_type!r} at {usd_per_hour} USD per hour with {vcpus} CPUs")
    memory = None if memory_gib is None else _positive("GiB of memory", memory_gib)
    for_memory, for_accelerators, split = _shares(cpus, memory, memory_share, accelerators, accelerator_share)
    start = (valid_from or SINCE_EVER).astimezone(UTC)
    bought = _purchase(purchase)
    place = "/".join(part for part in (provider, region, bought, instance_type) if part)
    with localcontext(prec=60, rounding=ROUND_HALF_EVEN):
        accelerator_usd = (total * for_accelerators).quantize(SMALLEST)
        memory_usd = (total * for_memory).quantize(SMALLEST)
        cpu_usd = total - memory_usd - accelerator_usd
    return InstanceRate(
        f"{place}@{start:%Y-%m-%dT%H:%M:%SZ}", provider, instance_type, region, bought, cpus, memory, total, cpu_usd, memory_usd,
        accelerator_usd, accelerators, split, start, source, datetime.now(UTC),
    )  # fmt: skip


def _purchase(text: str) -> str:
    """A way to buy, in our spelling."""
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    if word and word not in PURCHASES:
        raise ValueError(f"machines are bought {', '.join(PURCHASES)}, not {text!r}")
    return word


def _shares(
    cpus: Decimal,
    memory: Decimal | None,
    memory_share: Decimal | str | None,
    accelerators: int,
    accelerator_share: Decimal | str | None,
) -> tuple[Decimal, Decimal, str]:
    """What of a rate is for memory and for accelerators, and by which rule."""
    for_accelerators = _share("accelerators", accelerator_share)
    if (accelerators > 0) != (for_accelerators > 0) or accelerators < 0:
        raise ValueError("a rate that pays for accelerators says how many and what share of it is for them, both")
    if memory_share is not None:
        if memory is None:
            raise ValueError("a share for memory needs the memory, in GiB")
        for_memory, split = _share("memory", memory_share), "as declared"
    elif memory is None:
        for_memory, split = Decimal(0), "no memory declared"
    else:
        with localcontext(prec=60):
            for_memory = (1 - for_accelerators) * memory / (memory + cpus * GIB_PER_CPU)
        split = f"a CPU costs as much as {GIB_PER_CPU} GiB"
    if for_memory + for_accelerators > 1:
        raise ValueError(f"memory and accelerators take more than all of the rate: {for_memory} + {for_accelerators}")
    return for_memory, for_accelerators, split


def _share(what: str, text: Decimal | str | None) -> Decimal:
    share = Decimal(0 if text is None else text)
    if not share.is_finite() or not 0 <= share <= 1:
        raise ValueError(f"the share for {what} is from 0 to 1, not {text}")
    return share


def _positive(what: str, text: Decimal | int | str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or number <= 0:
        raise ValueError(f"{what} are more than 0, not {text}")
    return number
