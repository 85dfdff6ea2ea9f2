"""Files whose rows are no calls as files of usage, written anew: clouds' metrics, and summaries with usage by model."""

import csv
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from tollbook_attribution.placed_json import NotJsonError

from tollbook_ui.usage import files, metrics, pages, weave
from tollbook_ui.usage.figures import CellProblem, UsageFileError
from tollbook_ui.usage.files import MAX_DOCUMENT_BYTES, UsageFile, plain
from tollbook_ui.usage.mapping import UsageMap, checked
from tollbook_ui.usage.metrics import METRIC, SHAPES, VALUE, BadPointsError, Point

LOOKED_AT = 10_000
"""Rows without a metric of tokens after which a file is none of metrics."""

Row = Mapping[str, Any]
Gathered = tuple[UsageFile, UsageMap, str]
"""A file, what its columns are, and what it was."""


def gathered(file: UsageFile, wish: UsageMap) -> Gathered | None:
    """The file of usage that such a file comes to; None where it is none.

    Raises:
        UsageFileError: no usage follows from its metrics.
        BadQuestionError: it does not tell the model, and nobody said it.
    """
    if any(column.startswith(weave.MARK) for column in file.columns):
        rows = weave.usage((line, row) for line, row in _rows(file) if isinstance(row, Mapping))
        return _as_usage(file, wish, rows, {}, "W&B Weave's calls, by their summaries") if rows else None
    return _of_metrics(file, wish) if _may_be(file) else None


def _of_metrics(file: UsageFile, wish: UsageMap) -> Gathered | None:
    found = _points(file)
    if not any("token" in point.metric for point in found):
        return None
    try:
        provider, rows = metrics.usage(found)
    except BadPointsError as error:
        raise UsageFileError(file.name, (error.problem,), more=False) from error
    return _as_usage(file, wish, rows, {"provider": provider}, "metrics of a cloud, gathered by time and model")


def _as_usage(
    file: UsageFile, wish: UsageMap, rows: Sequence[tuple[int, Row]], constants: Mapping[str, str], name: str
) -> Gathered:
    written = _written(file, rows)
    columns = {column: column for column in written.columns if column not in wish.constants}
    return written, checked(UsageMap(columns, {**constants, **wish.constants}, wish.reading)), name


def _may_be(file: UsageFile) -> bool:
    names = {plain(column.removesuffix("[UTC]")) for column in file.columns}
    return not SHAPES.keys().isdisjoint(file.columns) or not (names.isdisjoint(METRIC) or names.isdisjoint(VALUE))


def _points(file: UsageFile) -> list[Point]:
    found: list[Point] = []
    for number, (line, row) in enumerate(_rows(file)):
        if isinstance(row, Mapping):
            found += metrics.points(row, line)
        if number > LOOKED_AT and not found:
            break
    return found


def _rows(file: UsageFile) -> Iterator[tuple[int, Row]]:
    if file.format == "parquet":
        from pyarrow import parquet  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and rarely wanted

        batches = parquet.ParquetFile(file.path).iter_batches()
        yield from enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
        return
    with files.opened(file.path, file.gzip) as text:
        if file.format == "csv":
            lines = itertools.islice(text, file.skipped, None)
            reader = csv.reader(lines, delimiter=file.delimiter)
            for cells in reader:
                yield file.skipped + reader.line_num, dict(zip(file.columns, cells, strict=False))
            return
        yield from _within_array(file, text) if file.array else _of_lines(file, text)


def _within_array(file: UsageFile, text: TextIO) -> Iterator[tuple[int, Any]]:
    """The rows of one array; none of one too long to be taken apart here."""
    content = text.read(MAX_DOCUMENT_BYTES)
    if text.read(1):
        return
    try:
        yield from pages.rows(content)
    except NotJsonError as error:
        raise _no_json(file, error.line, error) from error


def _of_lines(file: UsageFile, text: TextIO) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text, start=1):
        at = file.lines[number - 1] if file.lines else number
        try:
            yield from ((at, row) for _, row in pages.rows(line))
        except NotJsonError as error:
            raise _no_json(file, at, error) from error


def _no_json(file: UsageFile, line: int, error: NotJsonError) -> UsageFileError:
    return UsageFileError(file.name, (CellProblem(line, "", "", f"is no JSON: {error}"),), more=False)


def _written(file: UsageFile, rows: Sequence[tuple[int, Row]]) -> UsageFile:
    target = file.folder / "gathered"
    with target.open("w", encoding="utf-8") as text:
        text.writelines(f"{json.dumps(row, default=str)}\n" for _, row in rows)
    columns = tuple(dict.fromkeys(name for _, row in rows for name in row))
    paths = {column: (column,) for column in columns}
    lines, first = [line for line, _ in rows], [row for _, row in rows[: files.ROWS_KEPT]]
    return UsageFile(target, file.name, "json", False, columns, paths, lines=lines, first=first, folder=file.folder)
