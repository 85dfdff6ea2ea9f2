"""What every span gets, whoever makes it: its owners, the age of a model call's inputs, and its CPU time.

Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import threading
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.util.types import AnyValue
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import cpu, owners
from tollbook.inputs import inputs_of
from tollbook.shield import shielded

_STARTED: Final = "_tollbook_started"
_MODEL_CALL: Final = (A.GEN_AI_REQUEST_MODEL, A.GEN_AI_OPERATION_NAME)


class TollbookSpanProcessor(SpanProcessor):
    """Adds what is known at a span's start and end. Exports nothing.

    Args:
        defaults: attributes for spans that say nothing else, where the resource could not take them.
        measures_cpu: off where spans are started on other threads than their work's.
    """

    def __init__(self, defaults: Mapping[str, str] | None = None, measures_cpu: bool = True) -> None:
        self._defaults = dict(defaults or {})
        self._measures_cpu = measures_cpu

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Copy the owners out of the baggage, and start the CPU clock."""
        with shielded("label a span"):
            known: dict[str, AnyValue] = dict(self._defaults)
            if not _is_ours(span):  # ours bring their owners, and measure their CPU time themselves
                known |= self._of_foreign(span, parent_context)
            said = dict(span.attributes or {}) if known else {}
            missing = {key: value for key, value in known.items() if key not in said}
            if missing:
                span.set_attributes(missing)

    def _on_ending(self, span: Span) -> None:
        with shielded("measure a span's CPU time"):
            thread, start_ns = getattr(span, _STARTED, (0, 0))
            if thread == threading.get_ident():
                _add(span, A.TOLLBOOK_CPU_TIME, cpu.clock_ns() - start_ns)

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the SDK's own signature
        """Nothing is held back. Said here because older SDKs' base class says nothing, which counts as a failure."""
        return True

    def _of_foreign(self, span: Span, context: Context | None) -> dict[str, AnyValue]:
        """What a span needs that another instrumentation makes."""
        known: dict[str, AnyValue] = dict(owners.carried(context))
        inputs = inputs_of(context)
        if inputs and any(key in (span.attributes or {}) for key in _MODEL_CALL):
            known |= inputs.attributes()
        if self._measures_cpu and not cpu.inside_event_loop():
            setattr(span, _STARTED, (threading.get_ident(), cpu.clock_ns()))
        return known


def _is_ours(span: Span) -> bool:
    scope = span.instrumentation_scope
    return scope is not None and scope.name == "tollbook"


def _add(span: Span, key: str, value: int) -> None:
    """Set an attribute on a span that is ending.

    The SDK (1.45) freezes attributes before this hook, though the specification wants them open in it.
    """
    attributes: Any = span._attributes
    attributes._immutable = False
    attributes[key] = value
    attributes._immutable = True
