"""What can be asked about bills: take files, list and sum them, set them against the ledger, map what cannot be known."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tollbook_attribution import bills
from tollbook_attribution.bills.reconcile import reconcile
from tollbook_schema import sql
from tollbook_schema.store import Reads, Store
from tollbook_schema.tenants import DEFAULT_TENANT, checked_tenant

from tollbook_ui import drafts, units
from tollbook_ui.bills import export, rates
from tollbook_ui.bills import figures as f
from tollbook_ui.periods import BadQuestionError, whole_hours

Row = TypeVar("Row")

ALL = 10_000

COLUMNS = (
    "tenant", "mapping_id", "set_at", "provider", "account", "service", "resource", "sku", "category", "ledger_resource",
    "ledger_provider", "removed",
)  # fmt: skip

CATEGORIES = ("tokens", "compute", "accelerator", "storage", "transfer", "third_party")


class Bills:
    """Answers about bills: what one asker may read, and the store that files are taken into."""

    def __init__(self, store: Store, reads: Reads, tenant: str | None = None) -> None:
        self._store = store
        self._reads = reads
        self._tenant = tenant

    def take(self, paths: Sequence[Path], options: bills.Options = bills.AS_THEY_ARE, names: Sequence[str] = ()) -> f.Taken:
        """Stores files of bills, and sets the ledger against them.

        Args:
            paths: files, folders or zip archives; all of them are one import.
            options: how they are to be taken.
            names: what people call the files, where it is not the name of the path.

        Raises:
            BadQuestionError: something is wrong with a file; nothing of any of them was stored.
        """
        try:
            loaded = bills.load(self._store, paths, options, names)
            changed = reconcile(self._store, options.tenant).changed
        except (bills.BillError, ValueError) as error:
            raise BadQuestionError(str(error)) from error
        bound = {"provider": "", "period": "", "brought_by": loaded.import_id, "limit": ALL}
        rows = _rows(self._store.of(options.tenant), f.Period, "periods", bound)
        warnings = (*loaded.warnings, *self._without_rate(options.tenant, loaded.import_id))
        return f.Taken(loaded.import_id, loaded.files, loaded.lines, changed, rows, warnings)

    def undo(self, import_id: int, tenant: str = DEFAULT_TENANT) -> f.Undone:
        """Takes an import back: what it took the place of is in force again, and its hours are reconciled.

        Raises:
            BadQuestionError: nothing of it is in force, or a later import has added to it.
        """
        whose = self._tenant or _whose(tenant)
        try:
            done = bills.undo(self._store, whose, import_id)
            changed = reconcile(self._store, whose).changed
        except ValueError as error:
            raise BadQuestionError(str(error)) from error
        bound = {"provider": "", "period": "", "brought_by": done.undone_by, "limit": ALL}
        rows = _rows(self._store.of(whose), f.Period, "periods", bound)
        return f.Undone(import_id, sum(row.lines for row in done.gone), changed, rows)

    def _without_rate(self, tenant: str, import_id: int) -> Iterator[str]:
        """The first charge of each currency that has no exchange rate for its day: it waits for one outside of the ledger."""
        asked = {"tenant": tenant, "import_id": import_id}
        for row in self._store.query(sql.text("tollbook_ui", "bills/queries/without_rate.sql"), asked):
            code, charges = row["currency"], units.counted(row["charges"], "charge")
            told = rates.told(code, row["day"], row["known_from"], row["known_until"])
            where = f"{row['name']}, row {row['row']}, column BillingCurrency"
            yield (
                f"{where}: {told}; {charges} in {code} without one stay out of the ledger until: "
                f"{rates.command(code, row['day'])}"
            )

    def lines_read(self) -> int:
        """Lines that imports which are under way have read by now."""
        return bills.lines_read(self._store)

    def periods(self, provider: str = "", period: str = "", limit: int = ALL) -> tuple[f.Period, ...]:
        """Billing periods in force, the newest first."""
        return _rows(self._reads, f.Period, "periods", {**_asked(provider, period, limit), "brought_by": 0})

    def show(self, provider: str = "", period: str = "", limit: int = ALL) -> f.Bill:
        """What was charged, by service and account; the rows add up to the bill."""
        return f.Bill(_rows(self._reads, f.Charge, "charges", _asked(provider, period, limit)))

    def reconcile(self, tenant: str = DEFAULT_TENANT, cost: str | None = None) -> bool:
        """Sets the bills in force against the ledger; whether hours change by it, which the next settlement does.

        Raises:
            BadQuestionError: there is no such cost.
        """
        try:
            return reconcile(self._store, self._tenant or checked_tenant(tenant), cost).changed
        except ValueError as error:
            raise BadQuestionError(str(error)) from error

    def reconciliation(self, provider: str = "", period: str = "", limit: int = 100) -> f.Reconciliation:
        """How bills and ledger add up: attributed + idle + shared + unattributed = billed, and why they differ.

        Args:
            provider: only of this one, as the ledger calls it.
            period: only of this billing period, such as 2026-10.
            limit: remainders and orphans told one by one, the dearest first.
        """
        asked = _asked(provider, period, limit)
        [run] = self._reads.query(_text("run"))
        seen = _rows(self._reads, f.SeenOnly, "seen_only", {**asked, "limit": ALL})
        return f.Reconciliation(
            cost=run["cost"] or "billed",
            reconciled_at=_utc(run["reconciled_at"]) if run["runs"] else None,
            unsettled_hours=run["unsettled_hours"],
            rows=_rows(self._reads, f.Statement, "statement", asked),
            remainders=_rows(self._reads, f.Remainder, "remainders", asked),
            billed_only=_rows(self._reads, f.BilledOnly, "billed_only", asked),
            seen_only=seen[:limit],
            not_in_the_bill_usd=f.total(row.amount_usd for row in seen),
            missing_rates=_rows(self._reads, f.MissingRate, "missing_rates", asked),
        )

    def export(self, file: Path, since: datetime | None, until: datetime | None, form: str = "csv") -> int:
        """Writes what was attributed in a period as FOCUS 1.4; the bytes of the file.

        Args:
            file: where to; overwritten once all is written.
            since: start of the period, an hour; the last seven days if not given.
            until: its end, not part of it.
            form: csv or parquet.
        """
        with drafts.written(file) as out:
            for piece in self.focus(since, until, form):
                out.write(piece)
            return out.tell()

    def focus(self, since: datetime | None, until: datetime | None, form: str = "csv") -> Iterator[bytes]:
        """As `export`, piece by piece.

        Raises:
            BadQuestionError: there is no such format or period.
        """
        if form not in export.FORMS:
            raise BadQuestionError(f"FOCUS is written as {' or '.join(export.FORMS)}, not as {form!r}")
        return export.FORMS[form](self._reads, whole_hours(since, until, datetime.now(UTC)))

    def mappings(self) -> tuple[f.Mapping, ...]:
        """What people said of billed lines."""
        return _rows(self._reads, f.Mapping, "mappings", {})

    def map(self, wish: f.NewMapping) -> f.Mapping:
        """Says what billed lines are of; it counts from the next reconciliation on, which this does.

        Raises:
            BadQuestionError: it names no line, or nothing that the ledger has.
        """
        row = mapped(wish, datetime.now(UTC))
        tenant = self._tenant or _whose(wish.tenant)
        values = {**{name: getattr(row, name) for name in COLUMNS if hasattr(row, name)}, "tenant": tenant, "removed": False}
        self._store.insert("bill_mappings", [[values[name] for name in COLUMNS]], COLUMNS)
        reconcile(self._store, tenant)
        return row

    def unmap(self, mapping_id: str, tenant: str = DEFAULT_TENANT) -> f.Mapping:
        """Takes back what was said.

        Raises:
            BadQuestionError: there is no such mapping.
        """
        whose = self._tenant or _whose(tenant)
        found = [row for row in Bills(self._store, self._store.of(whose)).mappings() if row.mapping_id == mapping_id]
        if not found:
            raise BadQuestionError(f"there is no mapping {mapping_id!r}; see: tollbook bill mappings")
        values = {
            **{name: getattr(found[0], name) for name in COLUMNS if hasattr(found[0], name)},
            "tenant": whose,
            "removed": True,
        }
        values["set_at"] = datetime.now(UTC)
        self._store.insert("bill_mappings", [[values[name] for name in COLUMNS]], COLUMNS)
        reconcile(self._store, whose)
        return found[0]


def mapped(wish: f.NewMapping, now: datetime) -> f.Mapping:
    """The mapping that was wished for. Raises BadQuestionError."""
    told = (wish.provider, wish.account, wish.service, wish.resource, wish.sku)
    if not any(told):
        raise BadQuestionError("say which lines: by provider, account, service, resource or sku")
    category, _, resource = wish.target.partition("/")
    if wish.target != "none" and (category not in CATEGORIES or not resource):
        raise BadQuestionError(
            f"lines are of CATEGORY/RESOURCE, such as tokens/openai/gpt-4o, or of none, not of {wish.target!r}"
        )
    if wish.target == "none":
        category = ""
    identity = hashlib.sha256("\0".join(told).encode()).hexdigest()[:12]
    whole = "" if resource == "*" else resource
    return f.Mapping(identity, now, *told, category, whole, wish.ledger_provider)


def _whose(tenant: str) -> str:
    try:
        return checked_tenant(tenant)
    except ValueError as error:
        raise BadQuestionError(str(error)) from error


def _asked(provider: str, period: str, limit: int) -> dict[str, Any]:
    if period and not bills.PERIOD.fullmatch(period):
        raise BadQuestionError(f"a billing period is written as 2026-10, not as {period!r}")
    if not 1 <= limit <= ALL:
        raise BadQuestionError(f"1 to {ALL} rows can be told, not {limit}")
    return {"provider": provider, "period": period, "limit": limit}


def _rows(reads: Reads, row: type[Row], name: str, bound: dict[str, Any]) -> tuple[Row, ...]:
    return tuple(row(**{key: _utc(value) for key, value in found.items()}) for found in reads.query(_text(name), bound))


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _text(name: str) -> str:
    return sql.text("tollbook_ui", f"bills/queries/{name}.sql")
