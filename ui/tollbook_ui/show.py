"""Answers as tables for a terminal. Every number says its unit; money that nobody knows is 'unknown', never $0."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from rich import box, markup
from rich.console import Console, RenderableType
from rich.table import Table
from tollbook_collector.dead import Letter
from tollbook_schema.store import Table as SqlTable

from tollbook_ui import figures as f
from tollbook_ui import plain, units
from tollbook_ui.backup import Backup
from tollbook_ui.doctor import Doctor, Instrumentor
from tollbook_ui.intake import Counted, SpoolState
from tollbook_ui.keyring import KeyRow

PIPED_WIDTH = 240
"""Columns of a table that goes to a file or a pipe, so that no id is cut."""

NO_ENERGY = "No meter of energy or power reported: an accelerator's is read where one is sampled (see tollbook-sampler --help)."
NOBODY = "(none named)"
MOST_OF_A_NAME = 100


def name(value: str | None) -> str:
    """A name as a cell has it: one line of up to a hundred characters, as others tear the table. JSON and CSV have all of it."""
    flat = " ".join((value or NOBODY).split())
    return flat if len(flat) <= MOST_OF_A_NAME else f"{flat[: MOST_OF_A_NAME - 1]}…"


def escape(text: str) -> str:
    """Text as text: neither rich nor the terminal takes any of it for a command."""
    return markup.escape(plain.visible(text))


def console(stderr: bool = False) -> Console:
    """A console that is plain where nobody watches, and without colors under NO_COLOR."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else PIPED_WIDTH, highlight=False, soft_wrap=not stream.isatty())


def overview(found: f.Overview) -> Iterable[RenderableType]:
    """Totals, requests, money by category."""
    totals, traffic = found.totals, found.traffic
    yield headed("Overview", found.period)
    yield told(
        ("Total", units.usd_exact(totals.total_usd)),
        ("  to requests", units.usd_exact(totals.requests_usd)),
        ("  idle", units.usd_exact(totals.idle_usd)),
        ("  shared", units.usd_exact(totals.shared_usd)),
        ("  unattributed", units.usd_exact(totals.unattributed_usd)),
        ("of the total, simulated", units.usd_exact(totals.simulated_usd)),
        ("Requests", f"{units.count(traffic.requests)}, {units.count(traffic.errors)} with an error"),
        ("Duration, median and p95", f"{units.duration(traffic.duration_p50_ns)}, {units.duration(traffic.duration_p95_ns)}"),
        ("Age of oldest input, median", units.age(traffic.input_age_p50_ns)),
        ("Bytes handed over", units.size(traffic.handoff_bytes)),
    )
    rows = (
        (row.category, row.allocation, _yes(row.simulated), units.count(row.lines), _usd(row.amount_usd)) for row in found.rows
    )
    yield listed("Money by category", ("category", "goes to", "simulated", ">lines", ">amount"), rows)
    yield from _findings(found.findings)
    yield from _unpriced(found.unpriced)
    yield coverage(found.coverage)


def requests(found: f.Requests) -> Iterable[RenderableType]:
    """A page of requests; JSON and CSV have all their columns."""
    yield listed(
        f"{units.count(found.total_count)} requests {_span(found.period)}, {found.order} first",
        ("=trace", "=started (UTC)", "name", "workflow", ">took", ">bytes", ">input age", ">cost"),
        (
            (
                row.trace_id,
                units.moment(row.start_time),
                row.name,
                name(row.workflow),
                units.duration(row.duration_ns) + (" (error)" if row.status == "error" else ""),
                units.size(row.handoff_bytes),
                units.age(row.input_age_ns),
                _cost(row.cost_usd, row.unpriced_calls, row.simulated),
            )
            for row in found.rows
        ),
    )
    yield coverage(found.coverage)


