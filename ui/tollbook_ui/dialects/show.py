"""How calls are told, as tables for a terminal."""

from collections.abc import Iterable

from rich.console import RenderableType

from tollbook_ui import units
from tollbook_ui.dialects.figures import Renormalization
from tollbook_ui.show import NOBODY, listed, told


def renormalization(found: Renormalization) -> Iterable[RenderableType]:
    """What has changed, before and after."""
    if not found.hours:
        yield f"Nothing to do: no hour was settled with another table of dialects than {found.version}."
        return
    rows = (
        (
            row.dialect or NOBODY,
            f"{row.provider}/{row.model}",
            units.count(row.calls_before),
            units.count(row.calls),
            units.count(row.tokens_before),
            units.count(row.tokens),
            units.usd(row.cost_usd_before),
            units.usd(row.cost_usd),
        )
        for row in found.rows
    )
    headings = ("dialect", "model", ">calls before", ">now", ">tokens before", ">now", ">cost before", ">now")
    if found.rows:
        yield listed("What has changed", headings, rows)
    else:
        yield "Nothing has changed."
    yield told(
        ("Table of dialects", found.version),
        ("Hours settled again", f"{units.count(found.hours)}, {units.count(found.outdated_hours)} of them had another table"),
        ("Calls", f"{units.count(found.calls_before)} before, {units.count(found.calls)} now"),
        ("Tokens", f"{units.count(found.tokens_before)} before, {units.count(found.tokens)} now"),
        ("Cost", f"{units.usd_exact(found.cost_usd_before)} before, {units.usd_exact(found.cost_usd)} now"),
    )
