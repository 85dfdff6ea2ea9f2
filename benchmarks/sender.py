"""The sending side of a load, in a process of its own: bodies are made before the clock starts, every answer is awaited."""

import http.client
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from benchmarks.payload import SPANS_PER_BODY, Body, Payload, ShapeName

RETRY_SECONDS = 0.05
"""Where an answer does not say when to try again."""

ANSWER_SECONDS = 60
REEL_BYTES = 500_000_000
"""Bodies kept in the sender at most; a longer load sends them again with new ids and times."""


@dataclass(frozen=True)
class Plan:
    """A load: how many bodies of which shape, how fast, and what to do when they are refused."""

    port: int
    headers: Mapping[str, str]
    shape: ShapeName
    seed: int
    bodies: int
    """To be sent at most."""
    seconds: float = 0
    """After which no further body is begun; 0 sends them all."""
    bodies_per_second: float = 0
    """0 is as fast as they are taken."""
    connections: int = 4
    retry: bool = True
    """Whether a body that is refused for now is sent again until it is taken, as exporters do."""
    spans_per_body: int = SPANS_PER_BODY


@dataclass(frozen=True)
class Sent:
    """What a load sent and how it was answered. Times are `time.perf_counter()`, which all processes of a machine share."""

    plan: Plan
    bodies: int
    """That were acknowledged."""
    input_tokens: int
    body_bytes: int
    began: float
    ended: float
    answers: Mapping[int, int]
    """How many answers of each code; 0 counts those that never came."""
    cpu_seconds: float
    answer_ms: tuple[float, ...]
    """Of each acknowledged body, from the moment it was due (or, at full speed, sent) to its answer, in order of size."""
    acknowledged_s: tuple[float, ...]
    """When each was acknowledged, in seconds after the beginning."""

    @property
    def spans(self) -> int:
        """Spans acknowledged."""
        return self.bodies * self.plan.spans_per_body

    @property
    def refused(self) -> int:
        """Answers that asked to come back later."""
        return self.answers.get(429, 0) + self.answers.get(503, 0)

    def answer_percentile_ms(self, share: float) -> float:
        """Time that this share of the acknowledged bodies waited at most."""
        return self.answer_ms[min(len(self.answer_ms) - 1, int(share * len(self.answer_ms)))] if self.answer_ms else float("nan")


class Sender:
    """A process that makes its bodies, then waits for `run` or `start`."""

    def __init__(self, plan: Plan) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, plan), daemon=True)
        self._process.start()
        there.close()  # so that a sender that dies ends the wait for it
        self._here.recv()

    def run(self) -> Sent:
        """Sends; returns when the last body is answered."""
        self.start()
        return self.result()

    def start(self) -> None:
        """Begins to send."""
        self._here.send("go")

    @property
    def sending(self) -> bool:
        """Whether the last answer is not here yet."""
        return not self._here.poll()

    def result(self) -> Sent:
        """Waits for the last answer."""
        sent: Sent = self._here.recv()
        self._process.join()
        return sent


@dataclass
class _Load:
    """What the threads of a sender share."""

    plan: Plan
    payload: Payload
    reel: list[Body]
    began: float = 0
    taken: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    acknowledged: list[tuple[float, float, int, int]] = field(default_factory=list)
    """Of each acknowledged body: when, after how many ms, its tokens and its bytes."""
    answers: Counter[int] = field(default_factory=Counter)

    def next(self) -> tuple[Body, float] | None:
        """The next body and when it is due; none if there are no more."""
        with self.lock:
            number, self.taken = self.taken, self.taken + 1
            due = self.began + (number / self.plan.bodies_per_second if self.plan.bodies_per_second else 0)
            now = max(due, time.perf_counter())
            if number >= self.plan.bodies or (self.plan.seconds and now >= self.began + self.plan.seconds):
                return None
            body = self.reel[number % len(self.reel)]
            if number >= len(self.reel):
                self.payload.renew(body, time.time_ns())
        return body, due


def _serve(pipe: Connection, plan: Plan) -> None:
    payload = Payload(plan.seed, plan.shape, plan.spans_per_body)
    first = payload.body(time.time_ns())
    wanted = min(plan.bodies, int(plan.bodies_per_second * plan.seconds) or plan.bodies)
    kept = min(wanted, max(4 * plan.connections, REEL_BYTES // len(first.content)))
    load = _Load(plan, payload, payload.bodies(kept, time.time_ns()))
    pipe.send("ready")
    pipe.recv()
    cpu, load.began = time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=_drain, args=(load,)) for _ in range(plan.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(_sent(load, time.process_time() - cpu))


def _sent(load: _Load, cpu_seconds: float) -> Sent:
    return Sent(
        plan=load.plan,
        bodies=len(load.acknowledged),
        input_tokens=sum(tokens for _, _, tokens, _ in load.acknowledged),
        body_bytes=sum(size for _, _, _, size in load.acknowledged),
        began=load.began,
        ended=time.perf_counter(),
        answers=dict(load.answers),
        cpu_seconds=cpu_seconds,
        answer_ms=tuple(sorted(waited for _, waited, _, _ in load.acknowledged)),
        acknowledged_s=tuple(sorted(at for at, _, _, _ in load.acknowledged)),
    )


def _drain(load: _Load) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", load.plan.port, timeout=ANSWER_SECONDS)
    while (work := load.next()) is not None:
        body, due = work
        time.sleep(max(0.0, due - time.perf_counter()))
        began = due if load.plan.bodies_per_second else time.perf_counter()
        if _accepted(load, connection, body):
            now = time.perf_counter()
            load.acknowledged.append((now - load.began, (now - began) * 1000, body.input_tokens, len(body.content)))


def _accepted(load: _Load, connection: http.client.HTTPConnection, body: Body) -> bool:
    """Whether the body was acknowledged, at the first try or, where the plan says so, at a later one."""
    while True:
        status, retry_after_s = post(connection, body.content, load.plan.headers)
        load.answers[status] += 1
        if status == 200 or not load.plan.retry:
            return status == 200
        if status not in (0, 429, 502, 503, 504):
            raise RuntimeError(f"a body was answered {status}")
        time.sleep(retry_after_s)


def post(connection: http.client.HTTPConnection, content: bytes | bytearray, headers: Mapping[str, str]) -> tuple[int, float]:
    """Answer code to one body on a kept-open connection, 0 if none came; and how long to wait before trying again."""
    try:
        connection.request("POST", "/v1/traces", content, dict(headers))
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0, RETRY_SECONDS
    asked = response.headers.get("retry-after", "")
    return response.status, float(asked) if asked.isdigit() else RETRY_SECONDS
