"""Answers about data as tables for a terminal."""

from collections.abc import Iterable
from decimal import Decimal

from rich.console import RenderableType

from tollbook_ui import units
from tollbook_ui.dataflow.figures import Principals, Services, Stored, Transfers
from tollbook_ui.show import headed, listed


def transfers(found: Transfers) -> Iterable[RenderableType]:
    """Bytes by pipeline and boundary."""
    share = "none" if found.priced_share is None else f"{found.priced_share:.1%}"
    yield headed("Transfers", found.period)
    yield f"{units.size(found.moved_bytes)} moved, {share} of it priced: {_usd(found.known_usd)}"
    yield listed(
        "",
        ("pipeline", "boundary", "from", "to", ">requests", ">bytes", ">cost", "without a price, because"),
        (
            (
                row.workflow or "(none named)",
                row.network,
                row.source,
                row.destination,
                units.count(row.requests),
                units.size(row.moved_bytes),
                _usd(row.known_usd),
                row.unpriced,
            )
            for row in found.rows
        ),
    )


def stored(found: Stored) -> Iterable[RenderableType]:
    """Copies of assets."""
    yield headed("Stored data, of days that are over", found.period)
    yield listed(
        "",
        ("asset", "place", "class", ">size", ">held", ">GB-months", ">copies", ">cost", "without a price, because"),
        (
            (
                row.asset_id,
                row.location,
                f"{row.provider}/{row.storage_class}",
                units.size(row.last_bytes),
                f"{row.held_hours:,.1f} h",
                f"{row.gb_months:.6f}",
                units.count(row.copies),
                _usd(row.known_usd),
                row.unpriced,
            )
            for row in found.rows
        ),
    )


def services(found: Services) -> Iterable[RenderableType]:
    """Services paid by use."""
    yield headed("Services paid by use", found.period)
    yield listed(
        "",
        ("service", "product", "counted in", ">uses", ">quantity", ">cost", "without a price, because"),
        (
            (
                row.service,
                row.product,
                row.item,
                units.count(row.uses),
                f"{row.quantity.normalize():f}",
                _usd(row.known_usd),
                row.unpriced,
            )
            for row in found.rows
        ),
    )


def principals(found: Principals) -> Iterable[RenderableType]:
    """Who had which assets read for which models."""
    yield headed("Principals, and the data that models read for them", found.period)
    yield listed(
        "",
        ("tenant", "kind", "principal", "asset", "model", ">calls", "=first", "=last"),
        (
            (
                row.tenant,
                row.kind,
                row.principal,
                row.asset,
                row.model or "(none named)",
                units.count(row.calls),
                units.moment(row.first_at),
                units.moment(row.last_at),
            )
            for row in found.rows
        ),
    )


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else units.usd(amount)
