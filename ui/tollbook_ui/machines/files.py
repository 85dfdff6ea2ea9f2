"""Files of rates: CSV, or JSON with a list of objects, checked whole before anything is stored. Pure: text in, rates out."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tollbook_attribution import commitments, rates
from tollbook_attribution.commitments import Commitment
from tollbook_attribution.rates import InstanceRate

from tollbook_ui.machines.figures import NewAcceleratorRate, RateFile
from tollbook_ui.periods import BadQuestionError, parse_time

ALSO: Mapping[str, str] = {
    "instancetype": "instance_type", "type": "instance_type", "price": "usd_per_hour", "memorygib": "memory_gib",
    "acceleratorcount": "accelerators", "name": "commitment_id", "capacity": "capacity_per_hour",
}  # fmt: skip
"""Other names of columns, without case: those of SkyPilot's catalogs, and short ones."""

NUMBERS = frozenset(
    {"usd_per_hour", "vcpus", "memory_gib", "memory_share", "accelerator_share", "amount", "capacity_per_hour", "accelerators"}
)
TIMES = frozenset({"valid_from", "valid_until"})
TEXTS = frozenset(
    {
        "instance_type",
        "provider",
        "region",
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


def read(file: RateFile) -> list[Row]:
    """The rates of a file, all of them.

    Raises:
        BadQuestionError: it is no such file; the message names file, line and column.
    """
    if file.kind not in NEEDED:
        raise BadQuestionError(f"rates are of {', '.join(NEEDED)}, not of {file.kind!r}")
    makers: Mapping[str, Callable[[Values], Row]] = {
        "instance": _instance,
        "accelerator": _accelerator,
        "commitment": _commitment,
    }
    make = makers[file.kind]
    found = [_made(file, line, cells, make) for line, cells in _lines(file)]
    if not found:
        raise BadQuestionError(f"{file.name}: no rates in it")
    return found


def _lines(file: RateFile) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where each row stands, and its cells as text."""
    text = file.content.removeprefix("\ufeff")
    if text.lstrip().startswith(("[", "{")):
        yield from _objects(file, text)
        return
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        head = [_named(cell) for cell in next(reader, [])]
        _check_head(file, head)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(head):
                    raise BadQuestionError(
                        f"{file.name}, line {reader.line_num}: {len(cells)} cells where the head has {len(head)}"
                    )
                yield f"line {reader.line_num}", dict(zip(head, cells, strict=True))
    except csv.Error as error:
        raise BadQuestionError(f"{file.name}, line {reader.line_num}: {error}") from error


def _objects(file: RateFile, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        found = json.loads(text, parse_float=str, parse_int=str)
    except ValueError as error:
        raise BadQuestionError(f"{file.name}: no JSON: {error}") from error
    objects = found if isinstance(found, list) else [found]
    for number, item in enumerate(objects, start=1):
        if not isinstance(item, dict):
            raise BadQuestionError(f"{file.name}, object {number}: not an object")
        cells = {_named(str(key)): "" if value is None else str(value) for key, value in item.items()}
        _check_head(file, list(cells))
        yield f"object {number}", cells


def _named(head: str) -> str:
    name = head.strip().lower()
    return ALSO.get(name, name)


def _check_head(file: RateFile, head: list[str]) -> None:
    twice = sorted({name for name in head if head.count(name) > 1})
    missing = [name for name in NEEDED[file.kind] if name not in head and name not in file.defaults]
    if twice:
        raise BadQuestionError(f"{file.name}: column {twice[0]} stands twice")
    if missing:
        raise BadQuestionError(f"{file.name}: no column {missing[0]}; it has {', '.join(head) or 'none'}")


def _made(file: RateFile, place: str, cells: Mapping[str, Any], make: Callable[[Values], Row]) -> Row:
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
            return Decimal(text)
        return parse_time(text, datetime.now(UTC)) if column in TIMES else text
    except (InvalidOperation, BadQuestionError) as error:
        what = "number" if column in NUMBERS else "time"
        raise BadQuestionError(f"{file.name}, {place}, column {column}: {text[:60]!r} is no {what}") from error


def _instance(values: Values) -> InstanceRate:
    accelerators = values.pop("accelerators", Decimal(0))
    if accelerators != int(accelerators):
        raise ValueError(f"not a number of accelerators: {accelerators}")
    known = ("provider", "region", "memory_gib", "memory_share", "accelerator_share", "valid_from", "source")
    given = {name: values[name] for name in known if name in values}
    return rates.made(values["instance_type"], values["usd_per_hour"], values["vcpus"], accelerators=int(accelerators), **given)


def _accelerator(values: Values) -> NewAcceleratorRate:
    amount = values["usd_per_hour"]
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"not a price: {amount}")
    known = ("provider", "region", "valid_from", "source", "currency")
    return NewAcceleratorRate(values["model"], amount, **{name: values[name] for name in known if name in values})


def _commitment(values: Values) -> Commitment:
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
    return commitments.checked(Commitment(**{name: values[name] for name in known if name in values}))
