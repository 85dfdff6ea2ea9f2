"""Principals: who had which data read for which model."""

from collections.abc import Iterable

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import draw
from tollbook_ui.dashboard.scope import ANY
from tollbook_ui.dataflow.figures import Access
from tollbook_ui.look import data as look
from tollbook_ui.look.blocks import Note

MOST_ROWS = 25
"""Rows of the table that are shown at once; the rest is folded away."""

ASKED = ("principal", "asset", "model")


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    everything = source.data.principals(chosen)
    if not everything.rows:
        draw.nothing(
            "No call of this period says what data it used",
            "Name assets where they are read, and the user whose request it is.",
            'tollbook.asset("prices", version="7")',
            'with tollbook.request("answer", user="u-4711"): ...',
        )
        return
    access = _asked({name: [getattr(row, name) for row in everything.rows] for name in ASKED})
    found = everything if access == Access() else source.data.principals(chosen, access)
    draw.blocks(look.principal_cards(found))
    if not found.rows:
        draw.blocks(Note("Nobody did", "No call of this period used that asset for that model and principal."))
        return
    draw.heading("Who had what read for which model", "A service stands where no span names a user. The most calls first.")
    draw.folded(found.rows, look.principal_table, MOST_ROWS)
    if len(found.rows) == look.MOST_PRINCIPALS:
        draw.blocks(Note("There are more", "Narrow the question, or ask for all.", ("tollbook principals --limit 10000",)))


def _asked(known: dict[str, list[str]]) -> Access:
    """One selection for each key; what was typed counts too, as the rows may not be all."""
    picked = {}
    for place, (name, values) in zip(st.columns(len(known)), known.items(), strict=True):
        with place:
            picked[name] = _choice(name, values)
    return Access(**picked)


def _choice(name: str, values: Iterable[str]) -> str | None:
    options = [ANY, *sorted(set(values))]
    chosen = st.selectbox(name.capitalize(), options, key=f"principals_{name}", accept_new_options=True)
    return None if chosen in (None, ANY) else str(chosen)
