"""Programs at a given load: at half of what they can, at a multiple of it, for a minute, for five."""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from benchmarks import lives, systems
from benchmarks.figures import Line, Result, Series
from benchmarks.lives import ALONE, DRAIN_SECONDS, QUIET_SECONDS
from benchmarks.payload import SPANS_PER_BODY, ShapeName
from benchmarks.peers import PeerMissingError
from benchmarks.sender import Plan, Sender, Sent
from benchmarks.systems import System, SystemName
from benchmarks.watch import Watch, parts_and_merges, watching
from tests.house.browser import find

DASHBOARD_SECONDS = 15
PHOENIX_SPANS = 6_144
WINDOW_SECONDS = 10
OVERLOADED = {"TOLLBOOK_COLLECTOR_SPOOL_MAX_BYTES": str(1024**3)}
"""A spool that fills within the test, so that refusals are part of it."""

OVERLOAD_PROTOCOL = """\
Bodies are due at an even rate over 16 connections (32 for overload), and waits are counted from that moment. At half of the
peak of row 1 for {half} s. Then {seconds} s of genai with prompts at twice the rate that the same program stored it at in row
2, nothing sent again, our spool bounded to 1 GiB; Phoenix gets {phoenix:,} genai spans as fast as it takes them. Acknowledged
is compared with stored."""

MEMORY_PROTOCOL = """\
PSS of all processes of a program, sampled every second under load, rotel's for half of the time. Ours settles as it does by
default, and its first page was opened in chromium and left 15 s before. The peers' idle memory is from the lives above."""

SUSTAINED_PROTOCOL = """\
genai spans over 8 connections for {seconds} s, {pace}, refused bodies sent again; the rate is from the first byte until all
are counted. A look every ten seconds. Then a minute of genai with prompts at ten times that rate over 32 connections, nothing
sent again, the spool bounded to 1 GiB."""


@dataclass(frozen=True)
class Pressed:
    """What became of a load."""

    sent: Sent
    offered: int
    """Spans that were due in the time, whether or not they could be sent."""
    stored: int
    drained_s: float
    """From the last answer until all was stored."""
    watch: Watch

    @property
    def lost(self) -> int:
        """Acknowledged, never stored."""
        return max(0, self.sent.spans - self.stored)

    @property
    def rate(self) -> float:
        """Spans/s from the first byte to the last span stored."""
        return self.stored / (self.sent.ended - self.sent.began + self.drained_s)

    def __str__(self) -> str:
        sent = self.sent
        refused = ", ".join(f"{count} x {code or 'no answer'}" for code, count in sorted(sent.answers.items()) if code != 200)
        parts = [
            f"{self.offered:,} spans offered in {sent.ended - sent.began:.0f} s",
            f"{sent.spans:,} acknowledged",
            f"{self.stored:,} stored, {self.drained_s:.1f} s later",
            f"refused: {refused or 'none'}",
            f"answer p50 {sent.answer_percentile_ms(0.5):.0f} ms, p99 {sent.answer_percentile_ms(0.99):.0f} ms",
            f"PSS at most {self.watch.most_mb:,.0f} MB",
            f"sender {sent.cpu_seconds / (sent.ended - sent.began):.2f} cores",
        ]
        return "; ".join(parts)


def press(
    system: System,
    shape: ShapeName,
    spans_per_second: float,
    seconds: float,
    *,
    retry: bool,
    connections: int,
    database: bool = False,
) -> Pressed:
    """Offers spans at a rate (0: as fast as they are taken) for a time, and waits until what was acknowledged is stored."""
    endless = 10**9
    plan = Plan(
        system.port, system.headers, shape, seed=1, bodies=endless, seconds=seconds, connections=connections, retry=retry,
        bodies_per_second=spans_per_second / SPANS_PER_BODY,
    )  # fmt: skip
    sender, before = Sender(plan), system.spans()
    with watching(system, WINDOW_SECONDS if database else 1, database=database) as watch:
        sent = sender.run()
        stored, ended = system.wait_quiet(before + sent.spans, QUIET_SECONDS, DRAIN_SECONDS)
    offered = int(spans_per_second * seconds) if spans_per_second else sum(sent.answers.values()) * SPANS_PER_BODY
    return Pressed(sent, offered, stored - before, max(0.0, ended - sent.ended), watch)


