"""Brings files of bills into the store: all lines or none. ClickHouse reads them; Python says which column is where."""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tollbook_schema import sql
from tollbook_schema.store import QueryError, Store, StoreError
from tollbook_schema.tenants import DEFAULT_TENANT, checked_tenant

from tollbook_attribution.bills import damage, formats
from tollbook_attribution.bills.files import BillFile, line_of, unpacked
from tollbook_attribution.bills.formats import Format
from tollbook_attribution.bills.problems import SHOWN, BillError, Problem, of_file

NOWHERE = 1 << 31
"""Place of a column that a file has not: beyond its last one, which ClickHouse answers with NULL."""

SHARED_BY_VERSIONS = 20
"""Lines that two files of an import share, to the last character, from which on they may be versions of one bill."""

FEW = 2
"""Charges that two files tell of with other amounts, from which on it is said; one may be a tax."""

WAY_OUT = "of versions of one bill import the latest alone; if all were charged, import with --allow-duplicates"

MANY_LINES = 20
"""Lines of a bill in force from which on an import of less than half of it may be a part of it alone."""

LINES_AT_ONCE = 100_000
"""Lines handed to a server at a time."""

BLOCKS_OF_ROWS: Mapping[str, Any] = {"min_insert_block_size_rows": 65_536}
"""How much of a file is held while it is read: a million rows in one piece took 1.1 GB."""

SAID_OF_ALL = {"BillingCurrency": "EUR", "ServiceProviderName": "Acme", "ChargeCategory": "Usage"}
"""Columns that may well be the same on every line of a bill, each with an example."""

PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
"""A billing period as people write it."""

TIMES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")


@dataclass(frozen=True)
class Options:
    """How files are to be taken."""

    tenant: str = DEFAULT_TENANT
    period: str = ""
    """The billing period that they are of, such as 2026-10; empty for whatever they say."""
    comma: bool = False
    """Whether numbers have a decimal comma: 1.234,56."""
    add: bool = False
    """Whether the lines come beside those in force, instead of in their place: a later part of the same bill."""
    allow_duplicates: bool = False
    """Whether a line that is told twice was charged twice."""
    columns: Sequence[str] = ()
    """What columns of a file of no known format are in FOCUS: `BilledCost=Amount`."""
    constants: Sequence[str] = ()
    """What holds for every line, by its column in FOCUS: `BillingCurrency=EUR`."""
    replace: bool = False
    """Whether a bill takes the place of one more than twice as large."""


@dataclass(frozen=True)
class Brought:
    """A billing period that an import brought."""

    provider: str
    billing_account_id: str
    billing_period_start: datetime
    billing_period_end: datetime
    import_id: int
    imported_at: datetime
    parts: Sequence[int]
    files: Sequence[str]
    format: str
    billing_currency: str
    lines: int
    billed_cost: Decimal
    effective_cost: Decimal


@dataclass(frozen=True)
class Loaded:
    """What an import came to."""

    import_id: int
    files: int
    lines: int
    rows: tuple[Brought, ...]
    warnings: tuple[str, ...] = ()
    """What may be meant, and may be a mistake."""


AS_THEY_ARE = Options()
"""As the files say it, in the place of what was there."""


def load(store: Store, paths: Sequence[Path], options: Options = AS_THEY_ARE, names: Sequence[str] = ()) -> Loaded:
    """Stores the lines of bills; the billing periods that they bring replace those stored before, which are kept.

    Args:
        store: where to.
        paths: files, folders and zip archives, all of them one import.
        options: how they are to be taken.
        names: what people call the paths, where it is not their own names.

    Raises:
        BillError: something is wrong with a file; nothing was stored.
        ValueError: there is no such tenant or period.
        StoreError: the store failed; nothing is in force of it.
    """
    checked_tenant(options.tenant)
    if options.period and not PERIOD.fullmatch(options.period):
        raise ValueError(f"a billing period is written as 2026-10, not as {options.period!r}")
    if options.add and options.replace:
        raise ValueError("lines come beside those in force with --add, or in their place with --replace, not both")
    columns, constants = _pairs(options.columns), _pairs(options.constants)
    reading = store.reading()
    with unpacked(paths, reading, names) as found:
        files, beside = _bills(found)
        parts = [_part(number, file, columns, constants) for number, file in enumerate(files)]
        run = _Import(store, reading, time.time_ns(), options, parts)
        try:
            run.read()
            warnings = run.check()
            replaced = run.take()
        finally:
            reading.command(_query("forget_texts"), {"import_id": run.import_id})
    rows = store.query(_query("brought"), run.known)
    return Loaded(
        run.import_id,
        len(files),
        sum(row["lines"] for row in rows),
        tuple(Brought(**row) for row in rows),
        (*beside, *replaced, *warnings),
    )


