"""The weekly report of the demo, written to a folder."""

from pathlib import Path

from tollbook_ui.answers import Answers
from tollbook_ui.periods import week_of


def write(answers: Answers, folder: Path) -> Path:
    """Render the week of the newest request as HTML and Markdown; gives the path of the HTML file.

    Raises:
        ValueError: nothing is settled.
    """
    from tollbook_ui import report  # noqa: PLC0415 - matplotlib takes 2 s that the start need not wait for

    newest = answers.extent().last_request
    if newest is None:
        raise ValueError("no request is settled, so there is no week to report on")
    rendered = report.render(answers, week_of(newest))
    path = folder / f"{week_of(newest)}.html"
    path.write_text(rendered.html, encoding="utf-8")
    path.with_suffix(".md").write_text(rendered.markdown, encoding="utf-8")
    return path
