"""Age of data, use of devices, and scaffolding as blocks. Pure: figures in, blocks out."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.answers import total
from tollbook_ui.look import blocks, palette
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Note, Part, Stack, Table
from tollbook_ui.look.cost import UNNAMED

FIXES = {
    "repeated_lookup": "Look it up once for each request and pass the answer on, or cache it.",
    "duplicate_copy": "Compare digests before copying, or read from the source instead of a copy.",
    "repeated_inference": "Keep the answer, keyed by the input's digest, and ask the model once.",
    "stale_input": "Sync more often, or read from the source at the moment of inference.",
    "scaffolding": "Do the step in-process, in batches, or not at all; the example shows where it sits.",
}
FINDINGS = {
    "repeated_lookup": "Repeated lookup",
    "duplicate_copy": "Duplicate copy",
    "repeated_inference": "Repeated inference",
    "stale_input": "Stale input",
    "scaffolding": "Scaffolding",
}
OPAQUE = re.compile("[0-9a-fA-F]{8}-?[0-9a-fA-F-]{16,}")
"""An id that a machine gave itself, such as that of /etc/machine-id; twelve digits of it tell machines apart."""
KINDS = {"gpu": "GPU", "cpu": "CPU, no accelerator"}
CLASS_COLOURS = {
    "glue": "#cc5f43",
    "middleware": "#8a63c9",
    "sync": "#b5862f",
    "copy": "#c7679a",
    "transform": "#3f78c4",
    "lookup": "#c9a227",
    "logging": "#7d8a97",
}


def freshness_cards(freshness: f.Freshness) -> Cards:
    """How old, and known for how many."""
    cover = freshness.coverage
    oldest = max((row.age_max_ns for row in freshness.rows if row.age_max_ns is not None), default=None)
    return Cards(
        (
            Card("Inferences", units.count(cover.inferences)),
            Card(
                "With a known age",
                units.percent(cover.inferences_with_age_ratio),
                f"{units.count(cover.inferences_with_age)} of {units.count(cover.inferences)}",
                tone="" if cover.inferences else "muted",
            ),
            Card("Age, median", units.age(median_age(freshness)), tone="" if median_age(freshness) is not None else "muted"),
            Card("Oldest input", units.age(oldest), tone="" if oldest is not None else "muted"),
        )
    )


def median_age(freshness: f.Freshness) -> float | None:
    """Median age of all single inferences at hand, in ns."""
    ages = sorted(point.age_ns for point in freshness.points)
    return ages[len(ages) // 2] if ages else None


def age_labels(buckets: Iterable[f.AgeBucket]) -> list[str]:
    """'under 1 min', '1 min to 1 h', … 'over 30 d'."""
    labels, lower = [], ""
    for bucket in buckets:
        upper = units.age(bucket.upper_ns) if bucket.upper_ns is not None else ""
        labels.append(f"over {lower}" if not upper else f"{lower} to {upper}" if lower else f"under {upper}")
        lower = upper
    return labels


def freshness_table(freshness: f.Freshness) -> Table:
    """Age of the oldest input at inference by workflow and model."""
    return Table(
        (
            Column("Workflow"),
            Column("Model"),
            Column("Inferences", True),
            Column("Age known", True),
            Column("Youngest", True),
            Column("Median", True),
            Column("95% within", True),
            Column("Oldest", True),
        ),
        tuple(
            (
                blocks.text(row.workflow, UNNAMED),
                blocks.text(row.model, units.UNKNOWN),
                blocks.count(row.inferences),
                blocks.percent(blocks.ratio(row.inferences_with_age, row.inferences), bar=True),
                blocks.age(row.age_min_ns),
                blocks.age(row.age_p50_ns),
                blocks.age(row.age_p95_ns),
                blocks.age(row.age_max_ns),
            )
            for row in freshness.rows
        ),
    )


def asset_table(assets: Sequence[f.AssetAge]) -> Table:
    """The oldest data that inferences used."""
    return Table(
        (
            Column("Asset"),
            Column("Workflow"),
            Column("Inferences", True),
            Column("Oldest use", True, "Age of the data at the inference"),
            Column("Data from, UTC", True),
            Column("Copied at, UTC", True),
        ),
        tuple(
            (
                Cell(row.asset_id),
                blocks.text(row.workflow, UNNAMED),
                blocks.count(row.inferences),
                blocks.age(row.age_max_ns),
                Cell(units.moment(row.event_time), tone="" if row.event_time else "muted"),
                Cell(units.moment(row.synced_at) if row.synced_at else "no copy", tone="" if row.synced_at else "muted"),
            )
            for row in assets
        ),
    )


def accelerator_table(accelerators: f.Accelerators) -> Table:
    """Devices, how busy they were, and what it cost."""
    return Table(
        (
            Column("Device"),
            Column("Kind"),
            Column("Host"),
            Column("Busy", True),
            Column("Busy time", True),
            Column("Capacity", True),
            Column("Used", True, "Money of the time that requests used"),
            Column("Idle", True, "Money of the time that nobody used"),
            Column("Energy", True, "As its meter tells"),
            Column("Each request", True, "Energy of a request on it, in the mean"),
            Column("Slices", True, "MIG instances and shares that requests named"),
            Column("Measured by"),
        ),
        tuple(
            (
                Cell(device_name(row.device) or units.UNKNOWN, f"{row.device} {row.model}".strip()),
                Cell(KINDS.get(row.kind, row.kind)),
                Cell(_machine(row.host) or units.UNKNOWN, row.host),
                blocks.percent(row.busy_ratio, bar=True),
                _seconds(row.busy_seconds),
                _seconds(row.capacity_seconds),
                _unpriced(row.cost_usd),
                _unpriced(row.idle_usd),
                _energy(row.joules),
                _energy(units.mean(row.request_joules, row.requests)),
                Cell(str(len(row.slices)) if row.slices else "", ", ".join(row.slices)),
                blocks.text(row.source, units.UNKNOWN),
            )
            for row in accelerators.rows
        ),
    )


def device_name(device: str) -> str:
    """How people call a device: 'CPU of machine 3f2a91c0b7d4' for the processors of a machine that has nothing but an id."""
    host = device.removeprefix("cpu:")
    return blocks.short(device) if host == device else f"CPU of {_machine(host) or 'an unnamed machine'}"


def _machine(host: str) -> str:
    return f"machine {host[:12]}" if OPAQUE.fullmatch(host) else blocks.short(host)


def cpu_note(accelerators: f.Accelerators) -> Note | None:
    """Says plainly that no accelerator was seen and the figures are the processors'."""
    if not accelerators.rows or any(row.kind == "gpu" for row in accelerators.rows):
        return None
    return Note(
        "No accelerator reported",
        "No hw.gpu metric arrived in this period. These are the processors (CPU) that the work ran on, "
        "measured by the metric that each row names.",
    )


