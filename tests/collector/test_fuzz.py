"""Mutated requests, any encoding, any signal: each is taken or refused by name, in no time, and leaves nothing behind.

The dice are seeded; a failure names its number, and `mutant(number)` makes the same bytes again.
"""

import contextlib
import gzip
import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from backports import zstd
from tollbook_collector import bodies, collector, wire
from tollbook_collector.collector import Encoding
from tollbook_collector.errors import RefusedError
from tollbook_collector.signals import SIGNALS, Signal, SignalName

from tests.collector.doors import Doors, late_ms, opened
from tests.conftest import SHARED_DATA
from tests.soak.figures import Fault

SEED = 20261122
MAX_BYTES = 4_000_000
TYPES: dict[str, Encoding] = {"application/x-protobuf": "protobuf", "application/json": "json"}
INTERESTING = (
    *(b"\x00", b"\xff", b"\x80" * 10, b"\x7f", b"\xc2\x3e\x00", b"\x0b", b"\x0c", b"\xed\xa0\x80", b"\xf0\x9f"),
    *(b"\n", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"null", b"1e999", b"-1", b"NaN"),
    *(b'"\\ud83d"', b"9223372036854775808"),
)


@dataclass(frozen=True)
class Request:
    """One request to a door."""

    signal: SignalName
    content_type: str
    coding: str
    body: bytes


def _own(signal: Signal) -> bytes:
    """A request with every kind of field that the signal's records have."""
    request = signal.request()
    _fill(request, depth=0)
    return request.SerializeToString()


def _fill(message: object, depth: int) -> None:
    descriptor = message.DESCRIPTOR  # type: ignore[attr-defined]
    for field in descriptor.fields:
        if field.message_type is not None:
            if depth < 8:
                child = getattr(message, field.name)
                _fill(child.add() if field.is_repeated else child, depth + 1)
                if not field.is_repeated:
                    child.SetInParent()
        elif field.is_repeated:
            getattr(message, field.name).extend(["a", "b"] if field.type == field.TYPE_STRING else [1, 2])
        elif field.name in ("trace_id", "span_id", "parent_span_id"):
            setattr(message, field.name, b"\x07" * (16 if field.name == "trace_id" else 8))
        else:
            value = {field.TYPE_STRING: "text é", field.TYPE_BYTES: b"\x00\xffraw", field.TYPE_BOOL: True}.get(field.type, 3)
            setattr(message, field.name, value)


def _in_json(signal: Signal) -> bytes:
    attribute = {
        "key": "k",
        "value": {"arrayValue": {"values": [{"intValue": "7"}, {"doubleValue": 0.5}, {"stringValue": "é😀"}]}},
    }
    ids = {"traceId": "0A" * 16, "spanId": "0b" * 8}
    span = ids | {
        "name": "n",
        "kind": 3,
        "attributes": [attribute],
        "events": [{"timeUnixNano": "1", "name": "e"}],
        "links": [ids],
    }
    histogram = {"count": "2", "bucketCounts": ["1", 1], "explicitBounds": [0.1]}
    metrics = [
        {"name": "m", "sum": {"dataPoints": [{"asInt": "1", "timeUnixNano": 5}]}},
        {"name": "h", "histogram": {"dataPoints": [histogram]}},
    ]
    log = {"timeUnixNano": "1", "body": {"stringValue": "b"}, "attributes": [attribute]}
    kinds: dict[SignalName, dict[str, object]] = {
        "traces": {"scopeSpans": [{"spans": [span, span]}]},
        "metrics": {"scopeMetrics": [{"metrics": metrics}]},
        "logs": {"scopeLogs": [{"logRecords": [log]}]},
    }
    return json.dumps({signal.resource_field: [{"resource": {"attributes": [attribute]}, **kinds[signal.name]}]}).encode()


def seeds() -> list[Request]:
    """What is mutated: our own requests, and where they are, those that real clients sent."""
    own = [Request(signal.name, "application/x-protobuf", "", _own(signal)) for signal in SIGNALS.values()]
    own += [Request(signal.name, "application/json", "", _in_json(signal)) for signal in SIGNALS.values()]
    captured = [
        found for meta in sorted(SHARED_DATA.glob("client_captures/*.meta.json")) if (found := _captured(meta)) is not None
    ]
    examples = [_example(path) for path in sorted(SHARED_DATA.glob("otlp_examples/*.json"))]
    return [*own, *captured, *examples]


def _captured(meta: Path) -> Request | None:
    path = next(meta.parent.glob(meta.name.removesuffix(".meta.json") + ".[bj]*"))
    body = path.read_bytes()
    name = next((signal.name for signal in SIGNALS.values() if signal.name[:-1] in path.stem.lower()), None)
    body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    content_type = "application/json" if body[:1] == b"{" else "application/x-protobuf"
    return Request(name, content_type, "", body) if name and len(body) < 100_000 else None


def _example(path: Path) -> Request:
    name: SignalName = {"trace": "traces", "metrics": "metrics"}.get(path.stem, "logs")  # type: ignore[assignment]
    return Request(name, "application/json", "", path.read_bytes())


