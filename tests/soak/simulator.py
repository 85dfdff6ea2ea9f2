"""One collector's life, played from a seed: clients, clock, disk and store are faked, the spool and the loader are the real ones.

`python -m tests.soak.simulator --seed 17` prints every step of that life; the same seed is always the same life. The oracle: what
was acknowledged is stored once, whole, under its tenant, nothing else is stored, and what the store can never take is in `dead/`.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_collector.counters import Counters
from tollbook_collector.errors import UnavailableError
from tollbook_collector.loader import Loader
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool
from tollbook_schema.store import Store as RealStore

from tests.soak.world import POISON, Clock, Crash, Disk, Key, Store

STEPS = 200
FOLDER = Path("/spool")
SETTINGS = Settings(segment_bytes=1500, segment_ms=1000, spool_max_bytes=12_000, seen_seconds=600)
"""Small, so that 200 steps fill several segments, and the spool."""
TENANTS = ("default", "acme", "b")
CLIENTS = 4


class ViolationError(AssertionError):
    """The product broke its promise; the message says how."""


@dataclass(eq=False)
class Body:
    """An export request that a client sends until it is acknowledged."""

    number: int
    tenant: str
    content: bytes
    resources: int
    spans: dict[Key, bytes]
    """What it says of each span."""
    poison: set[Key]
    """Spans that the store can never take."""
    acknowledged: bool = False
    lied_about: bool = False
    """A disk that had failed to sync it said later that it had, and lost power: nobody can know."""
    damaged: bool = False
    """A bit of it changed on disk before it was loaded: it may be missing, if that was counted."""
    may_double: bool = False
    """After a fault beyond which no more is promised than that it is not lost, and counted once in money: a loss of power, a
    damaged segment, a disk that does not take the log of what was seen."""


@dataclass(eq=False)
class Client:
    """Sends one body at a time, again until it is acknowledged; now and then it misses an acknowledgement."""

    body: Body | None = None
    kept: "Future[None] | None" = None


@dataclass
class Life:
    """Everything of one run."""

    seed: int
    steps: int = STEPS
    say: Callable[[str], None] = lambda _: None
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.clock = Clock()
        self.disk = Disk(random.Random(f"disk {self.seed}"))
        self.store = Store(random.Random(f"store {self.seed}"), self.disk)
        self.store.step = self.say
        self.clients = [Client() for _ in range(CLIENTS)]
        self.bodies: list[Body] = []
        self.counters = Counters()
        self.crashes = 0
        self.spool: Spool | None = None
        self.loader: Loader | None = None

    def play(self) -> None:
        """Plays the life and judges it.

        Raises:
            ViolationError: a promise was broken.
        """
        moves = self._moves()
        for number in range(self.steps):
            move = self.rng.choices([move for _, move in moves], [weight for weight, _ in moves])[0]
            self.say(f"{number:>3} {move.__name__.strip('_').replace('_', ' ')}")
            self._survived(move)
        self._heal()
        self._judge()

    def _moves(self) -> list[tuple[int, Callable[[], None]]]:
        return [
            (60, self._send),
            (40, self._write),
            (30, self._load),
            (12, self._time_passes),
            (3, self._store_changes),
            (3, self._disk_changes),
            (4, self._crash_soon),
            (2, self._lose_power),
            (1, self._clock_jumps),
        ]

    def _survived(self, move: Callable[[], None]) -> None:
        """Makes a move; if the collector dies in it, it is started again later."""
        try:
            if self.spool is None:
                self._start()
            move()
        except Crash:
            self._dies(self.disk.kill)
        if self.disk.forgot:
            self._all_may_double()
            self.disk.forgot = False

    def _dies(self, how: Callable[[], None]) -> None:
        self.say(f"    dies: {how.__name__}")
        self.crashes += 1
        self.spool = self.loader = None
        for client in self.clients:
            client.kept = None
        how()
        if self.rng.random() < 0.1:
            self._flip()

    def _start(self) -> None:
        try:
            self.spool = Spool(FOLDER, SETTINGS, self.counters, disk=self.disk, clock=self.clock, threaded=False)
        except OSError as error:
            if not (self.disk.failing or self.disk.full):
                raise ViolationError(f"it does not start: {error}") from error
            self.say(f"    does not start: {error}")
            self.disk.kill()
            return
        self.loader = Loader(self.spool, cast(RealStore, self.store), SETTINGS, self.counters, self.clock)
        self.say(f"    starts with {sorted(path.name for path in self.disk.files if path.parent == FOLDER)}")

    # Moves

    def _send(self) -> None:
        """A client sends its body, or looks whether it was acknowledged."""
        client = self.rng.choice(self.clients)
        if client.kept is not None and not client.kept.done():
            self._waits(client, client.kept)
        elif client.kept is not None:
            self._answered(client)
        elif self.spool is not None:
            self._offered(client, self.spool)

    def _offered(self, client: Client, spool: Spool) -> None:
        body = client.body = client.body or self._next_body()
        try:
            client.kept = spool.append("traces", body.content, tenant=body.tenant, resources=body.resources)
        except UnavailableError as error:
            self.say(f"    body {body.number} is refused: {error}")
        else:
            self.say(f"    body {body.number} is sent")

    def _waits(self, client: Client, kept: "Future[None]") -> None:
        if self.rng.random() < 0.1 and kept.cancel():
            client.kept = None
            self.say("    a client waits no longer")

    def _answered(self, client: Client) -> None:
        body, kept, client.kept = client.body, client.kept, None
        assert body is not None
        assert kept is not None
        error = kept.exception()
        if error is None:
            body.acknowledged = True
            missed = self.rng.random() < 0.15
            client.body = body if missed else None
            self.say(f"    body {body.number} is acknowledged{', which its client misses' if missed else ''}")
        elif isinstance(error, UnavailableError):
            self.say(f"    body {body.number} is not kept: {error}")
        else:
            raise ViolationError(f"body {body.number} is answered {error!r}")

    def _next_body(self) -> Body:
        known = [body for body in self.bodies if body.acknowledged]
        if known and self.rng.random() < 0.05:
            return self.rng.choice(known[-20:])  # a client that was asleep for a while
        body = _body(len(self.bodies), self.rng)
        self.bodies.append(body)
        return body

    def _write(self) -> None:
        if self.spool is not None:
            self.spool.write_waiting()

    def _load(self) -> None:
        if self.loader is not None:
            self.loader.load_next(0, now=self.rng.random() < 0.5)

    def _time_passes(self) -> None:
        self.clock.go_on(self.rng.choice([0.1, 0.5, 2.0, 15.0]))

    def _clock_jumps(self) -> None:
        self.clock.wall_ns += self.rng.choice([-86_400, -3600, 3600, 86_400]) * 1_000_000_000

    def _store_changes(self) -> None:
        """The store goes away or comes back, loses answers, takes its collector with it."""
        self.store.away = self.rng.random() < 0.4
        self.store.forgetful = self.rng.choice([0, 0, 0.3])
        self.store.crashing = self.rng.choice([0, 0, 0.2])
        self.say(f"    away {self.store.away}, forgetful {self.store.forgetful}, crashing {self.store.crashing}")

    def _disk_changes(self) -> None:
        """The disk is full or has room, fails or not."""
        self.disk.full = self.rng.random() < 0.3
        self.disk.failing = self.rng.choice([0, 0, 0, 0.2])
        self.say(f"    full {self.disk.full}, failing {self.disk.failing}")

    def _crash_soon(self) -> None:
        self.disk.crash_in = self.rng.randrange(1, 40)
        self.say(f"    in {self.disk.crash_in} calls")

    def _lose_power(self) -> None:
        """All unsynced is gone or torn. What was met before may be forgotten, so a body sent again may be stored again."""
        self._all_may_double()
        for file in (file for file in self.disk.files.values() if file.doubtful):
            for body in self.bodies:
                body.lied_about = body.lied_about or (body.content in file.content and body.content not in file.safe)
        self._dies(self.disk.lose_power)

    def _all_may_double(self) -> None:
        for body in self.bodies:
            body.may_double = True

    def _flip(self) -> None:
        """A bit changes in a segment. Its record may be lost, which must be counted; the others may load under another token."""
        paths = sorted(
            path for path, file in self.disk.files.items() if path.suffix == ".otlp" and path.parent == FOLDER and file.content
        )
        if not paths:
            return
        path = self.rng.choice(paths)
        content = self.disk.files[path].content
        inside = [(content.find(body.content), body) for body in self.bodies if body.content in content]
        inside.sort(key=lambda placed: placed[0])
        place = self.disk.flip(path)
        self.say(f"    a bit of byte {place} of {path.name} flips")
        for _, body in inside:
            body.may_double = True
        hit = next((body for found, body in inside if place < found + len(body.content)), None)
        if hit is not None:
            hit.damaged = True

    # The end

    def _heal(self) -> None:
        """All faults end; clients send what is not acknowledged; everything is loaded."""
        self.say("    all faults end")
        self.disk.full, self.disk.failing, self.disk.crash_in = False, 0.0, None
        self.store.away, self.store.forgetful, self.store.crashing = False, 0.0, 0.0
        for _ in range(1000):
            if self.spool is None:
                self._start()
            assert self.spool is not None
            assert self.loader is not None
            for client in self.clients:
                if client.kept is not None and client.kept.done():
                    self._answered(client)
                elif client.kept is None and client.body is not None:
                    self._offered(client, self.spool)
            self.spool.write_waiting()
            self.loader.load_next(0, now=True)
            self.clock.go_on(5)
            if self.spool.empty and not any(client.body for client in self.clients):
                return
        raise ViolationError("it does not come to rest")

    def _judge(self) -> None:
        sent = {key: span for body in self.bodies for key, span in body.spans.items()}
        for key, span in self.store.spans.items():
            if sent.get(key) != span:
                raise ViolationError(f"{key} is stored and was never sent so")
        for body in self.bodies:
            self._judge_body(body)
        missing = [
            body
            for body in self.bodies
            if body.damaged and not all(self.store.rows[key] for key in body.spans.keys() - body.poison)
        ]
        counted = self.counters.value("damaged_total") + self.counters.value("torn_total")
        if missing and not counted:
            raise ViolationError(f"damage to {[body.number for body in missing]} was not counted")

    def _judge_body(self, body: Body) -> None:
        for key, span in body.spans.items():
            if self.store.rows[key] > 1 and not body.may_double:
                raise ViolationError(f"body {body.number} is stored {self.store.rows[key]} times")
            if body.damaged or body.lied_about or not body.acknowledged:
                continue
            if key in body.poison and not self._is_dead(span):
                raise ViolationError(f"body {body.number} has a span that can never be stored, and it is not among the dead")
            if key not in body.poison and not self.store.rows[key]:
                raise ViolationError(f"body {body.number} was acknowledged and is lost")

    def _is_dead(self, span: bytes) -> bool:
        return any(span in file.content for path, file in self.disk.files.items() if path.parent.name == "dead")


def _body(number: int, rng: random.Random) -> Body:
    tenant = rng.choice(TENANTS)
    poison: set[Key] = set()
    request = ExportTraceServiceRequest()
    spans: dict[Key, bytes] = {}
    for resource in range(rng.randrange(1, 3)):
        scope = request.resource_spans.add().scope_spans.add()
        for place in range(rng.randrange(1, 3)):
            span_id = (number * 100 + resource * 10 + place + 1).to_bytes(8, "big")
            span = scope.spans.add(trace_id=b"simulate" + span_id, span_id=span_id, name="x" * rng.randrange(1, 60))
            key = (tenant, span.trace_id, span.span_id)
            if rng.random() < 0.02:
                span.name = POISON
                poison.add(key)
            spans[key] = span.SerializeToString()
    return Body(number, tenant, request.SerializeToString(), len(request.resource_spans), spans, poison)


def failures(seeds: range, steps: int = STEPS) -> Iterator[tuple[int, str]]:
    """The seeds whose life breaks a promise, and how."""
    for seed in seeds:
        try:
            Life(seed, steps).play()
        except Exception as error:  # noqa: BLE001 - whatever escapes is the finding
            yield seed, f"{type(error).__name__}: {error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="print every step of this life")
    parser.add_argument("--seeds", type=int, default=100, help="play so many lives")
    parser.add_argument("--steps", type=int, default=STEPS)
    asked = parser.parse_args()
    if asked.seed is not None:
        Life(asked.seed, asked.steps, say=print).play()
        return
    found = list(failures(range(asked.seeds), asked.steps))
    for seed, what in found:
        print(f"seed {seed}: {what}")  # noqa: T201
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