def receipt(found: f.Receipt, lines: bool = False) -> Iterable[RenderableType]:
    """The receipt of one request: items, or every line of the ledger; exact to the last digit."""
    yield f"[bold]Receipt[/] {found.trace_id}  {escape(found.name)}"
    yield told(
        ("Service", found.service_name or "unknown"),
        ("Workflow", name(found.workflow)),
        ("Started", f"{units.moment(found.start_time)} UTC"),
        ("Took", units.duration(found.duration_ns)),
        ("Spans", units.count(found.spans)),
        ("State", _STATES[found.state]),
    )
    rows: Sequence[f.ReceiptItem | f.ReceiptLine] = found.rows if lines else found.items
    table = listed(
        "",
        ("category", "item", "paid for", ">quantity", "unit", "basis", "price", "how it was allocated", ">amount"),
        (
            (
                row.category + (" (simulated)" if row.simulated else ""),
                row.item,
                row.resource,
                plain.number(row.quantity),
                row.unit,
                row.basis,
                row.price_id,
                row.method,
                units.usd_exact(row.amount_usd),
            )
            for row in rows
        ),
    )
    table.add_section()
    table.add_row("[bold]total[/]", *[""] * 7, f"[bold]{units.usd_exact(found.total_usd)}[/]")
    if found.simulated_usd:
        table.add_row("of which simulated", *[""] * 7, units.usd_exact(found.simulated_usd))
    yield table
    if found.unpriced:
        rows_unpriced = ((call.span_id, call.provider, call.model, call.reason) for call in found.unpriced)
        yield listed("Not in the total, because nobody knows the price", ("span", "provider", "model", "why"), rows_unpriced)


_STATES = {
    "settled": "settled",
    "late": "spans came in after the settlement; the next one will count them",
    "unsettled": "not settled yet: wait for the server, or run tollbook settle",
}


def freshness(found: f.Freshness) -> Iterable[RenderableType]:
    """Age of the oldest input at inference."""
    yield listed(
        f"Age of the oldest input at inference {_span(found.period)}",
        ("workflow", "model", ">inferences", ">age known", ">youngest", ">median", ">p95", ">oldest"),
        (
            (
                name(row.workflow),
                row.model or "unknown",
                units.count(row.inferences),
                units.percent(row.inferences_with_age / row.inferences),
                *(units.age(age) for age in (row.age_min_ns, row.age_p50_ns, row.age_p95_ns, row.age_max_ns)),
            )
            for row in found.rows
        ),
    )
    yield coverage(found.coverage)


def accelerators(found: f.Accelerators) -> Iterable[RenderableType]:
    """Utilization and idle money of each device."""
    yield listed(
        f"Devices {_span(found.period)}",
        (
            "device",
            "kind",
            "host",
            "model",
            "computed from",
            ">busy",
            ">busy s",
            ">capacity s",
            ">to requests",
            ">idle",
            ">energy",
            ">J a request",
        ),
        (
            (
                row.device,
                row.kind,
                row.host,
                row.model or "unknown",
                row.source,
                units.percent(row.busy_ratio),
                _seconds(row.busy_seconds),
                _seconds(row.capacity_seconds),
                _usd(row.cost_usd),
                _usd(row.idle_usd),
                units.energy(row.joules),
                units.energy(units.mean(row.request_joules, row.requests)),
            )
            for row in found.rows
        ),
    )
    if found.rows and all(row.joules is None for row in found.rows):
        yield NO_ENERGY
    yield coverage(found.coverage)


def hotspots(found: f.Hotspots) -> Iterable[RenderableType]:
    """Scaffolding by operation, and what could be saved."""
    yield listed(
        f"Integration scaffolding {_span(found.period)}, own time first",
        ("class", "operation", "service", ">spans", ">requests", ">own time", ">CPU", ">bytes", ">own cost"),
        (
            (
                row.scaffolding_class,
                row.name,
                row.service_name,
                units.count(row.spans),
                units.count(row.requests),
                units.duration(row.self_ns),
                units.duration(row.cpu_self_ns),
                units.size(row.bytes),
                _usd(row.cost_usd),
            )
            for row in found.rows
        ),
    )
    yield from _findings(found.findings)
    yield coverage(found.coverage)


def owners(found: f.Owners) -> Iterable[RenderableType]:
    """Money by owner."""
    table = listed(
        f"Money by {', '.join(found.by)} {_span(found.period)}",
        (*found.by, "goes to", ">requests", ">unpriced calls", ">of it simulated", ">amount"),
        (
            (
                *(name(getattr(row, key)) for key in found.by),
                row.allocation,
                units.count(row.requests),
                units.count(row.unpriced_calls),
                _usd(row.simulated_usd),
                units.usd_exact(row.amount_usd),
            )
            for row in found.rows
        ),
    )
    table.add_section()
    table.add_row("[bold]total[/]", *[""] * (len(found.by) + 3), f"[bold]{units.usd_exact(found.totals.total_usd)}[/]")
    yield table
    yield coverage(found.coverage)


