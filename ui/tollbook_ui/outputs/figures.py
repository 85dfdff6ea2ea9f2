"""What a reconciliation of AI outputs is made of."""

from dataclasses import dataclass
from datetime import datetime

from tollbook_ui.figures import Period
from tollbook_ui.plain import Grid
from tollbook_ui.unsettled import FromLedger

KINDS = ("response", "trace", "asset", "digest")
"""What an output is told by: its response id, its trace, or the asset or digest that its trace writes."""


@dataclass(frozen=True)
class Output:
    """An id of AI outputs, as it was told first."""

    id: str
    time: datetime
    service_name: str
    model: str
    tenant: str
    trace_id: str
    told: int
    """Outputs that have this id."""


@dataclass(frozen=True)
class Outputs(FromLedger):
    """AI outputs of a period by their ids, the oldest first."""

    period: Period
    by: str
    without_id: int
    """Outputs that tell no such id."""
    rows: tuple[Output, ...]


@dataclass(frozen=True)
class Record:
    """A stored record."""

    line: int
    """Of its file, from 1 on; its row in a Parquet file or a JSON array."""
    id: str


@dataclass(frozen=True)
class Records:
    """The records of a file."""

    file: str
    column: str
    rows: tuple[Record, ...]
    without_id: int


@dataclass(frozen=True)
class Reconciled(FromLedger):
    """AI outputs joined with stored records by their ids."""

    period: Period
    by: str
    file: str
    column: str
    outputs: int
    """Ids, each counted once; so are records."""
    records: int
    matched: int
    repeated_outputs: int
    """Ids that more than one output has."""
    repeated_records: int
    """Ids that more than one record has."""
    outputs_without_id: int
    records_without_id: int
    orphan_outputs: tuple[Output, ...]
    """Whose id no record has."""
    orphan_records: tuple[Record, ...]
    """Whose id no output has."""

    def grid(self) -> Grid:
        """All orphans of both sides."""
        outputs = (("output", o.id, None, o.time, o.service_name, o.model, o.tenant, o.trace_id) for o in self.orphan_outputs)
        records = (("record", record.id, record.line, None, "", "", "", "") for record in self.orphan_records)
        columns = ("orphan", "id", "line", "time", "service_name", "model", "tenant", "trace_id")
        return Grid(columns, (*outputs, *records))