def overload(rates: Mapping[SystemName, float], peak: float, seconds: int, peers: Collection[SystemName]) -> Result:
    """Row 2's second half and the answer at half of the peak: twice what each program stores a second, with prompts."""
    lines, notes = [], []
    with systems.tollbook(ALONE) as system:
        lives.first_span(system, 1)
        lives.warm_up(system, "genai", 1)
        half = press(system, "genai", peak / 2, 2 * seconds, retry=True, connections=16)
    answer = half.sent.answer_percentile_ms(0.99)
    lines.append(Line("issue", "answer at half of peak, p99", "ms", Series((answer,)), rule="at most", target=250))
    notes.append(f"tollbook at half of {peak:,.0f} genai spans/s: {half}")
    ours = _overloaded(lambda: systems.tollbook({**ALONE, **OVERLOADED}), 2 * rates["tollbook"], seconds)
    notes.append(f"tollbook, twice its rate: {ours}")
    lost = Series((ours.lost,))
    lines.append(Line("2", "acknowledged but lost under 2x overload", "spans", lost, rule="at most", target=0))
    for name, measure in _peers(rates, seconds, peers).items():
        try:
            theirs = measure()
        except PeerMissingError as error:
            lines.append(Line("2", "acknowledged but lost", "spans", lost, name, missing=str(error)))
            continue
        notes.append(f"{name}, twice its rate or more: {theirs}")
        lines.append(
            Line("2", f"acknowledged but lost, of its {theirs.sent.spans:,}", "spans", lost, name, Series((theirs.lost,)))
        )
    protocol = OVERLOAD_PROTOCOL.format(half=2 * seconds, seconds=seconds, phoenix=PHOENIX_SPANS)
    return Result("Row 2: overload", protocol, lines, notes)


def memory(seconds: int, rate: float, peers: Collection[SystemName]) -> tuple[Result, float]:
    """Row 7: memory idle, with the dashboard open once, and at 50,000 spans/s. Gives ours at rest too."""
    lines, notes = [], []
    with systems.tollbook() as system:
        lives.first_span(system, 1)
        opened = open_dashboard(system)
        time.sleep(DASHBOARD_SECONDS)
        idle = Series((system.processes.pss_mb(),))
        loaded = press(system, "genai", rate, seconds, retry=True, connections=8)
    notes += [f"dashboard {opened}", f"tollbook: {loaded}"]
    most = Series((loaded.watch.most_mb,))
    lines += [
        Line("7", "memory idle with dashboard, PSS", "MB", idle, rule="at most", target=450),
        Line("7", f"most memory at {rate:,.0f} spans/s for {seconds} s, PSS", "MB", most, rule="at most", target=900),
    ]
    try:
        if "rotel" in peers:
            with systems.rotel() as system:
                lives.first_span(system, 1)
                theirs = press(system, "genai", rate, seconds / 2, retry=True, connections=8)
            notes.append(f"rotel with ClickHouse: {theirs}")
            lines.append(Line("7", "most memory at that rate", "MB", most, "rotel", Series((theirs.watch.most_mb,))))
    except PeerMissingError as error:
        lines.append(Line("7", "most memory at that rate", "MB", most, "rotel", missing=str(error)))
    return Result("Row 7: memory", MEMORY_PROTOCOL, lines, notes), idle.median