def calls(found: f.Calls) -> Iterable[RenderableType]:
    """Model calls by model and price status."""
    yield listed(
        f"Model calls {_span(found.period)}",
        ("provider", "model", "operation", ">calls", ">input", ">cached", ">output", ">reasoning", ">median", "price", ">cost"),
        (
            (
                row.provider,
                row.model or row.response_model,
                row.operation,
                units.count(row.calls),
                units.count(row.input_tokens),
                units.count(row.cache_read_tokens),
                units.count(row.output_tokens),
                units.count(row.reasoning_tokens),
                units.duration(row.duration_p50_ns),
                " ".join(
                    (row.price_status, *(["(simulated)"] if row.simulated else []), *([f"({row.reason})"] if row.reason else []))
                ),
                "in compute" if row.price_status == "local" else _usd(row.cost_usd),
            )
            for row in found.rows
        ),
    )
    yield coverage(found.coverage)


def comparison(found: f.Comparison) -> Iterable[RenderableType]:
    """Workflows side by side."""
    yield listed(
        f"One request in the median, by workflow {_span(found.period)}",
        ("workflow", "model", "where", ">requests", ">took", ">in the model", ">around it", ">bytes", ">hops", ">cost"),
        (
            (
                name(row.workflow),
                row.model,
                row.location,
                units.count(row.requests),
                units.duration(row.duration_p50_ns),
                units.duration(row.model_p50_ns),
                units.duration(row.tax_p50_ns),
                units.size(row.bytes_p50),
                units.count(row.hops_p50),
                _usd(row.cost_per_request_usd),
            )
            for row in found.rows
        ),
    )
    for pair in found.pairs:
        yield (
            f"Remote execution of {escape(pair.model)} adds {units.duration(pair.duration_ns)}, {units.size(pair.bytes)}, "
            f"{units.count(pair.hops)} hop{'' if pair.hops == 1 else 's'} and {_usd(pair.cost_usd)} to each request."
        )
    yield coverage(found.coverage)


def dead(found: Sequence[Letter]) -> Iterable[RenderableType]:
    """Records that the store refused."""
    rows = ((row.name, row.tenant, units.moment(row.came_at), units.size(row.size_bytes), row.reason) for row in found)
    yield listed("Records that the store refused", ("=name", "tenant", "came", ">size", "reason"), rows)


def rates(found: Sequence[f.Rate]) -> Iterable[RenderableType]:
    """Prices of machine hours."""
    yield listed(
        "Prices of machine hours",
        (
            "type",
            "provider",
            "region",
            ">vCPUs",
            ">GiB",
            ">USD per hour",
            ">for CPUs",
            ">memory",
            ">accelerators",
            "valid from",
            "source",
        ),
        (
            (
                row.instance_type,
                row.provider,
                row.region or "every",
                units.quantity(row.vcpus),
                units.quantity(row.memory_gib),
                plain.number(row.usd_per_hour),
                plain.number(row.cpu_usd_per_hour),
                plain.number(row.memory_usd_per_hour),
                plain.number(row.accelerator_usd_per_hour),
                units.moment(row.valid_from),
                row.source,
            )
            for row in found
        ),
    )


def sql(found: SqlTable) -> Iterable[RenderableType]:
    """The answer to SQL, every digit of it."""
    columns = [f">{name}" if _is_number(kind) else f"={name}" for name, kind in zip(found.columns, found.types, strict=True)]
    yield listed("", columns, ([_text(item) for item in row] for row in found.rows))
    if found.truncated:
        yield f"There are more than these {len(found.rows)} rows; --max-rows takes more."


def doctor(found: Doctor) -> Iterable[RenderableType]:
    """What the examination found."""
    yield told(
        ("Tollbook", f"{found.version} on Python {found.python}, {found.platform}"),
        ("Data folder", f"{found.data}, {units.size(found.intake.spool.free_bytes)} free on its disk"),
        ("Store", found.store or "none yet: start with tollbook up, tollbook demo or tollbook ingest FILE"),
        ("Server", found.server or "none runs"),
        ("Guarded", _guarded(found)),
        (
            "Spans",
            f"{units.count(found.extent.spans)}, {units.moment(found.extent.first)} to {units.moment(found.extent.last)} UTC",
        ),
        ("Last settlement", f"{units.moment(found.extent.settled_at)} UTC"),
        ("Kept", f"facts {_days(found.kept_days)}, content {_days(found.content_kept_days)}, what was settled for ever"),
        ("Spool", _waiting(found.intake.spool)),
        ("Taken since the start", _taken(found.intake.counted)),
        ("Packages", ", ".join(f"{package.name} {package.version or 'not installed'}" for package in found.packages)),
        ("Accelerators", "; ".join(f"{device.says} ({device.source})" for device in found.devices) or "none"),
        ("Instrumentation", _installed(found.instrumentors)),
    )
    yield coverage(found.coverage)
    yield from _instrumented(found.instrumented)
    yield from _unpriced(found.unpriced)
    if found.unrated:
        rows = ((host.host, host.host_type or "unknown", host.cloud_region) for host in found.unrated)
        yield listed("Machines without an hourly rate", ("host", "type", "region"), rows)
    if found.rows:
        rows = ((_yes(row.urgent), row.matter, row.remedy) for row in found.rows)
        yield listed("To see to", ("=urgent", "what", "how"), rows)
    else:
        yield "Nothing to see to."


