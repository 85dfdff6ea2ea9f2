"""Accelerators: how busy each device was, and what its idle time costs. Without a GPU it is the CPU, and says so."""

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import charts, draw
from tollbook_ui.look import effort


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    found = source.accelerators(chosen)
    if not found.rows:
        draw.nothing(
            "No device reported in this period",
            "Utilization comes from hw.gpu.* metrics, or without a GPU from the process and system metrics the SDK sends.",
            "import tollbook; tollbook.configure()",
        )
        return
    draw.blocks(effort.accelerator_cards(found), effort.cpu_note(found))
    draw.section(
        "Busy, hour by hour",
        note="An hour without samples has no cell. Devices belong to no owner, so only the period counts here.",
    )
    draw.chart(charts.busy_over_time(found.series, found.period), "Busy share of each device by hour")
    draw.section("Devices", effort.accelerator_table(found))
