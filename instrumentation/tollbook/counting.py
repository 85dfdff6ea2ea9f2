"""What calls used, counted in this process whether their spans are sent or not, and exported as metrics.

Counts are kept by the hour that a span began in, the hour that the ledger books it in, and each hour is a series of its own that
starts at 0: a call at 11:59 whose count is exported at 12:01 belongs to 11. What was not sampled is told apart, and
the ledger adds exactly that to what spans tell. A call that several spans tell of, one around another or with one answer, counts
once.

Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import os
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Metric,
    MetricsData,
    NumberDataPoint,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import answered
from tollbook.lean import LeanSpan
from tollbook.shield import shielded

SAMPLED: Final = "tollbook.sampled"
UNSAMPLED: Final = "tollbook.unsampled"
"""Scope of what spans that are not sent used; the ledger's step `29_sampled` knows it."""
MAX_SERIES: Final = 4096
HOURS_KEPT: Final = 48
_HOUR_NS: Final = 3_600 * 10**9
_KEPT: Final = 8192

_COUNTS: Final[Mapping[str, tuple[str, str]]] = {
    "calls": ("tollbook.inference.calls", "{call}"),
    "input": ("gen_ai.client.inference.usage.input_tokens", "{token}"),
    "output": ("gen_ai.client.inference.usage.output_tokens", "{token}"),
    "cache_read": ("gen_ai.client.inference.usage.cache_read.input_tokens", "{token}"),
    "cache_write": ("gen_ai.client.inference.usage.cache_write.input_tokens", "{token}"),
    "reasoning": ("gen_ai.client.inference.usage.reasoning.output_tokens", "{token}"),
    "handoffs": ("tollbook.handoff.count", "{handoff}"),
    "bytes": ("tollbook.handoff.bytes", "By"),
}
"""Metrics and their units."""
_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "input": (A.GEN_AI_USAGE_INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "output": (A.GEN_AI_USAGE_OUTPUT_TOKENS, "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    "cache_read": (
        A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "cache_write": (
        A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "reasoning": (A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, "llm.token_count.completion_details.reasoning"),
}
_NAMES: Final = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_ORDER: Final = {spelling: place for place, spelling in enumerate(_NAMES)}
_ROLL_UPS: Final = frozenset((
    "invoke_agent", "create_agent", "agent_step", "invoke_workflow", "handle_conversation_turn", "execute_tool", "fetch_response",
))  # fmt: skip
"""Operations whose tokens are those of the calls inside them, or of one long ago."""
_SUMS: Final = frozenset(("AGENT", "CHAIN"))


_ROLE: Final = "openinference.span.kind"
_OURS: Final = ("inference", "handoff")
_HANDOFF: Final = (A.TOLLBOOK_HANDOFF_OPERATION, A.TOLLBOOK_HANDOFF_NETWORK, A.TOLLBOOK_SCAFFOLDING_CLASS)
_CALL: Final = (A.GEN_AI_PROVIDER_NAME, A.GEN_AI_REQUEST_MODEL, A.GEN_AI_RESPONSE_MODEL)


class _Kind:
    """What spans with the same keys can tell of."""

    __slots__ = ("has_answer", "has_cached", "has_role", "is_ours", "tells")

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.is_ours = A.TOLLBOOK_KIND in keys
        self.tells = tuple(sorted(_NAMES.keys() & set(keys), key=_ORDER.__getitem__))
        """Keys of tokens, the best spelling first."""
        self.has_cached = any(_NAMES[key].startswith("cache_") for key in self.tells)
        self.has_role = A.GEN_AI_OPERATION_NAME in keys or _ROLE in keys
        self.has_answer = A.GEN_AI_RESPONSE_ID in keys


@dataclass(slots=True)
class _Series:
    """What was counted for one set of attributes in one hour."""

    totals: defaultdict[str, int] = field(default_factory=partial(defaultdict, int))
    changed: bool = True
    """Since it was exported last."""
    told: int = 0
    """How often it was exported after its hour was over."""


_Key = tuple[int, bool, tuple[tuple[str, str], ...]]
"""The hour's start in ns, whether its spans are sent, and the attributes."""


class Counts:
    """The counts of this process."""

    def __init__(self) -> None:
        self.counts_sampled = True
        """Whether what spans used that are sent is counted too: it is exported where metrics go to the ledger."""
        self.forget()

    def forget(self) -> None:
        """Begin at 0, as in a forked child, whose parent counts on for itself."""
        self._lock = threading.RLock()  # what is thrown away, such as an open file, may end its span inside of it
        self._began_ns = time.time_ns()
        self._series: dict[_Key, _Series] = {}
        self._said: dict[tuple[Any, ...], tuple[tuple[str, str], ...]] = {}
        self._near: dict[tuple[Any, ...], _Series] = {}
        """Series by the values that lead to them, as spans of one kind mostly count in one."""
        self._kinds: dict[tuple[str, ...], _Kind] = {}
        self._told_below: OrderedDict[int, None] = OrderedDict()
        self._answers: OrderedDict[tuple[int, str], None] = OrderedDict()
        self.overflow = 0
        """Calls that are in no series, because there are too many."""

    def count(self, span: ReadableSpan, sampled: bool) -> None:
        """Count what a span that has ended tells of."""
        with _COUNTING:
            self._count(span, told(span), sampled)

    def _count(self, span: ReadableSpan, attributes: Mapping[str, Any], sampled: bool) -> None:
        keys = tuple(attributes)
        kind = self._kinds.get(keys)
        if kind is None:
            kind = _Kind(keys)
            if len(self._kinds) < MAX_SERIES:
                self._kinds[keys] = kind
        if sampled and not self.counts_sampled and not (kind.has_answer or self._told_below or span.parent):
            return  # nobody asks, and nothing is around it that could tell the same again
        if kind.is_ours and (ours := attributes[A.TOLLBOOK_KIND]) in _OURS:
            if ours == "handoff":
                self._count_handoff(span, attributes, sampled)
            else:
                self._count_call(span, attributes, sampled, kind, True)
        elif kind.tells or self._told_below:
            self._count_call(span, attributes, sampled, kind, False)

    def _count_handoff(self, span: ReadableSpan, attributes: Mapping[str, Any], sampled: bool) -> None:
        size = attributes.get(A.TOLLBOOK_HANDOFF_SIZE)
        counted = {"handoffs": 1} if size is None else {"handoffs": 1, "bytes": int(size)}
        self._pass_on(span)
        self._add(span, attributes, _HANDOFF, counted, sampled)

    def _count_call(self, span: ReadableSpan, attributes: Mapping[str, Any], sampled: bool, kind: "_Kind", is_call: bool) -> None:
        used = _used(attributes, kind) if kind.tells else {}
        known_below = bool(self._told_below) and self._pass_on(span)
        if known_below or not (used or is_call) or (kind.has_role and _is_roll_up(attributes)):
            return
        if kind.has_answer and self._is_known(span, attributes):
            return
        if used and (parent := span.parent) is not None:
            with self._lock:
                _remember(self._told_below, parent.span_id)
        used["calls"] = 1
        self._add(span, attributes, _CALL, used, sampled)

    def _pass_on(self, span: ReadableSpan) -> bool:
        """Whether a call inside this span has told already; if so, whatever is around this one is told so, too."""
        context = span.context
        if context is None or context.span_id not in self._told_below:
            return False
        with self._lock:
            self._told_below.pop(context.span_id, None)
            if span.parent is not None:
                _remember(self._told_below, span.parent.span_id)
        return True

    def _is_known(self, span: ReadableSpan, attributes: Mapping[str, Any]) -> bool:
        """Whether another span of the trace has told of this answer."""
        answer, context = attributes.get(A.GEN_AI_RESPONSE_ID), span.context
        if not isinstance(answer, str) or context is None:
            return False
        answered.remember(answer, context)
        with self._lock:
            known = (context.trace_id, answer) in self._answers
            _remember(self._answers, (context.trace_id, answer))
        return known

    def _add(
        self, span: ReadableSpan, attributes: Mapping[str, Any], keys: tuple[str, ...], counted: Mapping[str, int], sampled: bool
    ) -> None:
        if sampled and not self.counts_sampled:
            return
        start_ns = span.start_time or time.time_ns()
        hour_ns = start_ns - start_ns % _HOUR_NS
        place = (keys is _CALL, hour_ns, sampled, *map(attributes.get, keys))
        with self._lock:
            try:
                series = self._near.get(place)
            except TypeError:
                series = None
            if series is None:
                series = self._found(place, hour_ns, sampled, keys)
            if series is None:
                self.overflow += 1
                return
            totals = series.totals
            for name, number in counted.items():
                totals[name] += number
            series.changed = True

    def _found(self, place: tuple[Any, ...], hour_ns: int, sampled: bool, keys: tuple[str, ...]) -> _Series | None:
        """The series of spans with these values; None where there are too many."""
        values = place[-len(keys) :]
        try:
            said = self._said[keys, values]
        except (KeyError, TypeError):
            said = self._as_said(keys, values)
        series = self._series.get((hour_ns, sampled, said))
        if series is None and len(self._series) < MAX_SERIES:
            series = self._series[hour_ns, sampled, said] = _Series()
        if series is not None and len(self._near) < MAX_SERIES and all(isinstance(value, str | None) for value in values):
            self._near[place] = series
        return series

    def _as_said(self, keys: tuple[str, ...], values: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
        """Attributes of a series; those that recur are kept."""
        said = tuple((key, str(value)) for key, value in zip(keys, values, strict=True) if value is not None and value != "")
        if len(self._said) < MAX_SERIES and all(isinstance(value, str | None) for value in values):
            self._said[keys, values] = said
        return said

    def metrics(self, now_ns: int) -> list[ScopeMetrics]:
        """What is to be exported: the present hour, and of earlier ones what has not been exported since it changed."""
        hour_ns = now_ns // _HOUR_NS * _HOUR_NS
        with self._lock:
            for key in [key for key in self._series if key[0] < hour_ns - HOURS_KEPT * _HOUR_NS]:
                del self._series[key]
                self._near.clear()
            due = [(key, series) for key, series in self._series.items() if series.changed or key[0] >= hour_ns]
            points: dict[tuple[bool, str], list[NumberDataPoint]] = {}
            for (start_ns, sampled, said), series in due:
                at_ns = now_ns
                if start_ns < hour_ns:  # within its hour, and later than the point before
                    series.told += 1
                    at_ns = start_ns + _HOUR_NS - 10**9 + min(series.told, 999) * 10**6
                series.changed = False
                for name, total in series.totals.items():
                    point = NumberDataPoint(dict(said), max(start_ns, min(self._began_ns, at_ns)), at_ns, total)
                    points.setdefault((sampled, name), []).append(point)
        return [_scope(sampled, points) for sampled in (True, False) if any(key[0] is sampled for key in points)]

    def undelivered(self) -> None:
        """What was exported last did not arrive: export all of it again."""
        with self._lock:
            for series in self._series.values():
                series.changed = True

    def unsampled(self) -> Iterator[tuple[str, tuple[tuple[str, str], ...], int]]:
        """Name, attributes and total of what spans that are not sent used since the process began."""
        sums: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
        with self._lock:
            for (_, sampled, said), series in self._series.items():
                for name, total in series.totals.items() if not sampled else ():
                    sums[name, said] = sums.get((name, said), 0) + total
        return ((name, said, total) for (name, said), total in sums.items())


counts: Final = Counts()
_COUNTING: Final = shielded("count a span")

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=counts.forget)


def told(span: ReadableSpan) -> Mapping[str, Any]:
    """Attributes of a span, without their lock."""
    if type(span) is LeanSpan:
        return span._said
    kept: Any = getattr(span, "_attributes", None)
    found: Mapping[str, Any] = getattr(kept, "_dict", None) or span.attributes or {}
    return found


def _used(attributes: Mapping[str, Any], kind: "_Kind") -> dict[str, int]:
    """Tokens that a span tells of. Cached ones beyond the input were counted beside it."""
    used: dict[str, int] = {}
    for spelling in kind.tells:
        value = attributes[spelling]
        if isinstance(value, int | float) and value >= 0:
            used.setdefault(_NAMES[spelling], int(value))
    if "input" not in used and "output" not in used:
        return {}
    if kind.has_cached:
        cached = used.get("cache_read", 0) + used.get("cache_write", 0)
        if cached > used.get("input", 0):
            used["input"] = used.get("input", 0) + cached
    return used


def _is_roll_up(attributes: Mapping[str, Any]) -> bool:
    """Whether a span sums up what others tell of."""
    return attributes.get(A.GEN_AI_OPERATION_NAME) in _ROLL_UPS or attributes.get(_ROLE) in _SUMS


def _remember(known: "OrderedDict[Any, None]", key: Any) -> None:
    known[key] = None
    if len(known) > _KEPT:
        known.popitem(last=False)


def _scope(sampled: bool, points: Mapping[tuple[bool, str], list[NumberDataPoint]]) -> ScopeMetrics:
    metrics = [
        Metric(metric, "", unit, Sum(points[sampled, name], AggregationTemporality.CUMULATIVE, is_monotonic=True))
        for name, (metric, unit) in _COUNTS.items()
        if (sampled, name) in points
    ]
    return ScopeMetrics(InstrumentationScope(SAMPLED if sampled else UNSAMPLED, None, A.SCHEMA_URL), metrics, A.SCHEMA_URL)


def with_counts(exporter: Any) -> Any:
    """The class of a metric exporter, with the counts in what it exports."""
    export = exporter.export

    def added(self: Any, data: MetricsData, *args: Any, **kwargs: Any) -> Any:
        with shielded("add the counts"):
            data = _added(data)
        result = export(self, data, *args, **kwargs)
        with shielded("note that counts were exported"):
            if result.name != "SUCCESS":
                counts.undelivered()
        return result

    return type(exporter.__name__, (exporter,), {"export": added, "__module__": exporter.__module__})


def _added(data: MetricsData) -> MetricsData:
    told = counts.metrics(time.time_ns())
    if not told or not data.resource_metrics:
        return data
    first, *others = data.resource_metrics
    return replace(data, resource_metrics=[replace(first, scope_metrics=[*first.scope_metrics, *told]), *others])


def observe(provider: MeterProvider) -> None:
    """Report what is not sampled through the application's own metrics, where the counts cannot go by their hour."""
    meter = provider.get_meter(UNSAMPLED, schema_url=A.SCHEMA_URL)
    for name, (metric, unit) in _COUNTS.items():
        meter.create_observable_counter(metric, [_callback(name)], unit=unit)


def _callback(name: str) -> Any:
    def observed(_: CallbackOptions) -> Iterator[Observation]:
        return (Observation(total, dict(said)) for counted, said, total in counts.unsampled() if counted == name)

    return observed