def lines_read(store: Store) -> int:
    """Lines that imports which are under way have read by now."""
    [found] = store.reading().query(_query("lines_read"))
    return int(found["lines"])


@dataclass(frozen=True)
class _Part:
    """One file of an import."""

    number: int
    file: BillFile
    kind: Format
    meant: Mapping[str, str]
    """Columns of FOCUS, and what the file calls them, where its names do not tell."""

    def called(self, column: str) -> str:
        """What the file calls a column of FOCUS."""
        return self.meant.get(column) or self.kind.called(column, self.file.names)

    def places(self) -> dict[str, Any]:
        """Which column of the file is where, as its format's statement asks it."""
        header = tuple(enumerate(self.file.names, start=1))
        places = {formats.word(name): place for place, name in header}
        places |= {formats.word(ours): places[formats.word(theirs)] for ours, theirs in self.meant.items()}
        asked = sorted(self.kind.asked())
        tags = {name.removeprefix(start): place for place, name in header for start in self.kind.tags if name.startswith(start)}
        return {
            "columns": asked,
            "places": [places.get(name, NOWHERE) for name in asked],
            "tag_names": list(tags),
            "tag_at": list(tags.values()),
        }

    def bound(self) -> dict[str, Any]:
        """How its rows are read."""
        file = self.file
        return {
            "path": str(file.path),
            "kind": file.kind,
            "structure": file.structure,
            "compression": file.compression,
            "skip": file.skip,
            "delimiter": file.delimiter,
            "told": [value for _, value in file.told],
        }

    def times(self) -> dict[str, int]:
        """Which column of the file is where, of those that hold times."""
        places = {name: place for place, name in enumerate(self.file.header, start=1)}
        named = {column: self.called(column) for column in TIMES}
        return {column: places[name] for column, name in named.items() if name in places}