def class_stack(hotspots: f.Hotspots) -> Stack:
    """Time by scaffolding class; 'useful' is what the requests are for."""
    colours = {"useful": palette.USEFUL}
    return Stack(
        tuple(
            Part(
                row.scaffolding_class or "not classified",
                Decimal(row.self_ns),
                units.duration(row.self_ns),
                colours.get(row.scaffolding_class, CLASS_COLOURS.get(row.scaffolding_class, "#a9b1b9")),
                f"{units.duration(row.self_ns)}, {units.usd(row.cost_usd)}, {units.size(row.bytes)}",
            )
            for row in sorted(hotspots.classes, key=lambda row: -row.self_ns)
        )
    )


def scaffolding_share(hotspots: f.Hotspots) -> float | None:
    """Share of the working time that is scaffolding, 0 to 1; None without any time."""
    time = sum(row.self_ns for row in hotspots.classes if row.scaffolding_class not in ("", "useful"))
    return blocks.ratio(time, sum(row.self_ns for row in hotspots.classes))


def fix(finding: f.Finding) -> str:
    """What to do about it."""
    return FIXES.get(finding.kind, "Look at its example.")


def savings(findings: Sequence[f.Finding]) -> tuple[f.Finding, ...]:
    """Findings that say what to leave out; plain scaffolding stands in the table of operations."""
    return tuple(finding for finding in findings if finding.kind != "scaffolding")


def scaffolding_cards(hotspots: f.Hotspots) -> Cards:
    """How much is scaffolding, in time, bytes and money, and what fixing it would save."""
    scaffolding = [row for row in hotspots.classes if row.scaffolding_class not in ("", "useful")]
    time = sum(row.self_ns for row in scaffolding)
    cost = total(row.cost_usd for row in scaffolding)
    all_time, all_cost = (
        sum(row.self_ns for row in hotspots.classes),
        total(row.cost_usd for row in hotspots.classes),
    )
    found = savings(hotspots.findings)
    saved_usd = [row.saving_usd for row in found if row.saving_usd is not None]
    saved_ns = [row.saving_ns for row in found if row.saving_ns is not None]
    return Cards(
        (
            Card("Scaffolding, of the time", _percent(time, all_time), units.duration(time)),
            Card("Scaffolding, of the cost", _percent(cost, all_cost), units.usd(cost), units.usd_exact(cost)),
            Card("Bytes moved by it", units.size(sum(row.bytes for row in scaffolding))),
            Card(
                "Could be saved",
                units.usd(total(saved_usd)) if saved_usd else units.UNKNOWN,
                f"{units.duration(sum(saved_ns))} in {units.counted(len(found), 'finding')}" if saved_ns else "",
                tone="good" if saved_usd else "muted",
            ),
        )
    )


