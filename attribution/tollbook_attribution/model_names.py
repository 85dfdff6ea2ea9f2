"""The names that models go by in telemetry, and the price that each stands for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING

from tollbook_schema.store import Store

from tollbook_attribution import price_list, providers

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider


@dataclass(frozen=True)
class ModelName:
    """One row of `model_names`: the price that a provider's model name stands for, or why there is none."""

    provider: str
    model: str
    book: str
    price_provider: str
    price_model: str
    standard_tier_only: bool
    reason: str


COLUMNS = tuple(entry.name for entry in fields(ModelName))


def name_models(store: Store, names: Iterable[tuple[str, str]]) -> None:
    """Finds the price that each (provider, model) of the telemetry stands for, and keeps the answers in `model_names`."""
    book, values = price_list.version(), attrgetter(*COLUMNS)
    store.insert("model_names", [values(find_model(provider, model, book)) for provider, model in names], COLUMNS)


def find_model(provider: str, model: str, book: str) -> ModelName:
    """The price that a name stands for by the list's own match clauses; a name they do not match has no price."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 0.7 s, and needed for new names only

    snapshot = get_snapshot()
    for listed_provider, listed_model in providers.readings(provider, model):
        try:
            found, info = snapshot.find_provider_model(listed_model, None, listed_provider, None)
            break
        except LookupError:
            continue
    else:
        return ModelName(provider, model, book, "", "", False, f"unknown model {provider or '(no provider)'}/{model}")
    owner = _owner(info, found, snapshot.providers)
    reason = "" if provider else f"provider {owner.id} taken from the model's name"
    return ModelName(provider, model, book, owner.id, info.id, owner is not found, reason)


def _owner(info: "ModelInfo", found: "Provider", listed: Sequence["Provider"]) -> "Provider":
    """The provider whose list holds the model: another one where a cloud sells a model maker's models at its prices."""
    candidates = (found, *listed)
    return next(provider for provider in candidates if any(model is info for model in provider.models))
