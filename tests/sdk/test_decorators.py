"""`request`, `inference` and `handoff` on functions and blocks that simply return."""

import asyncio
import functools
import inspect
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tollbook
from opentelemetry.trace import SpanKind, StatusCode
from tollbook.testing import Captured


@tollbook.handoff("read", source="staging")
def at_module_level(name: str, *, loud: bool = False) -> str:
    """Says hello."""
    return f"HELLO {name}" if loud else f"hello {name}"


def test_a_bare_decorator_names_the_span_after_the_function(captured: Captured) -> None:
    @tollbook.request
    def answer() -> int:
        return 42

    assert answer() == 42
    assert captured.attributes("answer")["tollbook.kind"] == "request"
    assert captured.attributes("answer")["gen_ai.workflow.name"] == "answer"


def test_a_request_holds_its_handoffs_and_inferences_in_one_trace(captured: Captured) -> None:
    @tollbook.handoff("read", source="s3", destination="intake", network="cross_zone", scaffolding="glue")
    def load() -> bytes:
        return b"abc"

    @tollbook.inference(model="tiny", provider="onnxruntime", location="in_process")
    def classify(page: bytes) -> str:
        return "text" if page else "empty"

    @tollbook.request("document-intake", team="documents")
    def intake() -> str:
        return classify(load())

    assert intake() == "text"
    assert captured.names == ["load", "inference tiny", "document-intake"]
    assert len({span.context.trace_id for span in captured.spans}) == 1
    root = captured.named("document-intake")
    assert root.parent is None
    assert {span.parent.span_id for span in captured.spans if span.parent} == {root.context.span_id}
    assert (
        dict(captured.attributes("load")).items()
        >= {
            "tollbook.kind": "handoff",
            "tollbook.handoff.operation": "read",
            "tollbook.handoff.source": "s3",
            "tollbook.handoff.destination": "intake",
            "tollbook.handoff.network": "cross_zone",
            "tollbook.scaffolding.class": "glue",
            "tollbook.team": "documents",
            "gen_ai.workflow.name": "document-intake",
        }.items()
    )
    assert (
        dict(captured.attributes("inference tiny")).items()
        >= {
            "tollbook.kind": "inference",
            "gen_ai.operation.name": "inference",
            "gen_ai.request.model": "tiny",
            "gen_ai.provider.name": "onnxruntime",
            "tollbook.inference.location": "in_process",
        }.items()
    )


def test_what_is_not_said_is_absent(captured: Captured) -> None:
    with tollbook.handoff():
        pass
    assert set(captured.attributes("handoff")) == {"tollbook.kind", "tollbook.cpu.time"}


def test_a_block_is_named_by_what_it_does(captured: Captured) -> None:
    with tollbook.handoff("copy", source="bucket", destination="cache"):
        pass
    with tollbook.inference("gpt-4o", provider="openai", operation="chat"):
        pass
    with tollbook.handoff("read", name="fetch page"):
        pass
    assert captured.names == ["copy bucket", "chat gpt-4o", "fetch page"]


