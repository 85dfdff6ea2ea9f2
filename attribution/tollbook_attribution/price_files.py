"""Files of prices: people's own (CSV, JSON, JSON lines, YAML), LiteLLM's map, genai-prices' lists. Pure.

Every problem names file, line and column. A file with an error in it is not loaded at all.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tollbook_attribution import file_text, genai_list, litellm_map, placed_yaml, price_fields, price_list
from tollbook_attribution.file_text import NotTextError
from tollbook_attribution.genai_list import NotListedError
from tollbook_attribution.placed_json import NotJsonError, elements, is_json, members, objects
from tollbook_attribution.placed_yaml import NotYamlError
from tollbook_attribution.prices import Price

FOR_GOOD = "nothing was loaded; the same file will be refused again"
SEPARATOR = re.compile(r"sep=([,;\t])", re.IGNORECASE)
YAML = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*(---|-\s+[{\w]|\w+:(\s|$))")
OPEN_QUOTE = "not CSV: a quote is not closed by the end of the file"
MAX_PROBLEMS = 1_000
"""As many as are worth telling; a file in the wrong format has one on every line."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, and where."""

    file: str
    line: int
    """0 where it is of the file as a whole."""
    column: str
    """Name of the column, or place of the character; empty where it is of the whole line."""
    message: str
    is_error: bool = True
    """Whether the file cannot be loaded with it; else a warning."""

    def __str__(self) -> str:
        where = [self.file, f"line {self.line}" if self.line else "", f"column {self.column}" if self.column else ""]
        return f"{', '.join(filter(None, where))}: {self.message}"


class BadFileError(ValueError):
    """A file that nothing was loaded of; the message has its first problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = [problem for problem in problems if problem.is_error]
        more = f"\n… and {len(errors) - 10} more" if len(errors) > 10 else ""
        super().__init__("\n".join(str(problem) for problem in errors[:10]) + f"{more}\n{FOR_GOOD}")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Line:
    """A price and the line of the file that it stands on."""

    number: int
    price: Price


@dataclass(frozen=True)
class Sheet:
    """What a file says."""

    file: str
    source: str
    version: str
    """Of its content: the same bytes have the same version."""
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Problems that keep the file from being loaded."""
        return tuple(problem for problem in self.problems if problem.is_error)


@dataclass(frozen=True)
class Wish:
    """What the reader of a file says of it beside its content."""

    since: datetime | None = None
    """From when on prices hold that name no date themselves; since ever if not given."""
    tenant: str = ""
    """Whose they are where the file does not say; empty for every tenant."""


def read(file: str, content: bytes, wish: Wish, now: datetime) -> Sheet:
    """Reads a file, whatever its format.

    Args:
        file: its name, for people.
        content: its bytes.
        wish: what holds where the file is silent.
        now: when it was retrieved.
    """
    version = hashlib.sha256(content).hexdigest()[:12]
    reading = _Reading(file, version, wish, now)
    try:
        text = file_text.of(content)
    except NotTextError as error:
        return reading.sheet("", [], [reading.problem(error.line, "", str(error))])
    if not text.strip():
        return reading.sheet("", [], [reading.problem(0, "", "the file is empty")])
    sheet = (_json if is_json(text) else _yaml if YAML.match(text) else _csv)(text, reading)
    if sheet.lines or sheet.problems:
        return sheet
    return reading.sheet("", [], [reading.problem(0, "", "there is no price in it")])


@dataclass(frozen=True)
class _Reading:
    file: str
    version: str
    wish: Wish
    now: datetime

    def sheet(self, source: str, lines: Iterable[Line], problems: Iterable[Problem]) -> Sheet:
        return Sheet(self.file, source, self.version, tuple(lines), tuple(problems)[:MAX_PROBLEMS])

    def problem(self, line: int, column: str, message: str, *, is_error: bool = True) -> Problem:
        return Problem(self.file, line, column, message, is_error)

    @property
    def own(self) -> Mapping[str, Any]:
        """What every price of a person's own file has."""
        return {
            "version": self.version,
            "source": f"file {self.file.replace(chr(92), '/').rsplit('/', 1)[-1]}",
            "precedence": "own",
            "retrieved_at": self.now.astimezone(UTC).replace(microsecond=0),
            "added_at": self.now,
        }


def _csv(text: str, reading: _Reading) -> Sheet:
    first, _, rest = text.partition("\n")
    told = SEPARATOR.fullmatch(first.strip())  # a spreadsheet's own first line
    delimiter = told[1] if told else max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(f"\n{rest}" if told else text), delimiter=delimiter, strict=True)
    problems: list[Problem] = []
    lines: list[Line] = []
    begins = 1
    try:
        header = [name.strip().lower() for name in next(row for row in rows if row)]
        wrong = _wrong_header(header, reading, rows.line_num)
        if wrong:
            return reading.sheet("", [], wrong)
        begins = rows.line_num + 1
        for cells in rows:
            if len(cells) != len(header) and any(cell.strip() for cell in cells):
                message = f"{len(cells)} values for {len(header)} columns; a value with {delimiter!r} in it needs quotes"
                problems.append(reading.problem(rows.line_num, "", message))
            elif any(cell.strip() for cell in cells):
                _take(dict(zip(header, cells, strict=True)), rows.line_num, reading, lines, problems)
            begins = rows.line_num + 1
    except csv.Error as error:
        told_of = OPEN_QUOTE if "end of data" in str(error) else f"not CSV: {error}"
        problems.append(reading.problem(begins, "", told_of))
    return reading.sheet(str(reading.own["source"]), lines, problems)


