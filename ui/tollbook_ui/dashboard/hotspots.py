"""Hotspots: which glue, copy, lookup or round trip costs most, and what fixing it saves."""

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import draw, scope
from tollbook_ui.look import effort


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    found = source.hotspots(chosen)
    if not found.rows and not found.classes:
        draw.nothing(
            "No scaffolding seen in this period",
            "Scaffolding is what surrounds the work: copies, lookups, syncs, hops. Mark the places where data changes hands.",
            '@tollbook.handoff(operation="copy", source="staging", destination="intake")',
        )
        return
    draw.blocks(effort.scaffolding_cards(found))
    draw.section(
        "Own time by class",
        effort.class_stack(found),
        note="Every span's own time, without its children. “useful” is what the requests are for.",
    )
    if findings := effort.savings(found.findings):
        draw.section("What could be saved", effort.finding_table(findings, scope.link))
    if found.rows:
        draw.section("Operations", effort.hotspot_table(found, scope.link))
