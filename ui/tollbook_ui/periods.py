"""Periods of the ledger: whole hours, ISO weeks. Pure: the clock is an argument."""

import re
from datetime import UTC, date, datetime, time, timedelta

from tollbook_ui.figures import Period

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)

_AGO = re.compile(r"(\d+)\s*(h|d|w)")
_MONTH = re.compile(r"\d{4}-\d{2}")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2106, 1, 1, tzinfo=UTC)


class BadQuestionError(Exception):
    """The question itself is wrong; the message says how."""


def whole_hours(since: datetime | None, until: datetime | None, now: datetime) -> Period:
    """The period from `since` to `until` in whole hours of UTC; by default the seven days that end with this hour.

    Raises:
        BadQuestionError: it ends before it starts, or lies outside 1970 to 2105.
    """
    end = _up(_utc(until) if until else now)
    start = _down(_utc(since)) if since else end - WEEK
    if start == end:
        raise BadQuestionError(f"the period is empty: it starts and ends at {start:%Y-%m-%d %H:%M} UTC")
    if start > end:
        raise BadQuestionError(f"the period ends ({end:%Y-%m-%d %H:%M} UTC) before it starts ({start:%Y-%m-%d %H:%M} UTC)")
    if start < _EARLIEST or end > _LATEST:
        raise BadQuestionError("a period lies between 1970 and 2105")
    return Period(start, end)


def week_period(week: str) -> Period:
    """The ISO week `2026-W47`, Monday to Monday in UTC.

    Raises:
        BadQuestionError: there is no such week.
    """
    match = re.fullmatch(r"(\d{4})-W(\d{1,2})", week)
    if not match:
        raise BadQuestionError(f"a week is written like 2026-W47, not {week!r}")
    try:
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError as error:
        raise BadQuestionError(f"there is no week {week}") from error
    start = datetime.combine(monday, time(), UTC)
    return whole_hours(start, start + WEEK, start)


def week_of(moment: datetime) -> str:
    """The ISO week that `moment` lies in, such as `2026-W47`."""
    year, week, _ = _utc(moment).isocalendar()
    return f"{year}-W{week:02d}"


def parse_length(text: str) -> timedelta:
    """A length of time as a person writes it: `12h`, `90d`, `2w`.

    Raises:
        BadQuestionError: it is none.
    """
    match = _AGO.fullmatch(text.strip().lower())
    if not match or not 0 < int(match[1]) < 100_000:
        raise BadQuestionError(f"{text!r} is no length of time; write 12h, 90d or 2w")
    return int(match[1]) * _UNITS[match[2]]


def parse_time(text: str, now: datetime) -> datetime:
    """A moment as a person writes it: `2026-11-20`, `2026-11-20T14:00`, a month or week's start, `now`, or how long ago: `7d`.

    It is in UTC unless it says otherwise.

    Raises:
        BadQuestionError: it is none of these.
    """
    plain = text.strip()
    ago = _AGO.fullmatch(plain)
    try:
        if plain == "now":
            return now
        iso = f"{plain}-01" if _MONTH.fullmatch(plain) else plain
        return now - int(ago[1]) * _UNITS[ago[2]] if ago else _utc(datetime.fromisoformat(iso))
    except (ValueError, OverflowError) as error:
        raise BadQuestionError(f"{text!r} is no time; write 2026-11-20T14:00, or how long ago: 24h, 7d, 2w") from error


def parse_period(text: str, now: datetime) -> Period:
    """A period as a person writes it: `2026-11-09..2026-11-16`, `14d..7d` without its end, `7d` up to now, a day, month or week.

    Raises:
        BadQuestionError: it is none of these.
    """
    plain = text.strip()
    start, dots, end = plain.partition("..")
    if dots:
        hour = _up(_utc(now))  # one for all, so that 14d..7d ends where 7d..now begins
        return whole_hours(parse_time(start, hour), parse_time(end, hour), hour)
    if _AGO.fullmatch(plain):
        return parse_period(f"{plain}..now", now)
    if "W" in plain:
        return week_period(plain)
    if match := re.fullmatch(r"(\d{4})-(\d{2})(-\d{2})?", plain):
        first = parse_time(plain if match[3] else f"{plain}-01", now)
        after = first + timedelta(days=1) if match[3] else (first + timedelta(days=31)).replace(day=1)
        return whole_hours(first, after, now)
    raise BadQuestionError(
        f"{text[:60]!r} is no period; write 2026-11-09..2026-11-16, 14d..7d, 7d, 2026-11-09, 2026-11 or 2026-W46"
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _down(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _up(moment: datetime) -> datetime:
    down = _down(moment)
    return down if down == moment else down + HOUR
