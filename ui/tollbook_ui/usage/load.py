"""A file of usage into the store: its rows are staged, checked as a whole, and become spans if all of them are good.

ClickHouse reads the file and works its rows out; no row is seen here but those that are shown or that cannot be read.
"""

import hashlib
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tollbook_attribution.bills.damage import reason as reason_of
from tollbook_schema import sql
from tollbook_schema.store import FileSource, Node, QueryError, Reads, Store
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui import units
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage import damage, exports, gathering, guessing, models, replacing, undoing
from tollbook_ui.usage.figures import FOR_GOOD, CellProblem, FirstRow, Import, Imported, UsageFileError
from tollbook_ui.usage.files import Format, Steps, UsageFile, described
from tollbook_ui.usage.mapping import BETWEEN, BLOCKS, CALLS, COUNTS, EXCEL, NUMBERS, TIMES, UNITS_NS, UsageMap, option

STEP = "\x1f"
"""Between the steps of a path, as no name has it."""

PROBLEMS_SHOWN = 20
ROWS_SHOWN = 5

ROW_ENDS_EARLY = re.compile(r"before: '(?:\\r|\r)?(?:\\n|\n)")
"""What the engine says of a first row that ends before its last cell."""

PIECE_ROWS = 250_000
"""About as many are stored at a time: each takes some 1,000 bytes of memory meanwhile."""

BUCKETS = 2**16

BLOCKS_OF_ROWS: Mapping[str, Any] = {
    "min_insert_block_size_rows": PIECE_ROWS,
    "input_format_parquet_memory_high_watermark": 256 * 1024**2,  # 4 GiB else
}
"""How much of a file is held while it is staged."""

MOST_CALLS = 1_000_000
"""That a row may stand for: each of them is kept."""


@dataclass(frozen=True)
class Taking:
    """How a file is taken."""

    name: str = ""
    """Of the file as people know it; its path if empty."""
    form: Format | None = None
    """Its format, if its first bytes do not say it."""
    header: bool = True
    """Whether the first line of a CSV file names the columns."""
    tenant: str = DEFAULT_TENANT
    """Whose it is."""
    dry_run: bool = False
    """Read and check it only."""
    again: bool = False
    """Take it though it was taken before with another mapping."""
    replace: bool = False
    """Take it in the place of earlier imports of the same file's name within its period."""


def import_usage(store: Store, path: Path, wish: UsageMap, taking: Taking = Taking()) -> Imported:
    """Takes a file in: one call for each row that tells of a call not known before.

    Raises:
        UsageFileError: cells that cannot be read, each with its line and column; nothing was taken.
        BadQuestionError: the file is not what it should be or lacks a column; nothing was taken.
        OSError: it cannot be read.
    """
    try:
        with described(path, taking.name, taking.form, header=taking.header) as file:
            return _imported_from(store, file, _digest(path), wish, taking)
    except UsageFileError:
        raise
    except BadQuestionError as error:
        raise BadQuestionError(f"{error}\n{FOR_GOOD}") from error


