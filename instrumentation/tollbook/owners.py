"""Who owns the cost: team, project, feature, customer, environment and workflow, carried as W3C baggage."""

from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import Final

from opentelemetry import baggage
from opentelemetry.context import Context, attach, detach, get_current
from tollbook_schema import attributes as A  # noqa: N812 - the vocabulary's short name throughout

from tollbook.contexts import BAGGAGE_KEY
from tollbook.shield import shielded

OWNER_KEYS: Final = frozenset(A.OWNER_KEYS)


def keyed(
    *,
    team: str | None = None,
    project: str | None = None,
    feature: str | None = None,
    customer: str | None = None,
    environment: str | None = None,
    workflow: str | None = None,
) -> dict[str, str]:
    """The owners that are given, under their attribute names."""
    given = {
        A.TOLLBOOK_TEAM: team,
        A.TOLLBOOK_PROJECT: project,
        A.TOLLBOOK_FEATURE: feature,
        A.TOLLBOOK_CUSTOMER: customer,
        A.DEPLOYMENT_ENVIRONMENT_NAME: environment,
        A.GEN_AI_WORKFLOW_NAME: workflow,
    }
    return {key: str(value) for key, value in given.items() if value is not None}


def carried(context: Context | None = None) -> dict[str, str]:
    """The owners in the context's baggage, under their attribute names. Other baggage is not ours to copy."""
    if context is not None and BAGGAGE_KEY not in context:
        return {}
    entries = baggage.get_all(context)
    return {key: str(entries[key]) for key in A.OWNER_KEYS if key in entries} if entries else {}


def carrying(owners: Mapping[str, str], context: Context) -> Context:
    """The context with these owners in its baggage."""
    for key, value in owners.items():
        context = baggage.set_baggage(key, value, context)
    return context


class label:  # noqa: N801 - a verb for the caller: `with tollbook.label(team="search"):`
    """Say who owns what happens inside the block, here and in every service that is called from it.

    The names become attributes of every span started inside, and travel in the W3C `baggage` header.
    """

    def __init__(
        self,
        *,
        team: str | None = None,
        project: str | None = None,
        feature: str | None = None,
        customer: str | None = None,
        environment: str | None = None,
        workflow: str | None = None,
    ) -> None:
        self._owners = keyed(
            team=team, project=project, feature=feature, customer=customer, environment=environment, workflow=workflow
        )
        self._tokens: list[Token[Context]] = []

    def __enter__(self) -> None:
        with shielded("label a block"):
            self._tokens.append(attach(carrying(self._owners, get_current())))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with shielded("end a label"):
            if self._tokens:
                detach(self._tokens.pop())
