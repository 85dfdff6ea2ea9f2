"""Numbers as people read them: money, durations, ages, bytes, shares. Pure; None is always 'unknown', never zero."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

UNKNOWN = "unknown"
NS_PER_SECOND = 1_000_000_000
SMALLEST_IN_DOLLARS = Decimal("0.001")
MICRO = Decimal("0.000001")

_DURATIONS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
_AGES = ((365 * 86_400, "y"), (86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SIZES = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"), (1, "B"))


@dataclass(frozen=True)
class Scale:
    """One unit for a whole column: shown value = value / `factor`."""

    unit: str
    factor: Decimal

    def apply(self, value: Decimal | float | None) -> float | None:
        """The value in this unit, for display only; None stays None."""
        return None if value is None else float(Decimal(value) / self.factor)


def significant(value: Decimal, digits: int = 4) -> str:
    """`value` with that many significant digits, thousands apart, no trailing zeros behind the point."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - value.copy_abs().adjusted())
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def usd(amount_usd: Decimal | None, digits: int = 4) -> str:
    """Dollars with four significant digits, or `digits`; below $0.001 in millionths ('12.3 µ$'), to six places."""
    if amount_usd is None:
        return UNKNOWN
    sign, size = ("-" if amount_usd < 0 else ""), amount_usd.copy_abs()
    if size == 0:
        return "$0"
    if size >= 1:
        return f"{sign}${size:,.2f}"
    if size >= SMALLEST_IN_DOLLARS:
        return f"{sign}${significant(size, digits)}"
    if size < MICRO * MICRO:
        return f"{sign}<0.000001 µ$"
    return f"{sign}{significant(round(size / MICRO, 6), digits)} µ$"


def usd_short(amount_usd: Decimal) -> str:
    """Dollars where there is little room: from ten thousand on without cents, from a million on in millions or billions."""
    sign, size = ("-" if amount_usd < 0 else ""), amount_usd.copy_abs()
    for least, unit in ((Decimal(10) ** 9, "bn"), (Decimal(10) ** 6, "M")):
        if size >= least:
            return f"{sign}${size / least:,.2f} {unit}"
    return f"{sign}${size:,.0f}" if size >= 10_000 else usd(amount_usd)


def usd_exact(amount_usd: Decimal | None) -> str:
    """Dollars to the last digit."""
    if amount_usd is None:
        return UNKNOWN
    text = f"{amount_usd.copy_abs():,f}"
    sign = "-" if amount_usd < 0 else ""
    return f"{sign}${text.rstrip('0').rstrip('.') if '.' in text else text}"


def duration(value_ns: float | None) -> str:
    """Elapsed time as µs, ms or s, with three significant digits; minutes and hours beyond."""
    if value_ns is None:
        return UNKNOWN
    if abs(value_ns) >= 100 * NS_PER_SECOND:
        return age(value_ns)
    return _in_units(value_ns, _DURATIONS)


def age(value_ns: float | None) -> str:
    """How old something is, in the largest fitting of s, min, h, d, y."""
    if value_ns is None:
        return UNKNOWN
    if 0 <= value_ns < NS_PER_SECOND:
        return duration(value_ns)
    return _in_units(value_ns / NS_PER_SECOND, _AGES)


def size(value_bytes: float | None) -> str:
    """Bytes in binary units."""
    return UNKNOWN if value_bytes is None else _in_units(value_bytes, _SIZES)


def energy(joules: Decimal | None) -> str:
    """Joules with four significant digits, thousands of them in kJ, from a kWh on in kWh."""
    if joules is None:
        return UNKNOWN
    for least, unit in ((Decimal(3_600_000), "kWh"), (Decimal(1_000), "kJ"), (Decimal(1), "J")):
        if joules >= least:
            return f"{significant(joules / least)} {unit}"
    return f"{significant(joules * 1_000)} mJ" if joules else "0 J"


def mean(whole: Decimal | None, parts: int | None) -> Decimal | None:
    """What comes to each of the parts; unknown where the whole is, or where there are none."""
    return whole / parts if whole is not None and parts else None


def counted(value: int, one: str, many: str = "") -> str:
    """'1 hop', '2 hops': a number with its noun."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def count(value: float | None) -> str:
    """A whole number, thousands apart."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def quantity(value: Decimal | None) -> str:
    """A measured quantity with four significant digits, whole when large."""
    return UNKNOWN if value is None else significant(value)


def percent(ratio: float | Decimal | None) -> str:
    """A share in percent. Never rounds to 0% or 100% what is neither."""
    if ratio is None:
        return UNKNOWN
    value = float(ratio) * 100
    if 0 < value < 0.1:
        return "<0.1%"
    if 99.9 < value < 100:
        return ">99.9%"
    return f"{value:.1f}%".replace(".0%", "%")


def change(now: Decimal | None, before: Decimal | None) -> str:
    """Difference to the value before, in percent; 'unknown' where there is nothing to compare with."""
    if now is None or before is None or before == 0:
        return UNKNOWN
    if now == before:
        return "unchanged"
    return growth((now - before) / before.copy_abs())


def growth(ratio: Decimal | float) -> str:
    """A change as a share of what was before, in percent with its sign. Never rounds to 0% what is not."""
    percent = abs(Decimal(ratio)) * 100
    size = "<0.1" if 0 < percent < Decimal("0.05") else f"{percent:,.1f}"
    return f"{'+' if ratio >= 0 else '-'}{size}%"


def moment(value: datetime | None) -> str:
    """A point in time, UTC, to the second."""
    return UNKNOWN if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def money_scale(values: Iterable[Decimal | None]) -> Scale:
    """The unit in which the largest of `values` reads well."""
    largest = max((abs(value) for value in values if value is not None), default=Decimal(0))
    if largest >= Decimal("0.01") or largest == 0:
        return Scale("$", Decimal(1))
    return Scale("µ$", MICRO)


def duration_scale(values_ns: Iterable[float | None]) -> Scale:
    """The unit in which the largest of `values_ns` reads well."""
    return _scale(values_ns, _DURATIONS)


def age_scale(values_ns: Iterable[float | None]) -> Scale:
    """Days where the oldest of `values_ns` is older than two, else hours or minutes."""
    oldest = max((value for value in values_ns if value is not None), default=0) / NS_PER_SECOND
    seconds, unit = (86_400, "d") if oldest >= 2 * 86_400 else (3_600, "h") if oldest >= 2 * 3_600 else (60, "min")
    return Scale(unit, Decimal(seconds * NS_PER_SECOND))


def _scale(values: Iterable[float | None], units: tuple[tuple[int, str], ...]) -> Scale:
    largest = max((abs(value) for value in values if value is not None), default=0)
    factor, unit = next(((factor, unit) for factor, unit in units if largest >= factor), units[-1])
    return Scale(unit, Decimal(factor))


def _in_units(value: float, units: tuple[tuple[int, str], ...]) -> str:
    factor, unit = next(((factor, unit) for factor, unit in units if abs(value) >= factor), units[-1])
    number = significant(Decimal(str(value)) / factor, 3)
    return f"{number} {unit}"
