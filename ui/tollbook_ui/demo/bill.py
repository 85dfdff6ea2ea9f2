"""What the demo prints at its end. Every figure is an answer from stored spans; this module only lays it out."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.answers import Answers, total

IN_PROCESS = "intake-in-process"
REMOTE = "intake-remote"
SIMULATED = "simulated provider"
NO_TEAM = "no team"
HOTSPOT_ROWS = 8
FINDING_ROWS = 50
MAX_REQUESTS = 10_000
CANDIDATES = 9

Amount = Decimal | int | None
Shown = Callable[..., str]


def show(console: Console, answers: Answers) -> None:
    """Print the whole bill of the demo."""
    for part in (receipts, medians, owners, calls, hotspots, findings):
        for piece in part(answers):
            console.print(piece, soft_wrap=isinstance(piece, Text))
        console.print()


def receipts(answers: Answers) -> Iterator[RenderableType]:
    """Two receipts of the same document, one that takes about the median time both ways."""
    pair = _typical(answers)
    if pair is None:
        yield Text("No document is settled both ways, so there are no two receipts to compare.")
        return
    yield from _side_by_side(*(answers.request(trace_id) for trace_id in pair))


def medians(answers: Answers) -> Iterator[RenderableType]:
    """What a request takes in the median, in-process and remote."""
    return (_medians(pair) for pair in answers.comparison().pairs)


def owners(answers: Answers) -> Iterator[RenderableType]:
    """Money by owner, and how much of everything is covered."""
    answer = answers.owners(by=("team", "workflow"))
    table = _table("Who pays", "team", "workflow", "requests", "amount", SIMULATED)
    for row in answer.rows:
        team, workflow = _owner(row)
        simulated = units.usd(row.simulated_usd) if row.simulated_usd else ""
        table.add_row(team, workflow, units.count(row.requests) if row.requests else "", units.usd(row.amount_usd), simulated)
    table.add_section()
    table.add_row("total", "", "", units.usd(answer.totals.total_usd), units.usd(answer.totals.simulated_usd))
    yield table
    yield from _coverage(answer.coverage)


def calls(answers: Answers) -> Iterator[RenderableType]:
    """Model calls with and without a price; a stand-in's are named as such."""
    table = _table("Model calls and their tokens", "model", "answered by", "calls", "fresh", "cached", "out", "amount")
    for row in answers.calls().rows:
        local = row.price_status == "local"
        tokens = (row.input_tokens, row.cache_read_tokens, row.output_tokens)
        table.add_row(
            row.model,
            SIMULATED if row.simulated else row.provider,
            units.count(row.calls),
            *("" if local else units.count(bucket) for bucket in tokens),
            "CPU time" if local else units.usd(row.cost_usd) if row.price_status == "priced" else row.price_status,
        )
    yield table


def hotspots(answers: Answers) -> Iterator[RenderableType]:
    """Integration scaffolding by operation."""
    table = _table("Scaffolding hotspots", "operation", "class", "times", "own time", "bytes", "cost")
    for row in answers.hotspots(limit=HOTSPOT_ROWS).rows:
        table.add_row(
            row.name,
            row.scaffolding_class,
            units.count(row.spans),
            units.duration(row.self_ns),
            units.size(row.bytes),
            units.usd(row.cost_usd),
        )
    yield table


def findings(answers: Answers) -> Iterator[RenderableType]:
    """What could be saved. What scaffolding takes at all is among the hotspots."""
    found = [row for row in answers.findings(limit=FINDING_ROWS) if row.kind != "scaffolding"]
    usd = _usd(row.saving_usd for row in found)
    yield Text("What could be saved", style="bold")
    for row in found:
        yield Text(f"  {usd(row.saving_usd):>10}  {row.kind.replace('_', ' ')}, {row.workflow}, {row.team or NO_TEAM}")
        yield Text(f"{'':12}  {row.subject}: {row.detail}", style="dim")


# Two receipts


