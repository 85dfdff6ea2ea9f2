"""The three decorators, which are context managers as well, and what a running call may say of itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, overload

from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import owners
from tollbook.extract import Of
from tollbook.handle import Handle, Value, current
from tollbook.inputs import Asset, Instant
from tollbook.work import Work

F = TypeVar("F", bound=Callable[..., Any])

Operation = Literal["read", "write", "copy", "call", "lookup", "transform", "delete"]
Network = Literal[
    "in_process",
    "local_disk",
    "loopback",
    "same_zone",
    "cross_zone",
    "cross_region",
    "private_link",
    "nat",
    "internet",
]
Scaffolding = Literal["useful", "glue", "middleware", "sync", "copy", "transform", "lookup", "logging"]
Delivery = Literal["at_most_once", "at_least_once", "exactly_once"]
Location = Literal["in_process", "remote"]

_TAKEN: Final = ("bytes", "wire", "records", "asset", "schema", "content", "event_id")
_ENDS: Final = ("source_region", "source_zone", "destination_region", "destination_zone")
_WITHIN_THE_MACHINE: Final = frozenset({None, "in_process", "local_disk"})


@overload
def request(workflow: F, /) -> F: ...
@overload
def request(
    workflow: str | None = None,
    *,
    name: str | None = None,
    team: str | None = None,
    project: str | None = None,
    feature: str | None = None,
    customer: str | None = None,
    environment: str | None = None,
    user: str | None = None,
    session: str | None = None,
    kind: SpanKind | None = None,
    attributes: Mapping[str, Value] | None = None,
) -> Work: ...
def request(
    workflow: Any = None,
    *,
    name: str | None = None,
    team: str | None = None,
    project: str | None = None,
    feature: str | None = None,
    customer: str | None = None,
    environment: str | None = None,
    user: str | None = None,
    session: str | None = None,
    kind: SpanKind | None = None,
    attributes: Mapping[str, Value] | None = None,
) -> Any:
    """One unit of work that somebody asked for: the thing that gets a receipt.

    `@tollbook.request`, `@tollbook.request("document-intake", team="search")` or `with tollbook.request(…) as span:`.
    Its owners hold for everything inside, here and in the services that are called.

    Args:
        workflow: what is asked for. If nobody up the line has named it, the function's name.
        name: the span's name, by default the workflow's.
        team: team that owns the request; `project`, `feature`, `customer` and `environment` likewise.
        project: project or budget line.
        feature: product feature.
        customer: customer on whose behalf it runs.
        environment: such as `production`.
        user: who asked. Stays on this span, is not carried on.
        session: session it belongs to. Stays on this span.
        kind: OpenTelemetry's span kind; by default server where the caller is another service, else internal.
        attributes: any further ones.
    """
    if callable(workflow):
        return Work("request", None, {})(workflow)
    return Work(
        "request",
        name or workflow,
        {A.USER_ID: user, A.SESSION_ID: session, **(attributes or {})},
        owned_by=owners.keyed(
            team=team, project=project, feature=feature, customer=customer, environment=environment, workflow=workflow
        ),
        span_kind=kind,
    )


@overload
def inference(model: F, /) -> F: ...
@overload
def inference(
    model: str | None = None,
    *,
    provider: str | None = None,
    operation: str = "inference",
    name: str | None = None,
    location: Location | None = None,
    version: str | None = None,
    simulated: bool | None = None,
    usage_of: Of | None = None,
    input_of: Of | None = None,
    output_of: Of | None = None,
    batch_of: Of | None = None,
    parameters_of: Of | None = None,
    kind: SpanKind | None = None,
    attributes: Mapping[str, Value] | None = None,
) -> Work: ...
def inference(
    model: Any = None,
    *,
    provider: str | None = None,
    operation: str = "inference",
    name: str | None = None,
    location: Location | None = None,
    version: str | None = None,
    simulated: bool | None = None,
    usage_of: Of | None = None,
    input_of: Of | None = None,
    output_of: Of | None = None,
    batch_of: Of | None = None,
    parameters_of: Of | None = None,
    kind: SpanKind | None = None,
    attributes: Mapping[str, Value] | None = None,
) -> Any:
    """One call of a model. It carries the age of what the request has read before.

    `@tollbook.inference`, `@tollbook.inference(model="…", provider="…")` or `with tollbook.inference(…) as span:`.
    Of a generator, or of a stream that is returned, it
    also notes the time to the first item and how fast the rest comes; the span ends with the stream.

    Args:
        model: model that is asked for.
        provider: who serves it, such as `openai` or `onnxruntime`.
        operation: such as `chat` or `embeddings`.
        name: the span's name, by default operation and model.
        location: `in_process` or `remote`, seen from here.
        version: version of the model.
        simulated: true where a stand-in answers, so that its money is shown apart.
        usage_of: where the provider's answer with its token counts is found: `"result"`, or a function of the result. Whole
            answers or the pieces of a stream of OpenAI, Anthropic, Gemini, Bedrock, Cohere, Mistral, Ollama and what speaks
            like them. A stream that is left midway has no counts: unknown, not 0.
        input_of: where the input is found, whose bytes are counted: the name of an argument, or as `usage_of`.
        output_of: likewise, for the output.
        batch_of: likewise, for the items of a batch: their number, or something that has a length or a shape.
        parameters_of: likewise, for the request's parameters, such as `"kwargs"`: temperature, seed and their like, no content.
        kind: OpenTelemetry's span kind; by default client for a remote model, else internal.
        attributes: any further ones.
    """
    if callable(model):
        return Work("inference", None, {A.GEN_AI_OPERATION_NAME: operation})(model)
    return Work(
        "inference",
        name or (f"{operation} {model}" if model else None),
        {
            A.GEN_AI_OPERATION_NAME: operation,
            A.GEN_AI_REQUEST_MODEL: model,
            A.GEN_AI_PROVIDER_NAME: provider,
            A.TOLLBOOK_INFERENCE_LOCATION: location,
            A.TOLLBOOK_MODEL_VERSION: version,
            A.TOLLBOOK_SIMULATED: simulated,
            **(attributes or {}),
        },
        block_name=operation,
        operation=operation,
        span_kind=kind or (SpanKind.CLIENT if location == "remote" else None),
        takes={
            "usage": usage_of,
            "input": input_of,
            "output": output_of,
            "batch": batch_of,
            "parameters": parameters_of,
        },
    )


@overload
def handoff(operation: F, /) -> F: ...
@overload
def handoff(
    operation: Operation | None = None,
    *,
    source: str | None = None,
    destination: str | None = None,
    name: str | None = None,
    scaffolding: Scaffolding | None = None,
    network: Network | None = None,
    delivery: Delivery | None = None,
    event_id: str | None = None,
    simulated: bool | None = None,
    bytes_of: Of | None = None,
    records_of: Of | None = None,
    asset_of: Of | None = None,
    source_region: str | None = None,
    source_zone: str | None = None,
    destination_region: str | None = None,
    destination_zone: str | None = None,
    wire_of: Of | None = None,
    schema_of: Of | None = None,
    content_of: Of | None = None,
    event_id_of: Of | None = None,
    kind: SpanKind | None = None,
    attributes: Mapping[str, Value] | None = None,
) -> Work: ...
def handoff(
    operation: Any = None,
    *,
    source: str | None = None,
    destination: str | None = None,
    name: str | None = None,
    scaffolding: Scaffolding | None = None,
    network: Network | None = None,
    delivery: Delivery | None = None,
    event_id: str | None = None,
    simulated: bool | None = None,
    bytes_of: Of | None = None,
    records_of: Of | None = None,
    asset_of: Of | None = None,
    source_region: str | None = None,
    source_zone: str | None = None,
    destination_region: str | None = None,
    destination_zone: str | None = None,
    wire_of: Of | None = None,
    schema_of: Of | None = None,
    content_of: Of | None = None,
    event_id_of: Of | None = None,
    kind: SpanKind | None = None,
    attributes: Mapping[str, Value] | None = None,
) -> Any:
    """Data passing from one place or system to another.

    `@tollbook.handoff`, `@tollbook.handoff("read", source="s3", bytes_of="result")` or
    `with tollbook.handoff("read", source="s3") as span: span.bytes(n).asset(…)`.

    Args:
        operation: what is done with the data.
        source: where the data comes from.
        destination: where it goes to.
        name: the span's name, by default the function's, or operation and source.
        scaffolding: whether this is useful work or integration scaffolding, and which.
        network: class of the boundary that the data crosses.
        delivery: delivery semantics.
        event_id: identity of the item handed over, the same on every hop.
        simulated: true where a stand-in answers.
        bytes_of: where the payload is found: `"result"`, the name of an argument, or a function of the result.
            A generator's items add up.
        records_of: likewise, for records.
        asset_of: likewise, for the asset: an id, an `Asset`, or a `Path`, which tells its own age.
        source_region: region that the data comes from, such as `eu-west-1`; `network` follows where both ends are known.
        source_zone: zone that it comes from. An end that is not named is the own one, as the resource says it.
        destination_region: region that it goes to.
        destination_zone: zone that it goes to.
        wire_of: as `bytes_of`, for the bytes on the wire, headers and compression included.
        schema_of: likewise, for data whose fields are fingerprinted: names and types, no values.
        content_of: likewise, for text or bytes of which a keyed digest is noted, so that copies are found.
        event_id_of: likewise, for the identity of the item handed over.
        kind: OpenTelemetry's span kind; by default client where the data leaves the machine's process, else internal.
        attributes: any further ones.
    """
    if callable(operation):
        return Work("handoff", None, {})(operation)
    return Work(
        "handoff",
        name,
        {
            A.TOLLBOOK_HANDOFF_OPERATION: operation,
            A.TOLLBOOK_HANDOFF_SOURCE: source,
            A.TOLLBOOK_HANDOFF_DESTINATION: destination,
            A.TOLLBOOK_SCAFFOLDING_CLASS: scaffolding,
            A.TOLLBOOK_HANDOFF_NETWORK: network,
            A.TOLLBOOK_HANDOFF_DELIVERY: delivery,
            A.TOLLBOOK_EVENT_ID: event_id,
            A.TOLLBOOK_SIMULATED: simulated,
            **(attributes or {}),
        },
        block_name=" ".join(filter(None, [operation, source or destination])) or None,
        operation=operation,
        span_kind=kind or (None if network in _WITHIN_THE_MACHINE else SpanKind.CLIENT),
        takes=dict(zip(_TAKEN, (bytes_of, wire_of, records_of, asset_of, schema_of, content_of, event_id_of), strict=True)),
        ends=dict(zip(_ENDS, (source_region, source_zone, destination_region, destination_zone), strict=True)),
    )


def usage(
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    *,
    cache_read_tokens: int | None = None,
    cache_write_tokens: int | None = None,
    reasoning_tokens: int | None = None,
    response_model: str | None = None,
    response_id: str | None = None,
    finish_reasons: Sequence[str] | None = None,
    service_tier: str | None = None,
    parts: Mapping[str, int] | None = None,
    cost: float | None = None,
    currency: str | None = None,
) -> Handle:
    """Say on the current span what a model call used; see `Handle.usage`."""
    return current().usage(
        input_tokens,
        output_tokens,
        cache_read_tokens=cache_read_tokens,
        cache_write_tokens=cache_write_tokens,
        reasoning_tokens=reasoning_tokens,
        response_model=response_model,
        response_id=response_id,
        finish_reasons=finish_reasons,
        service_tier=service_tier,
        parts=parts,
        cost=cost,
        currency=currency,
    )


def asset(
    id: str | Asset,  # noqa: A002 - the field's own name
    version: str | None = None,
    event_time: Instant | None = None,
    synced_at: Instant | None = None,
) -> Handle:
    """Name on the current span the piece of data that is read, written or moved; see `Handle.asset`."""
    return current().asset(id, version, event_time, synced_at)
