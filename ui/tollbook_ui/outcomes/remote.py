"""Answers about outcomes, asked of a running server: the same methods as `Outcomes`."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal

from tollbook_ui import figures as f
from tollbook_ui.budgets.remote import Call
from tollbook_ui.costs.remote import asked, written
from tollbook_ui.outcomes.figures import Capacity, Headlines, Output, Return, Score


class RemoteOutcomes:
    """As `Outcomes`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def roi(
        self,
        scope: f.Scope,
        benefit_usd: Decimal,
        *,
        tax_hours: Decimal = Decimal(0),
        rate_usd: Decimal = Decimal(0),
        where: Sequence[str] = (),
    ) -> Return:
        """As `Outcomes.roi`."""
        numbers = {"benefit_usd": str(benefit_usd), "tax_hours": str(tax_hours), "rate_usd": str(rate_usd)}
        return self._call(Return, "/roi", {**asked(scope), **numbers, "where": list(where)}, None)

    def capacity(self, scope: f.Scope) -> Capacity:
        """As `Outcomes.capacity`."""
        return self._call(Capacity, "/capacity", asked(scope), None)

    def output(self, before: f.Period, after: f.Period, scope: f.Scope = f.Scope()) -> Output:  # noqa: B008 - it is frozen
        """As `Outcomes.output`."""
        return self._call(Output, "/output", {**asked(scope), "before": written(before), "after": written(after)}, None)

    def headlines(self, scope: f.Scope) -> Headlines:
        """As `Outcomes.headlines`."""
        return self._call(Headlines, "/headlines", asked(scope), None)

    def score(self, score: Score) -> Score:
        """As `Outcomes.score`."""
        return self._call(Score, "/scores", {}, asdict(score))
