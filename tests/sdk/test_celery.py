"""Celery's worker, in a thread, over kombu's broker in memory: tasks belong to the trace, owners and ages of who sent them."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import tollbook
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from tollbook.integrations.celery import CeleryInstrumentor
from tollbook.testing import Captured

celery = pytest.importorskip("celery")
EVENT_TIME_NS = 1_700_000_000 * 10**9
ORDERS = {"alone": [0], "contrib inside": [1, 0], "contrib outside": [0, 1]}


# A worker ends within two looks at its queue, of two seconds each.
@pytest.fixture(params=[pytest.param(order, marks=pytest.mark.long if order != "alone" else ()) for order in ORDERS])
def both(request: pytest.FixtureRequest, captured: Captured) -> Iterator[bool]:
    kinds: list[Any] = [CeleryInstrumentor]
    if len(ORDERS[request.param]) > 1:
        kinds.append(pytest.importorskip("opentelemetry.instrumentation.celery").CeleryInstrumentor)
    with contextlib.ExitStack() as stack:
        for number in ORDERS[request.param]:
            kinds[number]().instrument(tracer_provider=captured.provider)
            stack.callback(kinds[number]().uninstrument)
        yield len(kinds) > 1


@pytest.fixture
def app(both: bool) -> Iterator[Any]:
    from celery.contrib.testing.worker import start_worker

    app = celery.Celery("shop", broker="memory://", backend="cache+memory://")
    app.conf.task_default_retry_delay = 0

    @app.task(name="shop.score", shared=False)
    def score(text: str) -> int:
        with tollbook.inference("scorer", provider="own") as span:
            span.usage(len(text), 1)
        return len(text)

    @app.task(name="shop.fail", bind=True, max_retries=1, shared=False)
    def fail(self: Any) -> None:
        raise self.retry(exc=KeyError("k"), countdown=0)

    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        yield app
    app.close()


def named(captured: Captured, name: str, kind: str | None = None) -> list[ReadableSpan]:
    found = [span for span in captured.spans if span.name == name]
    return [span for span in found if kind is None or (span.attributes or {}).get("tollbook.kind") == kind]


@pytest.mark.filterwarnings("ignore")
def test_a_task_goes_on_with_what_its_sender_knows(app: Any, captured: Captured) -> None:
    with tollbook.request("checkout", team="shop") as request:
        with tollbook.handoff("read") as span:
            span.asset("s3://orders/1", event_time=EVENT_TIME_NS)
        assert app.tasks["shop.score"].delay("four").get(timeout=30) == 4
    writes = [span for span in captured.spans if (span.attributes or {}).get("tollbook.handoff.operation") == "write"]
    (write,) = writes
    said = write.attributes or {}
    assert said["tollbook.handoff.size"] > 50
    assert (said["messaging.system"], said["tollbook.handoff.destination"]) == ("memory", "memory:celery")
    assert (write.kind, said["tollbook.handoff.records"]) == (SpanKind.PRODUCER, 1)
    (read,) = named(captured, "read memory:celery")
    told = read.attributes or {}
    assert told["tollbook.handoff.size"] == said["tollbook.handoff.size"]
    assert told["tollbook.event.id"] == said["tollbook.event.id"]
    assert told["tollbook.handoff.wait.duration"] > 0
    (run,) = named(captured, "shop.score", "request")
    assert run.kind is SpanKind.CONSUMER
    (call,) = named(captured, "inference scorer")
    inference = call.attributes or {}
    assert inference["tollbook.input.event_time.oldest"] == EVENT_TIME_NS
    assert inference["tollbook.team"] == "shop"
    traces = {span.context.trace_id for span in (write, read, run, call) if span.context is not None}
    assert traces == {int(request.trace_id, 16)}


@pytest.mark.filterwarnings("ignore")
def test_a_retry_is_a_run_of_its_own(app: Any, captured: Captured) -> None:
    with pytest.raises(KeyError):
        app.tasks["shop.fail"].delay().get(timeout=30)
    runs = named(captured, "shop.fail", "request")
    assert [(run.attributes or {}).get("celery.retries") for run in runs] == [None, 1]
    assert [run.status.status_code for run in runs] == [StatusCode.ERROR] * 2
    assert {(run.attributes or {})["error.type"] for run in runs} == {"KeyError"}
    assert len({run.context.trace_id for run in runs if run.context is not None}) == 1


def test_a_call_in_the_same_process_is_no_message(app: Any, captured: Captured) -> None:
    assert app.tasks["shop.score"].apply(["x"]).get() == 1
    assert [name for name in captured.names if name.startswith(("read", "write"))] == []
