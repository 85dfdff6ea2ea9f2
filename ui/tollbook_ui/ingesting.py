"""`tollbook ingest`: files into the store, a line for each."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import typer
from tollbook_collector.ingest import HttpSink, Ingested, Sink, StoreSink, ingest_file
from tollbook_schema import sql
from tollbook_schema.store import Store

from tollbook_ui import access, progress
from tollbook_ui.place import Place
from tollbook_ui.remote import RemoteAnswers


def ingest(where: Place, paths: Sequence[Path]) -> bool:
    """Stores files, and those in folders; whether all of every file was stored."""
    found = list(files(paths))
    with access.opened(where, create=True) as answers, progress.files(len(found)) as advance:
        served = isinstance(answers, RemoteAnswers)
        store = None if isinstance(answers, RemoteAnswers) else answers.store
        sink = _sink(answers)
        results = [_one(path, sink, store, advance) for path in found]
    typer.echo(_summary(results))
    if any(result.records for result in results):
        typer.echo("The server settles them within a minute." if served else "Next: tollbook settle")
    return bool(found) and not any(result.refused or result.rejected for result in results)


def _sink(answers: access.AnyAnswers) -> Sink:
    if isinstance(answers, RemoteAnswers):
        return HttpSink(answers.url, answers.headers, answers.trust)
    return StoreSink(answers.store)


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files of a command line, those in folders too."""
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file())
        else:
            yield path


def _one(path: Path, sink: Sink, store: Store | None, advance: "progress.Advance") -> Ingested:
    before = _records(store)
    try:
        result = ingest_file(path, sink)
    except OSError as error:
        result = Ingested(path, reason=error.strerror or str(error))
    advance(_line(result, new=result.records if store is None else _records(store) - before))
    return result


def _records(store: Store | None) -> int:
    return int(store.query(sql.text("tollbook_ui", "queries/records.sql"))[0]["records"]) if store else 0


def _line(result: Ingested, new: int) -> str:
    if result.refused:
        return f"refused  {result.path}: {result.reason}"
    known = "" if new == result.records else f", {result.records - new:,} of them stored before by the same bytes"
    rest = f"; {result.rejected} rejected, the first: {result.reason}" if result.rejected else ""
    return f"stored   {result.path}: {result.records:,} records of {result.signal}{known}{rest}"


def _summary(results: Sequence[Ingested]) -> str:
    records, refused = sum(result.records for result in results), sum(result.refused for result in results)
    return f"{records:,} records of {len(results) - refused:,} files stored, {refused:,} files refused."