def _imported_from(store: Store, file: UsageFile, digest: str, wish: UsageMap, taking: Taking) -> Imported:
    tenant, dry_run = taking.tenant, taking.dry_run
    export = ""
    if not wish.columns and not file.empty:
        gathered = gathering.gathered(file, wish) if exports.recognized(file.columns) is None and not wish.only else None
        if gathered:
            file, wish, export = gathered
        else:
            wish, export = guessing.filled(file, wish)
    wish = _found_in(file, wish)
    if not (taking.again or taking.replace or dry_run):
        _check_not_taken(store.of(tenant), digest, wish, file)
    undoing.take_back_unfinished(store)
    import_id = time.time_ns()
    node = store.shard(0)
    with undoing.running(import_id), _staged(store, node, file, wish, import_id) as rows_id:
        _check(node, file, wish, import_id)
        ids = {"import_id": import_id, "rows_id": rows_id, "tenant": tenant, "scope": undoing.SCOPE}
        warnings = tuple(_without_rate(node, file, wish, import_id))
        now = datetime.now(UTC).replace(microsecond=0)
        old = _replaced(store, node, file, wish, {**ids, "digest": digest}) if taking.replace else ()
        if not dry_run:
            replacing.take_back(store, tenant, old)
        if rows_id != import_id:
            _spread(node, file, wish, {**ids, "now_ns": int(now.timestamp()) * 10**9})
        if dry_run:
            looked = _imported(file, wish, _counted(node, wish, ids), _first_rows(node, import_id), stored=False)
            found = models.found(store, node, import_id, tenant)
            return replace(looked, export=export, models=found, replaced=_ids(old), warnings=warnings)
        with undoing.whole(store, import_id):
            for piece in _pieces(node, wish, rows_id):
                node.command(_query("store"), {**ids, **piece, "block_tokens": wish.reading.block_tokens, "received_at": now})
            imported = _imported(file, wish, _counted(node, wish, ids), (), stored=True)
            _record(store, {"tenant": tenant, "import_id": import_id, "digest": digest}, imported)
    return replace(imported, export=export, replaced=_ids(old), warnings=warnings)


def _ids(found: tuple[Import, ...]) -> tuple[int, ...]:
    """The ids of imports."""
    return tuple(one.import_id for one in found)


def _replaced(store: Store, node: Node, file: UsageFile, wish: UsageMap, ids: Mapping[str, Any]) -> tuple[Import, ...]:
    """The earlier imports that a staged file comes in the place of."""
    staged = node.query(_query("staged"), ids)[0]
    if not staged["rows"]:
        return ()
    period = (staged["first_call"].replace(tzinfo=UTC), staged["last_call"].replace(tzinfo=UTC))
    return replacing.replaced(imports(store.of(ids["tenant"]), 10_000), file.name, ids["digest"], wish, period)


def imports(reads: Reads, limit: int = 100) -> tuple[Import, ...]:
    """Files that were imported, the newest first."""
    rows = reads.query(_query("imports"), {"limit": limit})
    return tuple(
        Import(**{**row, **{key: row[key].replace(tzinfo=UTC) for key in ("imported_at", "first_call", "last_call")}})
        for row in rows
    )


def undo(store: Store, import_id: int, tenant: str = DEFAULT_TENANT) -> Import:
    """Takes an import back; the hours of its calls are settled again. What other files had too goes with them.

    Raises:
        BadQuestionError: there is none of this id, or a later one counted on from it.
    """
    found = next((known for known in imports(store.of(tenant), 10_000) if known.import_id == import_id), None)
    if found is None:
        raise BadQuestionError(f"there is no import {import_id}; list them with: tollbook import list")
    later = undoing.built_upon(store, tenant, import_id)
    if later is not None:
        raise BadQuestionError(f"a later import counted on from this one: first tollbook import undo {later}")
    undoing.take_back(store, import_id)
    return found


def _found_in(file: UsageFile, wish: UsageMap) -> UsageMap:
    """The mapping with the names that the columns have in the file. Raises BadQuestionError where it lacks one."""
    if file.empty:
        return replace(wish, columns={}, only={})
    columns = {target: file.named_or_between(column) for target, column in wish.columns.items()}
    return replace(wish, columns=columns, only={file.named(column): values for column, values in wish.only.items()})


@contextmanager
def _staged(store: Store, node: Node, file: UsageFile, wish: UsageMap, import_id: int) -> Iterator[int]:
    """The rows of the file in `usage_rows`, for as long as the block; under which id its calls stand there."""
    many = CALLS in wish.columns or CALLS in wish.constants
    try:
        _stage(store, file, wish, {"import_id": import_id})
        if not file.empty:
            _stage_odd_times(store, node, file, wish, import_id)
        yield import_id + 2 if many else import_id
    finally:
        for staged in (import_id, import_id + 1, import_id + 2) if many else (import_id,):
            node.command(_query("forget"), {"import_id": staged})


