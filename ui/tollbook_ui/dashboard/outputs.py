"""Outputs: AI outputs of the period joined with the records that a store holds of them."""

import tempfile
from pathlib import Path

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import draw, scope
from tollbook_ui.look import outputs as look
from tollbook_ui.look.blocks import Note
from tollbook_ui.outputs.figures import KINDS, Reconciled
from tollbook_ui.outputs.joined import reconciled
from tollbook_ui.outputs.records import records
from tollbook_ui.periods import BadQuestionError

SAID = {"response": "Response id", "trace": "Trace id", "asset": "Asset written", "digest": "Content digest"}
MOST_ROWS = 15
"""Orphans of a side that are shown at once; up to `MOST_FOLDED` are folded away, all are in the command's JSON."""
MOST_FOLDED = 1_000


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    left, middle, right = st.columns([45, 35, 20], gap="medium", vertical_alignment="bottom")
    with left:
        given = st.file_uploader("Records", key="records", help="CSV, JSON, JSON lines or Parquet, gzip or not")
    with middle:
        by = st.selectbox("Outputs are told by", KINDS, format_func=lambda kind: SAID[kind], key="outputs_by")
    with right:
        column = st.text_input("Column of the ids", key="outputs_column", placeholder="found by its name")
    if given is None:
        draw.blocks(look.NOT_YET)
        return
    try:
        found = joined(source, chosen, (given.name, given.getvalue()), by, column.strip() or None)
    except BadQuestionError as error:
        draw.blocks(Note("These cannot be joined", f"{error}.", tone="warn"))
        return
    show(found)


def joined(source: Answers, chosen: f.Scope, file: tuple[str, bytes], by: str, column: str | None = None) -> Reconciled:
    """Outputs of the period against the records of a file that somebody gives, by its name and content.

    Raises:
        BadQuestionError: the file or the question is wrong.
        StoreError: the store does not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(file[0]).name or "records")
        path.write_bytes(file[1])
        try:
            stored = records(path, by, column)
        except BadQuestionError as error:
            raise BadQuestionError(str(error).replace(str(path), path.name)) from error
    return reconciled(source.outputs.told(chosen, by), stored)


def show(found: Reconciled) -> None:
    """What the join found."""
    draw.blocks(look.cards(found), None if found.orphan_outputs or found.orphan_records else look.CLOSED)
    if found.orphan_outputs:
        draw.heading("Outputs without a record")
        draw.folded(found.orphan_outputs[:MOST_FOLDED], lambda rows: look.output_table(rows, scope.link), MOST_ROWS)
    if found.orphan_records:
        draw.heading("Records without an output")
        draw.folded(found.orphan_records[:MOST_FOLDED], look.record_table, MOST_ROWS)