def _typical(answers: Answers) -> tuple[str, str] | None:
    """Traces of one document, in-process and remote: of the remote ones around the median, the one nearest to it in-process."""
    local, remote = (_by_duration(answers, workflow) for workflow in (IN_PROCESS, REMOTE))
    middle = list(remote)[max(0, len(remote) // 2 - CANDIDATES // 2) :][:CANDIDATES]
    twins = {answers.same_data(trace_id).get(IN_PROCESS, ""): trace_id for trace_id in middle}
    median_ns = statistics.median(local.values() or [0])
    known = sorted(twins.keys() & local.keys(), key=lambda trace_id: abs(local[trace_id] - median_ns))
    return (known[0], twins[known[0]]) if known else None


def _by_duration(answers: Answers, workflow: str) -> dict[str, int]:
    """Duration in ns of each request, by trace, longest first."""
    rows = answers.requests(f.Scope(workflow=workflow), limit=MAX_REQUESTS, order="duration").rows
    return {row.trace_id: row.duration_ns for row in rows if row.duration_ns is not None}


def _side_by_side(local: f.RequestView, remote: f.RequestView) -> Iterator[RenderableType]:
    table = _versus("One document, two receipts")
    for name, value, shown in _EFFORT:
        _compare(table, name, value(local), value(remote), shown)
    table.add_section()
    lines = _lines(remote), _lines(local)
    usd = _usd((remote.receipt.total_usd, local.receipt.total_usd))
    for line in dict.fromkeys([*lines[0], *lines[1]]):
        _compare(table, line, lines[1].get(line), lines[0].get(line), usd)
    table.add_section()
    _compare(table, "total, the sum of the lines", local.receipt.total_usd, remote.receipt.total_usd, usd)
    yield table
    yield from _about(local, remote)


def _about(local: f.RequestView, remote: f.RequestView) -> Iterator[Text]:
    for document in local.assets[:1]:
        yield Text(document.asset_id, style="dim")
        copied = f"copied by the sync job at {units.moment(document.synced_at)} UTC"
        yield Text(f"{units.age(document.age_ns)} old when the model read it, {copied}", style="dim")
    for view in (local, remote):
        yield Text(f"{view.receipt.workflow:{len(IN_PROCESS)}} is trace {view.trace_id}", style="dim")
    yield Text("µ$ is a millionth of a dollar", style="dim")


def _usd(amounts: Iterable[Decimal | None]) -> Shown:
    """Writes money in the one unit that fits the largest of the amounts."""
    scale = units.money_scale(amounts)
    return lambda amount: units.UNKNOWN if amount is None else f"{amount / scale.factor:,.4f} {scale.unit}"


def _lines(view: f.RequestView) -> dict[str, Decimal]:
    """Money of the receipt's lines by what they were paid for and where, in the order of the waterfall."""
    names = {span.span_id: span.name if span.depth else "the intake's own code" for span in view.rows}
    found: dict[str, list[Decimal]] = {}
    for line in sorted(view.receipt.rows, key=lambda line: list(names).index(line.span_id)):
        found.setdefault(f"{line.item}, {names[line.span_id]}", []).append(line.amount_usd)
    return {name: total(amounts) for name, amounts in found.items()}


def _model_ns(view: f.RequestView) -> int:
    return sum(span.duration_ns for span in _model_calls(view.rows))


def _model_calls(rows: Sequence[f.Span]) -> Iterator[f.Span]:
    """The innermost inferences: a remote call's span holds that of the model's own process."""
    for place, span in enumerate(rows):
        inside = _below(span, rows[place + 1 :])
        if span.tollbook_kind == "inference" and not any(row.tollbook_kind == "inference" for row in inside):
            yield span


def _below(span: f.Span, following: Sequence[f.Span]) -> Iterator[f.Span]:
    for row in following:
        if row.depth <= span.depth:
            return
        yield row


def _around_ns(view: f.RequestView) -> int | None:
    return None if view.duration_ns is None else view.duration_ns - _model_ns(view)


def _bytes(view: f.RequestView) -> int | None:
    return None if view.request is None else view.request.handoff_bytes


def _hops(view: f.RequestView) -> int | None:
    return None if view.request is None else view.request.hops


_EFFORT: Sequence[tuple[str, Callable[[f.RequestView], int | None], Shown]] = (
    ("time", lambda view: view.duration_ns, units.duration),
    ("  in the model", _model_ns, units.duration),
    ("  around it", _around_ns, units.duration),
    ("bytes handed over", _bytes, units.size),
    ("hops to another process", _hops, units.count),
)
"""What is set side by side before the money: its name, where it is in a request, how it is written."""


# All documents


def _medians(pair: f.ExecutionTax) -> Table:
    table = _versus(f"All documents, in the median; the model is {pair.model}")
    table.add_row("requests", units.count(pair.in_process.requests), units.count(pair.remote.requests), "")
    for name, value, shown in _MEDIANS:
        _compare(table, name, value(pair.in_process), value(pair.remote), shown)
    each = pair.in_process.cost_per_request_usd, pair.remote.cost_per_request_usd
    _compare(table, "cost of a request, on average", *each, _usd(each))
    return table


_MEDIANS: Sequence[tuple[str, Callable[[f.WorkflowRow], Amount], Shown]] = (
    ("time", lambda row: row.duration_p50_ns, units.duration),
    ("  in the model", lambda row: row.model_p50_ns, units.duration),
    ("  around it", lambda row: row.tax_p50_ns, units.duration),
    ("time, 95th percentile", lambda row: row.duration_p95_ns, units.duration),
    ("bytes handed over", lambda row: row.bytes_p50, units.size),
    ("hops to another process", lambda row: row.hops_p50, units.count),
)


# Who pays


def _owner(row: f.OwnerRow) -> tuple[str, str]:
    """Team and workflow; what is of no request says what it is of."""
    if row.allocation == "request":
        return row.team or NO_TEAM, row.workflow or "no workflow"
    return f"({row.allocation})", ""


def _coverage(coverage: f.Coverage) -> Iterator[Text]:
    yield Text("Coverage")
    yield _covered(coverage.calls_priced_ratio, coverage.calls, "model calls that are paid by token have a price")
    yield _covered(coverage.tokens_priced_ratio, coverage.tokens, "tokens of these calls are in calls with a price")
    yield _covered(coverage.hosts_rated_ratio, coverage.hosts, "machines have a rate")
    yield _covered(coverage.inferences_with_age_ratio, coverage.inferences, "inferences know how old their data is")
    yield _covered(coverage.requests_owned_ratio, coverage.requests, "requests name a team")


def _covered(ratio: float | None, count: int, what: str) -> Text:
    return Text(f"  {units.percent(ratio)} of {units.count(count)} {what}")


# Tables


def _versus(title: str) -> Table:
    return _table(title, "", "in-process", "remote", "execution tax")


def _compare(table: Table, name: str, local: Amount, remote: Amount, shown: Shown) -> None:
    """A row of both, and what the remote one takes more; what one of them does not have, it does not take."""
    tax = (remote or 0) - (local or 0)
    cells = ("" if value is None else shown(value) for value in (local, remote))
    table.add_row(name, *cells, f"{'+' if tax > 0 else ''}{shown(tax)}" if tax else "")


def _table(title: str, *columns: str) -> Table:
    """A table whose texts are on the left and whose figures are on the right."""
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for column in columns:
        table.add_column(column, justify="left" if column in _TEXTS else "right", overflow="fold")
    return table


_TEXTS = frozenset({"", "workflow", "model", "team", "answered by", "operation", "class", "finding"})
