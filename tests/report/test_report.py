import json
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tollbook_ui.answers import Answers
from tollbook_ui.report import Report, render

WEEK = "2026-W47"
SVG = "{http://www.w3.org/2000/svg}"


class Tags(HTMLParser):
    """Names of all tags, all attribute values that point somewhere, and all titles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.targets: list[str] = []
        self.hovers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.hovers += [value or "" for name, value in attrs if name == "title"]


@pytest.fixture(scope="module")
def report(answers: Answers) -> Report:
    return render(answers, WEEK)


def test_the_total_is_the_answers_total_to_the_last_digit(report: Report, answers: Answers) -> None:
    found = json.loads(report.json)["overview"]
    # 2 cores at 0.36 USD/h seen for 120 s cost 0.012; two chats of 1000 + 200 tokens of gpt-4o cost 0.0045 each.
    assert found["totals"]["total_usd"] == "0.021"
    assert sum(Decimal(row["amount_usd"]) for row in found["rows"]) == Decimal("0.021")
    assert answers.weekly(WEEK).overview.totals.total_usd == Decimal("0.021")
    assert "$0.021" in Tags(report.html).hovers
    assert "| **Total** |  | **48** | **$0.021** |  |" in report.markdown


def test_owners_add_up_to_the_total(report: Report) -> None:
    owners = json.loads(report.json)["owners"]
    assert sum(Decimal(row["amount_usd"]) for row in owners["rows"] if row["amount_usd"]) == Decimal("0.021")


def test_hostile_names_are_text_and_never_markup(report: Report) -> None:
    tags = Tags(report.html)
    assert "script" not in tags.names
    assert "&lt;script&gt;alert(&#34;tollbook&#34;)&lt;/script&gt;" in report.html
    assert "<script" not in report.markdown
    assert all("<script" not in svg for svg in report.plots.values())


def test_the_html_fetches_nothing(report: Report) -> None:
    assert [target for target in Tags(report.html).targets if not target.startswith("#")] == []
    assert not re.search(r"url\((?!#)", report.html)
    assert "@import" not in report.html


def test_simulated_money_and_unpriced_models_are_named(report: Report) -> None:
    assert "of it $0.0045 simulated" in report.html
    assert '<span class="tb-badge">simulated</span>' in report.html
    assert "1 call of house-model-9 (house) without a price: unknown model house/house-model-9." in report.html


def test_a_first_week_has_nothing_to_compare_with(report: Report) -> None:
    assert "the week before is unknown" in report.markdown
    assert '<div class="tb-delta">the week before is unknown</div>' in report.html


def test_the_execution_tax_is_told(report: Report) -> None:
    assert "## Execution tax of magika" in report.markdown
    assert "| Around the model | 40 ms | 80 ms | +40 ms |" in report.markdown
    assert "adds 40 ms around the model, 49.8 KiB, 1 hop and 2.25 µ$ to each request" in report.markdown


def test_plots_are_drawings_with_text_that_can_be_searched(report: Report) -> None:
    assert "tollbook-2026-W47-cost.svg" in report.plots
    for svg in report.plots.values():
        texts = [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]
        assert texts


def test_a_report_is_written_with_its_plots_beside_it(report: Report, tmp_path: Path) -> None:
    written = report.write(tmp_path / "reports")
    names = {path.name for path in written}
    assert {"tollbook-2026-W47.html", "tollbook-2026-W47.md", "tollbook-2026-W47.json"} <= names
    assert set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", report.markdown)) == set(report.plots) <= names
    assert [path.name for path in report.write(tmp_path / "json", ["json"])] == ["tollbook-2026-W47.json"]


def test_the_same_week_gives_the_same_bytes(report: Report, answers: Answers) -> None:
    assert render(answers, WEEK) == report


def test_a_week_without_requests_says_where_they_are(answers: Answers) -> None:
    report = render(answers, "2020-W01")
    assert "The store holds requests from 2026-11-20 12:00:10 to 2026-11-20 12:02:10 UTC." in report.markdown
