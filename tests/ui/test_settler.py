"""The background settlement and whom it lets go first."""

import threading
import time
from itertools import chain, repeat
from typing import Any, cast

import pytest
from tollbook_schema.lease import TakenError
from tollbook_schema.store import Store
from tollbook_ui import settler as settling
from tollbook_ui.settler import Settler, Waits

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


def test_a_settlement_that_runs_lets_a_collector_go_first_that_falls_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "LOOK_SECONDS", 0.001)
    behind = iter([False, True, True, False])
    waited: list[bool] = []
    settled = threading.Event()

    def run(_store: Store, _since: Any, _until: Any, waits: Waits | None) -> None:
        assert waits is not None
        while waits():
            waited.append(True)
        settled.set()

    settler = Settler(NO_STORE, 0.001, run, lambda: next(behind, False))
    settler.start()
    assert settled.wait(10)
    settler.stop(10)
    assert waited == [True, True]


def test_the_background_waits_for_a_collector_only_so_long_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(settling, "LONGEST_WAIT_SECONDS", 0.02)
    settled = threading.Event()

    def run(_store: Store, _since: Any, _until: Any, waits: Waits | None) -> None:
        assert waits is not None
        assert not any(waits() for _ in range(100))
        settled.set()

    settler = Settler(NO_STORE, 0.001, run, lambda: True)
    settler.start()
    assert settled.wait(10)
    settler.stop(10)


def test_whoever_asks_for_a_settlement_does_not_wait_for_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "LOOK_SECONDS", 0.001)
    waiting = threading.Event()
    asked: list[Waits | None] = []

    def run(_store: Store, _since: Any, _until: Any, waits: Waits | None) -> None:
        if threading.current_thread() is threading.main_thread():
            asked.append(waits)
        while waits is not None and waits():
            waiting.set()

    behind = chain([False], repeat(True))
    settler = Settler(NO_STORE, 0.001, run, lambda: next(behind))
    settler.start()
    assert waiting.wait(10)
    settler.now()
    settler.stop(10)
    assert len(asked) == 1
    assert asked[0] is not None, "beside a collector that is behind it takes one core"
    assert not asked[0]()


def test_a_settlement_asked_for_takes_all_cores_where_nothing_is_behind() -> None:
    asked: list[Waits | None] = []
    Settler(NO_STORE, 0, lambda *how: asked.append(how[3])).now()
    assert asked == [None]


def test_a_stop_cuts_off_a_settlement_that_waits() -> None:
    waiting = threading.Event()
    behind = iter([False])

    def run(_store: Store, _since: Any, _until: Any, waits: Waits | None) -> None:
        assert waits is not None
        while waits():
            waiting.set()

    settler = Settler(NO_STORE, 0.001, run, lambda: next(behind, True))
    settler.start()
    assert waiting.wait(10)
    began = time.monotonic()
    settler.stop(60)
    assert time.monotonic() - began < 30


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


def test_a_background_that_has_ended_by_a_fault_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _told: ended.set())

    def fails(*_period: object) -> None:
        raise KeyError("a fault of ours")

    settler = Settler(NO_STORE, 0.001, fails)
    settler.start()
    assert ended.wait(10)
    assert "has ended by a fault of its own" in settler.trouble
