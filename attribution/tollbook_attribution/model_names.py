"""The names that models go by in telemetry, and the price that each stands for."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING

from tollbook_schema.store import Store

from tollbook_attribution import model_match, price_list, providers

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider


@dataclass(frozen=True)
class ModelName:
    """One row of `model_names`: the price that a provider's model name stands for, or why there is none."""

    provider: str
    model: str
    book: str
    spellings: tuple[str, ...]
    price_provider: str
    price_model: str
    standard_tier_only: bool
    reason: str


COLUMNS = tuple(entry.name for entry in fields(ModelName))

COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[-:]|$)")


def name_models(store: Store, names: Iterable[tuple[str, str]]) -> None:
    """Finds the price that each (provider, model) of the telemetry stands for, and keeps the answers in `model_names`."""
    book, values = price_list.version(), attrgetter(*COLUMNS)
    store.insert("model_names", [values(find_model(provider, model, book)) for provider, model in names], COLUMNS)


def find_model(provider: str, model: str, book: str) -> ModelName:
    """The price that a name stands for by the list's own match clauses; a name they do not mean has no price."""
    readings = providers.readings(provider, model)
    spelled = tuple(dict.fromkeys(f"{who or ''}/{name}".lower() for who, name in readings))
    for listed_provider, listed_model in readings:
        found = _listed(listed_provider, listed_model)
        if found:
            owner, info, borrowed = found
            named = providers.listed_as(provider)
            reason = "" if named and listed_provider == named else f"provider {owner.id} taken from the model's name"
            return ModelName(provider, model, book, spelled, owner.id, info.id, borrowed, reason)
    return ModelName(provider, model, book, spelled, "", "", False, f"unknown model {provider or '(no provider)'}/{model}")


def _listed(provider: str | None, model: str) -> "tuple[Provider, ModelInfo, bool] | None":
    """(whose list prices it, the model, whether another provider's list does), where the list means this name."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 0.7 s, and needed for new names only

    snapshot, name = get_snapshot(), model.lower()
    try:
        found, info = snapshot.find_provider_model(name, None, provider, None)
    except LookupError:
        return None
    if name != info.id.lower() and not any(model_match.means(info.match, each) for each in (name, dashed(name))):
        return None
    owner = _owner(info, found, snapshot.providers)
    return owner, info, owner is not found


def dashed(name: str) -> str:
    """The name with a date at its end as most lists spell it: `-20250929` as `-2025-09-29`."""
    return COMPACT_DATE.sub(r"-\1-\2-\3", name)


def _owner(info: "ModelInfo", found: "Provider", listed: Sequence["Provider"]) -> "Provider":
    """The provider whose list holds the model: another one where a cloud sells a model maker's models at its prices."""
    candidates = (found, *listed)
    return next(provider for provider in candidates if any(model is info for model in provider.models))
