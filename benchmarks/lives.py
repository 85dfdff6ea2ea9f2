"""One life of a program: started in an empty folder, its first span found, left alone, flooded, counted, merged, ended.

Rows 1, 2, 6 and 8 of the scoreboard are read off the same lives, and so is memory after the start.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from benchmarks import systems
from benchmarks.figures import Line, Result, Series
from benchmarks.payload import SPANS_PER_BODY, Payload, ShapeName
from benchmarks.peers import PeerMissingError
from benchmarks.sender import Plan, Sender, Sent
from benchmarks.systems import System, SystemName

Open = Callable[[], AbstractContextManager[System]]

IDLE_SECONDS = 2
WARM_UP_BODIES = 40
FIRST_SPAN_SECONDS = 120
DRAIN_SECONDS = 300
QUIET_SECONDS = 12
"""A peer that stored nothing more for so long has lost what is missing."""

SLOW: frozenset[SystemName] = frozenset({"Phoenix", "MLflow"})
"""They store a hundred spans a second; they get few, and are waited for until those are stored."""

TWICE: frozenset[SystemName] = SLOW | {"tollbook with a server"}
"""Two rounds of these are enough: starting takes most of their time, and their figures are far off or have no target."""

ALONE = {"TOLLBOOK_SETTLE_SECONDS": "0"}
"""What the peers have no counterpart of is left out where speed is compared: settling."""

OPEN: Mapping[SystemName, Open] = {
    "tollbook": lambda: systems.tollbook(ALONE),
    "tollbook with a server": lambda: systems.tollbook_with_server(ALONE),
    "rotel": systems.rotel,
    "Phoenix": systems.phoenix,
    "MLflow": systems.mlflow,
}

FLOODED: Mapping[ShapeName, Collection[SystemName]] = {
    "genai": ("tollbook", "rotel", "tollbook with a server", "Phoenix", "MLflow"),
    "loadgen": ("tollbook", "rotel"),
    "genai_msg": ("tollbook", "rotel"),
}
"""Which programs are compared on which shape."""

PROTOCOL = """\
Each round starts every program anew in an empty folder, one after another, and ends it before the next: A, B, A, B; two
rounds of those that take long to start. *Start*: from making the process to a first span, offered every 10 ms, being counted
in its database. *Idle*: PSS of all its processes three seconds later. Then, after 20,480 spans to warm up, bodies of 512
spans made beforehand are posted over 4 connections by another process of the same machine, every answer awaited. *Per core*:
spans stored per CPU second of all processes of the program, database included, from the first byte until as many spans are
counted as were acknowledged; then the sum of input tokens is compared with the sender's. We acknowledge after fsync, check
and deduplicate; settlement is off, as the peers have none. Rotel acknowledges from memory and makes one INSERT of 10,240
spans into a ClickHouse of the same build, in the stock table. Phoenix and MLflow, which store about a hundred spans a second,
get {slow:,} spans and no warm-up. *Bytes*: after OPTIMIZE FINAL, all columns and indices; SQLite's file after the end."""


