"""The sending side of a load, in a process of its own: bodies are made before the clock starts, every answer is awaited."""

import http.client
import multiprocessing
import queue
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from benchmarks.payload import Body, Payload

CONNECTIONS = 4
RETRY_SECONDS = 0.05
HEADERS = {"Content-Type": "application/x-protobuf"}


@dataclass(frozen=True)
class Sent:
    """What a flood sent and how it was answered. Times are `time.perf_counter()`, which all processes of a machine share."""

    spans: int
    input_tokens: int
    body_bytes: int
    began: float
    acknowledged: float
    refused: int
    """Answers that asked to try again; the body was sent again until it was taken."""
    cpu_seconds: float
    answer_ms: tuple[float, ...]
    """Time from the first byte out to the answer, per acknowledged body."""


class Flood:
    """A process that makes its bodies, then waits for `run`."""

    def __init__(self, port: int, bodies: int, seed: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_flood, args=(there, port, bodies, seed), daemon=True)
        self._process.start()
        there.close()  # so that a sender that dies ends the wait for it
        self._here.recv()

    def run(self) -> Sent:
        """Sends everything as fast as it is taken; returns when the last body is acknowledged."""
        self._here.send("go")
        sent: Sent = self._here.recv()
        self._process.join()
        return sent


def _flood(pipe: Connection, port: int, count: int, seed: int) -> None:
    bodies = Payload(seed).bodies(count, time.time_ns())
    pipe.send("ready")
    pipe.recv()
    waiting: queue.SimpleQueue[Body] = queue.SimpleQueue()
    for body in bodies:
        waiting.put(body)
    answers: list[float] = []
    refusals: list[int] = []
    cpu, began = time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=_drain, args=(waiting, port, answers, refusals)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(answers) != count:
        raise RuntimeError(f"{count - len(answers)} of {count} bodies were not acknowledged")
    pipe.send(
        Sent(
            spans=sum(body.spans for body in bodies),
            input_tokens=sum(body.input_tokens for body in bodies),
            body_bytes=sum(len(body.content) for body in bodies),
            began=began,
            acknowledged=time.perf_counter(),
            refused=len(refusals),
            cpu_seconds=time.process_time() - cpu,
            answer_ms=tuple(answers),
        )
    )


def _drain(waiting: "queue.SimpleQueue[Body]", port: int, answers: list[float], refusals: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while True:
        try:
            body = waiting.get_nowait()
        except queue.Empty:
            return
        began = time.perf_counter()
        while (status := post(connection, body.content)) == 503:
            refusals.append(status)
            time.sleep(RETRY_SECONDS)
        if status != 200:
            raise RuntimeError(f"a body was answered {status}")
        answers.append((time.perf_counter() - began) * 1000)


def post(connection: http.client.HTTPConnection, content: bytes) -> int:
    """Answer code to one body on a kept-open connection."""
    connection.request("POST", "/v1/traces", content, HEADERS)
    response = connection.getresponse()
    response.read()
    return response.status