def mutant(number: int, among: Sequence[Request]) -> Request:
    """The request of that number: one of `among`, spoilt a little, or not at all."""
    dice = random.Random(SEED * 1_000_003 + number)
    seed = dice.choice(among)
    body = bytearray(seed.body)
    for _ in range(dice.choice((0, 1, 1, 2, 4, 16))):
        _spoil(dice, body, among)
    content = bytes(body)
    coding = dice.choice(("", "", "", "gzip", "zstd", "identity"))
    if coding in ("gzip", "zstd"):
        compressed = bytearray(gzip.compress(content, 1) if coding == "gzip" else zstd.compress(content, 1))
        if dice.random() < 0.3:
            _spoil(dice, compressed, among)
        content = bytes(compressed)
    signal = seed.signal if dice.random() < 0.9 else dice.choice(list(SIGNALS))
    content_type = seed.content_type if dice.random() < 0.95 else dice.choice(list(TYPES))
    return Request(signal, content_type, coding, content)


def _spoil(dice: random.Random, body: bytearray, among: Sequence[Request]) -> None:
    place = dice.randrange(len(body) + 1)
    until = min(len(body), place + dice.randrange(1, 64))
    match dice.randrange(7):
        case 0 if place < len(body):
            body[place] ^= 1 << dice.randrange(8)
        case 1 if place < len(body):
            body[place] = dice.randrange(256)
        case 2:
            body[place:place] = dice.choice(INTERESTING)
        case 3:
            del body[place:until]
        case 4:
            body[place:place] = body[place:until] * dice.choice((1, 2, 100))
        case 5:
            other = dice.choice(among).body
            start = dice.randrange(len(other))
            body[place:until] = other[start : start + dice.randrange(1, 200)]
        case _:
            del body[place:]


def outcome(request: Request) -> str:
    """What becomes of a request between the doors and the spool, all of it pure; checks what is kept."""
    signal = SIGNALS[request.signal]
    try:
        content = bodies.decompressed(request.coding, request.body, MAX_BYTES)
        kept = collector._checked(signal, content, TYPES[request.content_type])
    except RefusedError as error:
        return _refused(error, request)
    fields = list(wire.fields(kept.body))
    assert [(field.number, field.kind) for field in fields] == [(1, wire.BYTES)] * kept.resources
    signal.request.FromString(kept.body)
    collector.answer(signal, kept).SerializeToString()
    return "partial" if kept.rejected else "repaired" if kept.repaired else "kept"


def _refused(error: RefusedError, request: Request) -> str:
    assert error.body(request.content_type)
    assert error.retry_after_s is None
    return error.reason


@pytest.mark.fault("P1", "fuzzed bodies, every encoding and signal", "0 crashes, 0 hangs > 1 s")
def test_whatever_is_sent_is_kept_or_refused_by_name(fault: Fault) -> None:
    among, tries, slowest = seeds(), fault.size(6000, soak=1_000_000), 0.0
    outcomes: Counter[str] = Counter()
    number = -1
    try:
        for number in range(tries):
            request = mutant(number, among)
            began = time.thread_time()
            outcomes[outcome(request)] += 1
            slowest = max(slowest, time.thread_time() - began)
    finally:
        fault.found(f"{number + 1:,} bodies: {_counted(outcomes)}; slowest {slowest * 1000:.0f} ms")
    assert slowest < 1
    assert {"kept", "bad_request", "partial", "repaired"} <= set(outcomes)


@pytest.mark.fault("P1", "fuzzed bodies over HTTP", "0 x 5xx, 0 crashes, 0 hangs > 1 s, drift < 20 MB")
def test_a_collector_takes_or_refuses_whatever_is_sent(tmp_path: Path, fault: Fault) -> None:
    among, tries = seeds(), fault.size(1500, soak=200_000)
    statuses: Counter[str] = Counter()
    slowest = 0.0
    with opened(tmp_path / "spool") as doors:
        for number in range(-500, 0):
            _posted(doors, mutant(number, among))
        before = doors.rss_mb()
        connection = http.client.HTTPConnection("127.0.0.1", doors.http, timeout=20)
        with contextlib.closing(connection):
            for number in range(tries):
                began = time.perf_counter()
                statuses[str(_post(connection, mutant(number, among)))] += 1
                slowest = max(slowest, time.perf_counter() - began)
        drift = doors.rss_mb() - before
        assert doors.process.poll() is None
    fault.found(f"{tries:,} bodies: {_counted(statuses)}; slowest {slowest * 1000:.0f} ms, drift {drift:+.0f} MB")
    assert set(statuses) <= {"200", "400", "413", "415"}
    assert slowest < late_ms(fault, 1000) / 1000
    assert drift < 20


def _posted(doors: Doors, request: Request) -> int:
    return doors.post(request.body, f"/v1/{request.signal}", content_type=request.content_type, content_encoding=request.coding)[
        0
    ]


def _post(connection: http.client.HTTPConnection, request: Request) -> int:
    headers = {"content-type": request.content_type, "content-encoding": request.coding}
    connection.request("POST", f"/v1/{request.signal}", request.body, headers)
    response = connection.getresponse()
    response.read()
    return response.status


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in found.most_common())
