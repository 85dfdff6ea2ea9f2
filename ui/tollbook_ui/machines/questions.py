"""Rates of accelerators, commitments and policies, asked of a store and set in it."""

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from tollbook_attribution import commitments, policies, prices, rates
from tollbook_attribution.commitments import Commitment
from tollbook_attribution.rates import InstanceRate
from tollbook_schema import sql
from tollbook_schema.store import Reads, Store
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui.machines import files
from tollbook_ui.machines.figures import (
    AcceleratorRate,
    NewAcceleratorRate,
    NewElectricity,
    NewPaid,
    NewPolicy,
    Paid,
    Policy,
    RateFile,
    RatesImported,
)
from tollbook_ui.periods import BadQuestionError

Made = TypeVar("Made")


class Machines:
    """Answers about what machines cost, from what one asker may read."""

    def __init__(self, store: Store, reads: Reads, tenant: str | None = None) -> None:
        """Of one tenant, or for the operator of all."""
        self._store = store
        self._reads = reads
        self._tenant = tenant

    def policies(self) -> tuple[Policy, ...]:
        """Every rule that was set, then the defaults of what a tenant has not set."""
        found = [
            Policy(row.tenant, row.subject, row.method, policies.METHODS[row.subject][row.method], row.valid_from, row.source)
            for row in policies.policies(self._reads, self._tenant)
        ]
        tenants = sorted({row.tenant for row in found} | {self._tenant or DEFAULT_TENANT})
        said = {(row.tenant, row.subject) for row in found}
        unsaid = [
            Policy(tenant, subject, method, policies.METHODS[subject][method], None, "by default")
            for tenant in tenants
            for subject, method in policies.DEFAULTS.items()
            if (tenant, subject) not in said
        ]
        return (*found, *unsaid)

    def set_policy(self, wish: NewPolicy) -> Policy:
        """Sets a rule. Hours already settled keep their result until they are settled again.

        Raises:
            BadQuestionError: there is no such rule.
        """
        row = _told(
            lambda: policies.set_policy(
                self._store, wish.subject, wish.method, tenant=self._tenant or wish.tenant, valid_from=wish.valid_from,
                source=wish.source,
            )
        )  # fmt: skip
        return Policy(row.tenant, row.subject, row.method, policies.METHODS[row.subject][row.method], row.valid_from, row.source)

    def accelerators(self) -> tuple[AcceleratorRate, ...]:
        """What an hour of each model of accelerator costs."""
        rows = self._reads.query(sql.text("tollbook_ui", "machines/queries/accelerators.sql"))
        return tuple(AcceleratorRate(**{name: _utc(value) for name, value in row.items()}) for row in rows)

    def set_accelerator(self, wish: NewAcceleratorRate) -> AcceleratorRate:
        """Adds what an hour of an accelerator costs.

        Raises:
            BadQuestionError: a price that cannot be.
        """
        self._add_accelerators([wish])
        return AcceleratorRate(
            wish.model, wish.amount, wish.currency, wish.provider, wish.region, wish.valid_from, None, wish.source
        )

    def set_electricity(self, wish: NewElectricity) -> NewElectricity:
        """Adds what a kWh costs at a site.

        Raises:
            BadQuestionError: a price or an effectiveness that cannot be.
        """
        prices.add(self._store, _told(lambda: _electricity(wish, self._tenant or "")))
        return wish

    def commitments(self) -> tuple[Paid, ...]:
        """What was paid ahead, the period that begins last first."""
        return tuple(_paid(row) for row in commitments.commitments(self._reads, self._tenant))

    def set_commitment(self, wish: NewPaid) -> Paid:
        """Adds a commitment; one of its name is replaced.

        Raises:
            BadQuestionError: one that cannot be.
        """
        row = Commitment(**{**asdict(wish), "tenant": self._tenant or wish.tenant})
        _told(lambda: commitments.add(self._store, [row]))
        return _paid(row)

    def take(self, file: RateFile) -> RatesImported:
        """Adds all rates of a file, or none.

        Raises:
            BadQuestionError: a rate in it cannot be; the message names file, line and column.
        """
        found = files.read(file)
        rates.add_rates(self._store, [row for row in found if isinstance(row, InstanceRate)])
        self._add_accelerators([row for row in found if isinstance(row, NewAcceleratorRate)])
        _told(lambda: commitments.add(self._store, [self._owned(row) for row in found if isinstance(row, Commitment)]))
        return RatesImported(file.name, file.kind, len(found))

    def _owned(self, row: Commitment) -> Commitment:
        return row if self._tenant is None else Commitment(**{**asdict(row), "tenant": self._tenant})

    def _add_accelerators(self, wishes: list[NewAcceleratorRate]) -> None:
        rows = [_told(lambda wish=wish: _price(wish, self._tenant or "")) for wish in wishes]  # type: ignore[misc]  # bound here
        prices.add(self._store, rows)


def _price(wish: NewAcceleratorRate, tenant: str) -> prices.Price:
    if not wish.model.strip() or not wish.amount.is_finite() or not 0 <= wish.amount <= rates.LARGEST:
        raise ValueError(f"not a price: {wish.model!r} at {wish.amount} {wish.currency} per hour")
    now = datetime.now(UTC)
    return prices.Price(
        tenant=tenant, version=f"{now:%Y-%m-%dT%H:%M:%SZ}", category="accelerator", provider=wish.provider, model=wish.model,
        item="accelerator", unit="gpu_hour", amount=wish.amount, currency=wish.currency.upper(),
        valid_from=wish.valid_from or prices.EPOCH, region=wish.region, source=wish.source,
    )  # fmt: skip


def _electricity(wish: NewElectricity, tenant: str) -> list[prices.Price]:
    """A kWh, and the effectiveness of the site if it is said."""
    if not wish.per_kwh.is_finite() or not 0 <= wish.per_kwh <= 1_000:
        raise ValueError(f"not the price of a kWh: {wish.per_kwh} {wish.currency}")
    if wish.pue is not None and not (wish.pue.is_finite() and 1 <= wish.pue <= 10):
        raise ValueError(f"a power usage effectiveness is from 1 to 10, not {wish.pue}")
    now = datetime.now(UTC)
    items = [("kwh", "kwh", wish.per_kwh, wish.currency.upper())]
    items += [] if wish.pue is None else [("pue", "ratio", wish.pue, "USD")]
    return [
        prices.Price(
            tenant=tenant, version=f"{now:%Y-%m-%dT%H:%M:%SZ}", category="energy", provider=wish.provider, model="electricity",
            item=item, unit=unit, amount=amount, currency=currency, valid_from=wish.valid_from or prices.EPOCH,
            region=wish.site, source=wish.source,
        )
        for item, unit, amount, currency in items
    ]  # fmt: skip


def _paid(row: Commitment) -> Paid:
    return Paid(**{field.name: getattr(row, field.name) for field in fields(Paid)})


def _told(act: Callable[[], Made]) -> Made:
    try:
        return act()
    except (ValueError, ArithmeticError) as error:
        raise BadQuestionError(str(error)) from error


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
