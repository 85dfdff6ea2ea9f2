"""A week's answers as HTML (one file, nothing fetched), Markdown (plots beside it) and JSON (every digit)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tollbook_ui import plain
from tollbook_ui.look import blocks
from tollbook_ui.report import plots, sections
from tollbook_ui.weekly import Weekly

Format = Literal["html", "md", "json"]
FORMATS: tuple[Format, ...] = ("html", "md", "json")


class Weeks(Protocol):
    """Whatever answers for a week: the store's answers, or those of a running server."""

    def weekly(self, week: str) -> Weekly:
        """The week and the one before it."""


@dataclass(frozen=True)
class Report:
    """One week, written three ways."""

    week: str
    html: str
    markdown: str
    """Links to the plots by file name."""
    json: str
    """The same figures as `GET /api/v1/reports/{week}`: money and times as text."""
    plots: Mapping[str, str]
    """SVG of each plot, by file name."""

    def write(self, folder: Path, formats: Iterable[Format] = ("html", "md", "json")) -> tuple[Path, ...]:
        """Writes `tollbook-<week>.<format>` into the folder, with the plots beside the Markdown.

        Raises:
            OSError: the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        wanted = set(formats)
        texts = {"html": self.html, "md": self.markdown, "json": self.json}
        files = {f"tollbook-{self.week}.{name}": text for name, text in texts.items() if name in wanted}
        beside = dict(self.plots) if "md" in wanted else {}
        return tuple(_written(folder / name, text) for name, text in (files | beside).items())


def render(answers: Weeks, week: str) -> Report:
    """The report of one ISO week such as `2026-W47`.

    Raises:
        BadQuestionError: there is no such week.
        StoreError: the store does not answer.
    """
    weekly = answers.weekly(week)
    pages = sections.of(weekly)
    drawn = {section.plot: svg for section in pages if section.plot and (svg := plots.draw(section.plot, weekly))}
    names = {plot: f"tollbook-{week}-{plot}.svg" for plot in drawn}
    return Report(
        week=week,
        html=_html(weekly, pages, drawn),
        markdown=_markdown(weekly, pages, names),
        json=plain.as_json(weekly),
        plots={names[plot]: svg for plot, svg in drawn.items()},
    )


def _html(weekly: Weekly, pages: tuple[sections.Section, ...], drawn: Mapping[str, str]) -> str:
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=sections.title(weekly),
            lead=sections.lead(weekly),
            sections=pages,
            draw=lambda items: blocks.html(*items),
            plots={name: Markup(plots.inline(svg)) for name, svg in drawn.items()},  # noqa: S704 - our own SVG
            style=Markup(blocks.stylesheet()),  # noqa: S704 - our own CSS
        )
    )


def _markdown(weekly: Weekly, pages: tuple[sections.Section, ...], names: Mapping[str, str]) -> str:
    template = _environment().get_template("report.md.j2")
    return template.render(
        title=sections.title(weekly), lead=sections.lead(weekly), sections=pages, draw=blocks.markdown, plots=names
    )


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("tollbook_ui.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    env.filters["md"] = blocks.escape_markdown
    return env


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