@dataclass(frozen=True)
class Life:
    """What was seen of one life."""

    system: SystemName
    shape: ShapeName
    start_s: float
    idle_mb: float
    sent: Sent
    stored: int
    """Spans that the flood added to the database."""
    tokens_agree: bool
    seconds: float
    """From the first byte sent to the last span counted."""
    cpu_seconds: float
    pss_mb: float
    bytes_per_span: float | None

    @property
    def per_core(self) -> float:
        """Spans stored per CPU second."""
        return self.stored / self.cpu_seconds

    def __str__(self) -> str:
        sent, lost = self.sent, self.sent.spans - self.stored
        parts = [
            f"{self.system}, {self.shape}: {self.stored:,} spans of {sent.body_bytes / max(1, sent.spans):,.0f} B",
            f"stored in {self.seconds:.1f} s",
            f"{self.stored / self.seconds:,.0f} spans/s",
            f"acknowledged after {sent.ended - sent.began:.1f} s",
            f"{self.per_core:,.0f} per CPU second ({self.cpu_seconds / self.seconds:.2f} cores)",
            f"sender {sent.cpu_seconds / self.seconds:.2f} cores",
            f"answer p50 {sent.answer_percentile_ms(0.5):.0f} ms, p99 {sent.answer_percentile_ms(0.99):.0f} ms",
            f"asked to retry {sent.refused}",
            f"PSS {self.idle_mb:,.0f} MB idle, {self.pss_mb:,.0f} MB after",
            f"first span queryable after {self.start_s:.1f} s",
            f"**{lost:,} of {sent.spans:,} acknowledged spans lost**" if lost else "",
            "" if self.tokens_agree else "input tokens differ from what was sent",
        ]
        return "; ".join(filter(None, parts))


@dataclass
class Lives:
    """All lives of a run, and the peers that could not be had."""

    seen: list[Life] = field(default_factory=list)
    missing: dict[SystemName, str] = field(default_factory=dict)

    def series(self, system: SystemName, shape: ShapeName, value: Callable[[Life], float | None]) -> Series | None:
        """A value of each life of that kind."""
        values = [value(life) for life in self.seen if (life.system, life.shape) == (system, shape)]
        known = tuple(number for number in values if number is not None)
        return Series(known) if known else None

    def rate(self, shape: ShapeName, system: SystemName = "tollbook") -> float:
        """Spans a second that a program took and stored, in the median."""
        found = self.series(system, shape, lambda life: life.stored / life.seconds)
        return found.median if found else 0.0


def schedule(
    rounds: int, shapes: Collection[ShapeName], programs: Collection[SystemName]
) -> Iterator[tuple[int, SystemName, ShapeName]]:
    """The order of lives: within a round each shape, within a shape each program."""
    for number in range(1, rounds + 1):
        for shape in shapes:
            for program in FLOODED[shape]:
                if program in programs and (number <= 2 or program not in TWICE):
                    yield number, program, shape


def run(rounds: int, spans: Mapping[ShapeName, int], slow_spans: int, programs: Collection[SystemName]) -> tuple[Lives, Result]:
    """Lives all lives; rows 1, 2, 6 and 8."""
    lives, notes = Lives(), []
    for number, program, shape in schedule(rounds, spans, programs):
        if program in lives.missing:
            continue
        try:
            life = live(program, shape, slow_spans if program in SLOW else spans[shape], seed=number)
        except PeerMissingError as error:
            lives.missing[program] = str(error)
            continue
        lives.seen.append(life)
        notes.append(f"round {number}: {life}")
    protocol = PROTOCOL.format(slow=slow_spans)
    return lives, Result("Rows 1, 2, 6, 8: ingest, storage, start", protocol, lines(lives, programs), notes)