def _stage(store: Store, file: UsageFile, wish: UsageMap, how: Mapping[str, Any]) -> None:
    """Reads the file into `usage_rows`; raises UsageFileError where a row of it is none."""
    source = [column.split(BETWEEN) if column not in file.columns else [column] for column in wish.columns.values()]
    columns = [column for among in source for column in among]
    many = CALLS in wish.columns or CALLS in wish.constants
    read = list(dict.fromkeys([*columns, *wish.only, *(file.words if many else ())]))
    cells, only = _cells(file, columns, read), _cells(file, list(wish.only), read)
    epoch = wish.reading.epoch or datetime(1970, 1, 1, tzinfo=UTC)
    parameters = {
        "json": file.format == "json",
        "targets": list(wish.columns),
        "places": [place for place, _ in cells],
        "paths": [STEP.join(steps) for _, steps in cells],
        "between": len(columns) > len(source),
        "firsts": [1 + sum(map(len, source[:at])) for at in range(len(source))],
        "manys": [len(among) for among in source],
        "only_places": [place for place, _ in only],
        "only_paths": [STEP.join(steps) for _, steps in only],
        "only_values": [STEP.join(value.lower() for value in values) for values in wish.only.values()],
        "names": columns if file.format == "csv" and file.skipped else [],
        "zones": [" UTC" if column in file.zoned else "" for column in columns],
        "set": list(wish.constants),
        "values": list(wish.constants.values()),
        "numeric": [*TIMES, *COUNTS, *NUMBERS, CALLS],
        "many": many,
        "cents": "cost_cents" in wish.columns or "cost_cents" in wish.constants,
        "timezone": wish.reading.timezone,
        "unit_ns": UNITS_NS.get(wish.reading.time_unit, 0),
        "epoch_ns": int(epoch.timestamp()) * 10**9,
        "excel": wish.reading.time_unit == EXCEL,
        "odd": wish.reading.time_unit == EXCEL,
        "dates": wish.reading.dates,
        **how,
    }
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "usage"  # a name without what ClickHouse takes for a pattern
        link.symlink_to(file.path.resolve())
        try:
            store.load_file(_query("stage"), _source(file, link, read), parameters)
        except QueryError as error:
            raise _unreadable(file, error) from error


def _cells(file: UsageFile, columns: list[str], read: list[str]) -> list[tuple[int, Steps]]:
    """Where columns stand, and the steps within; of a Parquet file, only what is read is there."""
    if file.format != "parquet":
        return [file.cell(column) for column in columns]
    whole = list(dict.fromkeys(file.whole(column) for column in read))
    return [(whole.index(file.whole(column)) + 1, file.paths.get(column, ())[1:]) for column in columns]


def _stage_odd_times(store: Store, node: Node, file: UsageFile, wish: UsageMap, import_id: int) -> None:
    """Reads a file once more whose times are no ISO 8601, once it is known whether days or months stand first.

    Raises:
        UsageFileError: the file proves both, or neither and nobody said.
    """
    if wish.reading.time_unit:
        return
    told = node.query(_query("odd_times"), {"import_id": import_id})[0]
    if not told["odd"]:
        return
    order = wish.reading.dates or _order(file, wish, told)
    node.command(_query("forget"), {"import_id": import_id})
    _stage(store, file, wish, {"import_id": import_id, "odd": True, "dates": order})


def _order(file: UsageFile, wish: UsageMap, told: Mapping[str, Any]) -> str:
    def problem(place: tuple[int, str, str], reason: str) -> UsageFileError:
        row, target, text = place
        found = CellProblem(file.line(row), wish.columns.get(target, target), text, reason)
        return UsageFileError(file.name, (found,), more=False)

    if told["day_first"] and told["month_first"]:
        row, _, text = told["month_first"]
        raise problem(told["day_first"], f"has the day first, and line {file.line(row)} the month: {text!r}")
    if told["slashed"] and not told["day_first"] and not told["month_first"]:
        raise problem(
            told["slashed"],
            "has the day or the month first, and no row of the file proves which: give --dates day-first or --dates month-first",
        )
    return "day-first" if told["day_first"] else "month-first"


