"""Bridge: why cost changed from one period to the next, cause by cause."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import charts, draw
from tollbook_ui.look import change
from tollbook_ui.periods import whole_hours

AGAINST = {"the time before": None, "the day before": timedelta(days=1), "the week before": timedelta(weeks=1)}
KEYS = ("workflow", "team", "service", "project", "feature", "customer", "environment")


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    left, right = st.columns([55, 45])
    with left:
        key = st.segmented_control(
            "Workloads are", KEYS, default="workflow", required=True, format_func=str.capitalize, key="bridge_by"
        )
    with right:
        against = st.segmented_control(
            "Compared with", list(AGAINST), default="the time before", required=True, key="bridge_against"
        )
    after = whole_hours(chosen.since, chosen.until, datetime.now(UTC))
    back = AGAINST[against or "the time before"] or after.until - after.since
    before = f.Period(after.since - back, after.until - back)
    found = source.costs.bridge(before, after, (key or "workflow",), scope=chosen, limit=12)
    draw.blocks(change.change_cards(found), change.said(found))
    if not found.drivers:
        return
    draw.heading("From before to after", "Each step is one cause; together they are the change, to the last digit.")
    draw.chart(charts.bridge(found), found.sentence)
    draw.section("What moved it", change.driver_table(found))
    draw.section("Workload by workload", change.workload_table(found), note="The causes of a row add up to its change.")
    draw.section("What the causes are", change.cause_table(found))
