"""Blocks and charts on a Streamlit page."""

import re
import string
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import streamlit as st

from tollbook_ui import units
from tollbook_ui.dashboard.charts import Spec
from tollbook_ui.look import blocks as b

Row = TypeVar("Row")

PAGE = ".stMainBlockContainer { padding: 3.2rem 2.6rem 3rem; max-width: 1500px; } .tb + .tb { margin-top: 12px; }"
"""Streamlit leaves six lines free above a page; three are enough for its header."""


def style() -> None:
    """The stylesheet of all blocks, once a page."""
    st.html(f"<style>{b.stylesheet()}{PAGE}</style>")


def blocks(*items: b.Block | None) -> None:
    """Blocks one under another; None is left out."""
    if present := [item for item in items if item is not None]:
        st.html(str(b.html(*present)))


def text(words: str) -> str:
    """Words that Streamlit shows as they are. It reads headings and captions as Markdown, in which a name can fetch a picture."""
    return re.sub(f"([{re.escape(string.punctuation)}])", r"\\\1", " ".join(words.split()))


def heading(title: str, note: str = "") -> None:
    """A heading, with a line in small print."""
    st.subheader(text(title), anchor=False)
    if note:
        st.caption(text(note))


def section(title: str, *items: b.Block | None, note: str = "") -> None:
    """Blocks under a heading, with a line that says how to read them."""
    heading(title, note)
    blocks(*items)


def folded(rows: Sequence[Row], table: Callable[[Sequence[Row]], b.Table], most: int) -> None:
    """A table of the first rows, and one of all others on demand."""
    blocks(table(rows[:most]))
    if more := rows[most:]:
        with st.expander(f"{units.count(len(more))} more"):
            blocks(table(more))


def long(table: b.Table, most: int = 25) -> None:
    """A table of which the first rows and the total are shown, and all others on demand."""
    blocks(replace(table, rows=table.rows[:most]))
    if more := table.rows[most:]:
        with st.expander(f"{units.count(len(more))} more"):
            blocks(replace(table, rows=more, total=(), foot=""))


def chart(spec: Spec, alt: str) -> None:
    """A chart as wide as its place; `alt` says it in words."""
    values = spec["data"]["values"]
    if values:
        st.vega_lite_chart(spec, width="stretch", alt=alt)
    else:
        st.caption("Nothing to draw in this period.")


def nothing(title: str, text: str, *commands: str) -> None:
    """Says what is empty, why, and what to run next."""
    blocks(b.Note(title, text, commands))
