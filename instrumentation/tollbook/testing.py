"""For your own tests: what your code reports, without a collector."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tollbook import runtime, scoring
from tollbook.inputs import forget_ambient
from tollbook.processor import LabelSpanProcessor
from tollbook.scoring import Score

if TYPE_CHECKING:
    from tollbook.receipts import Receipt


class Captured:
    """The spans that have ended since the capture began, in the order they ended."""

    def __init__(self) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False)
        """Provider that the spans are made with; for spans of your own making."""
        self._exporter = InMemorySpanExporter()
        self.provider.add_span_processor(LabelSpanProcessor())
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.scores: list[Score] = []
        """What `tollbook.score` was told, in order."""

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """All spans."""
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [span.name for span in self.spans]

    def named(self, name: str) -> ReadableSpan:
        """The one span of this name.

        Raises:
            LookupError: if there is none, or more than one.
        """
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} spans are named {name!r}; there are {self.names}")
        return found[0]

    def receipt(self) -> "Receipt":
        """What the spans come to: model calls with their tokens and list prices, bytes, ages of inputs."""
        from tollbook.receipts import receipt  # noqa: PLC0415 - for those who ask

        return receipt(self.spans)

    def attributes(self, name: str) -> Mapping[str, Any]:
        """Attributes of the one span of this name."""
        return self.named(name).attributes or {}


@contextmanager
def capture() -> Iterator[Captured]:
    """Capture the spans that Tollbook makes inside the block: `with tollbook.testing.capture() as captured: …`."""
    captured = Captured()
    before, scores_before = runtime.chosen(), scoring.use(captured.scores.append)
    runtime.use(captured.provider)
    forget_ambient()
    try:
        yield captured
    finally:
        forget_ambient()
        runtime.use(before)
        scoring.use(scores_before)
