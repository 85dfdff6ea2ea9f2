from decimal import Decimal

import pytest
from tollbook_ui import units

MS = 1_000_000
HOUR = 3_600 * 1_000_000_000


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "unknown"),
        (Decimal(0), "$0"),
        (Decimal("1234.5678"), "$1,234.57"),
        (Decimal("1.5"), "$1.50"),
        (Decimal("0.0234567"), "$0.02346"),
        (Decimal("0.00123456"), "$0.001235"),
        (Decimal("0.000123456"), "123.5 µ$"),
        (Decimal("0.0000123"), "12.3 µ$"),
        (Decimal("0.0000000123"), "0.0123 µ$"),
        (Decimal("0.000000000123456"), "0.000123 µ$"),
        (Decimal("0.0000000000001"), "<0.000001 µ$"),
        (Decimal("-0.0000123"), "-12.3 µ$"),
    ],
)
def test_money_is_read_with_four_digits_and_a_unit(amount: Decimal | None, shown: str) -> None:
    assert units.usd(amount) == shown


def test_exact_money_keeps_every_digit() -> None:
    assert units.usd_exact(Decimal("0.000012345600000000")) == "$0.0000123456"
    assert units.usd_exact(Decimal(1200)) == "$1,200"
    assert units.usd_exact(None) == "unknown"


@pytest.mark.parametrize(
    ("value_ns", "shown"),
    [
        (None, "unknown"),
        (0, "0 ns"),
        (850, "850 ns"),
        (12_345, "12.3 µs"),
        (250 * MS, "250 ms"),
        (1_250 * MS, "1.25 s"),
        (2 * HOUR, "2 h"),
    ],
)
def test_a_duration_wears_the_unit_that_fits(value_ns: int | None, shown: str) -> None:
    assert units.duration(value_ns) == shown


def test_an_age_is_told_in_hours_and_days() -> None:
    assert units.age(36 * HOUR) == "1.5 d"
    assert units.age(5 * HOUR) == "5 h"
    assert units.age(None) == "unknown"


def test_sizes_are_binary() -> None:
    assert units.size(1536) == "1.5 KiB"
    assert units.size(0) == "0 B"


def test_a_share_is_never_rounded_to_nothing_or_to_all() -> None:
    assert units.percent(0.00001) == "<0.1%"
    assert units.percent(0.99999) == ">99.9%"
    assert units.percent(1) == "100%"
    assert units.percent(0) == "0%"
    assert units.percent(None) == "unknown"


def test_a_change_without_a_before_is_unknown() -> None:
    assert units.change(Decimal(3), Decimal(2)) == "+50.0%"
    assert units.change(Decimal(1), Decimal(2)) == "-50.0%"
    assert units.change(Decimal("10000.01"), Decimal(10_000)) == "+<0.1%"
    assert units.growth(-0.0001) == "-<0.1%"
    assert units.growth(0) == "+0.0%"
    short = [units.usd_short(Decimal(amount)) for amount in ("-2000000001.78", "1234567", "12345.6", "999.5", "-0.0001")]
    assert short == ["-$2.00 bn", "$1.23 M", "$12,346", "$999.50", "-100 µ$"]
    assert units.change(Decimal(1), None) == "unknown"
    assert units.change(Decimal(1), Decimal(0)) == "unknown"


def test_a_column_has_one_unit() -> None:
    scale = units.money_scale([Decimal("0.000012"), Decimal("0.0000004"), None])
    assert scale.unit == "µ$"
    assert scale.apply(Decimal("0.000012")) == pytest.approx(12)
    assert scale.apply(None) is None
