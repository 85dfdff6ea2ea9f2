"""What the totals rest on and what they leave out, as blocks. Pure: figures in, blocks out."""

from dataclasses import dataclass

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.look import blocks
from tollbook_ui.look.blocks import Cell, Column, Note, Table
from tollbook_ui.weekly import Weekly


@dataclass(frozen=True)
class Quality:
    """What the totals rest on, and what they leave out."""

    coverage: Table
    gaps: tuple[str, ...]


def quality(overview: f.Overview) -> Quality:
    """Coverage of each total, and in words what is missing from it."""
    cover = overview.coverage
    rows = (
        _covered("Model calls with a price", cover.calls_priced, cover.calls, cover.calls_priced_ratio),
        _covered("Tokens with a price", cover.tokens_priced, cover.tokens, cover.tokens_priced_ratio),
        _covered("Hosts with an hourly rate", cover.hosts_rated, cover.hosts, cover.hosts_rated_ratio),
        _covered(
            "Inferences with a known age of input",
            cover.inferences_with_age,
            cover.inferences,
            cover.inferences_with_age_ratio,
        ),
        _covered("Requests with an owner", cover.requests_owned, cover.requests, cover.requests_owned_ratio),
    )
    table = Table((Column("What is covered"), Column("Known", True), Column("Of", True), Column("Coverage", True)), rows)
    return Quality(table, gaps(overview))


def gaps(overview: f.Overview) -> tuple[str, ...]:
    """What is not in the totals, one sentence each."""
    cover = overview.coverage
    found = [
        f"{units.counted(row.calls, 'call')} of {row.model or 'an unnamed model'}"
        f"{' (' + row.provider + ')' if row.provider else ''} without a price: {row.reason or 'reason unknown'}."
        for row in overview.unpriced
    ]
    if cover.hosts_rated < cover.hosts:
        found.append(
            f"{cover.hosts - cover.hosts_rated} of {cover.hosts} hosts have no hourly rate: "
            "what their compute time costs is unknown."
        )
    if cover.requests_owned < cover.requests:
        found.append(f"{units.counted(cover.requests - cover.requests_owned, 'request')} without an owner.")
    return tuple(found)


def late(weekly: Weekly) -> Note:
    """When the week was settled, and that what arrives later is still counted where it belongs."""
    settled = units.moment(weekly.overview.extent.settled_at)
    return Note(
        "Late data",
        f"Settled last at {settled} UTC. Spans that arrive later are settled into the hour they belong to, "
        "so these totals can still change.",
    )


def _covered(label: str, known: int, whole: int, share: float | None) -> tuple[Cell, ...]:
    return (Cell(label), blocks.count(known), blocks.count(whole), blocks.percent(share, bar=True))
