"""Files of rates: CSV, or JSON with a list of objects, checked whole before anything is stored. Pure: text in, rates out."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tollbook_attribution import commitments, placed_json, rates
from tollbook_attribution.commitments import Commitment
from tollbook_attribution.placed_json import NotJsonError, Placed
from tollbook_attribution.price_fields import CURRENCY
from tollbook_attribution.price_files import OPEN_QUOTE
from tollbook_attribution.rates import InstanceRate

from tollbook_ui.machines.figures import NewAcceleratorRate, RateFile
from tollbook_ui.periods import BadQuestionError, parse_time
from tollbook_ui.usage.figures import FOR_GOOD

ALSO: Mapping[str, str] = {
    "instancetype": "instance_type", "type": "instance_type", "price": "usd_per_hour", "memorygib": "memory_gib",
    "acceleratorcount": "accelerators", "spotprice": "spot_usd_per_hour", "name": "commitment_id",
    "capacity": "capacity_per_hour", "from": "valid_from", "since": "valid_from", "until": "valid_until",
}  # fmt: skip
"""Other names of columns, without case: those of SkyPilot's catalogs, and short ones."""

NUMBERS = frozenset(
    {
        "usd_per_hour",
        "spot_usd_per_hour",
        "vcpus",
        "memory_gib",
        "memory_share",
        "accelerator_share",
        "amount",
        "capacity_per_hour",
        "accelerators",
    }
)
ABOVE_ZERO = frozenset({"vcpus", "memory_gib", "capacity_per_hour"})
WHOLE = frozenset({"accelerators"})
MOST: Mapping[str, int] = {
    "usd_per_hour": 10_000_000, "spot_usd_per_hour": 10_000_000, "vcpus": 1_000_000, "memory_gib": 10_000_000,
    "accelerators": 100_000, "memory_share": 1, "accelerator_share": 1,
}  # fmt: skip
"""Beyond these a number is a slip of the pen."""

ZONES = frozenset({"availabilityzone", "availability_zone", "zone"})
"""Columns of catalogs that have a line for each zone of a region, of which the last holds."""

TIMES = frozenset({"valid_from", "valid_until"})
DATES = re.compile(r"\bvalid(?!at)|(?<!up)date|effective|expir|\b(start|begin|end)(s|ing)?(time)?\b|(from|since|until)$")
"""Other columns are passed over, as catalogs have many; what may be a date would leave a rate without its period."""
TEXTS = frozenset(
    {
        "instance_type",
        "provider",
        "region",
        "purchase",
        "source",
        "model",
        "currency",
        "commitment_id",
        "kind",
        "unit",
        "covers",
        "account",
        "tenant",
    }
)
NEEDED: Mapping[str, tuple[str, ...]] = {
    "instance": ("instance_type", "usd_per_hour", "vcpus"),
    "accelerator": ("model", "usd_per_hour"),
    "commitment": ("commitment_id", "amount", "valid_from", "valid_until"),
}

Values = dict[str, Any]
Row = InstanceRate | NewAcceleratorRate | Commitment
Maker = Callable[[Values], list[Row]]


def read(file: RateFile) -> list[Row]:
    """The rates of a file, all of them.

    Raises:
        BadQuestionError: it is no such file; the message names file, line and column, and that the file will be refused again.
    """
    try:
        return _rates(file)
    except BadQuestionError as error:
        raise BadQuestionError(f"{error}\n{FOR_GOOD}") from error


def _rates(file: RateFile) -> list[Row]:
    if file.kind not in NEEDED:
        raise BadQuestionError(f"rates are of {', '.join(NEEDED)}, not of {file.kind!r}")
    makers: Mapping[str, Maker] = {
        "instance": _instance,
        "accelerator": _accelerator,
        "commitment": _commitment,
    }
    make = makers[file.kind]
    found: list[Row] = []
    places: dict[tuple[object, ...], tuple[str, Row]] = {}
    for place, cells in _lines(file):
        for row in _made(file, place, cells, make):
            earlier, same = places.setdefault(_what(row), (place, row))
            if same != row and ZONES.isdisjoint(cells):
                raise BadQuestionError(
                    f"{file.name}, {place}: of the same and from the same time on as {earlier}, and not the same"
                )
            found.append(row)
    if not found:
        raise BadQuestionError(f"{file.name}: no rates in it")
    return found


def _what(row: Row) -> tuple[object, ...]:
    """What a row is about: of two about the same, the later one would hold."""
    if isinstance(row, InstanceRate):
        return row.provider, row.region, row.purchase, row.instance_type, row.valid_from
    if isinstance(row, NewAcceleratorRate):
        return row.provider, row.region, row.model, row.valid_from
    return row.tenant, row.commitment_id


