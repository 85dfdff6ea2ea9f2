"""W&B Weave's summaries, in which a call's usage stands by model, as rows of usage. Pure.

What is above sums up what is below it, so that only calls without another one below them count.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MARK = "summary.usage"

_CELL = re.compile(r"summary\.usage\.(.+)\.([a-z_]+)")
"""A column of a table: the model, whose name may have points, and the count."""

_SIDES = {"input_tokens": ("prompt_tokens", "input_tokens"), "output_tokens": ("completion_tokens", "output_tokens")}

Row = Mapping[str, Any]


def usage(rows: Iterable[tuple[int, Row]]) -> list[tuple[int, dict[str, Any]]]:
    """(line, row) of each call and model; of what stands for several requests, sums with their number."""
    told = [(line, row, found) for line, row in rows if (found := dict(_by_model(row)))]
    above = {str(_said(row, "parent_id")) for _, row, _ in told}
    calls = [each for each in told if str(_said(each[1], "id")) not in above]
    single = all(int(counts.get("requests") or 1) == 1 for _, _, found in calls for counts in found.values())
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
        yield from (
            (model, dict(counts)) for model, counts in nested.items() if isinstance(counts, Mapping) and any(counts.values())
        )
        return
    found: dict[str, dict[str, Any]] = {}
    for column, cell in row.items():
        place = _CELL.fullmatch(column)
        if place and str(cell or "").strip() not in ("", "0"):
            found.setdefault(place[1], {})[place[2]] = int(cell) if str(cell).isdigit() else cell
    yield from found.items()


def _when(row: Row) -> dict[str, Any]:
    told = {"timestamp": _said(row, "started_at"), "end_time": _said(row, "ended_at"), "user": _said(row, "wb_user_id")}
    return {target: value for target, value in told.items() if value}


def _call(row: Row, model: str, counts: Row, models: int) -> dict[str, Any]:
    """One call; the request's id is the call's, with the model where it asked several."""
    identity = str(_said(row, "id"))
    return {"model": model, "request_id": identity if models == 1 else f"{identity} {model}", "usage": counts}


def _sum(model: str, counts: Row) -> dict[str, Any]:
    sides = {target: str(next((counts[name] for name in names if counts.get(name)), 0)) for target, names in _SIDES.items()}
    return {"model": model, "calls": str(counts.get("requests") or 1), **sides}


def _said(row: Row, name: str) -> Any:
    return row.get(name) or ""
