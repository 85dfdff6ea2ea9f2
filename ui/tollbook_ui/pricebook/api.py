"""Routes of the API about prices."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, Field

from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, rows_written, written
from tollbook_ui.periods import parse_time
from tollbook_ui.pricebook.figures import (
    Alias,
    Changes,
    Discount,
    ExchangeRate,
    NewExchangeRate,
    NewPrice,
    PriceRow,
    Repriced,
    Repricing,
    Shown,
    Taken,
)

router = APIRouter(prefix=PREFIX, responses={422: {"model": Problem, "description": "The question or the file is wrong"}})

Limit = Annotated[int, Query(ge=1, le=100_000)]
Word = Annotated[str, Query(max_length=500)]


class PriceFile(BaseModel):
    """A file of prices or rates: CSV, JSON, JSON lines, LiteLLM's map or genai-prices' lists."""

    content: str = Field(max_length=64 * 1024**2)
    name: str = Field(default="the file", max_length=500, description="for messages")
    since: str | None = Field(default=None, description="from when on prices hold that name no date themselves")
    tenant: str = Field(default="", description="whose they are where the file does not say; everyone's if empty")

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"name": "ours.csv", "content": "provider,model,item,amount,per\nacme,fast-1,input,1.10,1M\n", "since": None}
            ]
        }
    }


class Between(BaseModel):
    """A period to settle again."""

    since: str
    until: str

    model_config = {"json_schema_extra": {"examples": [{"since": "2026-11-01", "until": "2026-12-01"}]}}


@router.get("/prices", response_model=list[PriceRow])
def prices(
    ask: Ask,
    *,
    provider: Word = "",
    model: Word = "",
    source: Word = "",
    category: Word = "",
    limit: Limit = 10_000,
    shape: As = Format.JSON,
) -> Response:
    """Dated prices: tokens, and everything else that has a price for one unit."""
    return rows_written(PriceRow, ask.pricebook.prices(provider, model, source, category, limit), shape)


@router.get("/prices/of", response_model=Shown)
def shown(
    ask: Ask,
    *,
    model: Annotated[str, Query(max_length=500, examples=["gpt-4o-2024-08-06"])],
    provider: Annotated[str, Query(max_length=500, examples=["azure.ai.openai"])] = "",
    at: Annotated[str | None, Query(description="as of then; now if not given", examples=["2026-11-20T16:30"])] = None,
) -> Response:
    """What the book says of a model's name: what it stands for, its prices, and which of them decide."""
    return written(ask.pricebook.show(model, provider, _moment(at)), Format.JSON)


@router.post("/prices")
def set_price(ask: Ask, price: Annotated[NewPrice, Body()]) -> dict[str, str]:
    """Adds a price; nothing is overwritten, and settled hours change when they are settled again."""
    return {"price_id": ask.pricebook.set(price)}


@router.post("/prices/imports", response_model=Taken)
def take(ask: Ask, file: Annotated[PriceFile, Body()]) -> Response:
    """Loads a file of prices, or says what is wrong with it and loads nothing. The same file again changes nothing."""
    found = ask.pricebook.take(file.name, file.content.encode(), _moment(file.since), file.tenant)
    return written(found, Format.JSON)


@router.get("/prices/diff", response_model=Changes)
def differences(
    ask: Ask,
    *,
    before: Annotated[str, Query(max_length=200, examples=["0.2.2"])],
    after: Annotated[str, Query(max_length=200, examples=["0.2.3"])],
    source: Word = "genai-prices",
    shape: As = Format.JSON,
) -> Response:
    """How two versions of a list differ."""
    return written(ask.pricebook.differences(before, after, source), shape)


@router.post("/prices/diff", response_model=Changes)
def against(ask: Ask, file: Annotated[PriceFile, Body()]) -> Response:
    """What a file of prices would change."""
    found = ask.pricebook.against(file.name, file.content.encode(), _moment(file.since), file.tenant)
    return written(found, Format.JSON)


@router.get("/prices/aliases", response_model=list[Alias])
def aliases(ask: Ask, shape: As = Format.JSON) -> Response:
    """Model names of the telemetry, and what they stand for."""
    return rows_written(Alias, ask.pricebook.aliases(), shape)


@router.post("/prices/aliases")
def set_alias(ask: Ask, alias: Annotated[Alias, Body()]) -> dict[str, str]:
    """Says what a model name stands for; an empty price takes it back."""
    return {"price": ask.pricebook.set_alias(alias)}


@router.get("/prices/discounts", response_model=list[Discount])
def discounts(ask: Ask, shape: As = Format.JSON) -> Response:
    """What contracts take off list prices."""
    return rows_written(Discount, ask.pricebook.discounts(), shape)


@router.post("/prices/discounts")
def set_discount(ask: Ask, discount: Annotated[Discount, Body()]) -> dict[str, str]:
    """Sets what a contract takes off list prices, in percent."""
    ask.pricebook.set_discount(discount)
    return {"discount_id": discount.discount_id}


@router.get("/exchange_rates", response_model=list[ExchangeRate])
def exchange_rates(ask: Ask, currency: Word = "", limit: Limit = 1_000, shape: As = Format.JSON) -> Response:
    """What currencies are worth in USD."""
    return rows_written(ExchangeRate, ask.pricebook.exchange_rates(currency, limit), shape)


@router.post("/exchange_rates")
def set_exchange_rate(ask: Ask, rate: Annotated[NewExchangeRate, Body()]) -> dict[str, str]:
    """Sets what a unit of a currency is worth in USD on a day."""
    ask.pricebook.set_exchange_rate(rate)
    return {"currency": rate.currency.upper()}


@router.post("/exchange_rates/imports")
def take_exchange_rates(ask: Ask, file: Annotated[PriceFile, Body()]) -> dict[str, int]:
    """Loads a CSV of exchange rates, or nothing of it where there is an error in it."""
    return {"added": ask.pricebook.take_exchange_rates(file.name, file.content.encode())}


@router.post("/reprice", response_model=Repriced)
def reprice(ask: Ask, period: Annotated[Between, Body()]) -> Response:
    """Settles a period again, and says what has changed, per owner and model, and why."""
    now = datetime.now(UTC)
    return written(ask.pricebook.reprice(parse_time(period.since, now), parse_time(period.until, now)), Format.JSON)


@router.get("/repricings", response_model=list[Repricing])
def repricings(ask: Ask, limit: Annotated[int, Query(ge=1, le=10_000)] = 100, shape: As = Format.JSON) -> Response:
    """Periods that were settled again because somebody asked for it."""
    return rows_written(Repricing, ask.pricebook.repricings(limit), shape)


def _moment(text: str | None) -> datetime | None:
    return parse_time(text, datetime.now(UTC)) if text else None
