"""What the answers are made of: one frozen dataclass for each row and each answer, its fields in the order they are shown.

Money is `Decimal` in US dollars and exact; a `None` is a thing nobody knows, never a zero.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tollbook_schema.attributes import OWNER_COLUMNS

from tollbook_ui.unsettled import FromLedger


@dataclass(frozen=True)
class Scope:
    """Which part of the ledger a question is about. An owner of `''` means those that name none, `None` means any."""

    since: datetime | None = None
    """Start, in UTC, moved back to the full hour; seven days before `until` if not given."""
    until: datetime | None = None
    """End, in UTC, moved on to the full hour and not part of the period; the end of this hour if not given."""
    service: str | None = None
    workflow: str | None = None
    team: str | None = None
    project: str | None = None
    feature: str | None = None
    customer: str | None = None
    environment: str | None = None


@dataclass(frozen=True)
class Period:
    """Whole hours, as the ledger is settled: from `since` up to and without `until`, both in UTC."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Extent:
    """What the store holds at all, whatever the period; the times are `None` in an empty store."""

    spans: int
    first: datetime | None
    last: datetime | None
    requests: int
    first_request: datetime | None
    last_request: datetime | None
    settled_at: datetime | None
    first_hour: datetime | None = None
    """Of the ledger: storage and bills have hours without a span."""
    last_hour: datetime | None = None


@dataclass(frozen=True)
class Coverage:
    """How much of the period the totals cover. A ratio is 0 to 1, and `None` where there was nothing to cover."""

    calls: int
    calls_priced: int
    calls_priced_ratio: float | None
    tokens: int
    """Of these calls, of every kind."""
    tokens_priced: int
    tokens_priced_ratio: float | None
    hosts: int
    hosts_rated: int
    hosts_rated_ratio: float | None
    inferences: int
    inferences_with_age: int
    inferences_with_age_ratio: float | None
    requests: int
    requests_owned: int
    requests_owned_ratio: float | None


NOTHING_COVERED = Coverage(0, 0, None, 0, 0, None, 0, 0, None, 0, 0, None, 0, 0, None)
"""Of a store that is not there."""


@dataclass(frozen=True)
class Totals:
    """Money of the period; `total_usd` is the sum of the four that follow it, to the last digit."""

    total_usd: Decimal
    requests_usd: Decimal
    idle_usd: Decimal
    shared_usd: Decimal
    unattributed_usd: Decimal
    simulated_usd: Decimal
    """The part of `total_usd` that a stand-in would have cost: never real money."""
    lines: int


@dataclass(frozen=True)
class CategoryCost:
    """Money by what it was paid for and where it went; the rows add up to the total."""

    category: str
    allocation: str
    simulated: bool
    lines: int
    amount_usd: Decimal


@dataclass(frozen=True)
class CostPoint:
    """Money of one hour or day and category."""

    time: datetime
    category: str
    allocation: str
    amount_usd: Decimal


@dataclass(frozen=True)
class TrafficPoint:
    """Requests of one hour or day."""

    time: datetime
    requests: int
    errors: int
    duration_p50_ns: int | None
    duration_p95_ns: int | None
    input_age_p50_ns: int | None


@dataclass(frozen=True)
class Traffic:
    """Requests of the period."""

    requests: int
    errors: int
    simulated_requests: int
    inferences: int
    handoffs: int
    handoff_bytes: int
    hops: int
    duration_p50_ns: int | None
    duration_p95_ns: int | None
    input_age_p50_ns: int | None


@dataclass(frozen=True)
class UnpricedCalls:
    """Model calls without a price: they cost something, and nobody knows how much."""

    provider: str
    model: str
    reason: str
    calls: int
    example_trace_id: str


@dataclass(frozen=True)
class Finding:
    """One thing that could be saved, with what it costs now. `None` where it cannot be said."""

    kind: str
    subject: str
    service_name: str
    workflow: str
    team: str
    count: int
    duration_ns: int | None
    bytes: int | None
    cost_usd: Decimal | None
    saving_usd: Decimal | None
    saving_ns: int | None
    hours: int
    """Hours of the period it was found in; `detail` speaks of the one in which it counted most."""
    example_trace_id: str
    detail: str