def _spread(node: Node, file: UsageFile, wish: UsageMap, ids: Mapping[str, Any]) -> None:
    """Rows that stand for many calls become as many, of average size, but for those of their buckets that are known."""
    between = ids["import_id"] + 1
    counted = [target for target in COUNTS if target in wish.columns or target in wish.constants]
    counted += ["cost"] if {"cost", "cost_cents"} & {*wish.columns, *wish.constants} else []
    node.command(_query("buckets"), {**ids, "into_id": between, "counted": counted})
    shrunk = node.query(_query("shrunk"), {"into_id": between, "limit": PROBLEMS_SHOWN + 1})
    if shrunk:
        problems = tuple(
            CellProblem(
                file.line(row["row"]), "", "", f"tells of less than was imported of the same bucket before: {row['text']}"
            )
            for row in shrunk[:PROBLEMS_SHOWN]
        )
        raise UsageFileError(file.name, problems, more=len(shrunk) > PROBLEMS_SHOWN)
    node.command(_query("spread"), {"import_id": between, "into_id": ids["rows_id"]})


def _source(file: UsageFile, path: Path, columns: list[str]) -> FileSource:
    if file.format == "json":
        return FileSource(path, "JSONAsString" if file.array else "LineAsString", "line String", file.gzip, BLOCKS_OF_ROWS)
    if file.format == "parquet":
        types = dict(zip(file.columns, file.types, strict=False))
        whole = list(dict.fromkeys(file.whole(column) for column in columns))
        for column in whole:
            if not types[column]:
                raise BadQuestionError(f"{file.name}: column {column!r} holds neither text, numbers nor times")
        structure = ", ".join(f"{_name(column)} {types[column]}" for column in whole)
        return FileSource(path, "Parquet", structure, settings=BLOCKS_OF_ROWS)
    structure = ", ".join(f"c{place} String" for place in range(1, file.width + 1))
    settings = {**BLOCKS_OF_ROWS, "format_csv_delimiter": file.delimiter, "input_format_csv_skip_first_lines": file.skipped}
    return FileSource(path, "CSV", structure, file.gzip, settings)


def _check(node: Node, file: UsageFile, wish: UsageMap, import_id: int) -> None:
    asked = {
        "import_id": import_id,
        "counts": list(COUNTS),
        "numbers": list(NUMBERS),
        "epoch": wish.reading.epoch is not None,
        "most_calls": MOST_CALLS,
    }
    rows = node.query(_query("problems"), {**asked, "limit": PROBLEMS_SHOWN + 1})
    if rows:
        problems = tuple(
            CellProblem(file.line(row["row"]), wish.columns.get(row["target"], row["target"]), row["text"], _reason(row))
            for row in rows[:PROBLEMS_SHOWN]
        )
        raise UsageFileError(file.name, problems, more=len(rows) > PROBLEMS_SHOWN)


def _without_rate(node: Node, file: UsageFile, wish: UsageMap, import_id: int) -> Iterator[str]:
    """The first cost of each currency that has no exchange rate for its day: it is unpriced until it has one."""
    if "currency" not in {*wish.columns, *wish.constants}:
        return
    column = wish.columns.get("currency", "currency")
    for row in node.query(_query("without_rate"), {"import_id": import_id}):
        code, day, rows = row["currency"], row["first_day"], units.counted(row["row_count"], "row")
        yield (
            f"{file.name}, line {file.line(row['first_row'])}, column {column}: {code} has no exchange rate for {day}; "
            f"{rows} in {code} without one stay unpriced until: tollbook prices rate {code} USD_PER_{code} --on {day}"
        )


def _reason(row: Mapping[str, Any]) -> str:
    return damage.of_object(row["line"]) if row["line"] else str(row["reason"])


def staged_rows(store: Store) -> int:
    """Rows that files which are being read have by now."""
    return int(store.query(_query("staged_rows"), {"import_id": 0})[0]["rows"])


