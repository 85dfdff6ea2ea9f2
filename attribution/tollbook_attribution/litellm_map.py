"""LiteLLM's map of models as prices: what each of its keys is the price of. Pure.

The map names a model, or a provider and a model with a slash between; its prices are USD for one unit and hold whenever they are
read. A model whose prices are all 0 has none: the map writes 0 for what is free and for what it does not know.

A word after a price per token is the service tier that it holds for: `_priority`, `_flex`, and what else the map comes to write.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tollbook_attribution import prices, providers
from tollbook_attribution.prices import NO_LIMIT

SOURCE = "litellm"
SOURCE_URL = "https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json"

SAMPLE = "sample_spec"
"""The map's own explanation of itself."""

KEYS: Mapping[str, tuple[str, str]] = {
    "input_cost_per_token": ("input", "token"),
    "input_cost_per_audio_token": ("input_audio", "token"),
    "input_cost_per_image_token": ("input_image", "token"),
    "input_cost_per_video_token": ("input_video", "token"),
    "output_cost_per_token": ("output", "token"),
    "output_cost_per_audio_token": ("output_audio", "token"),
    "output_cost_per_image_token": ("output_image", "token"),
    "output_cost_per_video_token": ("output_video", "token"),
    "output_cost_per_reasoning_token": ("reasoning", "token"),
    "cache_read_input_token_cost": ("cache_read", "token"),
    "input_cost_per_token_cache_hit": ("cache_read", "token"),
    "cache_read_input_audio_token_cost": ("cache_read_audio", "token"),
    "cache_read_input_image_token_cost": ("cache_read_image", "token"),
    "cache_creation_input_token_cost": ("cache_write", "token"),
    "cache_creation_input_token_cost_above_1hr": ("cache_write_1h", "token"),
    "citation_cost_per_token": ("citation", "token"),
    "output_cost_per_image": ("image", "image"),
    "output_cost_per_second": ("output_audio_second", "second"),
    "input_cost_per_second": ("audio_second", "second"),
    "input_cost_per_audio_per_second": ("audio_second", "second"),
    "output_cost_per_video_per_second": ("video_second", "second"),
    "input_cost_per_character": ("character", "character"),
    "output_cost_per_character": ("output_character", "character"),
    "input_cost_per_query": ("query", "query"),
    "input_cost_per_request": ("request", "request"),
    "ocr_cost_per_page": ("page", "page"),
    "annotation_cost_per_page": ("annotated_page", "page"),
    "file_search_cost_per_1k_calls": ("storage_search", "search"),
    "code_interpreter_cost_per_session": ("code_execution", "execution"),
}
"""What a key is the price of, and the unit."""

PER = {"file_search_cost_per_1k_calls": 1_000}

CONDITIONS = re.compile(r"(?P<key>\w+?)(?:_above_(?P<above>\d+)k_tokens)?(?:_(?P<mode>[a-z]+))?")
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d{1,3})?")
SEARCH = "search_context_cost_per_query"
USUAL_SEARCH = "search_context_size_medium"
TIERS = "tiered_pricing"
REGION = re.compile(r"(?:[a-z]{2}|us-gov)-[a-z]+-\d+")

Wrong = list[tuple[str, str]]
"""(key of the map, what is wrong with it)."""


@dataclass(frozen=True)
class _Said:
    """One price of an entry."""

    item: str
    unit: str
    quoted: Decimal
    per: int = 1
    above: int = 0
    until: int = NO_LIMIT
    tier: str = ""
    batch: bool = False
    variant: str = ""

    def terms(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "unit": self.unit,
            "quoted": self.quoted,
            "per": self.per,
            "amount": prices.each(self.quoted, self.per),
            "min_quantity": self.above,
            "max_quantity": self.until,
            "service_tier": self.tier,
            "batch": self.batch,
            "variant": self.variant,
        }


def is_map(found: Mapping[str, Any]) -> bool:
    """Whether an object is LiteLLM's map: of objects, of which one names its provider or a cost as LiteLLM does."""
    entries = [entry for entry in found.values() if isinstance(entry, dict)]
    named = any("litellm_provider" in entry or any("cost_per" in key for key in entry) for entry in entries)
    return named and len(entries) == len(found)


def prices_of(name: str, entry: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Wrong, Wrong]:
    """The prices of one model as terms of rows, what is wrong with its entry, and what is not read of it."""
    if name == SAMPLE or not isinstance(entry, Mapping):
        return [], [], []
    wrong: Wrong = []
    unread: Wrong = []
    said = list(_said(entry, wrong, unread))
    if all(price.quoted == 0 for price in said):
        return [], wrong, [*unread, ("", f"{name} costs 0 throughout: free or unknown, so left out")] if said else unread
    provider, model, region = _named(name, entry)
    shared = {"provider": provider, "model": model, "region": region}
    return [{**shared, **price.terms()} for price in _bounded(said, unread)], wrong, unread


def same(terms: Mapping[str, Any]) -> tuple[Any, ...]:
    """What prices share of which only one can hold: the map has models of one provider under several names of it."""
    named = (terms["provider"], terms["model"], terms["region"])
    return (*(text.lower() for text in named), *(terms[key] for key in ("item", "unit", "service_tier", "batch", "variant")))