@dataclass(frozen=True)
class _Import:
    """One run of `load`."""

    store: Store
    reading: Store
    """The embedded engine that reads the files: the store itself, or one beside it."""
    import_id: int
    options: Options
    parts: Sequence[_Part]

    @property
    def known(self) -> dict[str, Any]:
        return {"tenant": self.options.tenant, "import_id": self.import_id}

    def read(self) -> None:
        """All rows of all files, as text."""
        for part in self.parts:
            bound = {**part.places(), "import_id": self.import_id, "file": part.number, "comma": self.options.comma}
            try:
                days = {"day_first": self._day_first(part) if part.file.slashed else []}
                self.reading.shard(0).command(
                    _of_rows(part.kind.script), {**bound, **part.bound(), **days}, settings=BLOCKS_OF_ROWS
                )
            except QueryError as error:
                raise _unreadable(part.file, error) from error

    def _day_first(self, part: "_Part") -> list[int]:
        """The columns of a file's times if its days stand before its months. Raises BillError where both orders are there."""
        places = part.times()
        asked = {"places": sorted(set(places.values())), "period": places.get("BillingPeriodStart", 0), "day_first": []}
        [seen] = self.reading.told_of_file(_of_rows(_query("days")), {**part.bound(), **asked})
        if seen["day_first"] and seen["month_first"]:
            wrong = f"has {seen['day_first']} times with the day first and {seen['month_first']} with the month first"
            raise of_file(part.file.name, wrong)
        by_periods = seen["begins_day_first"] > seen["begins_month_first"]
        return list(places.values()) if seen["day_first"] or (by_periods and not seen["month_first"]) else []

    def check(self) -> tuple[str, ...]:
        """What may be a mistake. Raises BillError with the first things that are wrong."""
        extent = self._asked("extent")
        lines = {row["file"]: row["lines"] for row in extent}
        found: list[Problem] = []
        for part in self.parts:
            if not lines.get(part.number):
                found.append(Problem(part.file.name, None, "", "", "is empty: it has a header and no line"))
            found.extend(dict.fromkeys(self._problems(part)))
            if len(found) > SHOWN:
                break
        warnings = [
            f"{part.file.name} names no billing periods: each charge is of the calendar month that it begins in"
            for part in self.parts
            if part.kind.lacks_periods((*part.file.names, *part.meant))
        ]
        warnings.extend(self._free())
        found.extend(self._other_currencies())
        for row in self._asked("repeated") if len(self.parts) > 1 else ():
            if not self.options.allow_duplicates and _are_versions(row):
                found.append(self._repeated(row))
            elif not self.options.allow_duplicates and _tell_of_the_same(row, SHARED_BY_VERSIONS):
                found.append(self._told_otherwise(row))
            elif row["lines"] or _tell_of_the_same(row, FEW):
                warnings.append(self._counted_twice(row))
        if found:
            raise BillError(found)
        return tuple(warnings)

    def _free(self) -> Iterator[str]:
        """Files with lines whose cost is blank, which is nothing."""
        for part in self.parts:
            [blank] = self._asked("blank", {"file": part.number}) if part.kind.blank_is_free else [{"lines": 0}]
            if blank["lines"]:
                column, at = part.called("BilledCost"), line_of(part.file, blank["first"])
                lines = "1 line has" if blank["lines"] == 1 else f"{blank['lines']} lines have"
                yield f"{part.file.name}, line {at}, column {column}: {lines} no cost here; each was taken as 0"

    def _asked(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """What the lines as text say, however long it takes: people's questions end after half a minute."""
        return self.reading.told_of_file(_query(name), {"import_id": self.import_id, **(parameters or {})})

    def _problems(self, part: _Part) -> Iterator[Problem]:
        asked = {
            "file": part.number,
            "period": self.options.period,
            "duplicates": self.options.allow_duplicates,
            "late_usage": part.kind.late_usage,
            "limit": SHOWN + 1,
        }
        for row in self._asked("problems", asked):
            column = part.called(row["column"]) if row["column"] else ""
            told = row["problem"].replace("{first}", str(line_of(part.file, row["first"]))) if row["first"] else row["problem"]
            yield Problem(part.file.name, line_of(part.file, row["line"]), column, row["value"], told)

    def _other_currencies(self) -> Iterator[Problem]:
        """Lines of a bill in another currency than its first one."""
        for row in self._asked("currencies", {"limit": SHOWN + 1}):
            part, first = self.parts[row["file"]], self.parts[row["first_file"]].file
            there = f"{first.name}, line {line_of(first, row['first_line'])} of the same bill has {row['first_currency']}"
            told = f"but {there}: a bill has one currency; where these are two bills, let each have a billing account of its own"
            yield Problem(part.file.name, line_of(part.file, row["line"]), part.called("BillingCurrency"), row["value"], told)

    def _repeated(self, row: Mapping[str, Any]) -> Problem:
        """Lines that two files share: versions of one bill, of which the later holds, or a part that is there twice."""
        part, other = self.parts[row["file"]], self.parts[row["other"]]
        if row["whole"]:
            return Problem(part.file.name, None, "", "", f"has the lines of {other.file.name} again")
        line, as_line = line_of(part.file, row["at"][0]), line_of(other.file, row["at"][1])
        told = f"is line {as_line} of {other.file.name} again, one of {row['lines']} that both have"
        return Problem(part.file.name, line, "", "", f"{told}: {WAY_OUT}")

    def _told_otherwise(self, row: Mapping[str, Any]) -> Problem:
        """Things that two files tell of at the same times, with other amounts: versions of one bill."""
        part, other = self.parts[row["file"]], self.parts[row["other"]]
        line, as_line = line_of(part.file, row["thing_at"][0]), line_of(other.file, row["thing_at"][1])
        told = f"is of the same charge as line {as_line} of {other.file.name}, with another amount, as are {row['things']} lines"
        return Problem(part.file.name, line, "", "", f"{told}: {WAY_OUT}")

    def _counted_twice(self, row: Mapping[str, Any]) -> str:
        name, other = (self.parts[row[file]].file.name for file in ("file", "other"))
        alike = f"{name} has {row['lines']} lines that {other} has too" if row["lines"] else ""
        otherwise = f"{name} has {row['things']} charges of {other} with other amounts" if row["things"] else ""
        told = " and ".join(filter(None, (alike, otherwise)))
        return f"{told}; all of them count: of versions of one bill, import the latest alone"

    def take(self) -> tuple[str, ...]:
        """Stores all lines, and then the periods that put them in force; what they took the place of."""
        done = False
        replaced: tuple[str, ...] = ()
        try:
            for row in self._asked("extent"):
                part = self.parts[row["file"]]
                self._take_file(part, row["last"])
            if self.options.add:
                self._check_added()
            else:
                replaced = self._replaced()
            self.store.command(_query("periods"), {**self.known, "add": self.options.add})
            done = True
        finally:
            if not done:
                with contextlib.suppress(StoreError):  # nobody sees them, as no period names them
                    for shard in range(self.store.shards):
                        self.store.shard(shard).command(_query("forget_lines"), self.known)
        return replaced

    def _replaced(self) -> tuple[str, ...]:
        """What the import takes the place of. Raises BillError where it is so much smaller that it may be a part."""
        rows = self.store.told_of_file(_query("replaced"), self.known)
        if not self.options.replace and (found := [_part_of_a_bill(row) for row in rows if _is_much_smaller(row)]):
            raise BillError(found)
        return tuple(f"{_whose(row)}: {_size(row)} in the place of {_size(row, '_before')}" for row in rows)

    def _check_added(self) -> None:
        """Raises BillError where the bills that lines are added to have them already, or are in another currency."""
        files = {part.file.name: part for part in self.parts}
        found = [
            Problem(
                row["file"],
                line_of(files[row["file"]].file, row["line"]),
                files[row["file"]].called("BillingCurrency"),
                row["value"],
                f"but the bill that it is added to is in {row['before']}: a bill has one currency",
            )
            for row in self.store.told_of_file(_query("added_currencies"), self.known)
        ]
        [again] = self.store.told_of_file(_query("added_again"), self.known)
        if not self.options.allow_duplicates and again["lines"] >= max(1, min(SHARED_BY_VERSIONS, again["of"] / 2)):
            file, line = again["at"]
            told = f"is in force already, one of {again['lines']} such lines of {again['of']} that are added"
            way_out = "import without --add to replace the bill; if all were charged again, with --allow-duplicates"
            found.append(Problem(file, line_of(files[file].file, line), "", "", f"{told}: {way_out}"))
        if found:
            raise BillError(found)

    def _take_file(self, part: _Part, last: int) -> None:
        names = [other.file.name for other in self.parts]
        bound: Mapping[str, Any] = {**self.known, "part": part.number, "names": names, "format": part.kind.name}
        step = last if self.store is self.reading else LINES_AT_ONCE
        for after in range(0, last, step):
            self.store.take(self.reading, "bill_lines", _query("lines"), {**bound, "after": after, "upto": after + step})


def _are_versions(row: Mapping[str, Any]) -> bool:
    """Whether two files are one bill as it grew, or one file twice; a few charges may well be alike to the last character."""
    return bool(row["whole"]) or row["lines"] >= max(SHARED_BY_VERSIONS, row["fewest"] / 2)


def _tell_of_the_same(row: Mapping[str, Any], least: int) -> bool:
    """Whether two files seem to tell of one bill at two times; a few charges may have the same words, such as taxes."""
    return int(row["things"] + row["lines"]) >= max(least, row["fewest"] / 2) and bool(row["things"])


def _is_much_smaller(row: Mapping[str, Any]) -> bool:
    """Whether a bill has less than half of the lines and of the amount of the one before: it may be a day's, not a month's."""
    smaller = row["lines"] * 2 < row["lines_before"] and abs(row["billed"]) * 2 < abs(row["billed_before"])
    return bool(smaller) and row["lines_before"] >= MANY_LINES


def _part_of_a_bill(row: Mapping[str, Any]) -> Problem:
    told = f"would take the place of {_size(row, '_before')}, of {_whose(row)}, with {_size(row)}"
    way_out = "a part comes beside it with --add; if this is the whole bill now, import with --replace"
    return Problem(row["file"], None, "", "", f"{told}: {way_out}")


def _whose(row: Mapping[str, Any]) -> str:
    account = f" {row['account']}" if row["account"] else ""
    return f"{row['provider']}{account} from {row['period']}"


def _size(row: Mapping[str, Any], when: str = "") -> str:
    lines, billed = row[f"lines{when}"], f"{row[f'billed{when}']:f}"
    amount = billed.rstrip("0").removesuffix(".") if "." in billed else billed
    return f"{lines} {'line' if lines == 1 else 'lines'} ({amount} {row[f'currency{when}']})"


def _bills(files: Sequence[BillFile]) -> tuple[list[BillFile], list[str]]:
    """The files that are bills, and what is said of those that only come with one. Raises BillError where none is a bill."""
    companions = {file.name: formats.companion(file.header) for file in files}
    found = [file for file in files if not companions[file.name]]
    if not found:
        raise of_file(files[0].name, f"is {companions[files[0].name]}: no bill")
    return found, [f"{name} is {companion}: it was left out" for name, companion in companions.items() if companion]


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    """Columns of FOCUS as it spells them, and what was typed of each. Raises ValueError where it has no such column."""
    known = {formats.word(column): column for column in formats.TAKEN}
    found: dict[str, str] = {}
    for text in texts:
        ours, _, theirs = (part.strip() for part in text.partition("="))
        if formats.word(ours) not in known or not theirs:
            raise ValueError(
                f"say what a column of FOCUS is, such as BilledCost=Amount, not {text!r}; it has {', '.join(formats.TAKEN)}"
            )
        found[known[formats.word(ours)]] = theirs
    return found


def _part(number: int, file: BillFile, meant: Mapping[str, str], constants: Mapping[str, str]) -> _Part:
    """A file with what was said of it. Raises BillError where it is no bill, or one without a column that it needs."""
    found = formats.FOCUS if meant else formats.detected((*file.names, *constants))
    if found is None:
        known = ", ".join(dict.fromkeys(kind.name for kind in formats.FORMATS))
        start = ", ".join(file.header[:6])
        wrong = (
            f"has the columns of no bill that is known ({known}); it begins with {start}; say what they are with --map and --set"
        )
        raise of_file(file.name, wrong, line=1)
    file = replace(file, told=(*file.told, *((found.spelled(column), value) for column, value in constants.items())))
    there = {formats.word(name) for name in file.names}
    if absent := [theirs for theirs in meant.values() if formats.word(theirs) not in there]:
        raise of_file(file.name, "is not in the header", absent[0], max(file.above, 1))
    if missing := found.missing((*file.names, *meant)):
        wrong = f"is missing from this {found.name} file"
        raise BillError(
            [Problem(file.name, max(file.above, 1), column, "", f"{wrong}{_way_to_say(found, column)}") for column in missing]
        )
    if twice := found.ambiguous(file.header):
        raise of_file(file.name, f"is there as {' and as '.join(twice)}: which one counts?", twice[0], max(file.above, 1))
    return _Part(number, file, found, meant)


def _way_to_say(kind: Format, column: str) -> str:
    """How a column that is missing may be said of all lines, if it may."""
    ours = next((name for name in SAID_OF_ALL if kind.spelled(name) == column), "")
    return f"; if all lines have the same, say it with --set {ours}={SAID_OF_ALL[ours]}" if ours else ""


def _unreadable(file: BillFile, error: QueryError) -> BillError:
    """A row that is no row, such as one cut off in the middle."""
    told = str(error)
    if file.kind == "CSV":
        return damage.of_rows(file, told)
    if file.kind == "JSONEachRow":
        return damage.of_json(file.name, file.path, file.compression, told)
    return of_file(file.name, f"is damaged: {damage.reason(told)}")


def _of_rows(statement: str) -> str:
    """A statement about the rows of a file."""
    return statement.replace("FROM file_rows", f"FROM (\n{_query('file_rows')}\n)")


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"bills/queries/{name}.sql")
