"""What is given back when idle is not missed."""

import sys
from pathlib import Path

import pytest
from tollbook_ui import idle
from tollbook_ui.answers import Answers

from tests.ui.conftest import HOUR

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can take code pages back")


def resident_kb() -> int:
    rollup = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Rss:")))


def test_pages_of_code_are_given_back_and_answers_stay_the_same(answers: Answers) -> None:
    before, before_kb = answers.overview(HOUR), resident_kb()
    assert idle.code_mappings()
    idle.give_back()
    assert before_kb - resident_kb() > 20_000
    assert answers.overview(HOUR) == before
