"""Freshness: how old the data was at the moment a model used it."""

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import charts, draw
from tollbook_ui.look import effort

MOST_ROWS = 12
"""Assets that are shown at once; the rest is folded away."""


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    found = source.freshness(chosen)
    if not found.coverage.inferences:
        draw.nothing(
            "No inference in this period",
            "Freshness is the age of the data a model used. Mark the model call, and the data it reads.",
            '@tollbook.inference(model="…")',
        )
        return
    draw.blocks(effort.freshness_cards(found))
    if found.coverage.inferences_with_age:
        _charts(found)
    else:
        draw.nothing(
            "No age is known",
            "None of these inferences says which data it used, so their age is unknown, not zero. "
            "Name the data where it is read.",
            'tollbook.asset("file:///srv/docs/a.pdf", event_time=modified_at)',
        )
    draw.section("By workflow and model", effort.freshness_table(found))
    if found.assets:
        draw.heading("Oldest data in use")
        draw.folded(found.assets, effort.asset_table, MOST_ROWS)


def _charts(found: f.Freshness) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("How old", anchor=False)
        draw.chart(charts.age_histogram(found.buckets), "Inferences by the age of their oldest input")
    with right:
        st.subheader("Age against duration", anchor=False)
        draw.chart(charts.age_against_duration(found.points), "Each inference by age of input and duration")