def _named(name: str, entry: Mapping[str, Any]) -> tuple[str, str, str]:
    """(provider, model, region) of an entry: `bedrock/us-east-1/anthropic.claude-v2` names all three."""
    said = str(entry.get("litellm_provider") or "")
    family = said.split("-", maxsplit=1)[0] if said.startswith("vertex_ai") else said.removesuffix("_converse")
    parts = name.split("/")
    region = next((part for part in parts[:-1] if REGION.fullmatch(part)), "")
    if len(parts) > 1 and providers.listed_as(parts[0]) == providers.listed_as(family):
        parts = parts[1:]
    model = "/".join(part for part in parts if part != region)
    provider = providers.listed_as(family) or providers.listed_as(name.partition("/")[0])
    return provider or "", model, region


def _said(entry: Mapping[str, Any], wrong: Wrong, unread: Wrong) -> Iterator[_Said]:
    for key, value in entry.items():
        if key == TIERS and isinstance(value, list):
            yield from _tiers(value, wrong, unread)
        elif key == SEARCH and isinstance(value, Mapping):
            for size, amount in value.items():
                variant = "" if size == USUAL_SEARCH else f"search_context_size={size.removeprefix('search_context_size_')}"
                yield from _one(_Said("web_search", "search", Decimal(0), variant=variant), f"{key}.{size}", amount, wrong)
        elif "cost" in key and not isinstance(value, Mapping | list):
            amount = Decimal(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value
            kind = _kind(key, entry)
            if kind or isinstance(amount, str):
                yield from _one(kind or _Said("", "", Decimal(0)), key, None if amount == "" else amount, wrong)
            elif amount:
                unread.append((key, "is no price that calls are counted by here: not read"))


def _kind(key: str, entry: Mapping[str, Any]) -> _Said | None:
    """What a key is the price of, with the conditions that it is named by."""
    known = KEYS.get(key)
    if known:
        return _Said(*known, Decimal(0), per=PER.get(key, 1))
    if key in ("input_cost_per_image", "input_cost_per_pixel", "output_cost_per_pixel"):
        draws = entry.get("mode") == "image_generation" and not entry.get("output_cost_per_image")
        item = key.rpartition("_")[2]
        return _Said(item, item, Decimal(0)) if draws or key.startswith("output") else None
    found = CONDITIONS.fullmatch(key)
    base = KEYS.get(found["key"]) if found else None
    if not found or not base:
        return None
    mode, above = found["mode"] or "", int(found["above"] or 0) * 1_000
    if mode and base[1] != "token":
        return None  # such as a video's resolution
    return _Said(
        *base,
        Decimal(0),
        above=above + 1 if above else 0,
        tier="" if mode == "batches" else mode,
        batch=mode == "batches",
    )


def _one(kind: _Said, key: str, value: Any, wrong: Wrong) -> Iterator[_Said]:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        wrong.append((key, f"{str(value)[:40]!r} is no number"))
    elif value < 0:
        wrong.append((key, f"{value} is below 0"))
    elif kind.unit == "token" and value > Decimal("0.01"):
        wrong.append((key, f"{value} USD for one token cannot be"))
    else:
        yield _Said(**{**vars(kind), "quoted": Decimal(value)})


def _tiers(tiers: list[Any], wrong: Wrong, unread: Wrong) -> Iterator[_Said]:
    """Prices of a list of ranges of the input's length, each with keys of its own; the last one may have no end."""
    for tier in tiers:
        if isinstance(tier, Mapping) and "range" not in tier:
            unread.append((TIERS, f"a tier of another kind than by the input's length, {', '.join(tier)}: not read"))
            continue
        bounds = tier.get("range") if isinstance(tier, Mapping) else None
        if not (
            isinstance(bounds, list) and len(bounds) == 2 and all(isinstance(bound, int | Decimal | None) for bound in bounds)
        ):
            wrong.append((TIERS, "a tier without a range of two numbers"))
            continue
        first, last = int(bounds[0] or 0), NO_LIMIT - 1 if bounds[1] is None else int(bounds[1])
        for key, value in tier.items():
            known = KEYS.get(key)
            if known:
                above = first + 1 if first else 0
                yield from _one(_Said(*known, Decimal(0), above=above, until=last + 1), f"{TIERS}.{key}", value, wrong)


def _bounded(said: list[_Said], unread: Wrong) -> Iterator[_Said]:
    """The prices, each up to where the next one for longer inputs begins; what is said twice counts as it is said first."""
    first: dict[tuple[Any, ...], _Said] = {}
    for price in said:
        before = first.setdefault((*_box(price), price.above), price)
        if before.quoted != price.quoted:
            unread.append(("", f"{price.item} costs {before.quoted} and {price.quoted}: the first one counts"))
    for price in first.values():
        alike = [other for other in said if _box(other) == _box(price) and other.above > price.above]
        until = min([price.until, *(other.above for other in alike)])
        if until > price.above:
            yield _Said(**{**vars(price), "until": until})


def _box(price: _Said) -> tuple[Any, ...]:
    return price.item, price.unit, price.tier, price.batch, price.variant