def _lines(file: RateFile) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where each row stands, and its cells as text."""
    text = file.content.removeprefix("\ufeff")
    if text.lstrip().startswith(("[", "{")):
        yield from _objects(file, text)
        return
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True)
    begins = 1
    try:
        head = [_named(cell) for cell in next(reader, [])]
        _check_head(file, head)
        begins = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(head):
                    raise BadQuestionError(
                        f"{file.name}, line {reader.line_num}: {len(cells)} cells where the head has {len(head)}"
                    )
                yield f"line {reader.line_num}", dict(zip(head, cells, strict=True))
            begins = reader.line_num + 1
    except csv.Error as error:
        said = OPEN_QUOTE if "end of data" in str(error) else str(error)
        raise BadQuestionError(f"{file.name}, line {begins}: {said}") from error


def _objects(file: RateFile, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        for placed in _placed(text):
            if not isinstance(placed.value, dict):
                raise BadQuestionError(f"{file.name}, line {placed.line}: not an object")
            cells = {_named(str(key)): "" if value is None else str(value) for key, value in placed.value.items()}
            _check_head(file, list(cells))
            yield f"line {placed.line}", cells
    except NotJsonError as error:
        raise BadQuestionError(f"{file.name}, line {error.line}, column {error.column}: no JSON: {error}") from error


def _placed(text: str) -> Iterator[Placed]:
    """The objects of a list, or those that stand one after another."""
    for value in placed_json.values(text):
        yield from placed_json.document(value) if isinstance(value.value, list) else [value]


def _named(head: str) -> str:
    name = head.strip().lower()
    return ALSO.get(name, name)


def _check_head(file: RateFile, head: list[str]) -> None:
    twice = sorted({name for name in head if head.count(name) > 1})
    missing = [name for name in NEEDED[file.kind] if name not in head and name not in file.defaults]
    if twice:
        raise BadQuestionError(f"{file.name}: column {twice[0]} stands twice")
    dates = [name for name in head if name not in TIMES | NUMBERS | TEXTS and DATES.search(name.replace("_", " "))]
    if dates:
        raise BadQuestionError(f"{file.name}, column {dates[0]}: no such column; dates stand in valid_from and valid_until")
    if missing:
        raise BadQuestionError(f"{file.name}: no column {missing[0]}; it has {', '.join(head) or 'none'}")


def _made(file: RateFile, place: str, cells: Mapping[str, Any], make: Maker) -> list[Row]:
    values: Values = {}
    given = {name: text for name, text in cells.items() if text.strip()}
    defaults = {
        name: text for name, text in file.defaults.items() if name != "accelerator_share" or given.get("accelerators", "0") != "0"
    }
    for column, cell in {**defaults, **given}.items():
        if column in NUMBERS | TIMES | TEXTS:
            values[column] = _value(file, place, column, cell.strip())
    for column in NEEDED[file.kind]:
        if column not in values:
            raise BadQuestionError(f"{file.name}, {place}, column {column}: empty")
    try:
        return make(values)
    except (ValueError, ArithmeticError) as error:
        raise BadQuestionError(f"{file.name}, {place}: {error}") from error


def _value(file: RateFile, place: str, column: str, text: str) -> Any:
    try:
        if column in NUMBERS:
            return _number(column, Decimal(text))
        if column == "currency":
            return _currency(file, text.upper())
        return parse_time(text, datetime.now(UTC)) if column in TIMES else text
    except ValueError as error:
        raise BadQuestionError(f"{file.name}, {place}, column {column}: {text[:60]!r} {error}") from error
    except (InvalidOperation, BadQuestionError) as error:
        what = "number" if column in NUMBERS else "time"
        raise BadQuestionError(f"{file.name}, {place}, column {column}: {text[:60]!r} is no {what}") from error


def _number(column: str, number: Decimal) -> Decimal:
    """A number that its column may have. Raises ValueError."""
    if not number.is_finite():
        raise ValueError("is no number")
    if number < 0 or (number == 0 and column in ABOVE_ZERO):
        raise ValueError("is below 0" if number < 0 else "is not more than 0")
    if column in MOST and number > MOST[column]:
        raise ValueError(f"is more than {MOST[column]:,}, which cannot be")
    if column in WHOLE and number != int(number):
        raise ValueError("is no whole number")
    return number


def _currency(file: RateFile, code: str) -> str:
    if not CURRENCY.fullmatch(code):
        raise ValueError("is no currency: three letters, as EUR")
    if file.kind == "instance" and code != "USD":
        raise ValueError("is not USD, in which rates of machines are")
    return code


def _instance(values: Values) -> list[Row]:
    """The rate of a line; one that names a price of spot machines too is of two rates."""
    accelerators = int(values.get("accelerators", 0))
    known = ("provider", "region", "purchase", "memory_gib", "memory_share", "accelerator_share", "valid_from", "source")
    given = {name: values[name] for name in known if name in values}
    offers = [(values["usd_per_hour"], given)]
    if "spot_usd_per_hour" in values:
        offers.append((values["spot_usd_per_hour"], {**given, "purchase": "spot"}))
    return [
        rates.made(values["instance_type"], usd_per_hour, values["vcpus"], accelerators=accelerators, **terms)
        for usd_per_hour, terms in offers
    ]


def _accelerator(values: Values) -> list[Row]:
    known = ("provider", "region", "valid_from", "source", "currency")
    return [
        NewAcceleratorRate(values["model"], values["usd_per_hour"], **{name: values[name] for name in known if name in values})
    ]


def _commitment(values: Values) -> list[Row]:
    known = (
        *NEEDED["commitment"],
        "kind",
        "unit",
        "covers",
        "capacity_per_hour",
        "currency",
        "provider",
        "region",
        "account",
        "tenant",
        "source",
    )
    return [commitments.checked(Commitment(**{name: values[name] for name in known if name in values}))]
