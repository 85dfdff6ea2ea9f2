"""Overview: what it cost, where it went, what the same work costs remotely, and how much of that is known."""

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import charts, draw, scope
from tollbook_ui.look import cost, effort, quality, work
from tollbook_ui.look.blocks import Note

MOST_ROWS = 12
"""Rows of a table that are shown at once; the rest is folded away."""


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    now = source.overview(chosen)
    draw.blocks(cost.headline(now))
    _spend(now)
    _tax(source.comparison(chosen))
    if findings := effort.savings(now.findings):
        table = effort.finding_table(findings, scope.link)
        draw.section("What could be saved", table, note="The dearest findings. All are under Hotspots.")
    draw.heading("Models")
    draw.long(work.model_table(source.calls(chosen)), MOST_ROWS)
    _quality(now)


def _spend(now: f.Overview) -> None:
    draw.section("Where the money went", cost.money_stack(now.rows))
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption(f"Cost of each {now.step}")
        draw.chart(charts.cost_over_time(now.cost_series, now.step, now.period), f"Cost by {now.step}")
    with right:
        st.caption(f"Requests of each {now.step}")
        draw.chart(charts.requests_over_time(now.traffic_series, now.step, now.period), f"Requests by {now.step}")


def _tax(comparison: f.Comparison) -> None:
    for pair in comparison.pairs:
        note = "The same model in-process and behind a network call: what running it remotely adds to every request."
        draw.section(f"Execution tax of {pair.model}", note=note)
        left, right = st.columns([58, 42], gap="large")
        with left:
            draw.blocks(work.tax_table(pair, scope.link))
        with right:
            st.caption("Median duration of a request")
            draw.blocks(work.tax_bars(pair), work.TAX_KEYS, Note("In short", work.tax_sentence(pair)))
    if comparison.rows:
        draw.heading("Workflows side by side")
        draw.long(work.workflow_table(comparison.rows, scope.link), MOST_ROWS)


def _quality(now: f.Overview) -> None:
    found = quality.quality(now)
    draw.section("How much of this is known")
    left, right = st.columns([58, 42], gap="large")
    with left:
        draw.blocks(found.coverage)
    with right:
        if found.gaps:
            draw.blocks(Note("Missing from these totals", "", items=found.gaps, tone="warn"))
