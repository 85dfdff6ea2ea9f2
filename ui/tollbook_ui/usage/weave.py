"""W&B Weave's summaries, in which a call's usage stands by model, as rows of usage. Pure.

What is above sums up what is below it, so that only calls without another one below them count.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MARK = "summary.usage"

_CELL = re.compile(r"summary\.usage\.(.+?)\.(?:([a-z_]+_details)\.)?([a-z_]+)")
"""A column of a table: the model, whose name may have points, an object of details, and the count."""

_WHOLE = re.compile(r"(\d{1,18})(?:\.0*)?")
"""A count as it is written also where a table has empty cells beside it: 100.0."""

_EMPTY = ("", "nan", "None", "null")

_SIDES = {"input_tokens": ("prompt_tokens", "input_tokens"), "output_tokens": ("completion_tokens", "output_tokens")}

_DETAILS = ("prompt_tokens_details", "input_tokens_details")
"""Objects that say how many tokens of the input were read from a cache."""

Row = Mapping[str, Any]


def usage(rows: Iterable[tuple[int, Row]]) -> list[tuple[int, dict[str, Any]]]:
    """(line, row) of each call and model; of what stands for several requests, sums with their number."""
    told = [(line, row, found) for line, row in rows if (found := dict(_by_model(row)))]
    above = {str(_said(row, "parent_id")) for _, row, _ in told}
    calls = [each for each in told if str(_said(each[1], "id")) not in above]
    single = all(_requests(counts) == 1 for _, _, found in calls for counts in found.values())
    return [
        (line, {**_when(row), **(_call(row, model, counts, len(found)) if single else _sum(model, counts))})
        for line, row, found in calls
        for model, counts in found.items()
    ]


def _by_model(row: Row) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a row says of each model, also where a table has it in columns."""
    summary = row.get("summary")
    nested = summary.get("usage") if isinstance(summary, Mapping) else None
    if isinstance(nested, Mapping):
        each = ((model, _counts(told)) for model, told in nested.items() if isinstance(told, Mapping))
        yield from ((model, counts) for model, counts in each if any(counts.values()))
        return
    found: dict[str, dict[str, Any]] = {}
    for column, cell in row.items():
        place = _CELL.fullmatch(column)
        if place and (count := _count(cell)):
            of_model = found.setdefault(place[1], {})
            (of_model.setdefault(place[2], {}) if place[2] else of_model)[place[3]] = count
    yield from found.items()


def _counts(told: Row) -> dict[str, Any]:
    return {name: dict(count) if isinstance(count, Mapping) else _count(count) for name, count in told.items()}


def _count(told: Any) -> Any:
    """A whole number, 0 where nothing is told; what is neither stays as it is, for whoever reads the row to name."""
    text = str(told).strip()
    whole = _WHOLE.fullmatch(text)
    return int(whole[1]) if whole else 0 if text in _EMPTY else told


def _requests(counts: Row) -> Any:
    return counts.get("requests") or 1


def _when(row: Row) -> dict[str, Any]:
    told = {"timestamp": _said(row, "started_at"), "end_time": _said(row, "ended_at"), "user": _said(row, "wb_user_id")}
    return {target: value for target, value in told.items() if value}


def _call(row: Row, model: str, counts: Row, models: int) -> dict[str, Any]:
    """One call; the request's id is the call's, with the model where it asked several."""
    identity = str(_said(row, "id"))
    return {"model": model, "request_id": identity if models == 1 else f"{identity} {model}", "usage": counts}


def _sum(model: str, counts: Row) -> dict[str, Any]:
    sides = {target: str(next((counts[name] for name in names if counts.get(name)), 0)) for target, names in _SIDES.items()}
    details: Row = next((counts[name] for name in _DETAILS if isinstance(counts.get(name), Mapping)), {})
    cached = _count(details.get("cached_tokens", 0))
    return {"model": model, "calls": str(_requests(counts)), **sides, **({"cache_read_tokens": str(cached)} if cached else {})}


def _said(row: Row, name: str) -> Any:
    return row.get(name) or ""
