"""Generators, of both kinds: the span is current only while the body runs, and ends however the body ends."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
import tollbook
from opentelemetry.trace import StatusCode, get_current_span
from tollbook.testing import Captured


def current_name() -> str:
    return getattr(get_current_span(), "name", "none")


@tollbook.handoff("read", records_of=lambda _item: 1, bytes_of="result")
def pages(seen: list[str] | None = None) -> Iterator[bytes]:
    for page in (b"a", b"bb", b"ccc"):
        if seen is not None:
            seen.append(current_name())
        yield page


@tollbook.handoff("read", bytes_of="result")
async def async_pages() -> AsyncIterator[bytes]:
    for page in (b"a", b"bb", b"ccc"):
        await asyncio.sleep(0)
        yield page


def test_the_span_is_current_in_the_body_and_not_in_the_consumer(captured: Captured) -> None:
    inside: list[str] = []
    outside = [current_name() for _page in pages(inside)]
    assert inside == ["pages"] * 3
    assert outside == ["none"] * 3
    assert captured.names == ["pages"]


def test_items_add_up(captured: Captured) -> None:
    assert b"".join(pages()) == b"abbccc"
    assert captured.attributes("pages")["tollbook.handoff.size"] == 6
    assert captured.attributes("pages")["tollbook.handoff.records"] == 3


def test_a_generator_that_nobody_starts_has_no_span(captured: Captured) -> None:
    generator = pages()
    del generator
    gc.collect()
    assert captured.names == []


def test_an_abandoned_generator_ends_its_span_and_is_no_failure(captured: Captured) -> None:
    generator = pages()
    next(generator)
    assert captured.names == []
    del generator
    gc.collect()
    assert captured.named("pages").status.status_code is StatusCode.UNSET
    assert captured.attributes("pages")["tollbook.handoff.size"] == 1


def test_a_generator_may_be_finished_by_another_thread(captured: Captured) -> None:
    generator = pages()
    next(generator)
    rest: list[bytes] = []
    thread = threading.Thread(target=lambda: rest.extend(generator))
    thread.start()
    thread.join()
    assert rest == [b"bb", b"ccc"]
    assert captured.attributes("pages")["tollbook.handoff.size"] == 6


def test_a_body_keeps_its_own_inner_span_over_a_pause(captured: Captured) -> None:
    names: list[str] = []

    @tollbook.request("outer")
    def outer() -> Iterator[None]:
        with tollbook.handoff("read", name="inner"):
            names.append(current_name())
            yield
            names.append(current_name())
            with tollbook.handoff("read", name="innermost"):
                yield
        names.append(current_name())

    names.extend(current_name() for _pause in outer())
    assert names == ["inner", "none", "inner", "none", "outer"]
    assert captured.named("innermost").parent.span_id == captured.named("inner").context.span_id


def test_two_generators_in_turns_do_not_mix(captured: Captured) -> None:
    first, second = [], []
    for _pair in zip(pages(first), pages(second), strict=True):
        assert current_name() == "none"
    assert first == second == ["pages"] * 3
    assert len({span.context.trace_id for span in captured.spans}) == 2


def test_send_throw_and_the_returned_value_go_through(captured: Captured) -> None:
    @tollbook.handoff("transform")
    def dialogue():
        heard = []
        try:
            heard.append((yield "one"))
        finally:
            heard.append("cleaned up")
        try:
            yield "two"
        except LookupError as error:
            heard.append(repr(error))
        yield "three"
        return heard

    generator = dialogue()
    assert next(generator) == "one"
    assert generator.send("hello") == "two"
    assert generator.throw(LookupError("x")) == "three"
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == ["hello", "cleaned up", "LookupError('x')"]
    assert captured.named("dialogue").status.status_code is StatusCode.UNSET


def test_close_runs_the_bodys_cleanup_inside_the_span(captured: Captured) -> None:
    cleaned: list[str] = []

    @tollbook.request("r")
    def work():
        try:
            yield
        finally:
            cleaned.append(current_name())

    generator = work()
    next(generator)
    generator.close()
    assert cleaned == ["r"]
    assert captured.names == ["r"]


def test_an_exception_in_the_body_passes_unchanged(captured: Captured) -> None:
    error = ValueError("broken page")

    @tollbook.handoff("read")
    def broken():
        yield 1
        raise error

    with pytest.raises(ValueError, match="broken page") as caught:
        list(broken())
    assert caught.value is error
    assert captured.attributes("broken")["error.type"] == "ValueError"


def test_yield_from_a_decorated_generator_works(captured: Captured) -> None:
    @tollbook.request("outer")
    def outer():
        yield from pages()

    assert list(outer()) == [b"a", b"bb", b"ccc"]
    assert captured.named("pages").parent.span_id == captured.named("outer").context.span_id


def test_a_streamed_inference_notes_the_time_to_its_first_item(captured: Captured) -> None:
    @tollbook.inference(model="m")
    def tokens():
        yield from ("a", "b")

    assert list(tokens()) == ["a", "b"]
    attributes = captured.attributes("inference m")
    assert attributes["gen_ai.request.stream"] is True
    assert 0 < attributes["gen_ai.response.time_to_first_chunk"] < 5


def test_an_async_generator_streams_inside_its_span(captured: Captured) -> None:
    async def main() -> list[tuple[bytes, str]]:
        return [(page, current_name()) async for page in async_pages()]

    assert asyncio.run(main()) == [(b"a", "none"), (b"bb", "none"), (b"ccc", "none")]
    assert captured.attributes("async_pages")["tollbook.handoff.size"] == 6


def test_an_async_generator_abandoned_midway_ends_its_span(captured: Captured) -> None:
    async def main() -> None:
        async for _page in async_pages():
            break
        await asyncio.sleep(0.01)  # the loop closes what was dropped in a task of its own

    asyncio.run(main())
    assert captured.named("async_pages").status.status_code is StatusCode.UNSET
    assert captured.attributes("async_pages")["tollbook.handoff.size"] == 1


def test_an_async_generator_closed_by_hand_cleans_up(captured: Captured) -> None:
    cleaned: list[str] = []

    @tollbook.request("r")
    async def work():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            cleaned.append(current_name())

    async def main() -> None:
        generator = work()
        assert await anext(generator) == 1
        await generator.aclose()

    asyncio.run(main())
    assert cleaned == ["r"]
    assert captured.names == ["r"]


def test_asend_and_athrow_go_through(captured: Captured) -> None:
    @tollbook.handoff("transform")
    async def dialogue():
        heard = yield "one"
        try:
            yield heard
        except LookupError as error:
            yield repr(error)

    async def main() -> list[str]:
        generator = dialogue()
        said = [await anext(generator), await generator.asend("hello"), await generator.athrow(LookupError("x"))]
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        return said

    assert asyncio.run(main()) == ["one", "hello", "LookupError('x')"]
    assert captured.named("dialogue").status.status_code is StatusCode.UNSET


def test_an_exception_in_an_async_body_passes_unchanged(captured: Captured) -> None:
    error = ValueError("broken page")

    @tollbook.handoff("read")
    async def broken():
        yield 1
        raise error

    async def main() -> None:
        async for _item in broken():
            pass

    with pytest.raises(ValueError, match="broken page") as caught:
        asyncio.run(main())
    assert caught.value is error
    assert captured.attributes("broken")["error.type"] == "ValueError"


def test_generators_run_unchanged_while_nobody_listens() -> None:
    async def main() -> list[bytes]:
        return [page async for page in async_pages()]

    assert list(pages()) == asyncio.run(main()) == [b"a", b"bb", b"ccc"]