def sustained(seconds: int, rate: float, settings: Mapping[str, str]) -> Result:
    """Minutes at a rate, or as fast as it is taken; then ten times as much as it takes."""
    with systems.tollbook(settings) as system:
        lives.first_span(system, 1)
        lives.warm_up(system, "genai", 1)
        cpu = system.processes.cpu_seconds()
        held = press(system, "genai", rate, seconds, retry=True, connections=8, database=True)
        cores = (system.processes.cpu_seconds() - cpu) / (held.sent.ended - held.sent.began + held.drained_s)
        left = _parts_at_rest(system)
    flood = _overloaded(lambda: systems.tollbook({**settings, **OVERLOADED}), 10 * held.rate, min(60, seconds))
    lines = [
        Line("issue", f"genai for {seconds} s until stored", "spans/s", Series((held.rate,)), rule="at least", target=120_000),
        Line("issue", "slowest 10 s of it, acknowledged", "spans/s", Series((min(_windows(held.sent, seconds)),))),
        Line("issue", "most memory under it, PSS", "MB", Series((held.watch.most_mb,)), rule="at most", target=900),
        Line("issue", "most active parts under it", "parts", Series((max(look.parts for look in held.watch.looks),))),
        Line("issue", "answer at full speed, p99", "ms", Series((held.sent.answer_percentile_ms(0.99),))),
        Line("issue", "acknowledged but lost under 10x overload", "spans", Series((flood.lost,)), rule="at most", target=0),
        Line("issue", "most memory under 10x overload, PSS", "MB", Series((flood.watch.most_mb,))),
    ]  # fmt: skip
    notes = [
        f"sustained, {cores:.2f} cores: {held}",
        "acknowledged in each ten seconds, spans/s: "
        + " ".join(f"{window / 1000:.0f}K" for window in _windows(held.sent, seconds)),
        f"stored, parts, merges, PSS over time: {'; '.join(map(str, held.watch.looks))}",
        f"parts when merges had come to rest or after a minute: {left}",
        f"ten times as much offered, spool bounded to 1 GiB: {flood}",
    ]
    pace = f"{rate:,.0f} spans/s" if rate else "as fast as they are taken"
    protocol = SUSTAINED_PROTOCOL.format(seconds=seconds, pace=pace)
    return Result(f"Sustained for {seconds} s, and 10x overload", protocol, lines, notes)


def open_dashboard(system: System) -> str:
    """Opens the first page as a person would and leaves; says what was done."""
    if (path := find()) is None:
        return "not opened: no chromium"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{system.port}/", wait_until="networkidle")
            page.wait_for_timeout(3000)
            browser.close()
    except PlaywrightError as error:
        return f"not opened: {error.message.splitlines()[0]}"
    return "opened once"


def _overloaded(open_system: Callable[[], AbstractContextManager[System]], rate: float, seconds: int) -> Pressed:
    with open_system() as system:
        lives.first_span(system, 1)
        return press(system, "genai_msg", rate, seconds, retry=False, connections=32)


def _peers(
    rates: Mapping[SystemName, float], seconds: int, peers: Collection[SystemName]
) -> Mapping[SystemName, Callable[[], Pressed]]:
    def phoenix() -> Pressed:
        with systems.phoenix() as system:
            lives.first_span(system, 1)
            sender, before = (
                Sender(Plan(system.port, system.headers, "genai", 1, PHOENIX_SPANS // SPANS_PER_BODY)),
                system.spans(),
            )
            with watching(system, 1) as watch:
                sent = sender.run()
                stored, ended = system.wait_quiet(before + sent.spans, QUIET_SECONDS, DRAIN_SECONDS)
            return Pressed(sent, PHOENIX_SPANS, stored - before, max(0.0, ended - sent.ended), watch)

    found: dict[SystemName, Callable[[], Pressed]] = {
        "rotel": lambda: _overloaded(systems.rotel, 2 * rates["rotel"], seconds),
        "Phoenix": phoenix,
    }
    return {name: measure for name, measure in found.items() if name in peers and rates.get(name, 1)}


def _windows(sent: Sent, seconds: int) -> list[float]:
    """Spans acknowledged a second, in each full ten seconds."""
    edges = range(0, max(WINDOW_SECONDS, seconds - WINDOW_SECONDS + 1), WINDOW_SECONDS)
    per_body = SPANS_PER_BODY / min(WINDOW_SECONDS, seconds)
    return [per_body * sum(edge <= at < edge + WINDOW_SECONDS for at in sent.acknowledged_s) for edge in edges]


def _parts_at_rest(system: System) -> int:
    deadline = time.perf_counter() + 60
    while parts_and_merges(system.data)[1] and time.perf_counter() < deadline:
        time.sleep(1)
    return parts_and_merges(system.data)[0]
