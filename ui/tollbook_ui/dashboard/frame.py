"""What every page has around it: navigation, the sidebar's filters, and plain words when the store is down or empty."""

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import streamlit as st
from tollbook_schema.keys import Principal
from tollbook_schema.store import StoreError

from tollbook_ui import answers, intake, unsettled
from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import (
    accelerators,
    bill,
    bridge,
    budgets,
    cost,
    data,
    draw,
    freshness,
    hotspots,
    outputs,
    overview,
    owners,
    principals,
    requests,
    scope,
)
from tollbook_ui.look.blocks import Note
from tollbook_ui.periods import whole_hours
from tollbook_ui.visitors import HEADER, from_header

ICON = Path(__file__).with_name("icon.svg")

Body = Callable[[Answers, f.Scope], None]
"""Draws what a page is about; may raise `StoreError`."""

PAGES: tuple[tuple[Body, str, str], ...] = (
    (overview.page, "Overview", "overview"),
    (requests.page, "Requests", "requests"),
    (cost.page, "Cost", "cost"),
    (bridge.page, "Bridge", "bridge"),
    (budgets.page, "Budgets", "budgets"),
    (bill.page, "Bill", "bill"),
    (owners.page, "Owners", "owners"),
    (data.page, "Data", "data"),
    (principals.page, "Principals", "principals"),
    (outputs.page, "Outputs", "outputs"),
    (freshness.page, "Freshness", "freshness"),
    (accelerators.page, "Accelerators", "accelerators"),
    (hotspots.page, "Hotspots", "hotspots"),
)

ANY_PERIOD: tuple[Body, ...] = (bill.page, budgets.page)
"""Pages about periods of their own."""


def run() -> None:
    """Draws one page."""
    st.set_page_config(page_title="Tollbook", page_icon=str(ICON), layout="wide", initial_sidebar_state=250)
    st.logo(str(ICON.with_name("logo.svg")), size="large", link=None)
    draw.style()
    chosen = st.navigation([_page(*page) for page in PAGES], expanded=True)
    chosen.run()


def _page(body: Body, title: str, path: str) -> st.Page:
    def guarded() -> None:
        show(body, title)

    return st.Page(guarded, title=title, url_path=path, default=path == "overview")


def show(body: Body, title: str) -> None:
    """One page under its title; a store that is down or empty is told in plain words."""
    st.title(title, anchor=False)
    draw.blocks(trouble())
    try:
        with unsettled.once():
            missing = _shown(body)
    except StoreError as error:
        missing = down(error)
    draw.blocks(missing)


def _shown(body: Body) -> Note | None:
    if (source := _source()) is None:
        return NO_STORE
    extent = source.extent()
    chosen = scope.sidebar(source, extent)
    _signed_in()
    missing = None if body in ANY_PERIOD and extent.settled_at else scope.missing(source, extent, chosen)
    draw.blocks(_unsettled(source, chosen) if extent.settled_at else None)
    if missing is None:
        body(source, chosen)
    return missing


def _unsettled(source: Answers, chosen: f.Scope) -> Note | None:
    """Says above whatever the page shows that hours of the period wait to be settled; None where none does."""
    period = whole_hours(chosen.since, chosen.until, datetime.now(UTC))
    waiting = source.unsettled_hours((period.since, period.until))
    return Note("Amounts are not final", unsettled.note(waiting), tone="warn") if waiting else None


def _signed_in() -> None:
    """Says at the foot of the sidebar who looks, and how to stop it."""
    who = visitor()
    if who is not None and answers.guarded():
        whose = f"the data of {who.tenant}" if who.tenant else "the data of all tenants"
        said = f"{escape(who.name)} sees {escape(whose)}."
        out = '<a style="color: inherit" href="/logout" target="_self">Sign out</a>'
        st.sidebar.html(f'<p style="font-size: 0.875rem; opacity: 0.65; margin: 0">{said} {out}</p>')


def trouble() -> Note | None:
    """What the intake needs a person for, told to those who may see all of it; None while all is well."""
    who = visitor()
    if (who is None and answers.guarded()) or (who is not None and who.tenant is not None):
        return None
    found = intake.current()
    if found is None or not found.urgent:
        return None
    items = tuple(f"{row.matter[:1].upper()}{row.matter[1:]}. To do: {row.remedy}." for row in found.urgent)
    return Note("The intake needs you", "", ("tollbook doctor",), tone="bad", items=items)


def down(error: StoreError) -> Note:
    """The store does not answer: says so, with its own words."""
    return Note(
        "The store does not answer",
        f"{error}. Nothing is lost: what the collector has taken waits on its disk. Reload once the store is back.",
        ("tollbook doctor",),
        tone="bad",
    )


NO_STORE = Note(
    "No store is open in this process",
    "The dashboard reads the store that `tollbook up` opens, in the same process.",
    ("tollbook up",),
    tone="warn",
)


def _source() -> Answers | None:
    """The answers that whoever looks may have; none where there is no store, or nobody said who looks."""
    try:
        found = answers.current()
    except RuntimeError:
        return None
    principal = visitor()
    if principal is None:
        return None if answers.guarded() else found
    return found.of(principal.tenant)


def visitor() -> Principal | None:
    """Who looks at the page, as the gate wrote it onto the connection; none where no gate stands before it."""
    said = st.context.headers.get(HEADER)
    return from_header(said) if said else None