@dataclass(frozen=True)
class Overview(FromLedger):
    """The period at a glance; `rows` is the money by category."""

    period: Period
    totals: Totals
    traffic: Traffic
    rows: tuple[CategoryCost, ...]
    step: str
    """'hour' or 'day': the width of the points below."""
    cost_series: tuple[CostPoint, ...]
    traffic_series: tuple[TrafficPoint, ...]
    unpriced: tuple[UnpricedCalls, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    extent: Extent


@dataclass(frozen=True)
class RequestRow:
    """One request, which in this release is one trace."""

    trace_id: str
    start_time: datetime
    duration_ns: int | None
    """`None` where nobody measured it, as of calls that a file or a log tells of."""
    name: str
    service_name: str
    workflow: str
    team: str
    project: str
    feature: str
    customer: str
    environment: str
    status: str
    span_count: int
    inference_count: int
    handoff_count: int
    handoff_bytes: int
    hops: int
    input_age_ns: int | None
    cost_usd: Decimal | None
    """`None` where nothing that the request used has a known price."""
    unpriced_calls: int
    simulated: bool
    site: str
    tier: str


@dataclass(frozen=True)
class Requests(FromLedger):
    """One page of requests; `total_count` counts all of the period."""

    period: Period
    total_count: int
    limit: int
    offset: int
    order: str
    rows: tuple[RequestRow, ...]
    coverage: Coverage


@dataclass(frozen=True)
class Span:
    """One bar of the waterfall. `self_ns` and `cost_usd` are `None` until the span is settled."""

    span_id: str
    parent_span_id: str
    """Empty for a root, and for a span whose parent is not in the store."""
    depth: int
    name: str
    service_name: str
    kind: str
    tollbook_kind: str
    scaffolding_class: str
    start_offset_ns: int
    duration_ns: int
    self_ns: int | None
    cpu_self_ns: int | None
    bytes: int | None
    cost_usd: Decimal | None
    status: str
    status_message: str
    model: str
    simulated: bool


@dataclass(frozen=True)
class Asset:
    """One piece of data an inference of the request used, and its age at that moment."""

    asset_id: str
    asset_version: str
    event_time: datetime | None
    age_ns: int | None
    synced_at: datetime | None
    via: str
    inference_span_id: str
    model: str


@dataclass(frozen=True)
class Resource:
    """One machine or process the request ran on."""

    service_name: str
    service_instance_id: str
    host_id: str
    host_name: str
    host_type: str
    cloud_region: str
    k8s_pod_name: str
    accelerator_id: str
    accelerator_model: str
    site: str
    tier: str
    spans: int


@dataclass(frozen=True)
class ReceiptLine:
    """One line of the ledger."""

    category: str
    item: str
    resource: str
    quantity: Decimal
    unit: str
    amount_usd: Decimal
    currency: str
    basis: str
    price_id: str
    price_version: str
    method: str
    allocation: str
    simulated: bool
    service_name: str
    model: str
    span_id: str
    line_id: str


@dataclass(frozen=True)
class ReceiptItem:
    """Lines of a receipt that differ only in their span, added up."""

    category: str
    item: str
    resource: str
    quantity: Decimal
    unit: str
    amount_usd: Decimal
    basis: str
    price_id: str
    method: str
    simulated: bool
    lines: int


@dataclass(frozen=True)
class UnpricedCall:
    """One model call of a request that has no price."""

    span_id: str
    provider: str
    model: str
    price_status: str
    reason: str


@dataclass(frozen=True)
class Receipt(FromLedger):
    """What one request cost, line by line; `total_usd` is the sum of `rows`, to the last digit."""

    trace_id: str
    state: str
    """'settled', 'late' where spans came in after the settlement, or 'unsettled' where no ledger line exists yet."""
    settled_at: datetime | None
    name: str
    service_name: str
    workflow: str
    start_time: datetime
    duration_ns: int | None
    spans: int
    total_usd: Decimal | None
    """`None` while the request is unsettled, and where nothing that it used has a known price."""
    simulated_usd: Decimal
    rows: tuple[ReceiptLine, ...]
    items: tuple[ReceiptItem, ...]
    unpriced: tuple[UnpricedCall, ...]


@dataclass(frozen=True)
class RequestView:
    """One request from its spans to its data, its machines and its money; `rows` is the waterfall, in the order shown."""

    trace_id: str
    request: RequestRow | None
    """`None` while the request is unsettled."""
    start_time: datetime
    duration_ns: int | None
    span_count: int
    """Spans in the store; more than `rows` where the request has more than are shown."""
    rows: tuple[Span, ...]
    assets: tuple[Asset, ...]
    resources: tuple[Resource, ...]
    receipt: Receipt


@dataclass(frozen=True)
class FreshnessRow:
    """How old the oldest input was at the moment of inference, for each workflow and model."""

    workflow: str
    model: str
    inferences: int
    inferences_with_age: int
    age_min_ns: int | None
    age_p50_ns: int | None
    age_p95_ns: int | None
    age_max_ns: int | None


@dataclass(frozen=True)
class AssetAge:
    """One asset that inferences used, oldest first."""

    asset_id: str
    inferences: int
    age_max_ns: int | None
    event_time: datetime | None
    synced_at: datetime | None
    workflow: str


@dataclass(frozen=True)
class AgeBucket:
    """Inferences whose oldest input was younger than `upper_ns`, but not than the bucket before; `None` has no upper end."""

    upper_ns: int | None
    inferences: int


@dataclass(frozen=True)
class AgePoint:
    """One inference: its duration against the age of its oldest input."""

    trace_id: str
    workflow: str
    model: str
    age_ns: int
    duration_ns: int


@dataclass(frozen=True)
class Freshness(FromLedger):
    """Data freshness at inference."""

    period: Period
    rows: tuple[FreshnessRow, ...]
    assets: tuple[AssetAge, ...]
    buckets: tuple[AgeBucket, ...]
    points: tuple[AgePoint, ...]
    """At most 2,000, the newest."""
    coverage: Coverage


@dataclass(frozen=True)
class AcceleratorRow:
    """One device over the period. `busy_ratio` is 0 to 1 and comes from `source`, the metric it is computed from."""

    device: str
    kind: str
    host: str
    model: str
    source: str
    samples: int
    busy_ratio: float | None
    busy_seconds: float | None
    capacity_seconds: float | None
    cost_usd: Decimal | None
    idle_usd: Decimal | None
    joules: Decimal | None
    """Energy as its meter tells; None where none does."""
    request_joules: Decimal | None
    """Of these, while requests held it."""
    energy_usd: Decimal | None
    """None where the energy has no price of its own."""
    requests: int | None
    """Requests that held it, where its energy is known."""
    slices: tuple[str, ...]
    """Fractions of it that spans named: MIG instances, shares."""


@dataclass(frozen=True)
class AcceleratorPoint:
    """One device in one hour."""

    time: datetime
    device: str
    kind: str
    busy_ratio: float | None


@dataclass(frozen=True)
class Accelerators(FromLedger):
    """Accelerator utilization; without a GPU, the CPU's, named as such in `kind`."""

    period: Period
    rows: tuple[AcceleratorRow, ...]
    series: tuple[AcceleratorPoint, ...]
    coverage: Coverage


@dataclass(frozen=True)
class HotspotRow:
    """One operation of integration scaffolding; time and money are its own, without its children."""

    scaffolding_class: str
    name: str
    service_name: str
    spans: int
    requests: int
    self_ns: int
    cpu_self_ns: int | None
    bytes: int
    cost_usd: Decimal
    example_trace_id: str


@dataclass(frozen=True)
class ClassTotal:
    """One scaffolding class; 'useful' is what the requests are for."""

    scaffolding_class: str
    spans: int
    self_ns: int
    bytes: int
    cost_usd: Decimal


@dataclass(frozen=True)
class Hotspots(FromLedger):
    """Scaffolding by operation, the longest first, and what could be saved."""

    period: Period
    rows: tuple[HotspotRow, ...]
    classes: tuple[ClassTotal, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage


OWNER_KEYS = (*OWNER_COLUMNS, "tenant")
"""What money can be grouped by: what spans say, and whose key brought them."""


@dataclass(frozen=True)
class OwnerRow:
    """Money of one owner; a key that was not asked for is `None`, and `''` is money that names no owner."""

    team: str | None
    project: str | None
    feature: str | None
    customer: str | None
    environment: str | None
    workflow: str | None
    tenant: str | None
    allocation: str
    requests: int
    amount_usd: Decimal | None
    """`None` where nothing of it has a known price."""
    simulated_usd: Decimal
    unpriced_calls: int


@dataclass(frozen=True)
class Owners(FromLedger):
    """Money by owner; the rows add up to the total."""

    period: Period
    by: tuple[str, ...]
    totals: Totals
    rows: tuple[OwnerRow, ...]
    coverage: Coverage


@dataclass(frozen=True)
class CallRow:
    """Model calls that count, by model and price status. Token columns exclude each other."""

    provider: str
    model: str
    response_model: str
    operation: str
    price_status: str
    reason: str
    simulated: bool
    calls: int
    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    duration_p50_ns: int | None
    cost_usd: Decimal | None
    example_trace_id: str


@dataclass(frozen=True)
class Calls(FromLedger):
    """Model calls of the period."""

    period: Period
    rows: tuple[CallRow, ...]
    coverage: Coverage


@dataclass(frozen=True)
class WorkflowRow:
    """One workflow with one model, and what each of its requests takes in the median.

    `model_p50_ns` is the time inside the model, `tax_p50_ns` everything around it.
    """

    workflow: str
    model: str
    location: str
    """'in_process', 'remote', or '' where no inference says."""
    requests: int
    duration_p50_ns: int | None
    duration_p95_ns: int | None
    model_p50_ns: int | None
    tax_p50_ns: int | None
    bytes_p50: int | None
    hops_p50: int | None
    unpriced_calls: int
    """Calls that are in no amount."""
    cost_usd: Decimal | None
    cost_per_request_usd: Decimal | None
    """Mean over the requests of which something has a known price."""
    example_trace_id: str


@dataclass(frozen=True)
class ExecutionTax:
    """What the same model costs more, for each request, when it is called remotely."""

    model: str
    in_process: WorkflowRow
    remote: WorkflowRow
    duration_ns: int | None
    tax_ns: int | None
    bytes: int | None
    hops: int | None
    cost_usd: Decimal | None


@dataclass(frozen=True)
class Comparison(FromLedger):
    """Workflows side by side; `pairs` sets the same model in-process against remote."""

    period: Period
    rows: tuple[WorkflowRow, ...]
    pairs: tuple[ExecutionTax, ...]
    coverage: Coverage


@dataclass(frozen=True)
class Rate:
    """One dated price of a machine's hour."""

    rate_id: str
    provider: str
    instance_type: str
    region: str
    purchase: str
    """on_demand, spot or reserved; empty for any."""
    vcpus: Decimal | None
    memory_gib: Decimal | None
    usd_per_hour: Decimal
    cpu_usd_per_hour: Decimal
    memory_usd_per_hour: Decimal
    accelerator_usd_per_hour: Decimal
    accelerators: int
    split: str
    """By which rule the three were told apart."""
    valid_from: datetime | None
    source: str


@dataclass(frozen=True)
class NewRate:
    """A machine's hour as somebody sets its price; it holds from `valid_from` on, since ever if not given."""

    instance_type: str
    usd_per_hour: Decimal
    vcpus: Decimal
    provider: str = ""
    region: str = ""
    memory_gib: Decimal | None = None
    memory_share: Decimal | None = None
    """What of it is for memory, 0 to 1; by the rule if not given."""
    accelerators: int = 0
    accelerator_share: Decimal | None = None
    """What of it is for accelerators, 0 to 1."""
    purchase: str = ""
    """on_demand, spot or reserved; any if not given."""
    valid_from: datetime | None = None
    source: str = "set by the user"


@dataclass(frozen=True)
class Instrumented:
    """One instrumentation in one service."""

    service: str
    name: str
    state: str
    """`on`, or why it is off."""


@dataclass(frozen=True)
class Host:
    """One machine the store heard of in the period, and whether its hours have a rate."""

    host: str
    host_type: str
    cloud_region: str
    rated: bool
    amount_usd: Decimal | None
