"""Requests: the list, and of the one selected its waterfall with the receipt beside it."""

from typing import Any

import pandas as pd
import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import draw, waterfall
from tollbook_ui.errors import UnknownTraceError
from tollbook_ui.look import blocks, work
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Note, Table
from tollbook_ui.look.cost import UNNAMED
from tollbook_ui.periods import BadQuestionError

ORDERS = {"Newest": "newest", "Dearest": "cost", "Slowest": "duration", "Most bytes": "bytes", "Oldest data": "age"}
PAGE_ROWS = 200


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    order = st.segmented_control(
        "Order", list(ORDERS), default="Newest", required=True, key="order", label_visibility="collapsed"
    )
    found = source.requests(chosen, limit=PAGE_ROWS, order=ORDERS[order or "Newest"])
    _list(found)
    trace_id = st.query_params.get("trace_id") or (found.rows[0].trace_id if found.rows else "")
    if trace_id:
        _request(source, trace_id)


def frame(rows: tuple[f.RequestRow, ...]) -> pd.DataFrame:
    """The list's columns; what nobody knows stays empty, and money is a float for sorting only."""
    money = units.money_scale(row.cost_usd for row in rows)
    age = units.age_scale(row.input_age_ns for row in rows)
    return pd.DataFrame(
        {
            "Start, UTC": [row.start_time.replace(tzinfo=None) for row in rows],
            "Workflow": [row.workflow or UNNAMED for row in rows],
            "Request": [row.name for row in rows],
            "Team": [row.team or None for row in rows],
            "Status": [row.status + (f", {blocks.SIMULATED}" if row.simulated else "") for row in rows],
            "Duration, ms": [None if row.duration_ns is None else row.duration_ns / 1e6 for row in rows],
            f"Age of input, {age.unit}": [age.apply(row.input_age_ns) for row in rows],
            "Moved, KiB": [row.handoff_bytes / 1024 for row in rows],
            "Hops": [row.hops for row in rows],
            f"Cost, {money.unit}": [money.apply(row.cost_usd) for row in rows],
            "Unpriced": [row.unpriced_calls for row in rows],
        }
    )


def _list(found: f.Requests) -> None:
    st.session_state["request_ids"] = [row.trace_id for row in found.rows]
    shown, all_of_them = units.count(len(found.rows)), units.count(found.total_count)
    st.caption(f"{shown} of {all_of_them} requests. Select one to see where its time and money went.")
    table = frame(found.rows)
    numbers = {name: st.column_config.NumberColumn(format="%.4g") for name in table.columns if ", " in name}
    start = st.column_config.DatetimeColumn(format="MM-DD HH:mm:ss", width=115)
    st.dataframe(
        table,
        height=318,
        hide_index=True,
        key="request_list",
        on_select=_selected,
        selection_mode="single-row",
        selection_default={"selection": {"rows": _chosen_rows(found)}},
        placeholder=units.UNKNOWN,
        column_config=numbers | {"Start, UTC": start},
        alt=f"{len(found.rows)} requests",
    )


def _chosen_rows(found: f.Requests) -> list[int]:
    trace_id = st.query_params.get("trace_id")
    return [index for index, row in enumerate(found.rows) if row.trace_id == trace_id]


def _selected() -> None:
    rows = st.session_state["request_list"]["selection"]["rows"]
    if rows:
        st.query_params["trace_id"] = st.session_state["request_ids"][rows[0]]
    elif "trace_id" in st.query_params:
        del st.query_params["trace_id"]


def _request(source: Answers, trace_id: str) -> None:
    try:
        view = source.request(trace_id)
    except (UnknownTraceError, BadQuestionError) as error:
        draw.blocks(Note("No such request", f"{error}.", tone="warn"))
        return
    facts = (f"Trace {view.trace_id}", f"{units.moment(view.start_time)} UTC", view.receipt.service_name)
    told = " · ".join(filter(None, facts))
    draw.heading(view.receipt.workflow or view.receipt.name or "Request", told)
    draw.blocks(cards(view))
    left, right = st.columns([62, 38], gap="medium")
    with left:
        _waterfall(source, view)
    with right:
        _receipt(view.receipt)
        _data(view)


def cards(view: f.RequestView) -> Cards:
    """The request in five numbers."""
    request, receipt = view.request, view.receipt
    simulated = blocks.SIMULATED if receipt.simulated_usd else ""
    oldest = request.input_age_ns if request else None
    took = blocks.duration(view.duration_ns)
    unknown = "not settled yet" if receipt.state == "unsettled" else "nothing it used has a known price"
    return Cards(
        (
            Card(
                "Cost",
                units.usd(receipt.total_usd),
                unknown if receipt.total_usd is None else "",
                units.usd_exact(receipt.total_usd),
                badge=simulated,
            ),
            Card("Duration", took.text, exact=took.exact, tone=took.tone),
            Card("Age of oldest input", units.age(oldest), tone="" if oldest is not None else "muted"),
            Card("Moved", units.size(request.handoff_bytes if request else None), _hops(request)),
            Card("Spans", units.count(view.span_count), _inferences(request)),
        )
    )


def _hops(request: f.RequestRow | None) -> str:
    return f"in {units.counted(request.handoff_count, 'handoff')}, {units.counted(request.hops, 'hop')}" if request else ""


def _inferences(request: f.RequestRow | None) -> str:
    return units.counted(request.inference_count, "inference") if request else ""


def _waterfall(source: Answers, view: f.RequestView) -> None:
    st.markdown("**Waterfall**")
    drawn = min(len(view.rows), waterfall.MAX_ROWS)
    if drawn < view.span_count:
        st.caption(f"The first {drawn:,} of {view.span_count:,} spans.")
    span_id = waterfall.show(view.rows, view.duration_ns or 0, key=f"waterfall_{view.trace_id}")
    draw.blocks(waterfall.KEYS)
    if span_id is None:
        st.caption("Click a span to see all that is stored of it.")
    else:
        draw.blocks(span_table(source.span(view.trace_id, span_id)))


def span_table(stored: dict[str, Any]) -> Table:
    """All that is stored of one span."""
    rows = tuple((Cell(name, tone="muted"), Cell(str(value))) for name, value in stored.items())
    return Table((Column("Attribute of the span"), Column("Value")), rows)


def _receipt(receipt: f.Receipt) -> None:
    st.markdown("**Receipt**")
    if receipt.state == "unsettled":
        draw.nothing("Not settled yet", "The ledger has no line of this request yet.", "tollbook settle")
        return
    late = Note("Late spans", "Spans came in after the settlement; the next one counts them.", tone="warn")
    draw.blocks(work.receipt_table(receipt), late if receipt.state == "late" else None, unpriced(receipt))


def unpriced(receipt: f.Receipt) -> Note | None:
    """Model calls the receipt has no price for."""
    if not receipt.unpriced:
        return None
    items = tuple(f"{call.model or 'unnamed model'}: {call.reason or call.price_status}" for call in receipt.unpriced)
    return Note(f"{len(items)} unpriced", "What these calls cost is unknown and not in the total.", items=items, tone="warn")


def _data(view: f.RequestView) -> None:
    if view.assets:
        st.markdown("**Data it used**")
        draw.blocks(work.data_table(view.assets))
    if view.resources:
        st.markdown("**Where it ran**")
        draw.blocks(work.machine_table(view.resources))
