"""Answers about cost, asked of a running server: the same methods as `Costs`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol, TypeVar

from tollbook_ui import figures as f
from tollbook_ui.costs.figures import Anomalies, Bridge, Caches, Cost
from tollbook_ui.costs.questions import ALL

Answer = TypeVar("Answer")


class Get(Protocol):
    """Asks the server for an answer of a kind."""

    def __call__(self, kind: type[Answer], path: str, asked: Mapping[str, Any] | None = None) -> Answer:
        """The answer."""


class RemoteCosts:
    """As `Costs`."""

    def __init__(self, get: Get) -> None:
        self._get = get

    def by(self, scope: f.Scope, by: Sequence[str] = (), where: Sequence[str] = (), limit: int = 1_000) -> Cost:
        """As `Costs.by`."""
        return self._get(Cost, "/cost", {**asked(scope), **_more(by, where, limit)})

    def anomalies(
        self, scope: f.Scope, by: Sequence[str] = ("workflow",), where: Sequence[str] = (), limit: int = 20
    ) -> Anomalies:
        """As `Costs.anomalies`."""
        return self._get(Anomalies, "/anomalies", {**asked(scope), **_more(by, where, limit)})

    def caches(self, scope: f.Scope) -> Caches:
        """As `Costs.caches`."""
        return self._get(Caches, "/caches", asked(scope))

    def bridge(
        self,
        before: f.Period,
        after: f.Period,
        by: Sequence[str] = ("workflow",),
        where: Sequence[str] = (),
        *,
        scope: f.Scope = ALL,
        limit: int = 20,
    ) -> Bridge:
        """As `Costs.bridge`."""
        periods = {"before": written(before), "after": written(after)}
        return self._get(Bridge, "/bridge", {**asked(scope), **periods, **_more(by, where, limit)})


def _more(by: Sequence[str], where: Sequence[str], limit: int) -> dict[str, Any]:
    return {"by": ",".join(by), "where": list(where), "limit": limit}


def written(period: f.Period) -> str:
    """The period as a question has it."""
    return f"{period.since.isoformat()}..{period.until.isoformat()}"


def asked(scope: f.Scope) -> dict[str, Any]:
    """The scope as a question has it."""
    values = {field.name: getattr(scope, field.name) for field in fields(scope)}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}
