"""JSON documents as rows: pages of providers' usage APIs, and what tools export as one object. Pure.

A page is an object that holds its rows as a list beside what is said of all of them; a row of it may be a page again, as a bucket
of time with its results is. What a page says of itself holds for its rows.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tollbook_attribution.placed_json import Placed, document, values

LISTS = (
    "data", "results", "result", "records", "rows", "items", "entries", "logs", "events", "usage", "usages", "usageitems",
    "timeperiods", "traces", "observations", "generations", "runs", "spans", "requests", "responses", "calls", "buckets",
    "usageeventsdisplay", "usageevents", "daily", "weekly", "monthly", "sessions", "blocks", "modelbreakdowns", "invocations",
)  # fmt: skip
"""Names that lists of rows have, small letters and digits alone; of several in one object, the first one."""

ASIDE = ("meta", "metadata", "pagination", "paging", "links", "pageinfo", "totals", "summary", "params")
"""Objects beside such a list that say nothing of a row."""

PAGING = ("object", "hasmore", "nextpage", "firstid", "lastid", "nextcursor", "cursor", "page", "limit", "total", "count")
"""What a page says of itself, and not of its rows."""

Row = dict[str, Any]


def is_page(value: Any) -> bool:
    """Whether an object holds rows rather than being one."""
    return isinstance(value, Mapping) and _rows_of(value) is not None


def rows(text: str) -> Iterator[tuple[int, Row | Any]]:
    """(line, row) of all that a text holds: one document, or several one after another. Raises NotJsonError."""
    for placed in values(text):
        yield from _of(placed, {})


def _of(placed: Placed, above: Row) -> Iterator[tuple[int, Any]]:
    value = placed.value
    if isinstance(value, list):
        for element in document(placed):
            yield from _of(element, above)
    elif isinstance(value, Mapping) and (name := _rows_of(value)) is not None:
        own = {key: told for key, told in value.items() if not isinstance(told, Mapping | list) and _plain(key) not in PAGING}
        said = {**above, **own}
        inside = next(member for member in document(placed) if member.name == name)
        yield from _of(inside, said)
    else:
        yield placed.line, {**above, **value} if isinstance(value, Mapping) else value


def _rows_of(value: Mapping[str, Any]) -> str | None:
    """The member of an object that holds its rows."""
    if any(isinstance(told, Mapping) and _plain(key) not in ASIDE for key, told in value.items()):
        return None
    counted = any("token" in _plain(key) or "cost" in _plain(key) for key in value)
    lists = {
        _plain(key): key for key, told in value.items() if isinstance(told, list) and _of_objects(told) and (told or not counted)
    }
    return next((lists[name] for name in LISTS if name in lists), None)


def _of_objects(told: list[Any]) -> bool:
    return all(isinstance(element, Mapping) for element in told)


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())
