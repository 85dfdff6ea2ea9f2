"""Bills as tables for a terminal."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.console import RenderableType

from tollbook_ui import plain, units, unsettled
from tollbook_ui.bills import figures as f
from tollbook_ui.bills import rates
from tollbook_ui.show import escape, listed


def taken(found: f.Taken) -> Iterable[RenderableType]:
    """What an import brought."""
    yield f"{units.counted(found.lines, 'line')} of {units.counted(found.files, 'file')} stored."
    yield from periods(found.rows)
    for warning in found.warnings:
        yield escape(warning)
    if found.reconciled:
        yield unsettled.NEXT
        yield "Then: tollbook bill reconcile"


def undone(found: f.Undone) -> Iterable[RenderableType]:
    """What was taken back."""
    yield f"Import {found.import_id} was taken back: bills of {units.counted(found.lines, 'line')} count no more."
    if found.rows:
        yield "In force again is what it had taken the place of:"
        yield from periods(found.rows)
    if found.reconciled:
        yield unsettled.NEXT


def periods(found: Sequence[f.Period], *, narrowed: bool = False) -> Iterable[RenderableType]:
    """Billing periods in force."""
    if not found:
        yield _none(narrowed)
        return
    yield listed(
        "Billing periods",
        ("=from", "=to", "provider", "account", ">lines", ">billed", ">effective", "", "format", ">versions", ">import", "files"),
        (
            (
                f"{row.billing_period_start:%Y-%m-%d}",
                f"{row.billing_period_end:%Y-%m-%d}",
                row.provider,
                row.billing_account_id,
                units.count(row.lines),
                plain.number(row.billed_cost),
                plain.number(row.effective_cost),
                row.billing_currency,
                row.format,
                str(row.versions),
                str(row.import_id),
                ", ".join(row.files[:3]) + (f" and {len(row.files) - 3} more" if len(row.files) > 3 else ""),
            )
            for row in found
        ),
    )


def charges(found: f.Bill, *, narrowed: bool = False) -> Iterable[RenderableType]:
    """What was charged."""
    if not found.rows:
        yield _none(narrowed)
        return
    yield listed(
        "Charges",
        ("=period", "provider", "account", "service", "kind", ">lines", ">billed", ">effective", ""),
        (
            (
                _month(row.billing_period),
                row.provider,
                row.account,
                row.service,
                f"{row.charge_category} {row.charge_class}".strip(),
                units.count(row.lines),
                plain.number(row.billed_cost),
                plain.number(row.effective_cost),
                row.currency,
            )
            for row in found.rows
        ),
    )


def reconciliation(found: f.Reconciliation, *, narrowed: bool = False) -> Iterable[RenderableType]:
    """Bills against the ledger."""
    if not found.rows:
        yield _none(narrowed)
        return
    if found.unsettled_hours:
        yield f"{units.counted(found.unsettled_hours, 'hour')} of the ledger wait to be settled again: tollbook settle"
    for missing in found.missing_rates:
        yield (
            f"{rates.told(missing.currency, missing.day, missing.known_from, missing.known_until)}; {_money(missing.amount)} "
            f"{missing.currency} of {escape(missing.provider)} are not in the ledger; set it with: "
            f"{rates.command(missing.currency, missing.day)}"
        )
    yield listed(
        f"Attributed + idle + shared + unattributed = {found.cost}",
        ("=period", "provider", "account", "service", ">billed", ">attributed", ">idle", ">shared", ">unattributed", ""),
        (
            (
                _month(row.billing_period),
                row.provider,
                row.account,
                row.service,
                *(_money(amount) for amount in (row.billed, row.attributed, row.idle, row.shared, row.unattributed)),
                row.currency,
            )
            for row in found.rows
        ),
    )
    yield listed(
        "Why the bill differs from the estimate (USD)",
        ("=period", "provider", "account", "service", ">estimated", ">price", ">quantity", ">unknown usage", ">billed"),
        (
            (
                _month(row.billing_period),
                row.provider,
                row.account,
                row.service,
                *(_money(a) for a in (row.estimate_usd, row.price_usd, row.quantity_usd, row.unknown_usage_usd, row.billed_usd)),
            )
            for row in found.rows
        ),
    )
    yield from _orphans(found)


def _orphans(found: f.Reconciliation) -> Iterable[RenderableType]:
    if found.billed_only:
        yield listed(
            "Billed, and no telemetry tells of it",
            ("=period", "provider", "account", "service", "resource", "why", ">lines", ">amount", ""),
            (
                (
                    _month(row.billing_period),
                    row.provider,
                    row.account,
                    row.service,
                    row.resource,
                    row.reason,
                    units.count(row.lines),
                    _money(row.amount),
                    row.currency,
                )
                for row in found.billed_only
            ),
        )
    if found.seen_only:
        yield listed(
            f"Seen, and not in the bill: {_money(found.not_in_the_bill_usd)} USD by estimate",
            ("category", "resource", "provider", "account", ">hours", ">USD"),
            (
                (row.category, row.resource, row.provider, row.account, units.count(row.hours), _money(row.amount_usd))
                for row in found.seen_only
            ),
        )


def mappings(found: Sequence[f.Mapping]) -> Iterable[RenderableType]:
    """What people said of billed lines."""
    if not found:
        yield "Nothing is mapped. See: tollbook bill map --help"
        return
    yield listed(
        "Mappings",
        ("=id", "provider", "account", "service", "resource", "sku", "is of"),
        (
            (
                row.mapping_id,
                row.provider,
                row.account,
                row.service,
                row.resource,
                row.sku,
                f"{row.category}/{row.ledger_resource or '*'}" if row.category else "none",
            )
            for row in found
        ),
    )


def _none(narrowed: bool) -> str:
    return (
        "No such bill is stored; see: tollbook bill list"
        if narrowed
        else "No bill is stored yet. Start with: tollbook bill import FILE"
    )


def _month(billing_period: str) -> str:
    """`2026-10` of a period that begins on the first, as most do; else the day that it begins on."""
    return billing_period.removesuffix("-01")


def _money(amount: Decimal) -> str:
    """Six decimals, as of people's own bills; every digit is in JSON and CSV."""
    return f"{amount:,.6f}"