def _wrong_header(header: Sequence[str], reading: _Reading, line: int) -> list[Problem]:
    unknown = [name for name in header if name not in price_fields.FIELDS]
    twice = sorted({name for name in header if header.count(name) > 1})
    missing = [name for name in price_fields.NEEDED if name not in header]
    known = ", ".join(price_fields.FIELDS)
    return [
        *(reading.problem(line, name, f"no such column; there are {known}") for name in unknown),
        *(reading.problem(line, name, "the column is there twice") for name in twice),
        *(reading.problem(line, name, "the column is missing") for name in missing),
    ]


def _take(row: Mapping[str, Any], number: int, reading: _Reading, lines: list[Line], problems: list[Problem]) -> None:
    """Adds what a row says to the lines, or what is wrong with it to the problems."""
    terms, wrong = price_fields.parsed(row)
    problems += [reading.problem(number, column, message) for column, message in wrong]
    if not wrong:
        given = {"tenant": reading.wish.tenant, "valid_from": reading.wish.since, **terms}
        given = {name: value for name, value in given.items() if value is not None}
        lines += [Line(number, Price(**{**reading.own, **given, **part})) for part in price_fields.day_parts(terms)]


def _json(text: str, reading: _Reading) -> Sheet:
    problems: list[Problem] = []
    lines: list[Line] = []
    try:
        if text.lstrip().startswith("{"):
            found = list(members(text))  # of the first object, where there is one on each line
            names = {name for _, name, _ in found}
            if names == {"prices"}:
                _take_all(elements(text, text.index("[")), reading, lines, problems)
            elif genai_list.is_list({name: value for _, name, value in found}):
                return _genai({name: value for _, name, value in found}, genai_list.places(text), reading)
            elif litellm_map.is_map({name: value for _, name, value in found}):
                return _litellm(found, reading)
            else:
                _take_all(objects(text), reading, lines, problems)
        else:
            rows = list(elements(text))
            if genai_list.is_list([value for _, value in rows]):
                return _genai([value for _, value in rows], genai_list.places(text), reading)
            _take_all(rows, reading, lines, problems)
    except NotJsonError as error:
        problems.append(reading.problem(error.line, str(error.column), f"not JSON: {error}"))
    return reading.sheet(str(reading.own["source"]), lines, problems)


def _take_all(found: Iterable[tuple[int, Any]], reading: _Reading, lines: list[Line], problems: list[Problem]) -> None:
    for number, row in found:
        if not isinstance(row, dict):
            problems.append(reading.problem(number, "", "a price is an object with the columns as its members"))
            continue
        unknown = [name for name in row if name not in price_fields.FIELDS]
        missing = [name for name in price_fields.NEEDED if name not in row]
        wrong = [(name, f"no such column; there are {', '.join(price_fields.FIELDS)}") for name in unknown]
        wrong += [(name, "is missing") for name in missing]
        problems += [reading.problem(number, name, message) for name, message in wrong]
        if not wrong:
            _take(row, number, reading, lines, problems)


def _yaml(text: str, reading: _Reading) -> Sheet:
    """A person's own prices as a list, or a provider of genai-prices."""
    problems: list[Problem] = []
    lines: list[Line] = []
    try:
        node = placed_yaml.root(text)
        found = placed_yaml.rows(node)
        if found is None:
            return _genai(*genai_list.yaml_document(text, node), reading)
        _take_all(placed_yaml.placed(found), reading, lines, problems)
    except (NotListedError, NotYamlError) as error:
        problems.append(reading.problem(error.line, "", str(error)))
    return reading.sheet(str(reading.own["source"]), lines, problems)


def _genai(found: Any, places: genai_list.Places, reading: _Reading) -> Sheet:
    """genai-prices' own list; `--from` and `--tenant` hold for it as for LiteLLM's map."""
    given: dict[str, Any] = {"tenant": reading.wish.tenant, "added_at": reading.now}
    moment = reading.now.astimezone(UTC).replace(microsecond=0)
    listed, wrong = genai_list.prices(found, places, reading.version, moment)
    since = reading.wish.since
    lines = [
        Line(line, replace(price, **given, valid_from=max(price.valid_from, since) if since else price.valid_from))
        for line, price in listed
        if not since or price.valid_until is None or price.valid_until > since
    ]
    return reading.sheet(price_list.SOURCE, lines, [reading.problem(*problem) for problem in wrong])


def _litellm(found: Sequence[tuple[int, str, Any]], reading: _Reading) -> Sheet:
    terms: dict[str, Any] = {
        "tenant": reading.wish.tenant,
        "version": reading.version,
        "source": litellm_map.SOURCE,
        "source_url": litellm_map.SOURCE_URL,
        "retrieved_at": reading.now.astimezone(UTC).replace(microsecond=0),
        "added_at": reading.now,
        "precedence": "dated list" if reading.wish.since else "undated list",
        **({"valid_from": reading.wish.since} if reading.wish.since else {}),
    }
    lines: list[Line] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    said_on: dict[tuple[Any, ...], int] = {}
    for number, name, entry in found:
        if name in seen:
            problems.append(reading.problem(number, name, f"the model is there twice, first on line {seen[name]}"))
        seen[name] = number
        prices, wrong, odd = litellm_map.prices_of(name, entry)
        problems += [reading.problem(number, column, message) for column, message in wrong]
        problems += [reading.problem(number, column, message, is_error=False) for column, message in odd]
        mine = [price for price in prices if said_on.setdefault(litellm_map.same(price), number) == number]
        if len(mine) < len(prices):
            others = said_on[litellm_map.same(next(price for price in prices if price not in mine))]
            message = f"is the model of line {others} again: {len(prices) - len(mine)} of its prices are left out"
            problems.append(reading.problem(number, name, message, is_error=False))
        lines += [Line(number, Price(**terms, **price)) for price in mine]
    return reading.sheet(litellm_map.SOURCE, lines, problems)
