"""CPU time: of the thread that did the work, in every shape of function, and absent where it would lie."""

import asyncio
import threading
import time

import pytest
import tollbook
from tollbook import cpu
from tollbook.testing import Captured

BUSY_S = 0.05


def burn(seconds: float = BUSY_S) -> None:
    """Use this much CPU on this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def cpu_s(captured: Captured, name: str) -> float:
    return captured.attributes(name)["tollbook.cpu.time"] / 1e9


def test_cpu_time_is_work_and_not_waiting(captured: Captured) -> None:
    with tollbook.handoff("read", name="waits"):
        time.sleep(0.05)
    with tollbook.handoff("read", name="works"):
        burn()
    assert cpu_s(captured, "waits") < 0.02
    assert BUSY_S <= cpu_s(captured, "works") < 2 * BUSY_S


def test_a_parent_includes_its_children_on_the_same_thread(captured: Captured) -> None:
    with tollbook.request("parent"), tollbook.handoff("read", name="child"):
        burn()
    assert cpu_s(captured, "parent") >= cpu_s(captured, "child") >= BUSY_S


def test_a_coroutine_counts_its_own_steps_and_not_other_tasks(captured: Captured) -> None:
    @tollbook.request("worker")
    async def worker() -> None:
        burn()
        await asyncio.sleep(0.02)
        burn()

    @tollbook.request("waiter")
    async def waiter() -> None:
        await asyncio.sleep(0.05)

    async def main() -> None:
        await asyncio.gather(waiter(), worker())

    asyncio.run(main())
    assert cpu_s(captured, "waiter") < 0.02
    assert 2 * BUSY_S <= cpu_s(captured, "worker") < 3 * BUSY_S


def test_a_generator_does_not_count_its_consumer(captured: Captured) -> None:
    @tollbook.handoff("read")
    def items():
        for _item in range(2):
            burn()
            yield

    for _item in items():
        burn()
    assert 2 * BUSY_S <= cpu_s(captured, "items") < 3 * BUSY_S


def test_a_block_inside_an_event_loop_says_nothing(captured: Captured) -> None:
    tracer = captured.provider.get_tracer("other")

    async def main() -> None:
        with tollbook.handoff("read"), tracer.start_as_current_span("foreign"):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert "tollbook.cpu.time" not in captured.attributes("read")
    assert "tollbook.cpu.time" not in captured.attributes("foreign")


def test_a_plain_function_inside_an_event_loop_can_be_measured(captured: Captured) -> None:
    @tollbook.handoff("transform")
    def parse() -> None:
        burn()

    async def main() -> None:
        parse()

    asyncio.run(main())
    assert cpu_s(captured, "parse") >= BUSY_S


def test_spans_of_other_instrumentations_are_measured(captured: Captured) -> None:
    with captured.provider.get_tracer("other").start_as_current_span("foreign"):
        burn()
    assert BUSY_S <= cpu_s(captured, "foreign") < 2 * BUSY_S


def test_the_duration_of_a_short_span_stands_for_its_cpu_time(captured: Captured) -> None:
    tracer = captured.provider.get_tracer("other")
    for number, took_ns in enumerate((9_999, 10_001)):
        span = tracer.start_span(f"span {number}", start_time=10**18)
        burn(0.001)
        span.end(10**18 + took_ns)
    assert captured.attributes("span 0")["tollbook.cpu.time"] == 9_999
    assert cpu_s(captured, "span 1") >= 0.001


def test_a_span_ended_by_another_thread_says_nothing(captured: Captured) -> None:
    span = captured.provider.get_tracer("other").start_span("foreign")
    thread = threading.Thread(target=span.end)
    thread.start()
    thread.join()
    assert "tollbook.cpu.time" not in captured.attributes("foreign")


def test_shares_of_a_thread_pool_sum_to_what_it_used() -> None:
    """Two callers are inside while a helper thread burns CPU: together they get all of it, each some."""
    stop, started, helper = threading.Event(), threading.Event(), []

    def work() -> None:
        helper.append(threading.get_native_id())
        started.set()
        while not stop.is_set():
            pass

    worker = threading.Thread(target=work)
    worker.start()
    assert started.wait(10)
    pool = cpu.ThreadPool(helper)
    used_before_ns = time.clock_gettime_ns((~helper[0] << 3) | 6)
    shares: list[int] = []

    def call(seconds: float) -> None:
        with pool:
            time.sleep(seconds)
        shares.append(cpu._helpers.time_ns)  # of this thread, which is new

    callers = [threading.Thread(target=call, args=(seconds,)) for seconds in (0.05, 0.1)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    used_ns = time.clock_gettime_ns((~helper[0] << 3) | 6) - used_before_ns
    stop.set()
    worker.join()
    assert all(share > 0 for share in shares)
    assert sum(shares) == pytest.approx(used_ns, rel=0.2)
    assert sum(shares) <= used_ns


def test_threads_that_a_call_starts_are_found_unless_two_calls_overlap() -> None:
    with cpu.Newborn() as quiet:
        pass
    assert quiet.thread_ids == frozenset()
    with cpu.Newborn() as outer, cpu.Newborn():
        pass
    assert outer.thread_ids == frozenset()


def test_sizing_a_result_is_not_the_works_time(captured: Captured) -> None:
    def slow_to_size(_result: object) -> int:
        time.sleep(0.2)
        burn()
        return 3

    @tollbook.handoff("read", bytes_of=slow_to_size)
    def read() -> str:
        return "abc"

    read()
    span = captured.named("read")
    assert span.attributes["tollbook.handoff.size"] == 3
    assert (span.end_time - span.start_time) / 1e9 < 0.1
    assert cpu_s(captured, "read") < BUSY_S
