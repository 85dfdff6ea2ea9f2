"""Building blocks: cards, tables, stacked bars, notes. Plain data, drawn as HTML or Markdown; every text is escaped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tollbook_ui import plain, units

Link = Callable[[str], str]
"""Address of a request, from its trace id."""

SIMULATED = "simulated"
"""Badge of money that a stand-in would have cost."""

MOST_OF_A_NAME = 100
"""Characters; a longer name is cut, as it would push all other columns aside."""

Tone = Literal["", "muted", "good", "warn", "bad"]


@dataclass(frozen=True)
class Cell:
    """One value: what is shown, what hovering tells, and how it is drawn."""

    text: str
    exact: str = ""
    """Shown on hover, such as the amount to the last digit."""
    share: float | None = None
    """0 to 1: draws a bar of that length behind the value."""
    tone: Tone = ""
    badge: str = ""
    href: str = ""


@dataclass(frozen=True)
class Column:
    """Title of a column; numbers are aligned to the right."""

    title: str
    number: bool = False
    help: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under columns, with an optional closing line."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    foot: str = ""
    """A line in small print below."""


@dataclass(frozen=True)
class Card:
    """One headline number."""

    label: str
    value: str
    note: str = ""
    exact: str = ""
    badge: str = ""
    delta: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Part:
    """One part of a stacked bar."""

    label: str
    value: Decimal
    text: str
    colour: str
    exact: str = ""


@dataclass(frozen=True)
class Note:
    """What is missing, why, and what to do next."""

    title: str
    text: str
    commands: tuple[str, ...] = ()
    tone: Tone = ""
    items: tuple[str, ...] = field(default=())


def short(name: str, most: int = 28) -> str:
    """A long id cut to `most` characters."""
    return name if len(name) <= most else name[: most - 1] + "…"


def middle(name: str, most: int = 60) -> str:
    """A long path or address cut in the middle: its end tells it from others."""
    begin = most // 3
    return name if len(name) <= most else f"{name[:begin]}…{name[begin + 1 - most :]}"


def text(value: str | None, unknown: str = "-", badge: str = "", tone: Tone = "") -> Cell:
    """A name; a missing one is drawn as missing, a very long one whole on hover only."""
    return Cell(*_long(value), badge=badge, tone=tone) if value else Cell(unknown, tone="muted")


def money(amount_usd: Decimal | None, largest_usd: Decimal | None = None, badge: str = "") -> Cell:
    """Dollars, exact on hover; with `largest_usd` also a bar."""
    if amount_usd is None:
        return Cell(units.UNKNOWN, tone="muted", badge=badge)
    share = float(amount_usd / largest_usd) if largest_usd else None
    return Cell(units.usd(amount_usd), units.usd_exact(amount_usd), share, badge=badge)


def simulated(simulated_usd: Decimal, amount_usd: Decimal | None) -> str:
    """Badge of an amount of which a stand-in would have cost a part, or all."""
    if not simulated_usd:
        return ""
    return SIMULATED if simulated_usd == amount_usd else f"{units.usd(simulated_usd)} {SIMULATED}"


def unpriced(calls: int) -> str:
    """Badge of an amount that calls without a price are missing from."""
    return f"+ {calls:,} unpriced" if calls else ""


def duration(value_ns: float | None) -> Cell:
    """Elapsed time, exact nanoseconds on hover."""
    exact = "" if value_ns is None else f"{value_ns:,.0f} ns"
    return Cell(units.duration(value_ns), exact, tone="muted" if value_ns is None else "")


def age(value_ns: float | None) -> Cell:
    """Age of data."""
    return Cell(units.age(value_ns), tone="muted" if value_ns is None else "")


def size(value_bytes: float | None) -> Cell:
    """Bytes, exact on hover."""
    exact = "" if value_bytes is None else f"{value_bytes:,.0f} bytes"
    return Cell(units.size(value_bytes), exact, tone="muted" if value_bytes is None else "")


def count(value: float | None) -> Cell:
    """A whole number."""
    return Cell(units.count(value), tone="muted" if value is None else "")


def percent(ratio: float | None, bar: bool = False) -> Cell:
    """A share of a whole."""
    return Cell(units.percent(ratio), share=ratio if bar else None, tone="muted" if ratio is None else "")


def linked(label: str, trace_id: str, link: Link | None, named: bool = True) -> Cell:
    """A name that leads to its request, where there is somewhere to lead to."""
    href = link(trace_id) if link and trace_id else ""
    return Cell(*_long(label), href=href, tone="" if named else "muted")


def _long(name: str) -> tuple[str, str]:
    """What is shown of a name, and what hovering adds."""
    return (short(name, MOST_OF_A_NAME), name) if len(name) > MOST_OF_A_NAME else (name, "")


def signed(cell: Cell, value: Decimal | int | None) -> Cell:
    """A difference: more is bad, less is good."""
    if not value:
        return cell
    tone: Tone = "bad" if value > 0 else "good"
    return replace(cell, text=f"+{cell.text}" if value > 0 else cell.text, tone=tone)


def ratio(part: Decimal | int, whole: Decimal | int) -> float | None:
    """Share of a whole, 0 to 1; None of nothing."""
    return float(Decimal(part) / Decimal(whole)) if whole else None


@cache
def environment() -> Environment:
    """Templates of this package, escaping everything."""
    env = Environment(
        loader=PackageLoader("tollbook_ui.look", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_seen,
    )
    env.filters["md"] = escape_markdown
    return env


def _seen(value: object) -> object:
    """Text without what turns the direction of writing or is not seen: an amount beside such a name would read backwards."""
    return plain.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def stylesheet() -> str:
    """The CSS of all blocks."""
    return (resources.files("tollbook_ui.look") / "style.css").read_text(encoding="utf-8")


def html(*blocks: "Block") -> Markup:
    """The blocks as HTML, one after another."""
    macros = environment().get_template("blocks.html.j2").module
    return Markup("\n").join(getattr(macros, _macro(block))(block) for block in blocks)


def markdown(block: "Block") -> str:
    """The block as Markdown."""
    macros = environment().get_template("blocks.md.j2").module
    return str(getattr(macros, _macro(block))(block)).strip() + "\n"


@dataclass(frozen=True)
class Cards:
    """Headline numbers side by side."""

    cards: Sequence[Card]


@dataclass(frozen=True)
class Stack:
    """A stacked bar with its legend; parts are shares of their sum."""

    parts: Sequence[Part]

    @property
    def total(self) -> Decimal:
        """What all parts make together."""
        return sum((part.value for part in self.parts), Decimal(0))

    def share(self, part: Part) -> float:
        """The part's share of the whole, 0 to 1."""
        return float(part.value / self.total) if self.total else 0.0


@dataclass(frozen=True)
class Bars:
    """Labelled stacked bars on one scale, to compare."""

    rows: Sequence[tuple[str, Sequence[Part], str]]
    """Label, parts, and the sum in words."""

    def share(self, part: Part) -> float:
        """The part's length, 0 to 1, of the longest bar."""
        longest = max((sum(part.value for part in parts) for _, parts, _ in self.rows), default=0)
        return float(part.value / longest) if longest else 0.0


@dataclass(frozen=True)
class Keys:
    """What colours mean: label and colour."""

    keys: Sequence[tuple[str, str]]


Block = Table | Cards | Stack | Bars | Keys | Note


def escape_markdown(value: str) -> Markup:
    """Text that means only itself in Markdown and in HTML, on one line."""
    flat = plain.visible(" ".join(str(value).split()))
    escaped = "".join(f"\\{char}" if char in "\\`*_{}[]#|~" else char for char in flat)
    return Markup(escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))  # noqa: S704


def _macro(block: "Block") -> str:
    return type(block).__name__.lower()
