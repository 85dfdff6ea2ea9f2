"""Traces that are kept by how they went: those with errors, the slow and the costly ones, whole; of the others a share.

The spans of a trace wait here until what began it in this process has ended. What is not kept is counted (`counting`), so totals
stay right. Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import StatusCode
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.counting import counts
from tollbook.processor import TollbookSpanProcessor
from tollbook.receipts import cost_of, knows_prices
from tollbook.redaction import is_kept
from tollbook.sampling import is_within
from tollbook.shield import shielded

VARIABLE: Final = "TOLLBOOK_KEEP"
MAX_SPANS: Final = 16_384
"""Spans that wait in a process, and traces; beyond it the trace that has waited longest is decided by what is known of it."""
DECISIONS_KEPT: Final = 8_192
_NUMBERS: Final = {"slower": "slower_s", "costlier": "costlier_usd", "tokens": "tokens"}
_TOKENS: Final = (A.GEN_AI_USAGE_INPUT_TOKENS, A.GEN_AI_USAGE_OUTPUT_TOKENS)
_LOOKING: Final = shielded("look at how a trace went")


@dataclass(frozen=True, slots=True)
class Keep:
    """What a trace has to be like to be kept."""

    errors: bool = False
    """One of its spans failed."""
    slower_s: float | None = None
    """What began it took this long or longer, in s."""
    costlier_usd: float | None = None
    """Its model calls cost this much or more: as reported, else by list prices where `tollbook[server]` is installed."""
    tokens: float | None = None
    """Its model calls used this many tokens or more, input and output."""
    share: float = 0.0
    """Of all others, by their ids: the same in every process."""

    @classmethod
    def read(cls, rules: Sequence[str], share: float) -> "Keep":
        """Rules such as `errors`, `slower=2`, `costlier=0.05`, `tokens=50000`.

        Raises:
            ValueError: if one of them is no rule.
        """
        said: dict[str, Any] = {}
        for rule in filter(None, (rule.strip() for rule in rules)):
            name, _equals, number = rule.partition("=")
            if rule == "errors":
                said["errors"] = True
            elif name.strip() in _NUMBERS and _is_number(number):
                said[_NUMBERS[name.strip()]] = float(number)
            else:
                raise ValueError(f"{rule!r} is no rule: give errors, slower=SECONDS, costlier=USD or tokens=NUMBER")
        return cls(share=share, **said)


def wanted(rules: Sequence[str] | None, share: float | None) -> Keep | None:
    """What `configure` or the environment asks for; None where traces are not kept by how they went.

    Raises:
        ValueError: if a rule is none.
    """
    rules = os.environ.get(VARIABLE, "").split(",") if rules is None else rules
    if not any(rule.strip() for rule in rules):
        return None
    return Keep.read(rules, share if share is not None else 1.0 if os.environ.get("OTEL_TRACES_SAMPLER") else 0.0)


class _Trace:
    """What is known of a trace whose spans wait."""

    __slots__ = ("cost_usd", "kept", "open", "spans", "tokens")

    def __init__(self) -> None:
        self.open = 0
        """What began it in this process, such as a request that came in, and still runs."""
        self.spans: list[ReadableSpan] = []
        self.kept = False
        self.cost_usd = 0.0
        self.tokens = 0.0


class Waiting:
    """The traces of this process that nobody has decided on.

    Args:
        keep: what is kept.
        put: takes a span that is sent.
        drop: takes one that is not.
        max_spans: how many may wait.
    """

    def __init__(
        self,
        keep: Keep,
        put: Callable[[ReadableSpan], object],
        drop: Callable[[ReadableSpan], object],
        max_spans: int = MAX_SPANS,
    ) -> None:
        self._keep = keep
        self._put = put
        self._drop = drop
        self._max_spans = max_spans
        self.forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Begin with nothing, as in a forked child: what waits is the parent's."""
        self._lock = threading.RLock()  # what is thrown away may end its span inside of it
        self._traces: OrderedDict[int, _Trace] = OrderedDict()
        self._decided: OrderedDict[int, bool] = OrderedDict()
        self._waiting = 0

    def began(self, span: Any) -> None:
        """A span has begun: of a trace, what begins it here is waited for."""
        if _begins_here(span):
            with self._lock:
                self._traces.setdefault(span.context.trace_id, _Trace()).open += 1
            if len(self._traces) > self._max_spans:  # of spans that never end
                self._decide_oldest()

    def ended(self, span: ReadableSpan) -> None:
        """A span has ended: it waits, or goes where its trace has gone."""
        if span.context is None:
            return
        with self._lock:
            out, kept = self._after(span, span.context.trace_id)
        self._hand_over(out, kept)
        while self._waiting > self._max_spans:
            self._decide_oldest()

    def settle(self) -> None:
        """Decide on all that waits: no more will come."""
        while self._traces:
            self._decide_oldest()

    def _after(self, span: ReadableSpan, trace_id: int) -> tuple[list[ReadableSpan], bool]:
        """What goes out now that this span has ended, and whether it is sent."""
        trace = self._traces.get(trace_id)
        if trace is None:  # late: its trace is decided, or began before anybody looked
            alone = _Trace()
            self._look(alone, span)
            kept = alone.kept or self._decided.get(trace_id, False) or self._is_of_the_share(span)
            self._remember(trace_id, kept)
            return [span], kept
        self._look(trace, span)
        trace.spans.append(span)
        self._waiting += 1
        if _begins_here(span):
            trace.open -= 1
            if trace.open <= 0:
                return self._decide(trace_id)
        return [], False

    def _decide(self, trace_id: int) -> tuple[list[ReadableSpan], bool]:
        trace = self._traces.pop(trace_id)
        self._waiting -= len(trace.spans)
        kept = trace.kept or self._decided.get(trace_id, False) or any(map(self._is_of_the_share, trace.spans[:1]))
        self._remember(trace_id, kept)
        return trace.spans, kept

    def _decide_oldest(self) -> None:
        with self._lock:
            trace_id = next(iter(self._traces), None)
            out, kept = ([], False) if trace_id is None else self._decide(trace_id)
        self._hand_over(out, kept)

    def _hand_over(self, spans: Sequence[ReadableSpan], kept: bool) -> None:
        hand = self._put if kept else self._drop
        for span in spans:
            hand(span)

    def _remember(self, trace_id: int, kept: bool) -> None:
        self._decided[trace_id] = kept
        if len(self._decided) > DECISIONS_KEPT:
            self._decided.popitem(last=False)

    def _look(self, trace: _Trace, span: ReadableSpan) -> None:
        """Whether this span makes its trace one to keep."""
        if trace.kept:
            return
        with _LOOKING:
            keep = self._keep
            trace.kept = (
                (keep.errors and span.status.status_code is StatusCode.ERROR)
                or (keep.slower_s is not None and _begins_here(span) and _took_s(span) >= keep.slower_s)
                or (keep.tokens is not None and self._uses(trace, span) >= keep.tokens)
                or (keep.costlier_usd is not None and self._costs(trace, span) >= keep.costlier_usd)
            )

    def _uses(self, trace: _Trace, span: ReadableSpan) -> float:
        said = span.attributes or {}
        trace.tokens += sum(count for key in _TOKENS if isinstance(count := said.get(key), int | float))
        return trace.tokens

    def _costs(self, trace: _Trace, span: ReadableSpan) -> float:
        trace.cost_usd += float(cost_of(span) or 0)
        return trace.cost_usd

    def _is_of_the_share(self, span: ReadableSpan) -> bool:
        context = span.context
        return context is not None and bool(context.trace_flags & 1) and is_within(context, self._keep.share)


def _begins_here(span: Any) -> bool:
    """Whether nothing of this process is around the span."""
    return span.parent is None or span.parent.is_remote


def _took_s(span: ReadableSpan) -> float:
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9


def _is_number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


class KeepingSpanProcessor(TollbookSpanProcessor):
    """Adds and sends what its base does, of the traces that are kept.

    Args:
        keep: which ones.
        others: arguments of its base.
    """

    def __init__(self, keep: Keep, *others: Any, **named: Any) -> None:
        super().__init__(*others, **named)
        self.waiting = Waiting(keep, self._send, _count)
        if keep.costlier_usd is not None:
            knows_prices()  # now, for it takes 0.7 s

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """As its base, and note what begins a trace here."""
        super().on_start(span, parent_context)
        with _LOOKING:
            self.waiting.began(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the span until its trace is decided."""
        with _LOOKING:
            self.waiting.ended(span)

    def shutdown(self) -> None:
        """Decide on what waits, and send it."""
        with _LOOKING:
            self.waiting.settle()
        super().shutdown()

    def _send(self, span: ReadableSpan) -> None:
        if not self._routes or is_kept(span):
            self.outbox.put(span)
        else:
            _count(span)


def _count(span: ReadableSpan) -> None:
    counts.count(span, False)
