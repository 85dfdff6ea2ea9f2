"""What every span gets, whoever makes it: its owners, the age of a model call's inputs, and its CPU time; and its way out.

Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import get_tracer_provider
from opentelemetry.util.types import AnyValue
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import cpu, exporters, owners, runtime, scoring
from tollbook.contexts import get_current
from tollbook.counting import counts, told
from tollbook.inputs import AMBIENT, inputs_of, keep_first, keep_inside
from tollbook.lean import LeanSpan
from tollbook.outbox import MAX_BYTES
from tollbook.promises import kept
from tollbook.records import Record, RecordEncoder
from tollbook.redaction import DiscreetEncoder, Privacy, Rule, begin, is_kept
from tollbook.shield import sheltered, shielded

_STARTED: Final = "_tollbook_started"
_MODEL_CALL: Final = frozenset((A.GEN_AI_REQUEST_MODEL, A.GEN_AI_OPERATION_NAME))


class LabelSpanProcessor(SpanProcessor):
    """Adds what is known at a span's start and end. Exports nothing.

    Args:
        defaults: attributes for spans that say nothing else, where the resource could not take them.
        measures_cpu: off where spans are started on other threads than their work's.
        routes: what holds inside of routes.
        counts_calls: whether it counts what is used, where nothing else does.
    """

    def __init__(
        self,
        defaults: Mapping[str, str] | None = None,
        measures_cpu: bool = True,
        routes: Mapping[str, Rule] | None = None,
        counts_calls: bool = False,
    ) -> None:
        self._routes = routes or {}
        self._counts_calls = counts_calls
        self._defaults: dict[str, AnyValue] = dict(defaults or {})
        self._measures_cpu = measures_cpu

    @sheltered("label a span")
    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Copy the owners out of the baggage, and start the CPU clock."""
        if self._routes:
            begin(self._routes, span, parent_context)
        scope = span.instrumentation_scope
        name = None if scope is None else scope.name
        if name == "tollbook":  # ours bring their owners, and measure their CPU time themselves
            if self._defaults:
                _complete(span, self._defaults)
            return
        if parent_context is None and not (parent_context := get_current()):
            self._begin_first(span)
        else:
            self._begin_inside(span, name, parent_context)
        if self._measures_cpu and not cpu.inside_event_loop():
            span._tollbook_thread = threading.get_ident()
            span._tollbook_started = cpu.clock_ns()

    def _begin_first(self, span: Any) -> None:
        """Say what a span needs that another instrumentation makes, where nothing is known yet."""
        known = self._defaults
        if not _MODEL_CALL.isdisjoint(told(span)) and (read := AMBIENT.taken()):
            known = {**known, **read}
        if known:
            _complete(span, known)
        keep_first(span)

    def _begin_inside(self, span: Any, scope: str | None, context: Context) -> None:
        """The same, where the context may know something."""
        known, inputs = self._defaults, inputs_of(context)
        if carried := owners.carried(context):
            known = known | carried
        if inputs is not None and not _MODEL_CALL.isdisjoint(told(span)):
            known = known | inputs.taken()
        if promised := kept(scope):
            known = known | promised
        if known:
            _complete(span, known)
        keep_inside(span, context, inputs)

    @sheltered("measure a span's CPU time")
    def _on_ending(self, span: Any, _: None = None) -> None:
        started_ns = getattr(span, _STARTED, None)
        if started_ns is not None and span._tollbook_thread == threading.get_ident():
            took_ns = span._end_time - span._start_time
            _add(span, A.TOLLBOOK_CPU_TIME, took_ns if 0 <= took_ns < cpu.SHORT_NS else cpu.clock_ns() - started_ns)

    def on_end(self, span: ReadableSpan) -> None:
        """Count what was used, if it is sent or not."""
        if self._counts_calls and span.context is not None:
            counts.count(span, bool(span.context.trace_flags & 1))

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the SDK's own signature
        """Nothing is held back. Said here because older SDKs' base class says nothing, which counts as a failure."""
        return True


class TollbookSpanProcessor(LabelSpanProcessor):
    """Adds the same, and sends every sampled span to Tollbook, or to any other receiver of OTLP over HTTP.

    For providers that `configure` does not set up: `provider.add_span_processor(TollbookSpanProcessor())` is all there is to do.

    Args:
        endpoint: base URL, by default `OTEL_EXPORTER_OTLP_ENDPOINT`, then http://127.0.0.1:4318.
        headers: sent with each body, such as an API key.
        defaults: as of `LabelSpanProcessor`.
        measures_cpu: as of `LabelSpanProcessor`.
        max_bytes: what may wait to be delivered; more is dropped and counted.
        buffer: folder in which bodies wait that cannot be delivered, by default `TOLLBOOK_BUFFER`; without one, memory.
        privacy: what may leave the process, by default no content and no secrets.
    """

    exit_timeout_s = 3.0

    def __init__(
        self,
        endpoint: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        defaults: Mapping[str, str] | None = None,
        measures_cpu: bool = True,
        max_bytes: int = MAX_BYTES,
        buffer: Path | str | None = None,
        privacy: Privacy | None = None,
    ) -> None:
        self._privacy = Privacy.of() if privacy is None else privacy
        super().__init__(defaults, measures_cpu, self._privacy.routes)
        self.outbox = exporters.outbox(endpoint, headers, max_bytes, buffer, encoder=DiscreetEncoder(self._privacy))
        self._put = self.outbox.put
        self._scores = exporters.outbox(endpoint, headers, MAX_BYTES // 8, None, signal="logs", encoder=RecordEncoder())
        scoring.use(self.score)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand over a span that is sampled; count what another one used."""
        context = span.context
        if context is not None and context.trace_flags & 1 and (not self._routes or is_kept(span)):
            self._put(span)
        else:
            counts.count(span, False)

    def score(self, score: scoring.Score) -> None:
        """Hand over a score."""
        provider = runtime.chosen() or get_tracer_provider()
        self._scores.put(Record(getattr(provider, "resource", None) or Resource({}), score))

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Whether all spans that have ended, and all scores, are delivered within that time."""
        delivered = self.outbox.flush(timeout_millis / 1000)
        return self._scores.flush(timeout_millis / 1000) and delivered

    def shutdown(self) -> None:
        """Send what waits, for as long as the end of a program may take."""
        with shielded("shut down"):
            scoring.drop(self.score)
            self.outbox.stop(self.exit_timeout_s)
            self._scores.stop(self.exit_timeout_s)


def _complete(span: Span, known: Mapping[str, AnyValue]) -> None:
    """Say what the span does not say itself."""
    said = told(span)
    span.set_attributes({key: value for key, value in known.items() if key not in said})


def _add(span: Any, key: str, value: int) -> None:
    """Set an attribute on a span that is ending.

    The SDK (1.45) freezes attributes before this hook, though the specification wants them open in it.
    """
    if type(span) is LeanSpan:
        span.add_late(key, value)
    else:
        attributes = span._attributes
        attributes._immutable = False
        attributes[key] = value
        attributes._immutable = True
