"""What a file of prices says twice, and what it leaves open: overlapping and missing days and quantities. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from tollbook_attribution.price_files import MAX_PROBLEMS, Line, Problem, Sheet
from tollbook_attribution.prices import NO_LIMIT, Price

FOR_EVER = datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)

SAME = ("tenant", "category", "provider", "model", "item", "unit", "service_tier", "batch", "variant", "region", "account")
"""What two prices share that may overlap."""


@dataclass(frozen=True)
class _Box:
    """Where a price holds, and the line of the file that says so."""

    line: int
    days: tuple[datetime, datetime]
    seconds: tuple[int, int]
    quantities: tuple[int, int]

    def overlaps(self, other: "_Box") -> bool:
        """Whether both hold somewhere."""
        mine, others = (self.days, self.seconds, self.quantities), (other.days, other.seconds, other.quantities)
        return all(a[0] < b[1] and b[0] < a[1] for a, b in zip(mine, others, strict=True))  # type: ignore[operator]


def problems_of(sheet: Sheet) -> tuple[Problem, ...]:
    """All problems of a file: those of its lines, then what overlaps (an error) and what is missing between (a warning)."""
    found = list(sheet.problems)
    for lines in _alike(sheet.lines).values():
        boxes = [_box(line) for line in lines]
        found += _overlaps(sheet.file, lines, boxes)
        found += _gaps(sheet.file, lines, boxes)
    return tuple(sorted(found, key=lambda problem: (not problem.is_error, problem.line)))[:MAX_PROBLEMS]


def _alike(lines: Iterable[Line]) -> dict[tuple[object, ...], list[Line]]:
    groups: defaultdict[tuple[object, ...], list[Line]] = defaultdict(list)
    for line in lines:
        groups[tuple(_folded(getattr(line.price, name)) for name in SAME)].append(line)
    return groups


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _box(line: Line) -> _Box:
    price = line.price
    return _Box(
        line.number,
        (price.valid_from, price.valid_until or FOR_EVER),
        (price.day_from_s, price.day_until_s),
        (price.min_quantity, price.max_quantity),
    )


def _overlaps(file: str, lines: Sequence[Line], boxes: Sequence[_Box]) -> Iterator[Problem]:
    """Each pair of lines once, however many parts of the day they hold in; named by the column that the two tell apart."""
    told: set[tuple[int, int]] = set()
    ordered = sorted(zip(boxes, lines, strict=True), key=lambda pair: (pair[0].days, pair[0].line))
    for place, (box, line) in enumerate(ordered):
        for other, _ in ordered[place + 1 :]:
            if other.days[0] >= box.days[1]:
                break
            if box.overlaps(other):
                first, second = sorted((box.line, other.line))
                if (first, second) not in told:
                    told.add((first, second))
                    yield Problem(file, second, _apart_by(box, other), _overlap(line.price, first, box, other))


def _apart_by(box: _Box, other: _Box) -> str:
    """The column in which two prices differ that hold at once."""
    if box.days != other.days or (box.quantities == other.quantities and box.seconds == other.seconds):
        return "valid_from"
    return "min_quantity" if box.quantities != other.quantities else "time_from"


def _overlap(price: Price, first: int, box: _Box, other: _Box) -> str:
    since, until = max(box.days[0], other.days[0]), min(box.days[1], other.days[1])
    period = f"from {_day(since)}" + (f" to {_day(until)}" if until < FOR_EVER else " on")
    return f"overlaps line {first} {period}: two prices for {price.provider}/{price.model}/{price.item}"


def _gaps(file: str, lines: Sequence[Line], boxes: Sequence[_Box]) -> Iterator[Problem]:
    name = f"{lines[0].price.provider}/{lines[0].price.model}/{lines[0].price.item}"
    by_days = sorted({box.days: box.line for box in boxes}.items())
    for ((_, until), _), ((since, _), line) in pairwise(by_days):
        if since > until:
            yield Problem(file, line, "valid_from", f"no price of {name} from {_day(until)} to {_day(since)}", is_error=False)
    by_quantity = sorted({box.quantities: box.line for box in boxes}.items())
    for ((_, most), _), ((least, _), line) in pairwise(by_quantity):
        if least > most:
            message = f"no price of {name} for quantities from {most} to {least - 1}"
            yield Problem(file, line, "min_quantity", message, is_error=False)
    if by_quantity and (by_quantity[0][0][0] > 0 or by_quantity[-1][0][1] < NO_LIMIT):
        message = f"no price of {name} for quantities outside {by_quantity[0][0][0]} to {by_quantity[-1][0][1] - 1}"
        yield Problem(file, by_quantity[0][1], "min_quantity", message, is_error=False)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == datetime.min.time() else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