def _check_not_taken(reads: Reads, digest: str, wish: UsageMap, file: UsageFile) -> None:
    for known in imports(reads, 10_000):
        if known.digest == digest and (known.columns, known.constants, known.times) != (
            wish.columns,
            wish.constants,
            wish.times,
        ):
            constants = f" --set {option(known.constants)}" if known.constants else ""
            raise BadQuestionError(
                f"{file.name} was imported on {known.imported_at:%Y-%m-%d %H:%M} UTC with another mapping, "
                f"and its calls would count twice: --map {option(known.columns)}{constants}, times {known.times}; "
                "give --again if they are others"
            )


def _unreadable(file: UsageFile, error: QueryError) -> Exception:
    """What is wrong with a file that the engine could not read, with its line."""
    said = str(error)
    found = re.search(r"\(at row (\d+)\)", said)
    cells = "fewer" if "less columns" in said or ROW_ENDS_EARLY.search(said) else "more" if "more columns" in said else ""
    if found and cells:
        line, reason = file.line(int(found[1])), f"has {cells} than {file.width} cells"
    elif file.format == "csv":
        line, reason = damage.in_rows(file.name, file.path, file.gzip, (file.delimiter, file.skipped), said)
    elif file.format == "json":
        line, reason = damage.in_json(file.name, file.path, file.gzip, said)
    else:
        return BadQuestionError(f"{file.name} cannot be read as {file.format}: {reason_of(said)}")
    if not line:
        return BadQuestionError(f"{file.name} {reason}")
    return UsageFileError(file.name, (CellProblem(line, "", "", reason),), more=False)


def _pieces(node: Node, wish: UsageMap, rows_id: int) -> list[dict[str, int]]:
    """Buckets of staged rows that are worked on together, in order; all of them where rows follow from those before them."""
    rows = node.query(_query("staged_rows"), {"import_id": rows_id})[0]["rows"]
    many = 1 if BLOCKS in wish.columns else max(1, -(-rows // PIECE_ROWS))
    ends = [BUCKETS * part // many for part in range(many + 1)]
    return [{"first_bucket": first, "last_bucket": last - 1} for first, last in pairwise(ends)]


def _first_rows(node: Node, import_id: int) -> tuple[FirstRow, ...]:
    rows = node.query(_query("first_rows"), {"import_id": import_id, "limit": ROWS_SHOWN})
    return tuple(FirstRow(row["row"], row["start_time"].replace(tzinfo=UTC), row["fields"]) for row in rows)


def _counted(node: Node, wish: UsageMap, ids: Mapping[str, Any]) -> dict[str, Any]:
    counted = node.query(_query("staged"), ids)[0]
    pieces = _pieces(node, wish, ids["import_id"]) if "request_id" in wish.columns else ()
    return {**counted, "differing_rows": sum(node.query(_query("differing"), {**ids, **piece})[0]["rows"] for piece in pieces)}


def _imported(file: UsageFile, wish: UsageMap, counted: Any, first: tuple[FirstRow, ...], *, stored: bool) -> Imported:
    rows = counted["rows"]
    return Imported(
        file=file.name,
        columns=wish.columns,
        constants=wish.constants,
        times=wish.times,
        rows=rows,
        new_calls=counted["new_calls"],
        hours=counted["hours"],
        first_call=counted["first_call"].replace(tzinfo=UTC) if rows else None,
        last_call=counted["last_call"].replace(tzinfo=UTC) if rows else None,
        stored=stored,
        differing_rows=counted["differing_rows"],
        first_rows=first,
    )


def _record(store: Store, identity: Mapping[str, Any], imported: Imported) -> None:
    if imported.rows:
        store.command(
            _query("record"),
            {
                **identity,
                "file": imported.file,
                "targets": list(imported.columns),
                "columns": list(imported.columns.values()),
                "set": list(imported.constants),
                "values": list(imported.constants.values()),
                "times": imported.times,
                "rows": imported.rows,
                "new_calls": imported.new_calls,
                "first_call": imported.first_call,
                "last_call": imported.last_call,
            },
        )


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _name(column: str) -> str:
    escaped = column.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _query(name: str) -> str:
    return sql.text("tollbook_ui", f"usage/queries/{name}.sql")
