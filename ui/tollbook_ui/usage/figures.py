"""What an import of usage answers with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tollbook_ui.periods import BadQuestionError


@dataclass(frozen=True)
class FirstRow:
    """A row as it is read."""

    row: int
    start_time: datetime
    fields: Mapping[str, str]


@dataclass(frozen=True)
class ModelFound:
    """What a file tells of one model."""

    provider: str
    model: str
    rows: int
    input_tokens: int | None
    """With cached ones; None where the file tells none."""
    output_tokens: int | None
    cost: Decimal | None
    """As the file tells it."""
    first_call: datetime
    last_call: datetime
    price: str
    """`told` where the file says the cost of every row, `in the book` where the price book knows the model, else `unpriced`."""


@dataclass(frozen=True)
class Imported:
    """What came of a file."""

    file: str
    columns: Mapping[str, str]
    """The column of each thing that was taken."""
    constants: Mapping[str, str]
    """What held for every row."""
    times: str
    """How times were read: in which zone where they named none."""
    rows: int
    new_calls: int
    """Rows that told of calls not known before; 0 of a file that was only looked at."""
    first_call: datetime | None
    last_call: datetime | None
    stored: bool
    hours: int = 0
    """That its new calls began in: these are settled next."""
    differing_rows: int = 0
    """Rows that say otherwise than what is stored of their `request_id`; what is stored stays."""
    first_rows: tuple[FirstRow, ...] = ()
    """Of a file that was only looked at."""
    export: str = ""
    """The known export that it is, where nobody said what its columns are."""
    models: tuple[ModelFound, ...] = ()
    """Of a file that was only looked at, the most rows first."""
    replaced: tuple[int, ...] = ()
    """Earlier imports that it came in the place of; of a file that was only looked at, that it would."""
    warnings: tuple[str, ...] = ()
    """What it lacks to be priced, and what to type."""


@dataclass(frozen=True)
class Import:
    """A file that was imported."""

    import_id: int
    imported_at: datetime
    file: str
    digest: str
    """SHA-256 of its bytes."""
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    times: str
    """How its times were read."""
    rows: int
    new_calls: int
    first_call: datetime
    last_call: datetime


@dataclass(frozen=True)
class CellProblem:
    """What cannot be read, and where it stands."""

    line: int
    column: str
    text: str
    reason: str


FOR_GOOD = "nothing of the file was taken; the same file, read in the same way, will be refused again"


class UsageFileError(BadQuestionError):
    """A file of usage that cannot be taken; nothing of it was."""

    def __init__(self, file: str, problems: tuple[CellProblem, ...], more: bool) -> None:
        lines = [
            f"{file}, line {problem.line}{f', column {problem.column}' if problem.column else ''}:"
            f"{f' {problem.text[:60]!r}' if problem.text else ''} {problem.reason}"
            for problem in problems
        ]
        rest = ["... and more"] if more else []
        super().__init__("\n".join([*lines, *rest, FOR_GOOD]))
        self.problems = problems