def _installed(found: Sequence[Instrumentor]) -> str:
    """How many instrumentations this Python has; which of them find their library, only the SDK can tell."""
    if not found:
        return "none installed"
    ours = sum(point.package == "tollbook" for point in found)
    return f"{ours} of Tollbook's, {len(found) - ours} of others; what they see here, and why not: tollbook-instrument --list"


def _instrumented(found: Sequence[f.Instrumented]) -> Iterable[RenderableType]:
    """What is seen in each service, and why the rest is not; libraries that are not there are no news."""
    if found:
        rows = []
        for service, seen in groupby(found, lambda row: row.service):
            known = [row for row in seen if not row.state.endswith("is not installed")]
            off = (f"{row.name}: {row.state}" for row in known if row.state != "on")
            rows.append((service, ", ".join(row.name for row in known if row.state == "on"), "; ".join(off)))
        yield listed("What is seen in services", ("service", "on", "off, and why"), rows)


def keys(found: Sequence[KeyRow]) -> Iterable[RenderableType]:
    """API keys, the newest first."""
    yield listed(
        "API keys",
        ("id", "name", "tenant", "scopes", "state", "made", "expires"),
        (
            (
                row.key_id,
                row.name,
                row.tenant or "all",
                ", ".join(row.scopes),
                row.state,
                units.moment(row.created_at),
                units.moment(row.expires_at) if row.expires_at else "never",
            )
            for row in found
        ),
    )


def _waiting(spool: SpoolState) -> str:
    since = "" if spool.oldest_seconds is None else f", the oldest for {units.age(spool.oldest_seconds * 1e9)}"
    damaged = units.counted(spool.damaged, "damaged stretch", "damaged stretches")
    waiting = f"{units.counted(spool.segments, 'segment')}, {units.size(spool.bytes)} wait for the store{since}"
    return f"{waiting}; {units.counted(spool.dead, 'record')} and {damaged} set aside"


def _taken(counted: Counted | None) -> str:
    if counted is None:
        return "no collector runs"
    requests, refused = units.counted(counted.requests, "request"), units.counted(sum(counted.refused.values()), "request")
    taken = f"{units.counted(counted.records, 'record')} in {requests}, {counted.repeated:,} of them repeats"
    left = f"{counted.rejected:,} records rejected, {counted.repaired:,} repaired"
    return f"{taken}; {left}; {refused} refused; {units.counted(counted.torn, 'torn tail')} cut off"


def _guarded(found: Doctor) -> str:
    asked = "everybody is asked for a key or a sign-in" if found.auth == "required" else "nobody is asked for a key"
    return f"{asked}; {'TLS' if found.tls else 'no TLS'}"


def _days(days: int) -> str:
    return f"{days} days" if days else "for ever"


def backup(done: str, found: Backup, folder: Path) -> Iterable[RenderableType]:
    """What a backup holds."""
    rows = f"{units.count(found.spans)} spans, {units.count(found.metrics)} metrics, {units.count(found.logs)} logs"
    yield f"{done} to {folder}: {rows}, {units.size(found.spool_bytes)} that waited for the store, as of {found.made_at}."


def settlement(found: Mapping[str, Any]) -> Iterable[RenderableType]:
    """What a settlement came to."""
    yield told(
        ("Hours settled", units.count(found["windows"])),
        ("Spans", units.count(found["spans"])),
        ("Model calls", f"{units.count(found['calls'])}, {units.count(found['unpriced_calls'])} without a price"),
        ("Ledger lines", units.count(found["lines"])),
        ("Amount", units.usd_exact(Decimal(found["amount_usd"]))),
        ("Changed by", units.usd_exact(Decimal(found["difference_usd"]))),
        ("Took", f"{found['seconds']:.1f} s"),
    )
    if found["unrated_hosts"]:
        yield f"{found['unrated_hosts']} machine hours have no rate and are not in the amount; see: tollbook rates set"


