"""What the demo prints at its end. Every figure is an answer from stored spans; this module only lays it out."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.answers import Answers, total

IN_PROCESS = "intake-in-process"
REMOTE = "intake-remote"
SIMULATED = "simulated provider"
NO_OWNER = "no owner"
HOTSPOT_ROWS = 8
FINDING_ROWS = 8
MAX_REQUESTS = 10_000


def show(console: Console, answers: Answers) -> None:
    """Print the whole bill of the demo."""
    for part in (receipts, medians, owners, calls, hotspots, findings):
        console.print(part(answers))
        console.print()


def receipts(answers: Answers) -> RenderableType:
    """Two receipts of the same document; it is the one whose remote request took the median time."""
    remote = answers.requests(f.Scope(workflow=REMOTE), limit=MAX_REQUESTS, order="duration").rows
    if not remote:
        return Text("No remote request is settled, so there are no two receipts to compare.")
    remote_id = remote[len(remote) // 2].trace_id
    in_process_id = answers.same_data(remote_id).get(IN_PROCESS)
    if in_process_id is None:
        return Text(f"No in-process request read what {remote_id} read, so there are no two receipts to compare.")
    return _side_by_side(answers.request(in_process_id), answers.request(remote_id))


def medians(answers: Answers) -> RenderableType:
    """What a request of each workflow takes in the median."""
    comparison = answers.comparison()
    table = _table(
        "All documents",
        "workflow",
        "model",
        "requests",
        "median",
        "p95",
        "in the model",
        "around it",
        "bytes",
        "hops",
        "cost each",
    )
    for row in comparison.rows:
        table.add_row(
            row.workflow,
            row.model,
            units.count(row.requests),
            units.duration(row.duration_p50_ns),
            units.duration(row.duration_p95_ns),
            units.duration(row.model_p50_ns),
            units.duration(row.tax_p50_ns),
            units.size(row.bytes_p50),
            units.count(row.hops_p50),
            units.usd(row.cost_per_request_usd),
        )
    return Group(table, *(_tax(pair) for pair in comparison.pairs))


def owners(answers: Answers) -> RenderableType:
    """Money by owner, and how much of everything is covered."""
    answer = answers.owners(by=("team", "workflow"))
    table = _table("Who pays", "team", "workflow", "allocation", "requests", "amount", "of it simulated")
    for row in answer.rows:
        table.add_row(
            row.team or NO_OWNER,
            row.workflow or "",
            row.allocation,
            units.count(row.requests),
            units.usd(row.amount_usd),
            units.usd(row.simulated_usd) if row.simulated_usd else "",
        )
    table.add_section()
    table.add_row("Total", "", "", "", units.usd(answer.totals.total_usd), units.usd(answer.totals.simulated_usd))
    return Group(table, _coverage(answer.coverage))


def calls(answers: Answers) -> RenderableType:
    """Model calls with and without a price; a stand-in's are named as such."""
    table = _table("Model calls", "model", "provider", "price", "calls", "fresh", "cached", "output tokens", "amount")
    for row in answers.calls().rows:
        table.add_row(
            row.model,
            f"{row.provider}, {SIMULATED}" if row.simulated else row.provider,
            row.price_status,
            units.count(row.calls),
            *(
                "" if row.price_status == "local" else units.count(tokens)
                for tokens in (row.input_tokens, row.cache_read_tokens, row.output_tokens)
            ),
            units.usd(row.cost_usd) if row.price_status == "priced" else row.price_status,
        )
    return table


def hotspots(answers: Answers) -> RenderableType:
    """Integration scaffolding by operation."""
    table = _table("Scaffolding hotspots", "operation", "service", "class", "times", "own time", "bytes", "cost")
    for row in answers.hotspots(limit=HOTSPOT_ROWS).rows:
        table.add_row(
            row.name,
            row.service_name,
            row.scaffolding_class,
            units.count(row.spans),
            units.duration(row.self_ns),
            units.size(row.bytes),
            units.usd(row.cost_usd),
        )
    return table


def findings(answers: Answers) -> RenderableType:
    """What could be saved."""
    table = _table("What could be saved", "finding", "subject", "workflow", "count", "time", "bytes", "saving")
    for row in answers.findings(limit=FINDING_ROWS):
        table.add_row(
            row.kind,
            row.subject,
            row.workflow,
            units.count(row.count),
            units.duration(row.duration_ns),
            units.size(row.bytes),
            units.usd(row.saving_usd),
        )
    return table


