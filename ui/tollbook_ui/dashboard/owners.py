"""Owners: money by team, workflow, feature and the other owner keys."""

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import draw
from tollbook_ui.look import blocks, cost
from tollbook_ui.look.blocks import Card, Cards

KEYS = ("team", "workflow", "project", "feature", "customer", "environment", "tenant")


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    key = st.segmented_control("Group by", KEYS, default="team", required=True, format_func=str.capitalize, key="owners_by")
    owners = source.owners(chosen, by=(key or "team",))
    draw.blocks(_cards(owners))
    draw.heading(f"Cost by {key}", "Rows add up to the total, to the last digit. Money that no request caused stays apart.")
    draw.long(cost.owner_table(owners, key or "team"))


def _cards(owners: f.Owners) -> Cards:
    totals, cover = owners.totals, owners.coverage
    parts = (
        ("Total cost", totals.total_usd, cost.simulated_note(totals)),
        ("Caused by requests", totals.requests_usd, ""),
        ("Idle", totals.idle_usd, "paid for, used by nobody"),
        ("Shared or unattributed", totals.shared_usd + totals.unattributed_usd, ""),
    )
    money = [Card(label, cell.text, note, cell.exact) for label, usd, note in parts for cell in (blocks.money(usd),)]
    owned = blocks.percent(cover.requests_owned_ratio)
    named = Card("Requests with an owner", owned.text, f"{cover.requests_owned:,} of {cover.requests:,}", tone=owned.tone)
    return Cards((*money, named))
