import json
from datetime import timedelta
from pathlib import Path

import pytest
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.report import render

from tests.attribution.facts import NOON, Intake
from tests.report import week


def test_a_second_week_is_compared_with_the_first(store: Store, tmp_path: Path) -> None:
    week.fill(Intake(store, tmp_path))
    week.fill(Intake(store, tmp_path), NOON - timedelta(weeks=1))
    assert "; unchanged to the week before." in render(Answers(store), "2026-W47").markdown


def test_a_week_of_an_empty_store_says_what_to_do(empty: Answers) -> None:
    report = render(empty, "2026-W47")
    assert "the store holds no spans" in report.html
    assert "tollbook demo" in report.markdown
    assert json.loads(report.json)["overview"]["totals"]["total_usd"] == "0"
    assert report.plots == {}


def test_a_week_that_cannot_be_is_refused(empty: Answers) -> None:
    with pytest.raises(BadQuestionError, match="there is no week 2026-W60"):
        render(empty, "2026-W60")
