"""Budgets: what is spent of each, who pays for what, and what was told."""

from datetime import UTC, datetime

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import draw
from tollbook_ui.look import budget
from tollbook_ui.look.blocks import Note


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    found = source.budgets.status()
    if not found.rows:
        draw.blocks(budget.NONE_SET)
    else:
        draw.blocks(budget.budget_cards(found), budget.reasons(found))
        note = (
            "Each in its own current period. The forecast goes on at the pace of the last seven days; a pace of 1 lasts exactly."
        )
        draw.section("Budgets", budget.budget_table(found), note=note)
    _both_views(source, chosen)
    if (told := source.budgets.alerts(20)).rows:
        draw.section(
            "What was told", budget.alert_table(told), note="Each state once in a period: in the log, and at the webhook."
        )


def _both_views(source: Answers, chosen: f.Scope) -> None:
    now = datetime.now(UTC)
    view = source.budgets.view(chosen.since or now, chosen.until or now)
    if not view.workloads:
        return
    draw.section("Who pays for what", budget.line_stack(view), note="The money of the period on the left, by budget line.")
    draw.blocks(budget.line_table(view))
    draw.section("The same money by workload", budget.workload_stack(view), budget.workload_table(view))
    if view.unowned:
        draw.section("No budget pays for these", budget.unowned_table(view))
    else:
        draw.blocks(Note("Every line has a budget", "Nothing of this period is without one.", tone="good"))
