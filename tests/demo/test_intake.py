"""The intake's order of work, without its neighbours."""

import time
from collections.abc import Iterator

from tollbook_ui.demo import intake


def slow(count: int) -> Iterator[None]:
    for _ in range(count):
        time.sleep(0.02)
        yield


def test_work_ends_by_itself_when_all_is_done() -> None:
    assert len(list(intake.within(60, slow(3)))) == 3


def test_work_ends_when_the_time_is_up_and_what_was_begun_counts() -> None:
    assert 1 <= len(list(intake.within(0.1, slow(1000)))) <= 6


def test_the_chats_share_a_beginning_that_the_providers_cache_can_hold() -> None:
    assert len(intake.instructions([f"label{number}" for number in range(200)])) > 4 * 1024
