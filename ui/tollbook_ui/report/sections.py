"""What the report says, section by section. Pure: a week's figures in, blocks out."""

from dataclasses import dataclass
from datetime import timedelta

from tollbook_ui import figures as f
from tollbook_ui import units, unsettled
from tollbook_ui.costs.changes import of_nobody
from tollbook_ui.look import blocks, budget, change, cost, effort, quality, spend, work
from tollbook_ui.look.blocks import Note
from tollbook_ui.weekly import Weekly

MOST_ROWS = 10
"""Rows of a long table; the dashboard and the CLI have them all."""


@dataclass(frozen=True)
class Section:
    """One heading with what stands under it."""

    title: str
    note: str
    """How to read it, in one sentence."""
    blocks: tuple[blocks.Block, ...]
    plot: str = ""
    """Name of the plot that follows the first block."""


def title(weekly: Weekly) -> str:
    """'Week 2026-W47: 16 to 22 November 2026'."""
    first, last = weekly.period.since, weekly.period.until - timedelta(days=1)
    start = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
    return f"Week {weekly.week}: {start} to {last.day} {last:%B} {last.year}"


def lead(weekly: Weekly) -> tuple[str, ...]:
    """The week in a few sentences."""
    now = weekly.overview
    if not now.traffic.requests and not now.totals.lines:
        return tuple(sentence for sentence in (unsettled.note(now.unsettled_hours), _empty(weekly)) if sentence)
    said = [
        unsettled.note(now.unsettled_hours),
        _spent(weekly),
        _moved(weekly),
        *_broken(weekly),
        _idle(now.totals),
        _scaffolding(weekly.hotspots),
        _best_saving(now.findings),
        _unknown(now),
    ]
    return tuple(sentence for sentence in said if sentence)


def of(weekly: Weekly) -> tuple[Section, ...]:
    """The sections, in the order they are read."""
    now = weekly.overview
    if not now.traffic.requests and not now.totals.lines:
        return (_about(weekly),)
    return (
        Section("", "", (cost.headline(now, weekly.previous),)),
        _money(weekly),
        *_change(weekly),
        *_budgets(weekly),
        *_owners(weekly),
        _models(weekly.calls),
        _workflows(weekly),
        *(_tax(pair) for pair in weekly.comparison.pairs),
        _requests(weekly),
        _freshness(weekly.freshness),
        _accelerators(weekly.accelerators),
        _hotspots(weekly.hotspots),
        *_caching(weekly),
        *_anomalies(weekly),
        _about(weekly),
    )


def _empty(weekly: Weekly) -> str:
    extent = weekly.overview.extent
    if not extent.spans:
        return "Nothing happened: the store holds no spans. To get some, run: tollbook demo, or: tollbook ingest FILE"
    if extent.settled_at is None:
        return f"{units.count(extent.spans)} spans are stored and none is settled. Settle them with: tollbook settle."
    return (
        f"Nothing happened in this week. The store holds requests from {units.moment(extent.first_request)} "
        f"to {units.moment(extent.last_request)} UTC."
    )


def _spent(weekly: Weekly) -> str:
    totals, traffic = weekly.overview.totals, weekly.overview.traffic
    before = weekly.previous.totals.total_usd if weekly.previous.traffic.requests else None
    compared = f"{units.change(totals.total_usd, before)} to the week before" if before else "the week before is unknown"
    simulated = f", {units.usd(totals.simulated_usd)} of it simulated" if totals.simulated_usd else ""
    return (
        f"{units.count(traffic.requests)} requests, and all that was paid for beside them, cost "
        f"{units.usd(totals.total_usd)}{simulated}; {compared}."
    )


def _moved(weekly: Weekly) -> str:
    """The first cause, where there is a week before to compare with."""
    found = weekly.bridge
    if not found.drivers or not found.before_usd:
        return ""
    first = found.drivers[0]
    whose = ", ".join(value or "no name" for value in first.workload)
    of = "" if of_nobody(first) else f" of {whose}"
    figures = f" ({first.said})" if first.said else ""
    return f"What moved it most: {first.cause}{of}, {change.signed(first.amount_usd)}{figures}."


def _broken(weekly: Weekly) -> tuple[str, ...]:
    names = [row.budget for row in weekly.budgets.broken]
    return (f"Budgets broken or about to be: {', '.join(names)}.",) if names else ()


def _idle(totals: f.Totals) -> str:
    share = blocks.ratio(totals.idle_usd, totals.total_usd)
    return f"{units.percent(share)} of the money was idle time that no request used." if share else ""


def _scaffolding(hotspots: f.Hotspots) -> str:
    share = effort.scaffolding_share(hotspots)
    return f"{units.percent(share)} of the working time was scaffolding: copies, lookups, glue and hops." if share else ""


def _best_saving(findings: tuple[f.Finding, ...]) -> str:
    best = next((finding for finding in findings if finding.saving_usd), None)
    if best is None:
        return ""
    return f"The best thing to do: {effort.fix(best)} It saves {units.usd(best.saving_usd)} ({best.subject})."


def _unknown(now: f.Overview) -> str:
    cover = now.coverage
    if cover.calls_priced == cover.calls:
        return ""
    missing = f"{units.count(cover.calls - cover.calls_priced)} of {units.count(cover.calls)} model calls"
    return f"{missing} have no price and are not in the total."


