"""Which part of the ledger the pages show: the sidebar's filters, kept in the address so that a link carries them."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.answers import Answers
from tollbook_ui.look.blocks import Note
from tollbook_ui.look.cost import UNNAMED, UNOWNED

RANGES: dict[str, timedelta | None] = {
    "Last hour": timedelta(hours=1),
    "Last 24 hours": timedelta(hours=24),
    "Last 7 days": timedelta(days=7),
    "Last 30 days": timedelta(days=30),
    "All data": None,
}
DEFAULT_RANGE = "Last 7 days"
ANY = "any"
MOST_NAMES = 2_000
"""Teams and workflows to choose from, the dearest; the row after them is of all others."""

KEYS = ("range", "team", "workflow")


def sidebar(source: Answers, extent: f.Extent) -> f.Scope:
    """Draws the filters and returns what they choose.

    Raises:
        StoreError: the store does not answer.
    """
    with st.sidebar:
        name = st.selectbox("Period", list(RANGES), index=list(RANGES).index(DEFAULT_RANGE), key="range", bind="query-params")
        period = of_range(name, extent, datetime.now(UTC))
        found = source.costs.by(period, ("team", "workflow"), limit=MOST_NAMES).rows[:MOST_NAMES]
        team, workflow = ({row.keys[place] for row in found} for place in (0, 1))
        chosen = _choice("Team", "team", team, UNOWNED), _choice("Workflow", "workflow", workflow, UNNAMED)
        _settled(extent)
    return f.Scope(since=period.since, until=period.until, team=chosen[0], workflow=chosen[1])


def of_range(name: str, extent: f.Extent, now: datetime) -> f.Scope:
    """The period that a range means now; all data reaches from the first span or settled hour to the last."""
    length = RANGES.get(name)
    if length is not None:
        return f.Scope(since=now - length, until=now)
    known = [at for at in (extent.first, extent.last, extent.first_hour, extent.last_hour) if at is not None]
    return f.Scope(since=min(known), until=max(known) + timedelta(hours=1)) if known else f.Scope()


def missing(source: Answers, extent: f.Extent, chosen: f.Scope) -> Note | None:
    """Why there is nothing to show, and the next step; None where there is something.

    Raises:
        StoreError: the store does not answer.
    """
    if extent.spans == 0 and extent.settled_at is None:
        return nothing(st.context.url)
    if extent.settled_at is None:
        return Note(
            "Spans are here, the ledger is not",
            f"{units.count(extent.spans)} spans are stored and none is settled yet. "
            "The server settles on its own within minutes; this does it now.",
            ("tollbook settle",),
        )
    known, everybody = source.coverage(chosen), chosen.team is None and chosen.workflow is None
    if not (known.requests or known.calls or (everybody and known.hosts)):
        return Note(
            f"Nothing in this period{'' if everybody else ' for this team and workflow'}",
            f"The store holds {units.count(extent.requests)} requests from {units.moment(extent.first_request)} "
            f"to {units.moment(extent.last_request)} UTC. Choose “All data”{'' if everybody else ' and any owner'} on the left.",
        )
    return None


def nothing(page: str | None) -> Note:
    """How to begin, for someone who sees this page at that address: spans go to the same server."""
    seen = urlsplit(page or "")
    server = f"{seen.scheme}://{seen.netloc}" if seen.netloc else "http://localhost:4318"
    return Note(
        "Nothing here yet",
        "The store holds no spans, so there is nothing to itemize. Run the demo, load a file of OpenTelemetry spans, "
        "or point any OpenTelemetry SDK at this server.",
        ("tollbook demo", "tollbook ingest FILE", f"OTEL_EXPORTER_OTLP_ENDPOINT={server} python app.py"),
    )


def link(trace_id: str) -> str:
    """Address of a request within the dashboard; keeps the filters."""
    kept = {key: value for key in KEYS if (value := st.query_params.get(key))}
    return "requests?" + urlencode(kept | {"trace_id": trace_id})


def _choice(label: str, key: str, names: set[str], nameless: str) -> str | None:
    options = [ANY, *sorted(name for name in names if name), *([nameless] if "" in names else [])]
    if st.session_state.get(key) not in (None, *options):
        options.append(st.session_state[key])
    chosen = st.selectbox(label, options, key=key, bind="query-params")
    if chosen == ANY:
        return None
    return "" if chosen == nameless else str(chosen)


def _settled(extent: f.Extent) -> None:
    settled = f"Settled {units.moment(extent.settled_at)}." if extent.settled_at else "Nothing is settled yet."
    st.caption(f"{units.counted(extent.spans, 'span')} stored. {settled} All times are UTC.")
