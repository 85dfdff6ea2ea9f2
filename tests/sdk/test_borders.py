"""Trace, owners and ages cross the borders inside a machine: threads, pools, processes and other programs."""

import multiprocessing
import multiprocessing.pool
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.context import BaseContext
from typing import Any

import pytest
import tollbook
from opentelemetry.trace import get_current_span
from tollbook.carriers import told
from tollbook.inputs import inputs_of
from tollbook.integrations.processes import ProcessesInstrumentor, SubprocessInstrumentor, Task
from tollbook.integrations.threads import ThreadsInstrumentor
from tollbook.testing import Captured

TIME_NS = 1_700_000_000_123_000_000
Known = tuple[str, str, int]


@pytest.fixture(autouse=True)
def _instrumented(captured: Captured) -> Iterator[None]:
    instrumentors = [ThreadsInstrumentor(), ProcessesInstrumentor(), SubprocessInstrumentor()]
    for instrumentor in instrumentors:
        instrumentor.instrument()
    yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


def known(_item: Any = None) -> Known:
    """Trace, team and age of the inputs, where this runs."""
    inputs, owners = inputs_of(), told(ours=True).get("baggage", "")
    said = inputs.attributes() if inputs is not None else {}
    team = next((pair.partition("=")[2] for pair in owners.split(",") if pair.startswith("tollbook.team=")), "")
    oldest = said.get("tollbook.input.event_time.oldest", 0)
    return f"{get_current_span().get_span_context().trace_id:032x}", team, oldest if isinstance(oldest, int) else 0


def put(queue: Any) -> None:
    queue.put(known())


def asked(ask: Callable[[], Known]) -> None:
    """What is known inside a request is known beyond the border; outside of one nothing is."""
    with tollbook.request("intake", team="risk") as request:
        tollbook.asset("file:///a.csv", event_time=TIME_NS)
        assert ask() == (request.trace_id, "risk", TIME_NS)
    assert ask() == ("0" * 32, "", 0)


def test_threads_and_their_pools() -> None:
    def by_thread() -> Known:
        found: list[Known] = []
        thread = threading.Thread(target=lambda: found.append(known()))
        thread.start()
        thread.join(10)
        return found[0]

    class Own(threading.Thread):
        def run(self) -> None:
            self.found = known()

    def by_own_class() -> Known:
        thread = Own()
        thread.start()
        thread.join(10)
        return thread.found

    asked(by_thread)
    asked(by_own_class)
    with ThreadPoolExecutor(1) as pool:
        asked(lambda: pool.submit(known).result(10))
        asked(lambda: next(pool.map(known, [1])))
    with multiprocessing.pool.ThreadPool(1) as threads:
        asked(lambda: threads.apply(known))


def test_what_a_thread_has_read_is_known_to_those_it_starts() -> None:
    tollbook.asset("file:///b.csv", event_time=TIME_NS)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(known).result(10)[2] == TIME_NS


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_and_their_pools(method: str) -> None:
    context: BaseContext = multiprocessing.get_context(method)
    with context.Pool(1) as pool:
        asked(lambda: pool.apply(known))
        if method == "fork":
            asked(lambda: pool.map(known, [1])[0])
            asked(lambda: next(pool.imap(known, [1])))
            asked(lambda: next(pool.imap_unordered(func=known, iterable=[1])))
            executor: Executor
            with ProcessPoolExecutor(1, context) as executor:
                asked(lambda: executor.submit(known).result(10))
        pool.close()
        pool.join()


def test_a_process_of_its_own() -> None:
    def by_process() -> Known:
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        process = context.Process(target=put, args=[queue])
        process.start()
        found: Known = queue.get()
        process.join(10)
        queue.close()
        return found

    asked(by_process)


def test_a_task_is_the_function_for_whoever_looks_at_it() -> None:
    import pickle

    task = pickle.loads(pickle.dumps(Task(known)))
    assert (task.__name__, task.__doc__) == (known.__name__, known.__doc__)
    assert Task("nothing to call") is not None  # type: ignore[arg-type]  # the pool says what is wrong with it


def test_another_program_finds_them_in_its_environment() -> None:
    read = "import os; print(os.environ.get('TRACEPARENT', ''), 'tollbook.team=risk' in os.environ.get('BAGGAGE', ''))"

    def said(**given: Any) -> str:
        done = subprocess.run([sys.executable, "-S", "-c", read], capture_output=True, text=True, check=True, **given)
        return done.stdout.strip()

    with tollbook.request("intake", team="risk") as request:
        traceparent, team = said(env={}).split()
        assert (traceparent.split("-")[1], team) == (request.trace_id, "True")
    assert said() == "False"
