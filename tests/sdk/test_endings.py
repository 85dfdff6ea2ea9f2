"""How processes end: forks, prefork servers, pools, cancelled tasks, atexit and SIGTERM. Nothing hangs, nothing is lost."""

import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ended
from tests.sdk.receiver import Receiver

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")

HEAD = """
    import asyncio, atexit, multiprocessing, os, signal, sys, threading, time
    import tollbook

    def work(name, times=1):
        for _ in range(times):
            with tollbook.handoff("read", source=name):
                pass

    def each(name):
        work(name)
        return os.getpid()
"""
CONFIGURED = (
    HEAD
    + """
    if os.environ["CONFIGURED"] == "first":
        tollbook.configure(metrics=False)
    tollbook.TollbookSpanProcessor.exit_timeout_s = 30.0  # twenty processes at once on a busy machine
"""
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def run(tmp_path: Path, receiver: Receiver, app: str, *launcher: str, status: int = 0, **environment: str) -> Counter[str]:
    """Run a program to its end, which it must reach in time; how many spans of each name arrived, twice counted twice."""
    file = tmp_path / "app.py"
    file.write_text(app)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOLLBOOK_"))}
    inherited |= {"TOLLBOOK_STRICT": "1", "CONFIGURED": "first", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    command = [sys.executable, *launcher, str(file)]
    with ended(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=inherited | environment)) as process:
        _said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (status, "")
    return Counter(
        span.name.removeprefix("read ")
        for request in receiver.traces
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )


def program(*parts: str) -> str:
    return "\n".join(textwrap.dedent(part) for part in parts)


def test_children_that_are_forked_while_threads_work_lose_nothing(tmp_path: Path, receiver: Receiver) -> None:
    app = """
    busy = threading.Event()

    def hammer():
        work("thread", 3000)

    threads = [threading.Thread(target=hammer) for _ in range(2)]
    for thread in threads:
        thread.start()
    children = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            work("child", 5)
            sys.exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    for thread in threads:
        thread.join()
    atexit.register(work, "atexit")
    """
    found = run(tmp_path, receiver, program(CONFIGURED, app))
    assert found == {"thread": 6000, "child": 100, "atexit": 1}


def test_workers_of_a_prefork_server_send_what_they_served(tmp_path: Path, receiver: Receiver) -> None:
    """The way of gunicorn: a master forks workers before any request, and ends them with SIGTERM, which their handler takes."""
    app = """
    def serve(ready):
        def stop(*_):
            sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        threads = [threading.Thread(target=work, args=("request", 250)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os.write(ready, b".")
        while True:
            time.sleep(60)

    def master():
        workers, (reading, ready) = [], os.pipe()
        for _ in range(3):
            worker = os.fork()
            if worker == 0:
                serve(ready)
            workers.append(worker)
        for _ in workers:
            os.read(reading, 1)
        work("master")
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        for worker in workers:
            assert os.waitpid(worker, 0)[1] == 0

    master()
    """
    assert run(tmp_path, receiver, program(CONFIGURED, app)) == {"request": 3000, "master": 1}


WORKERS = """
    def configured(name, times):
        if os.environ["CONFIGURED"] == "in the worker":
            tollbook.configure(metrics=False)
        work(name, times)

    if __name__ == "__main__":
        methods = ["fork", "spawn"] if os.environ["CONFIGURED"] == "first" else ["fork"]
        for method in methods:
            context = multiprocessing.get_context(method)
            process = context.Process(target=configured, args=(method, 7))
            process.start()
            process.join(30)
            assert process.exitcode == 0
        if os.environ["CONFIGURED"] == "first":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                pool.map(each, ["pool"] * 8)
                pool.close()
                pool.join()
"""


def test_workers_of_multiprocessing_send_what_they_did(tmp_path: Path, receiver: Receiver) -> None:
    assert run(tmp_path, receiver, program(CONFIGURED, WORKERS)) == {"fork": 7, "spawn": 7, "pool": 8}


def test_a_worker_that_configures_itself_sends_what_it_did(tmp_path: Path, receiver: Receiver) -> None:
    assert run(tmp_path, receiver, program(CONFIGURED, WORKERS), CONFIGURED="in the worker") == {"fork": 7}


def test_workers_of_a_pool_that_is_left_are_terminated_and_have_sent_what_they_did(tmp_path: Path, receiver: Receiver) -> None:
    app = """
    if __name__ == "__main__":
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert os.getpid() not in pool.map(each, ["pool"] * 8)
    """
    launcher = ["-m", "tollbook.instrument", "--only", "multiprocessing", "--no-metrics", sys.executable]
    assert run(tmp_path, receiver, program(HEAD, app), *launcher) == {"pool": 8}


def test_tasks_that_are_cancelled_end_their_spans(tmp_path: Path, receiver: Receiver) -> None:
    app = """
    @tollbook.inference(model="slow")
    async def slow():
        await asyncio.sleep(60)

    @tollbook.inference(model="stream")
    async def stream():
        while True:
            yield "token"
            await asyncio.sleep(60)

    async def read():
        async for _token in stream():
            pass

    async def main():
        tasks = [asyncio.create_task(slow()) for _ in range(50)] + [asyncio.create_task(read()) for _ in range(50)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
        try:
            await asyncio.wait_for(slow(), 0.01)
        except TimeoutError:
            work("timeout")

    asyncio.run(main())
    """
    found = run(tmp_path, receiver, program(CONFIGURED, app))
    assert (sum(found.values()), found["timeout"]) == (102, 1)
    errors = [
        [pair.value.string_value for pair in span.attributes if pair.key == "error.type"]
        for request in receiver.traces
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if span.name != "read timeout"
    ]
    assert all(error and error[0] for error in errors), errors


def test_a_handler_of_the_programs_own_ends_it_as_it_says(tmp_path: Path, receiver: Receiver) -> None:
    app = """
    def stop(*_):
        work("handler")
        sys.exit(3)

    signal.signal(signal.SIGTERM, stop)
    work("before", 2000)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    """
    found = run(tmp_path, receiver, program(CONFIGURED, app), status=3)
    assert found == {"before": 2000, "handler": 1}


def test_what_cannot_be_sent_is_counted_to_the_last_span(tmp_path: Path, receiver: Receiver) -> None:
    app = """
    from tollbook.sending import losses

    tollbook.configure(endpoint="http://127.0.0.1:9", metrics=False)
    work("lost", 777)
    child = os.fork()
    work("lost", 23)
    began = time.monotonic()
    tollbook.shutdown()
    assert time.monotonic() - began < 10
    assert losses.spans == (23 if child == 0 else 800), losses.spans
    if child:
        assert os.waitpid(child, 0)[1] == 0
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    """
    quiet = "    import logging; logging.disable()\n"
    assert run(tmp_path, receiver, program(HEAD, quiet, app)) == {}