def nothing(period: f.Period, extent: f.Extent) -> Iterable[RenderableType]:
    """An empty answer, and what to do next."""
    yield f"Nothing from {_span(period)}."
    if extent.spans == 0 and extent.settled_at is None:
        yield "No span is stored yet. Start a server with tollbook up, store files with tollbook ingest, or see tollbook demo."
    elif extent.settled_at is None:
        yield f"{units.count(extent.spans)} spans are stored and none is settled: tollbook settle"
    elif any(at and period.since <= at < period.until for at in (extent.first_request, extent.last_request)):
        yield "There are requests in it, but nothing of this kind."
    else:
        first, last = extent.first_request or extent.first_hour, extent.last_request or extent.last_hour
        times = f"{units.moment(first)} to {units.moment(last)} UTC"
        yield f"Requests are there from {times}, perhaps not in it; choose with --since and --until."


def coverage(found: f.Coverage) -> str:
    """One line: what the totals cover."""
    parts = (
        (found.calls_priced, found.calls, found.calls_priced_ratio, "model calls priced"),
        (found.tokens_priced, found.tokens, found.tokens_priced_ratio, "tokens priced"),
        (found.hosts_rated, found.hosts, found.hosts_rated_ratio, "machines rated"),
        (found.inferences_with_age, found.inferences, found.inferences_with_age_ratio, "inferences with inputs of known age"),
        (found.requests_owned, found.requests, found.requests_owned_ratio, "requests that name an owner"),
    )
    shown = (f"{units.count(part)} of {units.count(whole)} {what} ({units.percent(ratio)})" for part, whole, ratio, what in parts)
    return f"[dim]Coverage: {'; '.join(shown)}.[/]"


def _findings(found: Sequence[f.Finding]) -> Iterable[RenderableType]:
    if found:
        yield listed(
            "What could be saved",
            ("kind", "where", "what", ">money", ">time"),
            (
                (
                    row.kind.replace("_", " "),
                    ", ".join(part for part in (row.workflow, row.team) if part) or row.service_name,
                    f"{row.subject}: {row.detail}",
                    _usd(row.saving_usd),
                    units.duration(row.saving_ns),
                )
                for row in found
            ),
        )


def _unpriced(found: Sequence[f.UnpricedCalls]) -> Iterable[RenderableType]:
    if found:
        rows = ((row.provider, row.model, units.count(row.calls), row.reason) for row in found)
        yield listed("Model calls without a price: their cost is unknown", ("provider", "model", ">calls", "why"), rows)


def listed(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table. A column whose name starts with '>' is set to the right, and like one with '=' never broken into lines."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        right, whole = name.startswith(">"), name.startswith("=")
        table.add_column(escape(name.lstrip(">=")), justify="right" if right else "left", no_wrap=right or whole, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def told(*pairs: tuple[str, str]) -> Table:
    """Names and values, without lines."""
    table = Table.grid(padding=(0, 2))
    for name, value in pairs:
        table.add_row(f"[dim]{name}[/]", escape(value))
    return table


def headed(text: str, period: f.Period) -> str:
    """A title with its period."""
    return f"[bold]{text}[/] {_span(period)}"


def _span(period: f.Period) -> str:
    return f"{period.since:%Y-%m-%d %H:%M} to {period.until:%Y-%m-%d %H:%M} UTC"


def _cost(amount_usd: Decimal | None, unpriced_calls: int, simulated: bool) -> str:
    parts = [_usd(amount_usd)]
    if unpriced_calls:
        parts.append(f"+ {unpriced_calls} unpriced")
    if simulated:
        parts.append("(simulated)")
    return " ".join(parts)


def _usd(amount_usd: Decimal | None) -> str:
    return units.usd(amount_usd)


def _seconds(value: float | None) -> str:
    return units.UNKNOWN if value is None else f"{value:,.1f}"


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _is_number(kind: str) -> bool:
    return any(word in kind for word in ("Int", "Float", "Decimal")) and not kind.startswith(("Array", "Map", "Tuple"))


def _text(item: Any) -> str:
    shown = plain.value(item)
    return "NULL" if shown is None else str(shown)
