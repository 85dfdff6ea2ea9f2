"""The guest law: whatever breaks inside Tollbook, the application's results and exceptions stay as they are."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tollbook
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import get_current_span
from tollbook import shield
from tollbook.shield import shielded
from tollbook.testing import Captured

CALLS = 10_000


@pytest.fixture(autouse=True)
def _clean_context() -> Iterator[None]:
    """What a broken `detach` leaves behind stays in its test."""
    token = attach(Context())
    yield
    detach(token)


class BrokenError(Exception):
    """What our own code would raise if it had a fault."""


def broken(*_args: Any, **_kwargs: Any) -> Any:
    raise BrokenError("sk-live-secret")


def test_a_fault_is_raised_under_strict() -> None:
    with pytest.raises(BrokenError), shielded("do it"):
        broken()


def test_a_fault_is_swallowed_counted_and_logged_once(lenient: None, caplog: pytest.LogCaptureFixture) -> None:
    for _call in range(3):
        with shielded("do it"):
            broken()
    assert shield.faults == {"do it": 3}
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage() == "tollbook could not do it (BrokenError); the application is not affected"
    assert record.exc_info is None


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_is_no_fault_passes(lenient: None, signal: type[BaseException]) -> None:
    with pytest.raises(signal), shielded("do it"):
        raise signal
    assert not shield.faults


def plain(value: int) -> int:
    if value < 0:
        raise LookupError(value)
    return value * 2


async def coroutine(value: int) -> int:
    await asyncio.sleep(0)
    return plain(value)


def generator(value: int) -> Iterator[int]:
    yield plain(value)


async def async_generator(value: int):
    await asyncio.sleep(0)
    yield plain(value)


async def _collect(items: Any) -> list[int]:
    return [item async for item in items]


SHAPES: dict[str, tuple[Callable[..., Any], Callable[[Any], Any], Any]] = {
    "plain": (plain, lambda result: result, 42),
    "coroutine": (coroutine, asyncio.run, 42),
    "generator": (generator, list, [42]),
    "async generator": (async_generator, lambda items: asyncio.run(_collect(items)), [42]),
}

HOOKS = [
    "opentelemetry.sdk.trace.Tracer.start_span",
    "opentelemetry.sdk.trace.Span.set_attribute",
    "opentelemetry.sdk.trace.Span.set_attributes",
    "opentelemetry.sdk.trace.Span.set_status",
    "opentelemetry.sdk.trace.Span.end",
    "opentelemetry.baggage.get_all",
    "opentelemetry.baggage.set_baggage",
    "tollbook.cpu.clock_ns",
    "tollbook.handle.attach",
    "tollbook.handle.detach",
    "tollbook.handle.get_current",
    "tollbook.work.get_current",
    "tollbook.work.opened",
    "tollbook.work.size_bytes",
    "tollbook.work.count_records",
    "tollbook.work.as_asset",
    "tollbook.work.used",
    "tollbook.owners.carried",
    "tollbook.inputs.Inputs.add",
    "tollbook.inputs.Inputs.attributes",
]


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_fault_in_any_hook_leaves_result_and_exception_alone(
    lenient: None, captured: Captured, monkeypatch: pytest.MonkeyPatch, hook: str, shape: str
) -> None:
    function, consume, expected = SHAPES[shape]
    decorators = [
        tollbook.request("r", team="t"),
        tollbook.inference("m", usage_of="result"),
        tollbook.handoff("read", bytes_of="result", records_of=lambda _result: 1, asset_of=str),
    ]
    decorated = [decorate(function) for decorate in decorators]
    monkeypatch.setattr(hook, broken)
    for function in decorated:
        assert consume(function(21)) == expected
        with pytest.raises(LookupError, match="-1"):
            consume(function(-1))
    if hook != "tollbook.handle.detach":
        assert not get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("hook", HOOKS)
def test_a_fault_in_any_hook_leaves_a_block_alone(
    lenient: None, captured: Captured, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    monkeypatch.setattr(hook, broken)
    with tollbook.label(team="search"), tollbook.extract({"traceparent": "x"}), tollbook.request("r") as request:
        request.set("a", 1).bytes(2).records(3).asset("s3://a").usage(4).payload(input_bytes=5).content(b"c").fail("e")
        with request.serializing(), tollbook.handoff("read"):
            done = tollbook.inject({}) is not None
        tollbook.usage(1)
        tollbook.asset("s3://b")
    assert done
    if hook != "tollbook.handle.detach":
        assert not get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("call", ["on_start", "_on_ending", "on_end"])
def test_a_broken_processor_of_somebody_else_is_kept_away(lenient: None, captured: Captured, call: str) -> None:
    class Broken(SpanProcessor):
        pass

    setattr(Broken, call, broken)
    captured.provider.add_span_processor(Broken())

    @tollbook.handoff("read")
    def read() -> int:
        return 42

    assert read() == 42


def test_an_extractor_of_the_application_that_fails_costs_only_its_value(lenient: None, captured: Captured) -> None:
    @tollbook.handoff("read", bytes_of=broken, records_of=len)
    def read() -> list[int]:
        return [1, 2]

    assert read() == [1, 2]
    assert "tollbook.handoff.size" not in captured.attributes("read")
    assert captured.attributes("read")["tollbook.handoff.records"] == 2
    assert shield.faults == {"take bytes from a result": 1}


def test_our_span_processor_never_raises_into_another_instrumentation(
    lenient: None, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollbook.cpu.clock_ns", broken)
    monkeypatch.setattr(Span, "set_attributes", broken)
    with captured.provider.get_tracer("other").start_as_current_span("foreign"):
        done = True
    assert done
    assert captured.names == ["foreign"]


def test_configuring_wrongly_stops_nothing(lenient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tollbook.configuration._set_up", broken)
    tollbook.configure(service_name="x")
    assert tollbook.flush()
    tollbook.shutdown()
    assert shield.faults == {"configure": 1}