def test_the_handle_says_more_while_the_block_runs(captured: Captured) -> None:
    with tollbook.handoff("read", source="s3") as span:
        span.bytes(1000).bytes(24).records(3).set("corpus", "2026")
        span.asset("s3://corpus/a", version="v7", event_time=1_700_000_000.5, synced_at=1_700_000_600_000_000_000)
    with tollbook.inference("gpt-4o") as span:
        span.usage(input_tokens=12, output_tokens=7, cache_read_tokens=4, response_model="gpt-4o-2024-08-06")
        span.payload(input_bytes=80, output_bytes=20, batch_size=1)
    read, chat = captured.attributes("read s3"), captured.attributes("inference gpt-4o")
    assert (read["tollbook.handoff.size"], read["tollbook.handoff.records"], read["corpus"]) == (1024, 3, "2026")
    assert (read["tollbook.asset.id"], read["tollbook.asset.version"]) == ("s3://corpus/a", "v7")
    assert read["tollbook.asset.event_time"] == 1_700_000_000_500_000_000
    assert read["tollbook.asset.synced_at"] == 1_700_000_600_000_000_000
    assert (chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"]) == (12, 7)
    assert chat["gen_ai.usage.cache_read.input_tokens"] == 4
    assert "gen_ai.usage.reasoning.output_tokens" not in chat
    assert chat["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert (chat["tollbook.inference.input.size"], chat["tollbook.inference.batch_size"]) == (80, 1)


def test_the_current_span_is_reached_without_a_handle(captured: Captured) -> None:
    @tollbook.inference(model="m")
    def classify() -> None:
        tollbook.usage(input_tokens=5)
        tollbook.current().set("stage", "late")

    classify()
    assert captured.attributes("inference m")["gen_ai.usage.input_tokens"] == 5
    assert captured.attributes("inference m")["stage"] == "late"


def test_usage_and_asset_reach_spans_that_others_made(captured: Captured) -> None:
    with captured.provider.get_tracer("other").start_as_current_span("other"):
        tollbook.usage(input_tokens=5)
        tollbook.asset("s3://a")
    assert captured.attributes("other")["gen_ai.usage.input_tokens"] == 5
    assert captured.attributes("other")["tollbook.asset.id"] == "s3://a"


def test_serialization_is_timed(captured: Captured) -> None:
    with tollbook.handoff("call", destination="model-server") as span:
        with span.serializing():
            first = sum(range(10_000))
        with span.serializing():
            assert first
    assert captured.attributes("call model-server")["tollbook.handoff.serialization.duration"] > 0


def test_the_trace_id_is_what_a_receipt_is_asked_for_by(captured: Captured) -> None:
    with tollbook.request("intake") as span:
        trace_id = span.trace_id
    assert trace_id == f"{captured.named('intake').context.trace_id:032x}"
    assert len(trace_id) == 32


def test_signature_name_and_docs_stay() -> None:
    assert str(inspect.signature(at_module_level)) == "(name: str, *, loud: bool = False) -> str"
    assert (at_module_level.__name__, at_module_level.__doc__) == ("at_module_level", "Says hello.")


def test_a_decorated_function_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(at_module_level)) is at_module_level


def test_what_a_function_is_stays_true() -> None:
    async def coroutine() -> None: ...

    def generator():
        yield

    async def async_generator():
        yield

    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    for decorate in (tollbook.request, tollbook.inference("m"), tollbook.handoff("read", bytes_of="result")):
        for function in (coroutine, generator, async_generator, lambda: None):
            assert [kind(decorate(function)) for kind in kinds] == [kind(function) for kind in kinds]


def test_an_exception_passes_unchanged_and_marks_the_span(captured: Captured) -> None:
    error = KeyError("secret")

    @tollbook.handoff("read")
    def fail() -> None:
        raise error

    with pytest.raises(KeyError) as caught:
        fail()
    assert caught.value is error
    span = captured.named("fail")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "KeyError"


def test_an_exceptions_text_never_leaves_the_process(captured: Captured) -> None:
    with pytest.raises(RuntimeError), tollbook.request("r"):
        raise RuntimeError("sk-live-1234")
    assert "sk-live" not in captured.named("r").to_json()


def test_an_error_type_of_a_library_is_named_in_full(captured: Captured) -> None:
    with pytest.raises(pickle.PicklingError), tollbook.request("r"):
        raise pickle.PicklingError
    assert captured.attributes("r")["error.type"] == "_pickle.PicklingError"


def test_leaving_by_a_clean_exit_is_no_failure(captured: Captured) -> None:
    with pytest.raises(SystemExit), tollbook.request("ends"):
        raise SystemExit(0)
    with pytest.raises(SystemExit), tollbook.request("fails"):
        raise SystemExit(3)
    assert captured.named("ends").status.status_code is StatusCode.UNSET
    assert captured.named("fails").status.status_code is StatusCode.ERROR


def test_methods_of_every_kind_can_be_decorated(captured: Captured) -> None:
    class Model:
        @tollbook.inference(model="m")
        def bound(self) -> str:
            return type(self).__name__

        @tollbook.inference(model="c")
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

        @staticmethod
        @tollbook.inference(model="s")
        def of_nobody() -> str:
            return "nobody"

    assert (Model().bound(), Model.of_class(), Model().of_nobody()) == ("Model", "Model", "nobody")
    assert captured.names == ["inference m", "inference c", "inference s"]


def test_a_partial_can_be_decorated(captured: Captured) -> None:
    double = tollbook.handoff("transform")(functools.partial(lambda factor, value: factor * value, 2))
    assert double(21) == 42
    assert captured.names == ["partial"]


def test_a_class_cannot_be_decorated() -> None:
    with pytest.raises(TypeError, match="takes a function"):
        tollbook.request("r")(int)


def test_a_coroutine_keeps_its_result_and_its_children(captured: Captured) -> None:
    @tollbook.inference(model="m")
    async def classify() -> str:
        await asyncio.sleep(0)
        return "text"

    @tollbook.request("intake")
    async def intake() -> list[str]:
        return await asyncio.gather(classify(), classify())

    assert asyncio.run(intake()) == ["text", "text"]
    root = captured.named("intake")
    assert [span.parent.span_id for span in captured.spans if span.parent] == [root.context.span_id] * 2


def test_a_cancelled_coroutine_ends_its_span(captured: Captured) -> None:
    @tollbook.request("slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert captured.attributes("slow")["error.type"] == "asyncio.exceptions.CancelledError"


def test_a_plain_function_that_returns_a_coroutine_is_timed_to_its_end(captured: Captured) -> None:
    async def work() -> int:
        with tollbook.handoff("read"):
            await asyncio.sleep(0)
        return 42

    @tollbook.request("intake")
    def intake():
        return work()

    assert asyncio.run(intake()) == 42
    assert captured.names == ["read", "intake"]
    assert captured.named("read").parent.span_id == captured.named("intake").context.span_id


def test_async_with_is_a_block_too(captured: Captured) -> None:
    async def main() -> None:
        async with tollbook.request("intake") as request:
            request.set("stage", "one")
            async with tollbook.handoff("read", source="s3"):
                await asyncio.sleep(0)

    asyncio.run(main())
    assert captured.names == ["read s3", "intake"]


def test_one_decorator_serves_recursive_and_repeated_calls(captured: Captured) -> None:
    @tollbook.handoff("lookup")
    def down(depth: int) -> int:
        return depth and down(depth - 1)

    assert down(3) == 0
    assert captured.names == ["down"] * 4
    block = tollbook.handoff("copy")
    with block, block:
        pass
    assert captured.names[-2:] == ["copy", "copy"]


def test_kinds_say_whether_a_process_is_left(captured: Captured) -> None:
    with (
        tollbook.request("r"),
        tollbook.handoff("call", network="loopback"),
        tollbook.inference("m", location="remote"),
        tollbook.handoff("read", network="local_disk"),
        tollbook.handoff("write", name="send", kind=SpanKind.PRODUCER),
    ):
        pass
    kinds = {span.name: span.kind for span in captured.spans}
    assert kinds == {
        "r": SpanKind.INTERNAL,
        "call": SpanKind.CLIENT,
        "inference m": SpanKind.CLIENT,
        "read": SpanKind.INTERNAL,
        "send": SpanKind.PRODUCER,
    }


def test_nothing_is_done_while_nobody_listens() -> None:
    @tollbook.request("r")
    def answer() -> bool:
        return tollbook.current().span.is_recording()

    assert answer() is False
    with tollbook.handoff("read") as span:
        assert span.bytes(3).asset("a").trace_id == "0" * 32


def test_one_block_object_serves_threads_at_the_same_time(captured: Captured) -> None:
    block = tollbook.handoff("read")
    meet = threading.Barrier(4)

    def work(number: int) -> None:
        with tollbook.request(f"r{number}"):
            with block as span:
                meet.wait(10)
                span.records(number)
            meet.wait(10)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    requests = {span.context.span_id: span.name for span in captured.spans if span.name != "read"}
    reads = {requests[span.parent.span_id]: span.attributes for span in captured.spans if span.name == "read"}
    assert {name: read["tollbook.handoff.records"] for name, read in reads.items()} == {f"r{n}": n for n in range(4)}


def test_a_web_framework_still_reads_the_signature(captured: Captured) -> None:
    fastapi = pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    app = fastapi.FastAPI()

    @app.get("/double")
    @tollbook.request("double")
    async def double(value: int) -> int:
        return 2 * value

    assert TestClient(app).get("/double?value=21").json() == 42
    assert TestClient(app).get("/double?value=x").status_code == 422
    assert captured.names == ["double"]


def test_types_are_kept_for_a_type_checker(tmp_path: Path) -> None:
    """mypy --strict sees the decorated function as it was written, and refuses what is wrong."""
    pytest.importorskip("mypy")
    source = tmp_path / "service.py"
    source.write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(source)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = [line.partition("service.py:")[2] for line in said.splitlines()]
    assert [line for line in lines if "note: Revealed" in line] == [
        '15: note: Revealed type is "def (name: str, *, loud: bool =) -> int"',
        '16: note: Revealed type is "def (name: str) -> typing.Coroutine[Any, Any, bytes]"',
        '17: note: Revealed type is "tollbook.handle.Handle"',
    ]
    assert [line.partition(":")[0] for line in lines if "error:" in line] == ["18", "19"]


TYPED = """\
import tollbook

@tollbook.request
def plain(name: str, *, loud: bool = False) -> int:
    return len(name)

@tollbook.inference(model="m")
async def later(name: str) -> bytes:
    return name.encode()

@tollbook.handoff("read", network="loopback")
def other() -> None: ...

with tollbook.request("r") as span:
    reveal_type(plain)
    reveal_type(later)
    reveal_type(span)
    plain(17)
    tollbook.handoff("reed")
"""
