"""Starting and stopping: what was acknowledged before the end is in the store, or in the spool for the next start."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tollbook_collector.collector import Collector
from tollbook_collector.errors import SpoolBusyError, UnavailableError
from tollbook_collector.settings import Settings
from tollbook_collector.signals import TRACES
from tollbook_collector.spool import Spool
from tollbook_schema.store import Store

from tests.collector.conftest import trace_request

SETTINGS = Settings(grpc_port=-1, segment_ms=60_000)


def with_collector(store: Store, spool_dir: Path, story: Callable[[Collector], Awaitable[None]]) -> None:
    """Plays a story with a collector that runs, then stops it."""

    async def play() -> None:
        collector = Collector(store, spool_dir, SETTINGS)
        await collector.start()
        try:
            await story(collector)
        finally:
            await collector.stop()

    asyncio.run(play())


async def take(collector: Collector, first: int) -> None:
    await collector.take(TRACES, trace_request(first=first).SerializeToString(), "protobuf")


def stored(store: Store) -> int:
    return int(store.query("SELECT count() AS n FROM spans")[0]["n"])


def test_stopping_loads_what_was_acknowledged(store: Store, tmp_path: Path) -> None:
    async def story(collector: Collector) -> None:
        await asyncio.gather(*(take(collector, number) for number in range(1, 21)))
        assert not collector.settled

    with_collector(store, tmp_path / "spool", story)
    assert stored(store) == 20


def test_what_an_earlier_collector_left_is_loaded_at_the_start(store: Store, tmp_path: Path) -> None:
    spool = Spool(tmp_path, SETTINGS)
    spool.append("traces", trace_request(3).SerializeToString(), resources=1).result(5)
    spool.close()

    async def story(collector: Collector) -> None:
        while not collector.settled:  # noqa: ASYNC110 - there is no event for a test's sake
            await asyncio.sleep(0.01)

    with_collector(store, tmp_path, story)
    assert stored(store) == 3


def test_a_collector_that_is_not_running_asks_to_come_back(store: Store, tmp_path: Path) -> None:
    collector = Collector(store, tmp_path, SETTINGS)
    with pytest.raises(UnavailableError, match="the collector is not running"):
        asyncio.run(take(collector, 1))
    assert asyncio.run(collector.health()).ready is False


def test_a_disk_that_takes_nothing_asks_to_come_back_and_is_seen_in_its_health(store: Store, tmp_path: Path) -> None:
    async def story(collector: Collector) -> None:
        shutil.rmtree(tmp_path / "spool")
        with pytest.raises(UnavailableError, match="cannot write to the spool: No such file or directory"):
            await take(collector, 1)
        health = await collector.health()
        assert (health.ready, health.reason) == (False, "cannot write to the spool: No such file or directory")
        (tmp_path / "spool").mkdir()
        await take(collector, 1)
        assert (await collector.health()).ready

    with_collector(store, tmp_path / "spool", story)
    assert stored(store) == 1


def test_a_second_collector_on_the_same_spool_is_refused_and_the_first_unharmed(store: Store, tmp_path: Path) -> None:
    async def story(collector: Collector) -> None:
        with pytest.raises(SpoolBusyError):
            await Collector(store, tmp_path, SETTINGS).start()
        await take(collector, 1)

    with_collector(store, tmp_path, story)
    assert stored(store) == 1
