"""`tollbook validate`: files of OTLP held against the vocabulary. Reads files as `tollbook ingest` does, and stores nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rich.console import RenderableType
from tollbook_collector.export import Export
from tollbook_collector.ingest import Ingested, Sink, ingest_file
from tollbook_collector.signals import Signal
from tollbook_schema.validator import Problem, Record, Validator

from tollbook_ui import units
from tollbook_ui.ingesting import files
from tollbook_ui.show import listed, name

NO_FILE = "there is no file in it"


@dataclass(frozen=True)
class Refused:
    """A file that is no OTLP or cannot be read, or one with records that can never be stored."""

    path: str
    reason: str


@dataclass(frozen=True)
class Validation:
    """What is wrong with files."""

    files: int
    records: int
    refused: tuple[Refused, ...]
    rows: tuple[Problem, ...]


def validated(paths: Sequence[Path]) -> Validation:
    """Reads files, and those in folders, and says what is wrong with them."""
    validator = Validator()

    def check(signal: Signal, kept: Export) -> None:
        for record in _records(signal, kept):
            validator.check(record)

    results = [_read(file, check) for path in paths for file in files([path])]
    empty = [Refused(str(path), NO_FILE) for path in paths if not any(files([path]))]
    bad = [Refused(str(result.path), _reason(result)) for result in results if result.reason]
    records = sum(result.records for result in results)
    return Validation(len(results), records, (*empty, *bad), validator.problems)


def shown(found: Validation) -> Iterable[RenderableType]:
    """A line for each problem."""
    if not found.records:
        yield "Nothing was read."
        return
    if found.rows:
        rows = (
            (name(row.attribute), row.problem, units.count(row.count), name(row.first_name), name(row.first_service or None))
            for row in found.rows
        )
        yield listed("Problems", ("attribute", "what is wrong", ">times", "first in", "service"), rows)
    what = units.counted(len(found.rows), "problem") if found.rows else "Nothing wrong"
    yield f"{what} in {units.counted(found.records, 'record')} of {units.counted(found.files, 'file')}."


def _read(file: Path, check: Sink) -> Ingested:
    try:
        return ingest_file(file, check)
    except OSError as error:
        return Ingested(file, reason=error.strerror or str(error))


def _reason(result: Ingested) -> str:
    return result.reason if result.refused else f"{result.rejected} records can never be stored, the first: {result.reason}"


def _records(signal: Signal, kept: Export) -> Iterator[Record]:
    request = cast(Any, signal.request.FromString(kept.body))
    inner = "spans" if signal.name == "traces" else signal.name
    for resource in getattr(request, f"resource_{inner}"):
        about = _attributes(resource.resource.attributes)
        service = str(about.get("service.name", ""))
        yield Record("", service, "(resource)", about)
        for scope in getattr(resource, f"scope_{inner}"):
            yield Record("", service, "(scope)", _attributes(scope.scope.attributes))
            for called, attributes in _of_scope(signal, scope):
                yield Record(signal.name, service, called, attributes)


def _of_scope(signal: Signal, scope: Any) -> Iterator[tuple[str, dict[str, object]]]:
    if signal.name == "traces":
        for span in scope.spans:
            yield span.name, _attributes(span.attributes)
            yield from ((span.name, _attributes(event.attributes)) for event in span.events)
    elif signal.name == "metrics":
        for metric in scope.metrics:
            yield from ((metric.name, _attributes(point.attributes)) for point in _points(metric))
    else:
        yield from ((log.event_name or "(log record)", _attributes(log.attributes)) for log in scope.log_records)


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _attributes(pairs: Any) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> object:
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_value(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in value.kvlist_value.values}
    return getattr(value, which) if which else None