def _side_by_side(local: f.RequestView, remote: f.RequestView) -> Group:
    table = _table("One document, two receipts", "", "in-process", "remote", "execution tax")
    for name, value, shown in _EFFORT:
        _compare(table, name, value(local), value(remote), shown)
    table.add_section()
    for item in _items(local, remote):
        _compare(table, item, _item_usd(local, item), _item_usd(remote, item), units.usd)
    table.add_section()
    _compare(table, "Total, the sum of the lines", local.receipt.total_usd, remote.receipt.total_usd, units.usd)
    return Group(table, _about(local, remote))


def _about(local: f.RequestView, remote: f.RequestView) -> Text:
    lines = [f"tollbook receipt {view.trace_id}  # {view.receipt.workflow}" for view in (local, remote)]
    for document in local.assets[:1]:
        copied = f"copied by the sync job at {units.moment(document.synced_at)} UTC"
        lines.insert(0, f"{document.asset_id}: {units.age(document.age_ns)} old when the model read it, {copied}")
    return Text("\n".join(lines), style="dim")


def _compare(
    table: Table, name: str, local: Decimal | int | None, remote: Decimal | int | None, shown: Callable[..., str]
) -> None:
    tax = None if local is None or remote is None else remote - local
    sign = "+" if tax is not None and tax > 0 else ""
    table.add_row(name, shown(local), shown(remote), f"{sign}{shown(tax)}")


def _items(*views: f.RequestView) -> tuple[str, ...]:
    """What the receipts list, each once, in their order."""
    return tuple(dict.fromkeys(_item(row) for view in views for row in view.receipt.items))


def _item(row: f.ReceiptItem) -> str:
    return f"{row.category}: {row.item}"


def _item_usd(view: f.RequestView, item: str) -> Decimal | None:
    if view.receipt.total_usd is None:
        return None
    return total(row.amount_usd for row in view.receipt.items if _item(row) == item)


def _model_ns(view: f.RequestView) -> int:
    return sum(span.duration_ns for span in view.rows if span.tollbook_kind == "inference")


def _around_ns(view: f.RequestView) -> int:
    return view.duration_ns - _model_ns(view)


def _bytes(view: f.RequestView) -> int | None:
    return None if view.request is None else view.request.handoff_bytes


def _hops(view: f.RequestView) -> int | None:
    return None if view.request is None else view.request.hops


_EFFORT: Sequence[tuple[str, Callable[[f.RequestView], int | None], Callable[[int | None], str]]] = (
    ("Time", lambda view: view.duration_ns, units.duration),
    ("  in the model", _model_ns, units.duration),
    ("  around it", _around_ns, units.duration),
    ("Bytes handed over", _bytes, units.size),
    ("Hops to another process", _hops, units.count),
)
"""What is set side by side before the money: its name, where it is in a request, how it is written."""


def _tax(pair: f.ExecutionTax) -> Text:
    parts = (
        f"{units.duration(pair.duration_ns)} more",
        f"{units.size(pair.bytes)} more handed over",
        f"{units.count(pair.hops)} hops",
        f"{units.usd(pair.cost_usd)} more",
    )
    return Text(f"Execution tax of calling {pair.model} remotely, for each request: {', '.join(parts)}", style="bold")


def _coverage(coverage: f.Coverage) -> Text:
    parts = (
        f"{units.percent(coverage.calls_priced_ratio)} of {units.count(coverage.calls)} provider calls have a price",
        f"{units.percent(coverage.hosts_rated_ratio)} of {units.count(coverage.hosts)} machines have a rate",
        f"{units.percent(coverage.inferences_with_age_ratio)} of {units.count(coverage.inferences)} inferences know their age",
        f"{units.percent(coverage.requests_owned_ratio)} of {units.count(coverage.requests)} requests name a team",
    )
    return Text(f"Coverage: {'; '.join(parts)}.")


def _table(title: str, *columns: str) -> Table:
    """A table whose texts are on the left and whose figures are on the right."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, justify="left" if column in _TEXTS else "right", overflow="fold")
    return table


_TEXTS = frozenset(
    {"", "workflow", "model", "team", "allocation", "provider", "price", "operation", "service", "class", "finding", "subject"}
)