def live(program: SystemName, shape: ShapeName, spans: int, seed: int) -> Life:
    """One life.

    Raises:
        PeerMissingError: the program cannot be installed.
        TimeoutError: ours did not store what it acknowledged.
        AssertionError: ours stored other tokens than were sent.
    """
    with OPEN[program]() as system:
        start_s = first_span(system, seed)
        time.sleep(IDLE_SECONDS)
        idle_mb = system.processes.pss_mb()
        if program not in SLOW:
            warm_up(system, shape, seed)
        sender = Sender(Plan(system.port, system.headers, shape, seed, bodies=max(1, spans // SPANS_PER_BODY)))
        before, cpu = system.total(), system.processes.cpu_seconds()
        sent = sender.run()
        ended = _drained(system, before[0] + sent.spans)
        cpu_seconds = system.processes.cpu_seconds() - cpu
        after, pss_mb = system.total(), system.processes.pss_mb()
        stored, tokens = after[0] - before[0], after[1] - before[1]
        agree = tokens == sent.input_tokens
        if program.startswith("tollbook") and (stored, agree) != (sent.spans, True):
            raise AssertionError(f"sent {sent.spans} spans and {sent.input_tokens} tokens, stored {stored} and {tokens}")
        size = system.size() / after[0] if shape == "genai" else None
    return Life(program, shape, start_s, idle_mb, sent, stored, agree, ended - sent.began, cpu_seconds, pss_mb, size)


def first_span(system: System, seed: int) -> float:
    """Seconds from the start of a program until a first span is counted; the span is offered until it is taken."""
    body = Payload(seed, spans_per_body=1).body(time.time_ns())
    while system.post(body.content) != 200:
        if time.perf_counter() - system.started > FIRST_SPAN_SECONDS:
            raise TimeoutError(f"{system.name} took no span within {FIRST_SPAN_SECONDS} s")
        time.sleep(0.01)
    return system.wait_stored(1, FIRST_SPAN_SECONDS, pause=0.01) - system.started


def warm_up(system: System, shape: ShapeName, seed: int) -> None:
    """Some spans before it counts, all stored."""
    before = system.spans()
    sent = Sender(Plan(system.port, system.headers, shape, seed + 1_000_000, WARM_UP_BODIES)).run()
    system.wait_stored(before + sent.spans, DRAIN_SECONDS)


def lines(lives: Lives, peers: Collection[SystemName]) -> list[Line]:
    """The rows of the table that follow from the lives."""
    return [
        *_against(lives, "1", "genai, per core", "spans/CPU s", "genai", lambda life: life.per_core,
                  {"rotel": 2.5, "MLflow": 80, "Phoenix": 400}, peers),
        *_against(lives, "1", "loadgen, per core", "spans/CPU s", "loadgen", lambda life: life.per_core, {"rotel": 2}, peers),
        *_against(lives, "1", "genai, per core, both on a ClickHouse server", "spans/CPU s", "genai", lambda life: life.per_core,
                  {"rotel": None}, peers, ours="tollbook with a server"),
        *_against(lives, "2", "genai with prompts, per core", "spans/CPU s", "genai_msg", lambda life: life.per_core,
                  {"rotel": 1.5}, peers),
        *_against(lives, "6", "stored genai span", "bytes", "genai", lambda life: life.bytes_per_span,
                  {"rotel": None, "Phoenix": None, "MLflow": None}, peers, at_most=50),
        *_against(lives, "8", "start to first span queryable", "s", "genai", lambda life: life.start_s,
                  {"Phoenix": None, "MLflow": None}, peers, at_most=3),
    ]  # fmt: skip


def _against(
    lives: Lives,
    row: str,
    figure: str,
    unit: str,
    shape: ShapeName,
    value: Callable[[Life], float | None],
    wanted: Mapping[SystemName, float | None],
    peers: Collection[SystemName],
    *,
    ours: SystemName = "tollbook",
    at_most: float | None = None,
) -> Sequence[Line]:
    """A line of our own where there is a bound, and one against each peer."""
    series = lives.series(ours, shape, value)
    if series is None:
        return []
    found = [] if at_most is None else [Line(row, figure, unit, series, rule="at most", target=at_most)]
    for peer, times in ((peer, times) for peer, times in wanted.items() if peer in peers):
        theirs, missing = lives.series(peer, shape, value), lives.missing.get(peer, "")
        rule = None if times is None else "times at least"
        found.append(Line(row, figure, unit, series, peer, theirs, missing, rule, times or 0))  # type: ignore[arg-type]
    return found


def _drained(system: System, spans: int) -> float:
    """When everything acknowledged was stored; of a peer that loses some, when it stored the last."""
    if system.name.startswith("tollbook"):
        return system.wait_stored(spans, DRAIN_SECONDS)
    return system.wait_quiet(spans, QUIET_SECONDS, DRAIN_SECONDS)[1]
