"""The five measurements. Each returns figures; none prints, and each raises where stored is not what was sent."""

import http.client
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from benchmarks.payload import Payload
from benchmarks.sender import Flood, Sent, post
from benchmarks.server import Server, ready, running
from tests.house.browser import find

SPANS_PER_BODY = 512
WARM_UP_BODIES = 40
LAG_SPANS_PER_SECOND = 5_000
LAG_BODIES_PER_SECOND = 10
IDLE_SECONDS = 15
NEWEST_BODIES = "SELECT DISTINCT conversation_id FROM spans WHERE conversation_id >= 'conversation-of-body-{seen:08d}' LIMIT 5000"
IMPORT = "import time; t = time.perf_counter(); import tollbook; print((time.perf_counter() - t) * 1000)"


@dataclass(frozen=True)
class Figure:
    """One measured quantity: the value of each round, its target, and what else was seen on the way."""

    name: str
    unit: str
    rounds: Sequence[float]
    target: float
    more_is_better: bool
    notes: Sequence[str]

    @property
    def median(self) -> float:
        """The figure that is reported."""
        return statistics.median(self.rounds)

    @property
    def met(self) -> bool:
        """Whether the median reaches the target."""
        return self.median >= self.target if self.more_is_better else self.median <= self.target


def ingest(rounds: int, spans: int) -> Figure:
    """Spans/s from the first byte sent until all are counted by a query, per round on one server that keeps growing."""
    rates: list[float] = []
    notes: list[str] = []
    with running() as server:
        ready(server)
        _send(server, WARM_UP_BODIES, seed=0)
        for number in range(1, rounds + 1):
            before, cpu = server.stored(), server.cpu_seconds()
            sent, counted = _send(server, spans // SPANS_PER_BODY, seed=number)
            seconds, used = counted - sent.began, server.cpu_seconds() - cpu
            _verify(server, before, sent)
            rates.append(sent.spans / seconds)
            notes.append(_ingest_note(number, sent, seconds, used, server.pss_mb()))
    return Figure("ingest, acknowledged to queryable", "spans/s", rates, 60_000, more_is_better=True, notes=notes)


def lag(rounds: int, seconds: int) -> Figure:
    """99th percentile of the time from a span's end to its being counted by a query, at 5,000 spans/s."""
    p99s: list[float] = []
    notes: list[str] = []
    for number in range(1, rounds + 1):
        with running() as server:
            ready(server)
            lags = sorted(_lags(server, seconds, seed=number))
        p50, p99 = _percentile(lags, 0.5), _percentile(lags, 0.99)
        p99s.append(p99)
        notes.append(f"round {number}: {len(lags):,} spans; p50 {p50:.2f} s, p99 {p99:.2f} s, most {lags[-1]:.2f} s")
    return Figure("span end to queryable, p99 at 5,000 spans/s", "s", p99s, 3, more_is_better=False, notes=notes)


def start(rounds: int) -> Figure:
    """Seconds from starting the program in an empty folder until a first span is counted by a query."""
    times: list[float] = []
    notes: list[str] = []
    for number in range(1, rounds + 1):
        body = Payload(number, spans_per_body=1).body(time.time_ns())
        with running() as server:
            while server.post(body.content) != 200:
                if time.perf_counter() - server.started > 30:
                    raise TimeoutError("the server took no span within 30 s")
                time.sleep(0.01)
            accepted = time.perf_counter() - server.started
            times.append(server.wait_stored(1, 30) - server.started)
        notes.append(f"round {number}: acknowledged at {accepted:.2f} s, queryable at {times[-1]:.2f} s")
    return Figure("`tollbook up` to first span queryable", "s", times, 4, more_is_better=False, notes=notes)


def memory(rounds: int) -> Figure:
    """PSS of an idle server whose dashboard was opened once."""
    values: list[float] = []
    notes: list[str] = []
    for number in range(1, rounds + 1):
        with running() as server:
            ready(server)
            time.sleep(2)
            fresh = server.pss_mb()
            opened = _open_dashboard(server)
            time.sleep(IDLE_SECONDS)
            values.append(server.pss_mb())
        notes.append(f"round {number}: {fresh:.0f} MB before the dashboard, {values[-1]:.0f} MB after ({opened})")
    return Figure("idle memory with dashboard, PSS", "MB", values, 450, more_is_better=False, notes=notes)


def import_time(rounds: int) -> Figure:
    """Milliseconds of `import tollbook` in a fresh interpreter, compiled files on disk."""
    command = [sys.executable, "-c", IMPORT]
    subprocess.run(command, check=True, capture_output=True)
    times = [float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(rounds)]
    return Figure("`import tollbook`", "ms", times, 100, more_is_better=False, notes=[])


def _send(server: Server, bodies: int, seed: int) -> tuple[Sent, float]:
    before = server.stored()[0]
    sent = Flood(server.port, bodies, seed).run()
    return sent, server.wait_stored(before + sent.spans, 300)


def _verify(server: Server, before: tuple[int, int], sent: Sent) -> None:
    spans, tokens = server.stored()
    if (spans - before[0], tokens - before[1]) != (sent.spans, sent.input_tokens):
        raise AssertionError(f"sent {sent.spans} spans and {sent.input_tokens} tokens, stored {spans} and {tokens}")


def _ingest_note(number: int, sent: Sent, seconds: float, cpu_seconds: float, pss_mb: float) -> str:
    answers = sorted(sent.answer_ms)
    return (
        f"round {number}: {sent.spans:,} spans, {sent.body_bytes / sent.spans:.0f} B each; all acknowledged after "
        f"{sent.acknowledged - sent.began:.1f} s, queryable after {seconds:.1f} s; {sent.spans / cpu_seconds:,.0f} spans per CPU "
        f"second of the server ({cpu_seconds / seconds:.2f} cores; sender {sent.cpu_seconds / seconds:.2f}); answer p50 "
        f"{_percentile(answers, 0.5):.0f} ms, p99 {_percentile(answers, 0.99):.0f} ms; asked to retry {sent.refused}; "
        f"PSS {pss_mb:.0f} MB"
    )


def _lags(server: Server, seconds: int, seed: int) -> list[float]:
    """Seconds from each span's end to its being visible; the spans of a body end evenly over the time since the last body."""
    per_body = LAG_SPANS_PER_SECOND // LAG_BODIES_PER_SECOND
    period = 1 / LAG_BODIES_PER_SECOND
    bodies = seconds * LAG_BODIES_PER_SECOND
    ended: dict[int, float] = {}
    sender = threading.Thread(target=_pace, args=(server.port, Payload(seed, per_body), ended, bodies, period))
    sender.start()
    visible: dict[int, float] = {}
    deadline = time.perf_counter() + seconds + 30
    while len(visible) < bodies:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{len(visible)} of {bodies} bodies became visible")
        oldest_unseen = next(body for body in range(len(visible) + 1) if body not in visible)
        for (conversation,) in server.ask(NEWEST_BODIES.format(seen=oldest_unseen)):
            visible.setdefault(int(conversation[-8:]), time.perf_counter())
        time.sleep(0.03)
    sender.join()
    return [visible[body] - ended[body] + period * at / per_body for body in visible for at in range(per_body)]


def _pace(port: int, payload: Payload, ended: dict[int, float], count: int, period: float) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, began + number * period - time.perf_counter()))
        body = payload.body(time.time_ns(), spread_ns=int(period * 1e9))
        ended[number] = time.perf_counter()
        if (status := post(connection, body.content)) != 200:
            raise RuntimeError(f"a body was answered {status}")


def _open_dashboard(server: Server) -> str:
    """Opens the first page as a person would and leaves; says what was done."""
    if (path := find()) is None:
        return "not opened: no chromium"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.port}/", wait_until="networkidle")
            page.wait_for_timeout(3000)
            browser.close()
    except PlaywrightError as error:
        return f"not opened: {error.message.splitlines()[0]}"
    return "opened once"


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
