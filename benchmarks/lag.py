"""Row 10: from a span's end to its being counted by a query, at 10,000 spans a second."""

import http.client
import threading
import time

from benchmarks import systems
from benchmarks.figures import Line, Result, Series, percentile
from benchmarks.payload import Payload
from benchmarks.sender import post
from benchmarks.systems import System

SPANS_PER_SECOND = 10_000
BODIES_PER_SECOND = 20
NEWEST_BODIES = (
    "SELECT DISTINCT substring(conversation_id, 1, 13) FROM spans WHERE conversation_id >= 'conv-{seen:08d}' LIMIT 9000"
)
PROTOCOL = (
    "Twenty bodies a second of 500 spans that ended evenly over the twentieth of a second before. A reader asks every 30 ms "
    "which are there. A fresh server a round, settling as it does by default."
)


def run(rounds: int, seconds: int) -> Result:
    """The median and the 99th percentile of each round."""
    p50s, p99s, notes = [], [], []
    for number in range(1, rounds + 1):
        with systems.tollbook() as system:
            systems.ready(system)
            lags = sorted(_lags(system, seconds, seed=number))
        p50s.append(percentile(lags, 0.5))
        p99s.append(percentile(lags, 0.99))
        notes.append(f"round {number}: {len(lags):,} spans; p50 {p50s[-1]:.2f} s, p99 {p99s[-1]:.2f} s, most {lags[-1]:.2f} s")
    lines = [
        Line("10", "span end to visible at 10 K spans/s, p99", "s", Series(tuple(p99s)), rule="at most", target=2),
        Line("10", "span end to visible at 10 K spans/s, p50", "s", Series(tuple(p50s))),
    ]
    return Result("Row 10: lag", PROTOCOL, lines, notes)


def _lags(system: System, seconds: int, seed: int) -> list[float]:
    """Seconds from each span's end to its being visible; the spans of a body end evenly over the time since the last body."""
    per_body, period = SPANS_PER_SECOND // BODIES_PER_SECOND, 1 / BODIES_PER_SECOND
    bodies = seconds * BODIES_PER_SECOND
    ended: dict[int, float] = {}
    payload = Payload(seed, spans_per_body=per_body)
    sender = threading.Thread(target=_pace, args=(system, payload, ended, bodies, period))
    sender.start()
    visible = _watch(system, bodies, time.perf_counter() + seconds + 60)
    sender.join()
    return [visible[body] - ended[body] + period * at / per_body for body in visible for at in range(per_body)]


def _watch(system: System, bodies: int, deadline: float) -> dict[int, float]:
    """When each body was first seen."""
    visible: dict[int, float] = {}
    assert system.ask is not None
    while len(visible) < bodies:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{len(visible)} of {bodies} bodies became visible")
        oldest_unseen = next(body for body in range(len(visible) + 1) if body not in visible)
        for (conversation,) in system.ask(NEWEST_BODIES.format(seen=oldest_unseen)):
            visible.setdefault(int(conversation[5:]), time.perf_counter())
        time.sleep(0.03)
    return visible


def _pace(system: System, payload: Payload, ended: dict[int, float], count: int, period: float) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=60)
    began = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, began + number * period - time.perf_counter()))
        body = payload.body(time.time_ns(), spread_ns=int(period * 1e9))
        ended[number] = time.perf_counter()
        if (status := post(connection, body.content, system.headers)[0]) != 200:
            raise RuntimeError(f"a body was answered {status}")
