"""What a request has read is on its inferences: ids, oldest and newest event time, in this process and the next."""

import asyncio
import threading
from contextvars import copy_context
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import tollbook
from tollbook.inputs import MAX_ASSETS, MAX_BAGGAGE_BYTES, nanoseconds
from tollbook.testing import Captured

HOUR_NS = 3_600_000_000_000
OLD, NEW = 1_700_000_000_000_000_000, 1_700_000_000_000_000_000 + HOUR_NS


def test_an_inference_carries_the_age_of_what_was_read_before_it(captured: Captured) -> None:
    with tollbook.request("r"):
        with tollbook.inference("before"):
            pass
        with tollbook.handoff("read", source="a") as span:
            span.asset("s3://new", event_time=NEW)
        with tollbook.handoff("lookup", source="b") as span:
            span.asset("db:old", event_time=OLD).asset("db:ageless")
        with tollbook.inference("after"):
            pass
    assert "tollbook.input.asset.ids" not in captured.attributes("inference before")
    after = captured.attributes("inference after")
    assert after["tollbook.input.asset.ids"] == ("s3://new", "db:old", "db:ageless")
    assert after["tollbook.input.event_time.oldest"] == OLD
    assert after["tollbook.input.event_time.newest"] == NEW


def test_an_asset_of_unknown_age_leaves_the_age_unknown(captured: Captured) -> None:
    with tollbook.request("r"):
        with tollbook.handoff("read"):
            tollbook.asset("s3://a")
        with tollbook.inference("m"):
            pass
    attributes = captured.attributes("inference m")
    assert attributes["tollbook.input.asset.ids"] == ("s3://a",)
    assert "tollbook.input.event_time.oldest" not in attributes


def test_what_is_written_is_no_input(captured: Captured) -> None:
    with tollbook.request("r"):
        with tollbook.handoff("write") as span:
            span.asset("s3://result", event_time=NEW)
        with tollbook.inference("m"):
            pass
    assert captured.attributes("write")["tollbook.asset.id"] == "s3://result"
    assert "tollbook.input.asset.ids" not in captured.attributes("inference m")


def test_requests_do_not_share_their_inputs(captured: Captured) -> None:
    for number in (1, 2):
        with tollbook.request("r"):
            with tollbook.handoff("read") as span:
                span.asset(f"s3://{number}")
            with tollbook.inference(f"m{number}"):
                pass
    assert captured.attributes("inference m2")["tollbook.input.asset.ids"] == ("s3://2",)


def test_inputs_are_shared_with_the_requests_threads_and_tasks(captured: Captured) -> None:
    @tollbook.handoff("read", asset_of="name")
    def read(name: str) -> None: ...

    @tollbook.handoff("read", asset_of="name")
    async def aread(name: str) -> None:
        await asyncio.sleep(0)

    async def gather() -> None:
        await asyncio.gather(aread("task-1"), aread("task-2"))

    with tollbook.request("r"):
        thread = threading.Thread(target=copy_context().run, args=(read, "thread"))
        thread.start()
        thread.join()
        asyncio.run(gather())
        with tollbook.inference("m"):
            pass
    assert set(captured.attributes("inference m")["tollbook.input.asset.ids"]) == {"thread", "task-1", "task-2"}


def test_a_model_server_sees_the_age_of_what_its_caller_read(captured: Captured) -> None:
    with tollbook.request("r"):
        with tollbook.handoff("read") as span:
            span.asset("file:///a,b = ü.txt", event_time=OLD)
        with tollbook.handoff("call", network="loopback"):
            headers = tollbook.inject()
    with tollbook.extract(headers), tollbook.inference("remote"):
        pass
    attributes = captured.attributes("inference remote")
    assert attributes["tollbook.input.asset.ids"] == ("file:///a,b = ü.txt",)
    assert attributes["tollbook.input.event_time.oldest"] == OLD
    assert attributes["tollbook.input.event_time.newest"] == OLD


def test_a_model_span_of_another_instrumentation_gets_the_age_too(captured: Captured) -> None:
    tracer = captured.provider.get_tracer("opentelemetry.instrumentation.openai")
    with tollbook.request("r"):
        with tollbook.handoff("read") as span:
            span.asset("s3://a", event_time=OLD)
        with tracer.start_as_current_span("chat gpt-4o", attributes={"gen_ai.request.model": "gpt-4o"}):
            pass
        with tracer.start_as_current_span("POST"):
            pass
    assert captured.attributes("chat gpt-4o")["tollbook.input.event_time.oldest"] == OLD
    assert "tollbook.input.event_time.oldest" not in captured.attributes("POST")


def test_baggage_that_is_no_number_is_no_age(captured: Captured) -> None:
    headers = {"baggage": "tollbook.input.event_time.oldest=yesterday,tollbook.input.event_time.newest=-1"}
    with tollbook.extract(headers), tollbook.inference("m"):
        pass
    assert "tollbook.input.event_time.oldest" not in captured.attributes("inference m")


def test_very_many_assets_stay_bounded_and_keep_their_ages(captured: Captured) -> None:
    with tollbook.request("r"):
        with tollbook.handoff("read") as span:
            for number in range(10_000):
                span.asset(f"s3://corpus/{number:06}", event_time=OLD + number)
        headers = tollbook.inject()
        with tollbook.inference("m"):
            pass
    attributes = captured.attributes("inference m")
    assert len(attributes["tollbook.input.asset.ids"]) == MAX_ASSETS
    assert attributes["tollbook.input.event_time.newest"] == OLD + 9_999
    assert len(headers["baggage"]) < MAX_BAGGAGE_BYTES + 300


@pytest.mark.parametrize(
    ("moment", "expected_ns"),
    [
        (datetime(2026, 11, 22, 6, 0, 0, 123456, tzinfo=UTC), 1_795_327_200_123_456_000),
        (datetime(2026, 11, 22, 7, tzinfo=timezone(timedelta(hours=1))), 1_795_327_200_000_000_000),
        ("2026-11-22T06:00:00Z", 1_795_327_200_000_000_000),
        (1_795_327_200.5, 1_795_327_200_500_000_000),
        (1_795_327_200_123_456_789, 1_795_327_200_123_456_789),
        (0, 0),
        (None, None),
    ],
)
def test_moments_are_nanoseconds(moment: datetime | str | float | int | None, expected_ns: int | None) -> None:
    assert nanoseconds(moment) == expected_ns


def test_a_naive_moment_is_local_time() -> None:
    naive = datetime(2026, 11, 22, 6)  # noqa: DTZ001 - what is tested
    assert nanoseconds(naive) == int(naive.timestamp()) * 10**9


def test_whole_seconds_are_not_taken_for_nanoseconds() -> None:
    with pytest.raises(ValueError, match="give seconds as a float"):
        nanoseconds(1_795_327_200)


def test_a_path_tells_its_own_age(captured: Captured, tmp_path: Path) -> None:
    @tollbook.handoff("read", bytes_of="result", asset_of="path")
    def read(path: Path) -> str:
        return path.read_text()

    file = tmp_path / "a b.txt"
    file.write_text("grüße")
    assert read(file) == "grüße"
    attributes = captured.attributes("read")
    assert attributes["tollbook.asset.id"] == file.as_uri()
    assert attributes["tollbook.asset.event_time"] == file.stat().st_mtime_ns
    assert attributes["tollbook.handoff.size"] == 7
