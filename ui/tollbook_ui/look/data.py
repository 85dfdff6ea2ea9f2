"""Data that moves, data that lies, and services paid by use as blocks. Pure: figures in, blocks out."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from tollbook_ui import units
from tollbook_ui.answers import total
from tollbook_ui.dataflow.figures import PrincipalRow, Principals, ServiceRow, Services, Stored, StoredRow, TransferRow, Transfers
from tollbook_ui.look import blocks
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Part, Stack, Table
from tollbook_ui.look.cost import UNNAMED

BOUNDARIES: Final = {
    "same_zone": ("Same zone", "#8fb8ab"),
    "cross_zone": ("Across zones", "#3f78c4"),
    "cross_region": ("Across regions", "#8a63c9"),
    "internet": ("To the internet", "#cc5f43"),
    "internet_in": ("From the internet", "#d9a48f"),
    "nat": ("Through NAT", "#c7679a"),
    "private_link": ("Private link", "#b5862f"),
    "unknown": ("Boundary unknown", "#a9b1b9"),
}
"""Kinds of boundaries in the order of the stack: their names and colours."""


MOST_PRINCIPALS: Final = 1_000
"""Rows that are asked for at once."""


def cards(moved: Transfers, stored: Stored, services: Services) -> Cards:
    """What moved, what lies and what was asked for, with what each cost."""
    return Cards(
        (
            Card("Moved", units.size(moved.moved_bytes), _priced(moved.priced_share)),
            _cost("Transfers cost", [moved.known_usd]),
            _held(stored),
            _cost("Storage costs", [row.known_usd for row in stored.rows]),
            _cost("Services cost", [row.known_usd for row in services.rows]),
        )
    )


def boundary_stack(moved: Transfers) -> Stack:
    """Bytes by the kind of boundary that they crossed."""
    by: dict[str, int] = {}
    for row in moved.rows:
        by[row.network] = by.get(row.network, 0) + row.moved_bytes
    names = [*(name for name in BOUNDARIES if name in by), *sorted(by.keys() - BOUNDARIES.keys())]
    return Stack(tuple(_part(name, by[name]) for name in names if by[name]))


def transfer_table(rows: Sequence[TransferRow]) -> Table:
    """Bytes by pipeline, boundary and places."""
    return Table(
        (
            Column("Pipeline"),
            Column("Boundary"),
            Column("From"),
            Column("To"),
            Column("Requests", True),
            Column("Bytes", True),
            Column("Cost", True),
        ),
        tuple(
            (
                blocks.text(row.workflow, UNNAMED),
                Cell(_boundary(row.network)[0]),
                blocks.text(row.source, units.UNKNOWN),
                blocks.text(row.destination, units.UNKNOWN),
                blocks.count(row.requests),
                blocks.size(row.moved_bytes),
                _usd(row.known_usd, row.unpriced),
            )
            for row in rows
        ),
    )


def stored_table(rows: Sequence[StoredRow]) -> Table:
    """Copies of assets, by what they cost."""
    return Table(
        (
            Column("Asset"),
            Column("Place"),
            Column("Class"),
            Column("Size", True, "When last seen in the period"),
            Column("Held", True),
            Column("GB-months", True, "Size x time, by 10^9 bytes and the days of the month"),
            Column("Copies", True, "Places that hold the same asset"),
            Column("Cost", True),
        ),
        tuple(
            (
                Cell(blocks.middle(row.asset_id), row.asset_id),
                blocks.text(row.location, units.UNKNOWN),
                blocks.text(" ".join(name for name in (row.provider, row.storage_class, row.region) if name), units.UNKNOWN),
                blocks.size(row.last_bytes),
                blocks.duration(row.held_hours * 3600 * units.NS_PER_SECOND),
                Cell(units.quantity(row.gb_months), f"{row.gb_months:f}"),
                Cell(units.count(row.copies), tone="warn" if row.copies > 1 else ""),
                _usd(row.known_usd, row.unpriced),
            )
            for row in rows
        ),
    )


def service_table(rows: Sequence[ServiceRow]) -> Table:
    """What services took of what they count."""
    return Table(
        (
            Column("Service"),
            Column("Product"),
            Column("Counted in"),
            Column("Uses", True),
            Column("Quantity", True),
            Column("Cost", True),
        ),
        tuple(
            (
                Cell(row.service),
                blocks.text(row.product),
                blocks.text(row.item.replace("_", " ")),
                blocks.count(row.uses),
                Cell(units.quantity(row.quantity), f"{row.quantity:f}"),
                _usd(row.known_usd, row.unpriced),
            )
            for row in rows
        ),
    )


def principal_cards(found: Principals) -> Cards:
    """How many users and services had how many assets read for how many models."""
    users, services = ({(row.tenant, row.principal) for row in found.rows if row.kind == kind} for kind in ("user", "service"))
    return Cards(
        (
            Card("Users", units.count(len(users))),
            Card("Services without a user", units.count(len(services)), tone="" if services else "muted"),
            Card("Assets", units.count(len({(row.tenant, row.asset) for row in found.rows}))),
            Card("Models", units.count(len({row.model for row in found.rows}))),
        )
    )


def principal_table(rows: Sequence[PrincipalRow]) -> Table:
    """Who had which asset read for which model; the tenant where there is more than one."""
    whose = len({row.tenant for row in rows}) > 1
    names = (*(("Tenant",) if whose else ()), "Principal", "Kind", "Asset", "Model")
    numbers = (Column("Calls", True), Column("First, UTC"), Column("Last, UTC"))
    return Table((*(Column(name) for name in names), *numbers), tuple(_principal(row, whose) for row in rows))


def _principal(row: PrincipalRow, whose: bool) -> tuple[Cell, ...]:
    return (
        *((Cell(row.tenant),) if whose else ()),
        blocks.text(row.principal, units.UNKNOWN),
        Cell(row.kind, tone="" if row.kind == "user" else "muted"),
        Cell(blocks.middle(row.asset), row.asset),
        blocks.text(row.model, units.UNKNOWN),
        blocks.count(row.calls),
        Cell(units.moment(row.first_at)),
        Cell(units.moment(row.last_at)),
    )


def _part(network: str, moved_bytes: int) -> Part:
    name, colour = _boundary(network)
    return Part(name, Decimal(moved_bytes), units.size(moved_bytes), colour, f"{moved_bytes:,} bytes")


def _boundary(network: str) -> tuple[str, str]:
    return BOUNDARIES.get(network, (network.replace("_", " ") or BOUNDARIES["unknown"][0], BOUNDARIES["unknown"][1]))


def _cost(label: str, amounts: Sequence[Decimal | None]) -> Card:
    known = [amount for amount in amounts if amount is not None]
    missing = len(amounts) - len(known)
    if not known:
        return Card(label, "unpriced" if amounts else "-", tone="muted")
    sum_usd = total(known)
    return Card(label, units.usd(sum_usd), f"{units.count(missing)} unpriced" if missing else "", units.usd_exact(sum_usd))


def _held(stored: Stored) -> Card:
    if not stored.rows:
        return Card("Stored", "none known", tone="muted")
    held_bytes = sum(row.last_bytes for row in stored.rows)
    return Card("Stored", units.size(held_bytes), units.counted(len(stored.rows), "copy", "copies"))


def _priced(share: float | None) -> str:
    return "" if share is None else f"{units.percent(share)} of it priced"


def _usd(amount_usd: Decimal | None, unpriced: str) -> Cell:
    if amount_usd is None:
        return Cell("unpriced", unpriced, tone="muted")
    shown = blocks.money(amount_usd)
    return replace(shown, exact=f"{shown.exact}; in part unpriced: {unpriced}") if unpriced else shown
