"""What a measurement gives, and the table and pages that it is printed as. Pure: figures in, Markdown out."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Rule: TypeAlias = Literal["at least", "at most", "times at least", "times at most"]
"""How a target is meant: a bound of our figure, or how often the peer's goes into it."""

HEADER = "| row | figure | Tollbook (spread) | against | theirs (spread) | ratio | target | |\n|---|---|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Series:
    """One quantity, measured once a round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value that is reported."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        median, low, high = (_number(value) for value in (self.median, min(self.values), max(self.values)))
        return f"**{median}**" if len(self.values) == 1 else f"**{median}** ({low} to {high})"


@dataclass(frozen=True)
class Line:
    """A row of the table: our figure, a peer's if there is one, and what is wanted of it."""

    row: str
    """Number in the scoreboard, or where else the target comes from."""
    figure: str
    unit: str
    ours: Series
    against: str = ""
    theirs: Series | None = None
    missing: str = ""
    """Why there is no figure of the peer; then nothing is won against it."""
    rule: Rule | None = None
    target: float = 0

    @property
    def ratio(self) -> float | None:
        """Our median in theirs."""
        return None if self.theirs is None or not self.theirs.median else self.ours.median / self.theirs.median

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; nothing where there is none or the peer is missing."""
        ratio = self.ratio
        if self.rule is None or (self.rule.startswith("times") and ratio is None):
            return None
        if ratio is not None and self.rule.startswith("times"):
            return ratio >= self.target if self.rule == "times at least" else ratio <= self.target
        return self.ours.median >= self.target if self.rule == "at least" else self.ours.median <= self.target

    def __str__(self) -> str:
        signs = {"at least": "≥ {}", "at most": "≤ {}", "times at least": "≥ {}x", "times at most": "≤ {}x"}
        target = signs[self.rule].format(_number(self.target)) if self.rule else ""
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        theirs = str(self.theirs) if self.theirs is not None else f"missing: {self.missing}" if self.missing else ""
        ratio = "" if self.ratio is None else f"{_number(self.ratio)}x"
        cells = (self.row, f"{self.figure}, {self.unit}", self.ours, self.against, theirs, ratio, target, verdict)
        return "| " + " | ".join(str(cell) for cell in cells) + " |"


@dataclass(frozen=True)
class Result:
    """What one group of measurements gives."""

    title: str
    protocol: str
    lines: Sequence[Line]
    notes: Sequence[str] = ()

    def page(self) -> str:
        """The group as Markdown, its table first."""
        parts = [f"## {self.title}\n", table(self.lines), f"\n{self.protocol}\n", *(f"* {note}" for note in self.notes)]
        return "\n".join(parts) + "\n"


def table(lines: Sequence[Line]) -> str:
    """The lines under one header."""
    return "\n".join([HEADER, *map(str, lines)])


def percentile(ordered: Sequence[float], share: float) -> float:
    """Value that this share of the others does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"
