"""Requests, models and workflows as blocks, and the receipt. Pure: figures in, blocks out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.look import blocks, palette
from tollbook_ui.look.blocks import Bars, Cell, Column, Keys, Part, Table
from tollbook_ui.look.cost import UNNAMED


def model_table(calls: f.Calls) -> Table:
    """Model calls with their tokens and money; an unpriced model says why."""
    largest = max((row.cost_usd for row in calls.rows if row.cost_usd is not None), default=None)
    rows = tuple(
        (
            Cell(row.model or units.UNKNOWN, row.provider, badge=blocks.SIMULATED if row.simulated else ""),
            blocks.count(row.calls),
            blocks.count(row.input_tokens),
            blocks.count(row.output_tokens),
            blocks.duration(row.duration_p50_ns),
            price_cell(row, largest),
        )
        for row in calls.rows
    )
    return Table(
        (
            Column("Model"),
            Column("Calls", True),
            Column("Input tokens", True, "Fresh input tokens, without cached ones"),
            Column("Output tokens", True),
            Column("Duration, median", True),
            Column("Token cost", True),
        ),
        rows,
    )


def price_cell(row: f.CallRow, largest_usd: Decimal | None) -> Cell:
    """Money of calls that have a price or a lower bound; otherwise why there is none."""
    if row.price_status == "local":
        return Cell("own compute", "Runs on your machines: its cost is in compute, not in tokens", tone="muted")
    if row.price_status == "no_tokens":
        return Cell("no tokens told", row.reason, tone="warn")
    if row.cost_usd is None:
        return Cell("unpriced", row.reason, tone="warn")
    return replace(blocks.money(row.cost_usd, largest_usd), badge=row.reason.partition(":")[0])


def workflow_table(rows: Sequence[f.WorkflowRow], link: blocks.Link | None = None) -> Table:
    """Workflows side by side: time, bytes, hops and money for each request."""
    largest = max((row.cost_usd for row in rows if row.cost_usd is not None), default=None)
    return Table(
        (
            Column("Workflow"),
            Column("Model"),
            Column("Runs"),
            Column("Requests", True),
            Column("Duration, median", True),
            Column("Around the model", True, "Median time of a request outside its model calls"),
            Column("Moved", True, "Median bytes handed over for each request"),
            Column("Hops", True, "Median process boundaries crossed for each request"),
            Column("Per request", True),
            Column("Cost", True),
        ),
        tuple(
            (
                blocks.linked(row.workflow or UNNAMED, row.example_trace_id, link, bool(row.workflow)),
                blocks.text(row.model),
                blocks.text(row.location.replace("_", "-")),
                blocks.count(row.requests),
                blocks.duration(row.duration_p50_ns),
                blocks.duration(row.tax_p50_ns),
                blocks.size(row.bytes_p50),
                blocks.count(row.hops_p50),
                blocks.money(row.cost_per_request_usd),
                request_cost(row, largest),
            )
            for row in rows
        ),
    )


def tax_table(pair: f.ExecutionTax, link: blocks.Link | None = None) -> Table:
    """The same model in-process and remote, for each request in the median, and the difference."""
    here, there = pair.in_process, pair.remote
    return Table(
        (
            Column("For each request, median"),
            Column("In-process", True),
            Column("Remote", True),
            Column("Execution tax", True),
        ),
        (
            _tax("Duration", blocks.duration, here.duration_p50_ns, there.duration_p50_ns),
            _tax("Inside the model", blocks.duration, here.model_p50_ns, there.model_p50_ns),
            _tax("Around the model", blocks.duration, here.tax_p50_ns, there.tax_p50_ns),
            _tax("Bytes moved", blocks.size, here.bytes_p50, there.bytes_p50),
            _tax("Hops", blocks.count, here.hops_p50, there.hops_p50),
            (
                Cell("Cost, mean"),
                blocks.money(here.cost_per_request_usd),
                blocks.money(there.cost_per_request_usd),
                blocks.signed(blocks.money(pair.cost_usd), pair.cost_usd),
            ),
            (
                Cell("Workflow"),
                blocks.linked(here.workflow, here.example_trace_id, link),
                blocks.linked(there.workflow, there.example_trace_id, link),
                Cell(""),
            ),
        ),
    )


def tax_bars(pair: f.ExecutionTax) -> Bars:
    """The median request in-process and remote as bars: time inside the model and around it."""
    sides = (("In-process", pair.in_process), ("Remote", pair.remote))
    return Bars(tuple((label, _time_parts(row), units.duration(row.duration_p50_ns)) for label, row in sides))


def _time_parts(row: f.WorkflowRow) -> tuple[Part, ...]:
    parts = (
        ("inside the model", row.model_p50_ns, palette.KINDS["inference"]),
        ("around it", row.tax_p50_ns, palette.SCAFFOLDING),
    )
    return tuple(Part(label, Decimal(ns), units.duration(ns), colour) for label, ns, colour in parts if ns is not None)


def tax_sentence(pair: f.ExecutionTax) -> str:
    """The execution tax in one sentence."""
    facts = (
        units.duration(pair.tax_ns) + " around the model" if pair.tax_ns is not None else "",
        units.size(pair.bytes) if pair.bytes is not None else "",
        units.counted(pair.hops, "hop") if pair.hops is not None else "",
        units.usd(pair.cost_usd) if pair.cost_usd is not None else "",
    )
    said = [fact for fact in facts if fact]
    listed = f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else "".join(said) or "nothing that is known"
    return f"Running it remotely adds {listed} to each request. Medians; cost is the mean."


TAX_KEYS = Keys((("inside the model", palette.KINDS["inference"]), ("around the model", palette.SCAFFOLDING)))


def request_table(requests: f.Requests, link: blocks.Link | None = None, rows: int | None = None) -> Table:
    """The dearest requests, with the id that `tollbook receipt` takes."""
    largest = max((row.cost_usd for row in requests.rows if row.cost_usd is not None), default=None)
    return Table(
        (
            Column("Request"),
            Column("Team"),
            Column("Trace"),
            Column("Duration", True),
            Column("Age of input", True),
            Column("Moved", True),
            Column("Cost", True),
        ),
        tuple(
            (
                Cell(row.workflow or row.name, badge=blocks.SIMULATED if row.simulated else ""),
                blocks.text(row.team),
                blocks.linked(row.trace_id, row.trace_id, link),
                blocks.duration(row.duration_ns),
                blocks.age(row.input_age_ns),
                blocks.size(row.handoff_bytes),
                request_cost(row, largest),
            )
            for row in requests.rows[:rows]
        ),
    )


def request_cost(row: f.RequestRow | f.WorkflowRow, largest_usd: Decimal | None) -> Cell:
    """Money of a request or a workflow, marked where calls without a price are missing from it."""
    return blocks.money(row.cost_usd, largest_usd, blocks.unpriced(row.unpriced_calls))


def receipt_table(receipt: f.Receipt) -> Table:
    """The receipt: what was used, at which price, and the sum."""
    rows = tuple(
        (
            Cell(item.item, f"{item.method} · {item.resource} · {item.basis}", badge=blocks.SIMULATED if item.simulated else ""),
            _used(item),
            blocks.money(item.amount_usd),
        )
        for item in receipt.items
    )
    return Table(
        (Column("Item"), Column("Used", True), Column("Cost", True)),
        rows,
        (Cell("Total"), Cell(""), blocks.money(receipt.total_usd)),
        f"Adds up to the last digit: {units.usd_exact(receipt.total_usd)}" if receipt.rows else "",
    )


def _tax(label: str, show: Callable[[float | None], Cell], here: int | None, there: int | None) -> tuple[Cell, ...]:
    more = None if here is None or there is None else there - here
    return (Cell(label), show(here), show(there), blocks.signed(show(more), more))


def _used(item: f.ReceiptItem) -> Cell:
    exact = f"{item.quantity:,f} {item.unit}, {units.counted(item.lines, 'line')}"
    if item.unit == "s":
        return Cell(units.duration(float(item.quantity * units.NS_PER_SECOND)), exact)
    return Cell(f"{units.quantity(item.quantity)} {item.unit}", exact)


def data_table(assets: Sequence[f.Asset]) -> Table:
    """The data that inferences of one request used, with its age at that moment."""
    return Table(
        (Column("Asset"), Column("Age", True), Column("Known by")),
        tuple(
            (
                Cell(asset.asset_id, f"data from {units.moment(asset.event_time)}, copied {units.moment(asset.synced_at)}"),
                blocks.age(asset.age_ns),
                Cell("named by the span" if asset.via == "span" else "order in the trace"),
            )
            for asset in assets
        ),
    )


def machine_table(resources: Sequence[f.Resource]) -> Table:
    """The processes and machines one request ran on."""
    return Table(
        (Column("Service"), Column("Host"), Column("Type"), Column("Spans", True)),
        tuple(
            (
                Cell(resource.service_name, resource.service_instance_id),
                blocks.text(resource.host_name or resource.host_id, units.UNKNOWN),
                blocks.text(resource.host_type, units.UNKNOWN),
                blocks.count(resource.spans),
            )
            for resource in resources
        ),
    )
