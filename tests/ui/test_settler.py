"""The background settlement and whom it lets go first."""

import threading
import time
from typing import Any, cast

import pytest
from tollbook_schema.lease import TakenError
from tollbook_schema.store import Store
from tollbook_ui import settler as settling
from tollbook_ui.settler import Settler

NO_STORE = cast(Store, None)


def test_a_collector_that_is_behind_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "LOOK_SECONDS", 0.001)
    seen: list[bool] = []
    behind = iter([True, True, False])
    settled = threading.Event()

    def run(*_period: Any) -> None:
        settled.set()

    def is_behind() -> bool:
        seen.append(next(behind, False))
        return seen[-1]

    settler = Settler(NO_STORE, 0.001, run, is_behind)
    settler.start()
    assert settled.wait(10)
    settler.stop(10)
    assert seen[:3] == [True, True, False]


def test_a_settlement_waits_for_a_collector_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(settling, "LONGEST_WAIT_SECONDS", 0.05)
    settled = threading.Event()
    settler = Settler(NO_STORE, 0.001, lambda *_period: settled.set(), lambda: True)
    settler.start()
    assert settled.wait(10)
    settler.stop(10)


def test_a_stop_does_not_wait_for_the_collector() -> None:
    asked = threading.Event()

    def is_behind() -> bool:
        asked.set()
        return True

    settler = Settler(NO_STORE, 0.001, lambda *_period: None, is_behind)
    settler.start()
    assert asked.wait(10)
    began = time.monotonic()
    settler.stop(60)
    assert time.monotonic() - began < 30


def test_another_process_that_settles_is_no_trouble() -> None:
    turns: list[int] = []
    twice = threading.Event()

    def taken(*_period: object) -> None:
        turns.append(1)
        if len(turns) == 2:
            twice.set()
        raise TakenError("another process has the settlement in hand")

    settler = Settler(NO_STORE, 0.001, taken)
    settler.start()
    assert twice.wait(10)
    settler.stop(10)
    assert settler.trouble == ""