def _money(weekly: Weekly) -> Section:
    now = weekly.overview
    note = "Every line of the ledger is in exactly one row; the rows add up to the total, to the last digit."
    return Section("Where the money went", note, (cost.money_stack(now.rows), cost.category_table(now)), "cost")


def _change(weekly: Weekly) -> tuple[Section, ...]:
    found = weekly.bridge
    if not found.drivers or not found.before_usd:
        return ()
    note = "From the week before to this one. Each cause is exact; together they are the change, to the last digit."
    tables = (change.said(found), change.cause_table(found), change.driver_table(found, MOST_ROWS))
    return (Section("What changed, and why", note, tables, "bridge"),)


def _budgets(weekly: Weekly) -> tuple[Section, ...]:
    found = weekly.budgets
    if not found.rows:
        return ()
    note = "Each in the period that it was in then. The forecast keeps the pace of the last seven days."
    said = budget.reasons(found)
    return (Section("Budgets", note, (budget.budget_table(found), *((said,) if said else ()))),)


def _caching(weekly: Weekly) -> tuple[Section, ...]:
    found = weekly.caches
    if not (found.avoided_calls or any(row.read_tokens or row.written_tokens for row in found.rows)):
        return ()
    return (
        Section(
            "Caching",
            "What reading from caches saved, and writing to them cost.",
            (spend.cache_cards(found), spend.cache_table(found)),
        ),
    )


def _anomalies(weekly: Weekly) -> tuple[Section, ...]:
    if not weekly.anomalies.rows:
        return ()
    note = "Hours and days at which a workflow cost far more than it usually does at such a time."
    return (Section("Out of the ordinary", note, (spend.anomaly_table(weekly.anomalies),)),)


def _owners(weekly: Weekly) -> tuple[Section, ...]:
    note = "Money that no request caused stays apart, so that each column adds up to the total."
    return tuple(Section(f"Cost by {key}", note, (cost.owner_table(weekly.owners, key),)) for key in ("team", "workflow"))


def _models(calls: f.Calls) -> Section:
    table = _or_none(work.model_table(calls), "No model was called.")
    return Section("Models", "A model on your own machines costs compute, not tokens.", (table,))


def _workflows(weekly: Weekly) -> Section:
    table = _or_none(work.workflow_table(weekly.comparison.rows), "No request names its workflow.")
    return Section("Workflows side by side", "For each request, in the median.", (table,))


def _tax(pair: f.ExecutionTax) -> Section:
    note = "The same model in-process and behind a network call."
    said = Note("In short", work.tax_sentence(pair))
    return Section(f"Execution tax of {pair.model}", note, (work.tax_bars(pair), work.TAX_KEYS, work.tax_table(pair), said))


def _requests(weekly: Weekly) -> Section:
    note = "To itemize one of them, run: tollbook receipt TRACE"
    table = work.request_table(weekly.requests, rows=MOST_ROWS)
    return Section("Dearest requests", note, (_or_none(table, "No request was settled."),))


def _freshness(freshness: f.Freshness) -> Section:
    note = "Age of the oldest data that a model used, at the moment it used it."
    if not freshness.coverage.inferences:
        return Section("Freshness of data", note, (Note("No inference", "No model was called in this week."),))
    if not freshness.coverage.inferences_with_age:
        unknown = Note("No age is known", "No inference says which data it used: its age is unknown, not zero.")
        return Section("Freshness of data", note, (effort.freshness_cards(freshness), unknown))
    tables = [effort.freshness_table(freshness)]
    if freshness.assets:
        tables.append(effort.asset_table(freshness.assets[:MOST_ROWS]))
    return Section("Freshness of data", note, (effort.freshness_cards(freshness), *tables), "age")


def _accelerators(accelerators: f.Accelerators) -> Section:
    note = "Busy share of each device, from the metric that its row names."
    if not accelerators.rows:
        missing = Note("No device reported", "No hw.gpu, process or system metric arrived in this week: utilization is unknown.")
        return Section("Accelerators", note, (missing,))
    name = "Accelerators" if any(row.kind == "gpu" for row in accelerators.rows) else "Accelerators: none, so the CPU"
    said = effort.cpu_note(accelerators)
    return Section(name, note, (effort.accelerator_table(accelerators), *((said,) if said else ())), "busy")


def _hotspots(hotspots: f.Hotspots) -> Section:
    note = "Scaffolding is what surrounds the work. Time is each span's own, without its children."
    if not hotspots.classes:
        return Section("Scaffolding hotspots", note, (Note("None seen", "No span of this week is marked as scaffolding."),))
    found: list[blocks.Block] = [effort.scaffolding_cards(hotspots)]
    if findings := effort.savings(hotspots.findings):
        found.append(effort.finding_table(findings[:MOST_ROWS]))
    if hotspots.rows:
        found.append(effort.hotspot_table(hotspots, rows=MOST_ROWS))
    return Section("Scaffolding hotspots", note, tuple(found), "hotspots")


def _about(weekly: Weekly) -> Section:
    found = quality.quality(weekly.overview)
    gaps = (Note("Missing from these totals", "", items=found.gaps, tone="warn"),) if found.gaps else ()
    late = quality.late(weekly)
    return Section(
        "How much of this is known", "Absent is not zero: what is unknown is in no total.", (found.coverage, *gaps, late)
    )


def _or_none(table: blocks.Table, otherwise: str) -> blocks.Block:
    return table if table.rows else Note("None", otherwise)