def hotspot_table(hotspots: f.Hotspots, link: blocks.Link | None = None, rows: int | None = None) -> Table:
    """Glue operations by their own time."""
    longest = max((row.self_ns for row in hotspots.rows), default=0)
    return Table(
        (
            Column("Operation"),
            Column("Class"),
            Column("Service"),
            Column("Times", True),
            Column("Requests", True),
            Column("Own time", True, "Without the time of its children"),
            Column("CPU", True),
            Column("Bytes", True),
            Column("Cost", True),
        ),
        tuple(
            (
                blocks.linked(row.name, row.example_trace_id, link),
                blocks.text(row.scaffolding_class),
                blocks.text(row.service_name),
                blocks.count(row.spans),
                blocks.count(row.requests),
                Cell(units.duration(row.self_ns), f"{row.self_ns:,} ns", row.self_ns / longest if longest else None),
                blocks.duration(row.cpu_self_ns),
                blocks.size(row.bytes),
                blocks.money(row.cost_usd),
            )
            for row in hotspots.rows[:rows]
        ),
    )


def finding_table(findings: Sequence[f.Finding], link: blocks.Link | None = None) -> Table:
    """What could be saved, and how."""
    return Table(
        (
            Column("Finding"),
            Column("Where"),
            Column("What was seen"),
            Column("Costs now", True),
            Column("Could save", True),
            Column("What to do"),
        ),
        tuple(
            (
                blocks.linked(FINDINGS.get(row.kind, row.kind), row.example_trace_id, link),
                Cell(", ".join(name for name in (row.workflow or row.service_name, row.team) if name)),
                Cell(f"{row.subject}: {row.detail}" if row.detail else row.subject),
                _both(row.cost_usd, row.duration_ns),
                _both(row.saving_usd, row.saving_ns),
                Cell(fix(row)),
            )
            for row in findings
        ),
    )


def _seconds(seconds: float | None) -> Cell:
    return blocks.duration(None if seconds is None else seconds * units.NS_PER_SECOND)


def _energy(joules: Decimal | None) -> Cell:
    return Cell(units.energy(joules), f"{joules:f} J" if joules is not None else "", tone="" if joules is not None else "muted")


def _unpriced(amount_usd: Decimal | None) -> Cell:
    return Cell("unpriced", tone="muted") if amount_usd is None else blocks.money(amount_usd)


def _percent(part: Decimal | int, whole: Decimal | int) -> str:
    return units.percent(blocks.ratio(part, whole))


def _both(amount_usd: Decimal | None, elapsed_ns: int | None) -> Cell:
    time = units.duration(elapsed_ns) if elapsed_ns is not None else "time unknown"
    money = units.usd(amount_usd) if amount_usd is not None else "cost unknown"
    return Cell(f"{money} · {time}", units.usd_exact(amount_usd), tone="" if amount_usd is not None else "muted")


def accelerator_cards(accelerators: f.Accelerators) -> Cards:
    """All devices of the period together."""
    rows = accelerators.rows
    busy = sum(row.busy_seconds or 0 for row in rows)
    capacity = sum(row.capacity_seconds or 0 for row in rows if row.busy_seconds is not None)
    idle = [row.idle_usd for row in rows if row.idle_usd is not None]
    kinds = " and ".join(sorted({KINDS.get(row.kind, row.kind) for row in rows}))
    cover = accelerators.coverage
    joules = [row.joules for row in rows if row.joules is not None]
    energy_usd = [row.energy_usd for row in rows if row.energy_usd is not None]
    return Cards(
        (
            Card("Devices", units.count(len(rows)), kinds),
            Card("Busy", units.percent(busy / capacity if capacity else None), tone="" if capacity else "muted"),
            Card("Idle time costs", units.usd(total(idle)) if idle else "unpriced", tone="" if idle else "muted"),
            Card(
                "Energy",
                units.energy(sum(joules, Decimal(0)) if joules else None),
                units.usd(total(energy_usd)) if energy_usd else "no price of its own" if joules else "no meter reported",
                tone="" if joules else "muted",
            ),
            Card("Hosts with an hourly rate", units.percent(cover.hosts_rated_ratio), f"{cover.hosts_rated} of {cover.hosts}"),
        )
    )
