"""Plain values, periods and the waterfall: no store needed."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from tollbook_ui import figures as f
from tollbook_ui import plain, show, waterfall, widths
from tollbook_ui.periods import BadQuestionError, parse_period, parse_time, week_of, week_period, whole_hours

NOW = datetime(2026, 11, 22, 7, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0E-18"), "0"),
        (Decimal("0.000000000000000001"), "0.000000000000000001"),
        (Decimal("1E-18"), "0.000000000000000001"),
        (Decimal("12.3400"), "12.34"),
        (Decimal(1200), "1200"),
        (Decimal("-0.50"), "-0.5"),
        (Decimal("-0.0"), "0"),
        (Decimal("1E+3"), "1000"),
    ],
)
def test_money_is_written_with_all_its_digits_and_no_exponent(value: Decimal, text: str) -> None:
    assert plain.number(value) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20"), places=18))
def test_written_money_reads_back_the_same(value: Decimal) -> None:
    assert Decimal(plain.number(value)) == value


def test_json_has_text_for_money_and_times_and_null_for_the_unknown() -> None:
    written = plain.as_json(
        {"usd": Decimal("0.10"), "at": NOW, "day": date(2026, 11, 22), "id": b"\x01\xff", "age": None, "x": float("nan")}
    )
    assert json.loads(written) == {
        "usd": "0.1",
        "at": "2026-11-22T07:15:00Z",
        "day": "2026-11-22",
        "id": "01ff",
        "age": None,
        "x": None,
    }


def test_csv_leaves_the_unknown_empty_and_cannot_run_as_a_formula() -> None:
    grid = plain.Grid(("a", "b"), ((Decimal("-0.50"), None), ("=cmd|' /C calc'!A0", True), ('say "x", y', {"k": 1})))
    assert plain.as_csv(grid) == 'a,b\r\n-0.5,\r\n\'=cmd|\' /C calc\'!A0,true\r\n"say ""x"", y","{""k"": 1}"\r\n'


def test_a_period_is_the_whole_hours_around_what_was_asked() -> None:
    asked = whole_hours(NOW - timedelta(hours=2), NOW, NOW)
    assert asked == f.Period(datetime(2026, 11, 22, 5, tzinfo=UTC), datetime(2026, 11, 22, 8, tzinfo=UTC))
    assert whole_hours(None, None, NOW) == f.Period(datetime(2026, 11, 15, 8, tzinfo=UTC), datetime(2026, 11, 22, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [(NOW, NOW - timedelta(days=1), "before it starts"), (datetime(1969, 1, 1, tzinfo=UTC), NOW, "between 1970 and 2105")],
)
def test_a_period_that_cannot_be_is_refused(since: datetime, until: datetime, why: str) -> None:
    with pytest.raises(BadQuestionError, match=why):
        whole_hours(since, until, NOW)


def test_a_week_runs_from_monday_to_monday() -> None:
    assert week_period("2026-W47") == f.Period(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    assert week_of(NOW) == "2026-W47"
    assert week_of(datetime(2027, 1, 1, tzinfo=UTC)) == "2026-W53"


@pytest.mark.parametrize("week", ["2026-W54", "2026-47", "W47", "2026-W00", ""])
def test_a_week_that_is_none_is_refused(week: str) -> None:
    with pytest.raises(BadQuestionError, match="week"):
        week_period(week)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("24h", NOW - timedelta(days=1)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-W47", datetime(2026, 11, 16, tzinfo=UTC)),
        ("2026-11-20T14:00:00+02:00", datetime(2026, 11, 20, 12, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_moment_or_how_long_ago(text: str, moment: datetime) -> None:
    assert parse_time(text, NOW) == moment


def test_periods_that_are_written_side_by_side_do_not_overlap() -> None:
    before, after = parse_period("14d..7d", NOW), parse_period("7d", NOW)
    assert after == parse_period("7d..now", NOW)
    assert before.until == after.since == datetime(2026, 11, 15, 8, tzinfo=UTC)
    assert before.until - before.since == after.until - after.since == timedelta(days=7)


@pytest.mark.parametrize("text", ["yesterday", "20.11.2026", "99999999999999d"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadQuestionError, match="is no time"):
        parse_time(text, NOW)


def span(span_id: str, parent: str = "", start: int = 0) -> f.Span:
    values: dict[str, Any] = dict.fromkeys(f.Span.__dataclass_fields__, "")
    return f.Span(**{**values, "span_id": span_id, "parent_span_id": parent, "start_offset_ns": start, "duration_ns": 1})


def test_a_waterfall_sets_children_under_their_parent_by_start() -> None:
    rows = waterfall.ordered([span("c", "a", 3), span("b", "a", 2), span("d", "b", 9), span("a")])
    assert [(row.span_id, row.depth) for row in rows] == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]


def test_a_waterfall_shows_orphans_and_circles_too() -> None:
    rows = waterfall.ordered([span("x", "missing"), span("p", "q"), span("q", "p"), span("own", "own")])
    assert sorted(row.span_id for row in rows) == ["own", "p", "q", "x"]
    assert {row.span_id: row.depth for row in rows}["x"] == 0


def test_a_waterfall_may_be_deeper_than_python_recurses() -> None:
    rows = waterfall.ordered([span(str(depth), str(depth - 1) if depth else "") for depth in range(5000)])
    assert rows[-1].depth == 4999


def test_a_table_keeps_its_columns_in_a_narrow_terminal() -> None:
    names = ("=period", "provider", "service", ">billed", ">attributed", ">unattributed")
    table = show.listed("Bills", names, [("2026-11", "aws", "Amazon Elastic Compute Cloud", *("1,234,567.000000",) * 3)])
    assert widths.of(table, 200) == 200
    console = Console(width=widths.of(table, 40), file=io.StringIO())
    with console.capture() as printed:
        console.print(table)
    assert all(word in printed.get() for word in ("2026-11", "provider", "aws", "Elastic", "1,234,567.000000"))
    assert widths.of("a line", 40) == 40
