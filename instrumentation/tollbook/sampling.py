"""Which traces are kept, without losing count of the others. Imports the OpenTelemetry SDK, so only `configure` imports this.

A span that a sampler drops is still recorded, cheaply and unsent, so that what it used is counted (`counting`).
"""

import re
from collections.abc import Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

_RANDOMNESS_BITS: Final = 56
_RANGE: Final = 1 << _RANDOMNESS_BITS
_HEX_DIGITS: Final = _RANDOMNESS_BITS // 4
_RANDOM_VALUE: Final = re.compile(r"(?:^|;)rv:([0-9a-f]{14})(?:;|$)")


class Recording(Sampler):
    """Decides as another sampler does, and has what that one drops recorded."""

    def __init__(self, inner: Sampler) -> None:
        self.inner: Final = inner

    def should_sample(  # noqa: PLR0917 - the SDK's own signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,  # noqa: ARG002 - that of the parent, as the API gives it to nobody
    ) -> SamplingResult:
        """As the inner sampler; never a drop."""
        result = self.inner.should_sample(parent_context, trace_id, name, kind, attributes, links)
        if result.decision is Decision.DROP:
            return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)
        return result

    def get_description(self) -> str:
        """As OpenTelemetry names samplers."""
        return f"TollbookRecording({self.inner.get_description()})"


class Share(Sampler):
    """Keeps a share of all traces, and says so in their state (`ot=th:…`), so that each of them stands for its number.

    By OpenTelemetry's rules for probability sampling: a trace is kept if its id's last 56 bits, or those that its state has for
    that (`ot=rv:…`), are at least the threshold.
    """

    def __init__(self, share: float) -> None:
        """Of 0 to 1.

        Raises:
            ValueError: if it is neither.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"{share} is no share of traces: give 0 to 1")
        self._share = share
        self._threshold = round((1 - share) * _RANGE)
        self._said = f"th:{f'{self._threshold:0{_HEX_DIGITS}x}'.rstrip('0') or '0'}"

    def should_sample(  # noqa: PLR0917 - the SDK's own signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,  # noqa: ARG002
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002
    ) -> SamplingResult:
        """Whether the trace is kept."""
        state = get_current_span(parent_context).get_span_context().trace_state
        if _randomness(trace_id, state) < self._threshold:
            return SamplingResult(Decision.DROP, attributes, state)
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, _with_threshold(state, self._said))

    def get_description(self) -> str:
        """As OpenTelemetry names samplers."""
        return f"TollbookShare{{{self._share}}}"


def is_within(context: SpanContext, share: float) -> bool:
    """Whether a trace is among that share of all, the same in every process."""
    return _randomness(context.trace_id, context.trace_state) >= round((1 - share) * _RANGE)


def _randomness(trace_id: int, state: TraceState | None) -> int:
    """What decides, of 56 bits: a value that the trace's state names, else the end of its id."""
    told = _RANDOM_VALUE.search(state.get("ot") or "") if state else None
    return int(told[1], 16) if told else trace_id % _RANGE


def _with_threshold(state: TraceState | None, said: str) -> TraceState:
    kept = [part for part in (state.get("ot") or "").split(";") if part and not part.startswith("th:")] if state else []
    value = ";".join([said, *kept])
    if not state:
        return TraceState([("ot", value)])
    return state.update("ot", value) if "ot" in state else state.add("ot", value)


def sampler(share: float | None, usual: Sampler) -> Sampler:
    """What decides for a provider: the share that is asked for, else what the environment says; a caller's decision holds."""
    return Recording(usual if share is None else ParentBased(Share(share)))
