"""The command `tollbook renormalize`."""

from typing import Annotated

import typer

from tollbook_ui.console import As, Data, Format, answer, asking, command, moment

commands = typer.Typer()


@command(commands)
def renormalize(
    *,
    since: Annotated[
        str | None, typer.Option("--since", "--from", help="Start; the first hour with another table if not given.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", "--to", help="End, not part of the period.")] = None,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Read usage again from stored facts, with this release's table of dialects, and print what has changed."""
    from tollbook_ui import access
    from tollbook_ui.dialects import changes, show

    with asking(data) as answers:
        before = after = answers.dialects.normalization(moment(since), moment(until))
        if before.hours:
            access.settle(answers, before.since, before.until)
            after = answers.dialects.normalization(before.since, before.until)
    found = changes.compared(before, after)
    answer(shape, found, lambda: show.renormalization(found))
