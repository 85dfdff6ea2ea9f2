"""What is read outside of any request reaches the next inference there, and no other request."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import tollbook
from opentelemetry.trace import SpanKind
from tollbook.inputs import MAX_ASSETS
from tollbook.testing import Captured

OLD, NEW = 1_700_000_000_000_000_000, 1_700_003_600_000_000_000
IDS = "tollbook.input.asset.ids"


@tollbook.handoff("read", asset_of=lambda result: result)
def read(name: str, event_time: int | None = None) -> tollbook.Asset:
    return tollbook.Asset(name, event_time=event_time)


def infer(model: str) -> None:
    with tollbook.inference(model):
        pass


def ids(captured: Captured, model: str) -> tuple[str, ...] | None:
    return captured.attributes(f"inference {model}").get(IDS)


def test_a_script_without_requests_tells_the_age_of_what_it_read(captured: Captured) -> None:
    read("file:///new", NEW)
    read("file:///old", OLD)
    infer("m")
    said = captured.attributes("inference m")
    assert said[IDS] == ("file:///new", "file:///old")
    assert said["tollbook.input.event_time.oldest"] == OLD
    assert said["tollbook.input.event_time.newest"] == NEW


def test_each_inference_of_a_script_has_what_was_read_since_the_one_before(captured: Captured) -> None:
    for number in (1, 2):
        read(f"file:///{number}")
        infer(f"a{number}")
        infer(f"b{number}")  # of the same input
    assert [ids(captured, model) for model in ("a1", "b1", "a2", "b2")] == [
        ("file:///1",), ("file:///1",), ("file:///2",), ("file:///2",),
    ]  # fmt: skip


def test_a_request_has_none_of_what_was_read_before_it(captured: Captured) -> None:
    read("file:///settings")
    with tollbook.request("r"):
        read("file:///page")
        infer("inside")
    infer("outside")
    assert ids(captured, "inside") == ("file:///page",)
    assert ids(captured, "outside") == ("file:///settings",)


def test_threads_and_tasks_do_not_see_what_others_read(captured: Captured) -> None:
    both = threading.Barrier(2)

    def work(number: int) -> None:
        read(f"thread:{number}")
        both.wait()
        infer(f"thread-{number}")

    async def task(number: int) -> None:
        read(f"task:{number}")
        await asyncio.sleep(0)
        infer(f"task-{number}")

    async def tasks() -> None:
        read("before the tasks")
        await asyncio.gather(task(1), task(2))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (1, 2)))
    asyncio.run(tasks())
    assert {ids(captured, f"thread-{number}") for number in (1, 2)} == {("thread:1",), ("thread:2",)}
    assert {ids(captured, f"task-{number}") for number in (1, 2)} == {
        ("before the tasks", "task:1"),
        ("before the tasks", "task:2"),
    }


def test_requests_that_another_instrumentation_begins_keep_their_inputs_apart(captured: Captured) -> None:
    tracer = captured.provider.get_tracer("opentelemetry.instrumentation.fastapi")
    for number in (1, 2):
        with tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
            with tracer.start_as_current_span("load"):
                read(f"file:///{number}")
            with tracer.start_as_current_span("answer"):
                infer(f"m{number}")
    assert (ids(captured, "m1"), ids(captured, "m2")) == (("file:///1",), ("file:///2",))


def test_a_call_that_a_script_makes_is_no_request(captured: Captured) -> None:
    tracer = captured.provider.get_tracer("opentelemetry.instrumentation.requests")
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT):
        tollbook.asset("https://data/a.csv", event_time=OLD)
    with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT, attributes={"gen_ai.request.model": "m"}):
        pass
    assert captured.attributes("chat")["tollbook.input.event_time.oldest"] == OLD


def test_what_came_with_a_message_is_an_input_with_and_without_a_request(captured: Captured) -> None:
    with tollbook.request("caller"):
        read("file:///a", OLD)
        headers = tollbook.inject()
    read("file:///of nobody's message")
    with tollbook.extract(headers):
        read("file:///b", NEW)
        infer("without")
    with tollbook.request("worker"), tollbook.extract(headers):
        infer("with")
    assert ids(captured, "without") == ("file:///a", "file:///b")
    assert ids(captured, "with") == ("file:///a",)


def test_a_script_that_reads_for_ever_stays_bounded(captured: Captured) -> None:
    for number in range(MAX_ASSETS + 50):
        tollbook.inputs.AMBIENT.add(tollbook.Asset(str(number), event_time=OLD + number))
    infer("m")
    said = captured.attributes("inference m")
    assert len(said[IDS]) == MAX_ASSETS
    assert said["tollbook.input.event_time.newest"] == OLD + MAX_ASSETS + 49
