"""Scores as OTLP log records, on the same way out as spans. Imports the OpenTelemetry SDK, so only `configure` imports this.

Field numbers are those of `opentelemetry/proto/logs/v1/logs.proto`; around the record they are the same as for spans.
"""

from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from tollbook_schema.attributes import SCHEMA_URL

from tollbook.scoring import EVENT, Score
from tollbook.wire import Encoder, pairs, sized, utf8

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

SCOPE: Final = InstrumentationScope("tollbook", None, SCHEMA_URL)
_INFO: Final = b"\x10\x09"
_times = Struct("<cQcQ").pack


class Record(NamedTuple):
    """A score with whom it is from, as the outbox takes it."""

    resource: "Resource"
    score: Score
    instrumentation_scope: InstrumentationScope = SCOPE


class RecordEncoder(Encoder):
    """Writes records where the outbox would have spans written."""

    def span(self, record: Any) -> bytes:
        """One record, as a field of its scope."""
        score = record.score
        parts = [
            _times(b"\x09", score.time_ns, b"\x59", score.time_ns),
            _INFO,
            pairs(b"\x32", score.attributes()),
            sized(b"\x62", utf8(EVENT)),
        ]
        if score.trace_id:
            parts.append(sized(b"\x4a", score.trace_id.to_bytes(16, "big")))
        if score.span_id:
            parts.append(sized(b"\x52", score.span_id.to_bytes(8, "big")))
        return sized(b"\x12", b"".join(parts))
