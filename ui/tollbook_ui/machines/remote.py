"""Rates of accelerators, commitments and policies of a running server: the same methods as `Machines`."""

from dataclasses import asdict

from tollbook_ui.budgets.remote import Call
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


class RemoteMachines:
    """As `Machines`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def policies(self) -> tuple[Policy, ...]:
        """As `Machines.policies`."""
        return self._call(tuple[Policy, ...], "/policies", {}, None)

    def set_policy(self, wish: NewPolicy) -> Policy:
        """As `Machines.set_policy`."""
        return self._call(Policy, "/policies", {}, asdict(wish))

    def accelerators(self) -> tuple[AcceleratorRate, ...]:
        """As `Machines.accelerators`."""
        return self._call(tuple[AcceleratorRate, ...], "/rates/accelerators", {}, None)

    def set_accelerator(self, wish: NewAcceleratorRate) -> AcceleratorRate:
        """As `Machines.set_accelerator`."""
        return self._call(AcceleratorRate, "/rates/accelerators", {}, asdict(wish))

    def set_electricity(self, wish: NewElectricity) -> NewElectricity:
        """As `Machines.set_electricity`."""
        return self._call(NewElectricity, "/rates/electricity", {}, asdict(wish))

    def commitments(self) -> tuple[Paid, ...]:
        """As `Machines.commitments`."""
        return self._call(tuple[Paid, ...], "/rates/commitments", {}, None)

    def set_commitment(self, wish: NewPaid) -> Paid:
        """As `Machines.set_commitment`."""
        return self._call(Paid, "/rates/commitments", {}, asdict(wish))

    def take(self, file: RateFile) -> RatesImported:
        """As `Machines.take`."""
        return self._call(RatesImported, "/rates/import", {}, asdict(file))
