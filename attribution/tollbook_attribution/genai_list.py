"""genai-prices' own files, its JSON and a provider's YAML, as prices: dates, times of day, tiers and variants included. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tollbook_attribution import price_fields, price_list
from tollbook_attribution.placed_json import Placed, document, values
from tollbook_attribution.prices import Price

Places = Mapping[tuple[str, str], int]
"""The line of each model, by its provider and its id."""


class NotListedError(ValueError):
    """What cannot be a list of prices; says where."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def is_list(found: Any) -> bool:
    """Whether a document is genai-prices': a provider with models, or a list of such."""
    listed = found if isinstance(found, list) else [found]
    return bool(listed) and all(
        isinstance(one, Mapping) and "id" in one and isinstance(one.get("models"), list) for one in listed
    )


def prices(found: Any, lines: Places, version: str, now: datetime) -> tuple[list[tuple[int, Price]], list[tuple[int, str, str]]]:
    """(line, price) of everything that a document lists, and (line, model, what is wrong with it)."""
    good: list[tuple[int, Price]] = []
    wrong: list[tuple[int, str, str]] = []
    for provider in found if isinstance(found, list) else [found]:
        for model in provider["models"]:
            name = str(model.get("id", "")) if isinstance(model, Mapping) else ""
            line = lines.get((str(provider["id"]), name), 0)
            try:
                good += [(line, price) for price in _of_model(provider, model, version, now)]
            except NotListedError as error:
                wrong.append((line, name, str(error)))
    return good, wrong


def _of_model(provider: Mapping[str, Any], model: Any, version: str, now: datetime) -> list[Price]:
    from genai_prices.types import _providers_from_raw  # noqa: PLC0415 - 0.7 s, and rarely wanted
    from pydantic import ValidationError  # noqa: PLC0415

    named = {"id": provider["id"], "name": provider["id"], "api_pattern": "", "pricing_urls": provider.get("pricing_urls")}
    try:
        (read,) = _providers_from_raw([{**named, "models": [model]}])
        found = list(price_list.rows_of_model(read, read.models[0], version, now))
    except ValidationError as error:
        first = error.errors()[0]
        raise NotListedError(f"{'.'.join(str(step) for step in first['loc'][3:])}: {first['msg']}".lstrip(": ")) from error
    except KeyError as error:
        raise NotListedError(f"{error} is no price that calls are counted by here") from error
    except (ValueError, TypeError, ArithmeticError) as error:
        raise NotListedError(str(error)) from error
    for price in found:
        most = price_fields.ABSURD.get(price.unit)
        if price.quoted is not None and price.quoted < 0:
            raise NotListedError(f"{price.item}: {price.quoted} is below 0")
        if most is not None and price.amount > most:
            raise NotListedError(f"{price.item}: {price.amount.normalize():f} USD for one {price.unit} cannot be")
    return found


def places(text: str) -> Places:
    """Lines of the models of a JSON document."""
    return {
        (str(provider.value["id"]), str(model.value.get("id", ""))): model.line
        for whole in values(text)
        for provider in (document(whole) if isinstance(whole.value, list) else [whole])
        for model in _models(provider)
        if isinstance(model.value, Mapping)
    }


def yaml_document(text: str, node: Any) -> tuple[Any, Places]:
    """What a YAML text says, whose root is known, and the lines of its models. Raises NotListedError."""
    import yaml  # noqa: PLC0415 - no dependency of the server

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise NotListedError(f"not YAML: {error}") from error
    if found is None or node is None or isinstance(found, list) or not is_list(found):
        raise NotListedError(
            "is YAML, and neither a list of prices (- provider: …) nor a provider of genai-prices; see tollbook prices columns"
        )
    models = next(value for key, value in node.value if key.value == "models")
    return found, {
        (str(found["id"]), str(model.get("id", ""))): place.start_mark.line + 1
        for model, place in zip(found["models"], models.value, strict=True)
        if isinstance(model, Mapping)
    }


def _models(provider: Placed) -> Iterator[Placed]:
    return document(next(member for member in document(provider) if member.name == "models"))
