"""What captured spans would cost and used, for a test to assert on: list prices where they are installed, else quantities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from tollbook_schema import attributes as A  # noqa: N812


@dataclass(frozen=True, slots=True)
class Call:
    """A model call, as its span tells of it."""

    name: str
    """Name of the span."""
    model: str | None
    """Model that answered, else the one asked for."""
    provider: str | None
    """Who serves it."""
    input_tokens: int | None
    """Of input, cached ones included; None where nobody says."""
    output_tokens: int | None
    """Of output, reasoning included."""
    cache_read_tokens: int | None
    """Of the input, read from the provider's cache."""
    cost_usd: Decimal | None
    """By list price; None where it is unknown, and `why` says why."""
    why: str
    """Where the cost is from, or why there is none."""
    input_age_s: float | None
    """Age of the oldest input when the call began, in s; None where nobody says."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the captured spans come to. List prices of model calls only: machines, transfer and storage need a server."""

    calls: tuple[Call, ...]
    """Model calls, in the order they ended."""
    handoffs: int
    """Handoffs of data."""
    bytes_moved: int
    """Bytes of payload that handoffs moved, as far as they say."""
    prices: str
    """Where prices are from, or that there are none."""

    @property
    def cost_usd(self) -> Decimal | None:
        """Sum of all calls; None where one of them has no price, for a sum without it would be too low."""
        costs = [call.cost_usd for call in self.calls]
        return None if None in costs else sum((cost for cost in costs if cost is not None), Decimal(0))

    @property
    def input_tokens(self) -> int:
        """Of all calls that tell of them."""
        return sum(call.input_tokens or 0 for call in self.calls)

    @property
    def output_tokens(self) -> int:
        """Of all calls that tell of them."""
        return sum(call.output_tokens or 0 for call in self.calls)

    @property
    def oldest_input_age_s(self) -> float | None:
        """Age of the oldest input of any call, in s."""
        return max((call.input_age_s for call in self.calls if call.input_age_s is not None), default=None)

    def __str__(self) -> str:
        cost = "unknown" if self.cost_usd is None else f"${self.cost_usd:f}"
        lines = [f"{call.name}: {call.input_tokens} in, {call.output_tokens} out, {_amount(call)}" for call in self.calls]
        return "\n".join([*lines, f"{self.handoffs} handoffs, {self.bytes_moved} bytes", f"cost {cost} ({self.prices})"])


def receipt(spans: Iterable[ReadableSpan]) -> Receipt:
    """The receipt of these spans."""
    told = list(spans)
    calls = [span for span in told if _is_call(span.attributes or {})]
    handoffs = [span.attributes or {} for span in told if (span.attributes or {}).get(A.TOLLBOOK_KIND) == "handoff"]
    return Receipt(
        tuple(_call(span) for span in calls),
        len(handoffs),
        sum(_whole(said.get(A.TOLLBOOK_HANDOFF_SIZE)) or 0 for said in handoffs),
        _prices(),
    )


def cost_of(span: ReadableSpan) -> Decimal | None:
    """What a model call cost in USD, as it is reported, else by list price; `None` where that is unknown."""
    said: Mapping[str, Any] = span.attributes or {}
    return _cost(said, span.start_time or 0)[0] if _is_call(said) else None


def knows_prices() -> bool:
    """Whether list prices are installed; loads them where they are."""
    try:
        import genai_prices  # noqa: F401, PLC0415 - of the server extra, 0.7 s
    except ImportError:
        return False
    return True


def _amount(call: Call) -> str:
    return call.why if call.cost_usd is None else f"${call.cost_usd:f}"


def _is_call(said: Mapping[str, Any]) -> bool:
    return said.get(A.TOLLBOOK_KIND) == "inference" or A.GEN_AI_USAGE_INPUT_TOKENS in said or A.GEN_AI_USAGE_OUTPUT_TOKENS in said


def _call(span: ReadableSpan) -> Call:
    said: Mapping[str, Any] = span.attributes or {}
    oldest = _whole(said.get(A.TOLLBOOK_INPUT_EVENT_TIME_OLDEST))
    cost, why = _cost(said, span.start_time or 0)
    return Call(
        span.name,
        said.get(A.GEN_AI_RESPONSE_MODEL) or said.get(A.GEN_AI_REQUEST_MODEL),
        said.get(A.GEN_AI_PROVIDER_NAME),
        _whole(said.get(A.GEN_AI_USAGE_INPUT_TOKENS)),
        _whole(said.get(A.GEN_AI_USAGE_OUTPUT_TOKENS)),
        _whole(said.get(A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS)),
        cost,
        why,
        None if oldest is None or span.start_time is None else (span.start_time - oldest) / 1e9,
    )


def _cost(said: Mapping[str, Any], at_ns: int) -> tuple[Decimal | None, str]:
    """Cost of a call in USD, and where it is from."""
    reported = said.get(A.GEN_AI_USAGE_COST_AMOUNT)
    if isinstance(reported, int | float) and reported > 0 and said.get(A.GEN_AI_USAGE_COST_CURRENCY, "USD") == "USD":
        return Decimal(str(reported)), "as the provider reports it"
    model = said.get(A.GEN_AI_RESPONSE_MODEL) or said.get(A.GEN_AI_REQUEST_MODEL)
    if A.GEN_AI_USAGE_INPUT_TOKENS not in said and A.GEN_AI_USAGE_OUTPUT_TOKENS not in said:
        return None, "no tokens are told"
    try:
        from genai_prices import Usage, calc_price  # noqa: PLC0415 - of the server extra, 0.7 s
    except ImportError:
        return None, _prices()
    usage = Usage(
        input_tokens=said.get(A.GEN_AI_USAGE_INPUT_TOKENS),
        output_tokens=said.get(A.GEN_AI_USAGE_OUTPUT_TOKENS),
        cache_read_tokens=said.get(A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
        cache_write_tokens=said.get(A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    )
    at = datetime.fromtimestamp(at_ns / 1e9, UTC)
    try:
        priced = calc_price(usage, model_ref=str(model), provider_id=said.get(A.GEN_AI_PROVIDER_NAME), genai_request_timestamp=at)
    except (LookupError, ValueError) as error:
        return None, f"no list price: {error}"
    return priced.total_price, f"list price of {priced.provider.id}/{priced.model.id}"


def _prices() -> str:
    """Where prices are from."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return f"list prices of genai-prices {version('genai-prices')}"
    except PackageNotFoundError:
        return "no prices: install tollbook[server] for them"


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None
