"""Bodies made to hurt: bombs, recursion, damage. Each is answered for good, fast, within bounds, and disturbs nobody."""

import gzip
import json
import random
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import grpc
import pytest
from backports import zstd
from tollbook_collector import bodies, otlp_json, wire
from tollbook_collector.errors import RefusedError
from tollbook_collector.export import checked
from tollbook_collector.signals import TRACES

from tests.collector.conftest import trace_request
from tests.collector.doors import TRACES as EXPORT
from tests.collector.doors import Doors, late_ms, legitimate, opened
from tests.soak.figures import Fault

GIB = 1024**3
GOOD = trace_request(20).SerializeToString()


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with opened(tmp_path_factory.mktemp("doors")) as both:
        yield both


@cache
def bomb(coding: str) -> bytes:
    """1 GiB of zeros, compressed without ever being whole."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31) if coding == "gzip" else zstd.ZstdCompressor()
    zeros = bytes(16 * 1024 * 1024)
    return b"".join(compressor.compress(zeros) for _ in range(GIB // len(zeros))) + compressor.flush()


@pytest.mark.fault("S1", "1 GiB of zeros, compressed, HTTP", "413 in < 0.5 s, < 64 MB")
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_bomb_is_refused_without_being_held(doors: Doors, fault: Fault, coding: str) -> None:
    body, before, cpu = bomb(coding), doors.forget_peak(), doors.cpu_s()
    began = time.perf_counter()
    status, _ = doors.post(body, content_encoding=coding)
    seconds, cpu_s, grown = time.perf_counter() - began, doors.cpu_s() - cpu, doors.peak_mb() - before
    fault.found(f"{status} in {seconds:.2f} s ({cpu_s:.2f} s of CPU), +{grown:.0f} MB", what=f"1 GiB of zeros as {coding}, HTTP")
    assert status == 413
    assert cpu_s < 0.5
    assert grown < 64


@pytest.mark.fault("S2", "1 GiB of zeros, gzip, gRPC", "RESOURCE_EXHAUSTED, < 0.5 s, < 64 MB")
def test_a_bomb_over_grpc_is_refused_without_being_held(doors: Doors, fault: Fault) -> None:
    before, cpu = doors.forget_peak(), doors.cpu_s()
    began = time.perf_counter()
    error = _sent_by_grpc(doors, bomb("gzip"))
    seconds, cpu_s, grown = time.perf_counter() - began, doors.cpu_s() - cpu, doors.peak_mb() - before
    assert error is not None
    fault.found(f"{error.code().name} in {seconds:.2f} s ({cpu_s:.2f} s of CPU), +{grown:.0f} MB")
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert cpu_s < 0.5
    assert grown < 64


def _sent_by_grpc(doors: Doors, message: bytes) -> grpc.RpcError | None:
    """Sends bytes as they are; a gzip stream arrives at the handler as one that gRPC compressed does."""
    with grpc.insecure_channel(f"127.0.0.1:{doors.grpc}") as channel:
        try:
            channel.unary_unary(EXPORT)(message, timeout=30)
        except grpc.RpcError as error:
            return error
    return None


@pytest.mark.fault("S3", "bombs in parallel, both doors", "bounded memory, others < 1 s")
def test_many_bombs_at_once_are_bounded(doors: Doors, fault: Fault) -> None:
    count, body = fault.size(20, soak=100), bomb("gzip")
    statuses: Counter[object] = Counter()

    def over_http() -> None:
        statuses[doors.post(body, content_encoding="gzip")[0]] += 1

    def over_grpc() -> None:
        error = _sent_by_grpc(doors, body)
        statuses[error.code() if error else None] += 1

    before = doors.forget_peak()
    with legitimate(doors) as waits:
        _all_at_once([over_http] * count + [over_grpc] * (count // 5))
    grown = doors.peak_mb() - before
    fault.found(f"{count} + {count // 5}: +{grown:.0f} MB, {waits}")
    assert set(statuses) <= {413, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert grown < 320  # 256 MB of bodies in flight and two at work
    assert not waits.refused
    assert waits.p99_ms < late_ms(fault, 1000)


@pytest.mark.fault("S3", "64 MiB of legal tiny spans", "taken or refused within bounds, others < 1 s")
def test_a_body_as_large_as_allowed_does_not_hold_up_others(doors: Doors, fault: Fault) -> None:
    size = fault.size(8, soak=64) * 1024 * 1024
    scope = trace_request(1).resource_spans[0].scope_spans[0]
    scope.spans[0].ClearField("name")
    span = wire.tagged(2, scope.spans[0].SerializeToString())
    body = wire.tagged(1, wire.tagged(2, span * ((size - 20) // len(span))))
    before = doors.forget_peak()
    with legitimate(doors) as waits:
        _all_at_once([lambda: doors.post(body)] * 3)
    grown = doors.peak_mb() - before
    fault.found(f"3 of {len(body) / 2**20:.0f} MiB, {len(body) // len(span):,} spans each: +{grown:.0f} MB, {waits}")
    assert set(waits.refused) <= {503}  # while what waits for the disk is as much as may
    assert grown < 700
    assert waits.p99_ms < late_ms(fault, 1000)


def _all_at_once(calls: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _deep_json(depth: int) -> bytes:
    value = '{"arrayValue":{"values":[' * depth + "{}" + "]}}" * depth
    return b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":' + value.encode() + b"}]}}]}"


def _deep_protobuf(depth: int) -> bytes:
    value = b"\x0a\x01x"
    for _ in range(depth):
        value = wire.tagged(5, wire.tagged(1, value))
    attribute = wire.tagged(1, b"k") + wire.tagged(2, value)
    span = wire.tagged(1, b"t" * 16) + wire.tagged(2, b"s" * 8) + wire.tagged(9, attribute)
    return wire.tagged(1, wire.tagged(2, wire.tagged(2, span)))


RECURSIONS = {
    "protobuf": (_deep_protobuf, "application/x-protobuf", (200, 400)),
    "JSON": (_deep_json, "application/json", (400,)),
    "JSON arrays": (lambda depth: b"[" * depth, "application/json", (400,)),
    "JSON of unknown fields": (lambda depth: b'{"a":' * depth + b"1" + b"}" * depth, "application/json", (400,)),
}


@pytest.mark.fault("P5", "AnyValue 10,000 deep", "refused in < 100 ms, < 32 MB")
@pytest.mark.parametrize("name", RECURSIONS)
def test_recursion_is_refused_at_once(doors: Doors, fault: Fault, name: str) -> None:
    make, content_type, statuses = RECURSIONS[name]
    body, before, cpu = make(10_000), doors.forget_peak(), doors.cpu_s()
    status, _ = doors.post(body, content_type=content_type)
    cpu_ms, grown = (doors.cpu_s() - cpu) * 1000, doors.peak_mb() - before
    fault.found(f"{status} in {cpu_ms:.0f} ms of CPU, +{grown:.0f} MB", what=f"10,000 deep, {name}")
    assert status in statuses
    assert cpu_ms < 100
    assert grown < 32


def test_a_span_nested_too_deep_costs_itself_and_not_the_one_beside_it(doors: Doors) -> None:
    status, answered = doors.post(_deep_protobuf(10_000) + GOOD)
    response = TRACES.response.FromString(answered)
    assert (status, response.partial_success.rejected_spans) == (200, 1)  # type: ignore[attr-defined]


ARRAYS = {
    "protobuf": (200, "application/x-protobuf", lambda: _with_array(wire.tagged(1, wire.tagged(1, b"")) * 1_000_000)),
    "JSON": (413, "application/json", lambda: _json_array(1_000_000)),
}


def _with_array(values: bytes) -> bytes:
    attribute = wire.tagged(1, b"k") + wire.tagged(2, wire.tagged(5, values))
    span = wire.tagged(1, b"t" * 16) + wire.tagged(2, b"s" * 8) + wire.tagged(9, attribute)
    return wire.tagged(1, wire.tagged(2, wire.tagged(2, span)))


def _json_array(elements: int) -> bytes:
    value = {"arrayValue": {"values": [{"intValue": 1}] * elements}}
    span = {"traceId": "01" * 16, "spanId": "01" * 8, "attributes": [{"key": "k", "value": value}]}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


@pytest.mark.fault("P5", "an array of 1,000,000 elements", "answered, others < 1 s")
@pytest.mark.parametrize("name", ARRAYS)
def test_a_long_array_does_not_hold_up_others(doors: Doors, fault: Fault, name: str) -> None:
    expected, content_type, make = ARRAYS[name]
    body, before = make(), doors.forget_peak()
    began = time.perf_counter()
    with legitimate(doors) as waits:
        status, _ = doors.post(body, content_type=content_type)
        seconds = time.perf_counter() - began
        time.sleep(0.2)
    grown = doors.peak_mb() - before
    assert grown < 128
    fault.found(f"{status} in {seconds:.2f} s, +{grown:.0f} MB, {waits}", what=f"1,000,000 elements, {name}")
    assert status == expected
    assert waits.p99_ms < late_ms(fault, 1000)


COMPRESSED = {
    "gzip": gzip.compress(GOOD),
    "zstd": zstd.compress(GOOD),
    "gzip of gzip": gzip.compress(gzip.compress(GOOD)),
    "members": gzip.compress(GOOD[:100]) + gzip.compress(GOOD[100:]),
    "3,000 members": gzip.compress(b"") * 3000,
    "zlib": zlib.compress(GOOD),
    "raw deflate": zlib.compress(GOOD, wbits=-15),
    "zstd with a window of 128 MiB": zstd.compress(GOOD * 2000, options={zstd.CompressionParameter.window_log: 27}),
    "zstd that says it is larger than it is": zstd.compress(GOOD)[:5] + b"\xff" * 8 + zstd.compress(GOOD)[13:],
}


@pytest.mark.fault("S4", "damaged and foreign compression", "refused for good, no other error, no hang > 1 s")
@pytest.mark.parametrize("coding", ["gzip", "zstd", "deflate in gRPC"])
def test_damaged_compression_is_refused_by_name(fault: Fault, coding: str) -> None:
    dice = random.Random(1)
    tries, slowest, refused = fault.size(1500, soak=200_000), 0.0, 0
    for _ in range(tries):
        body = bytearray(dice.choice(list(COMPRESSED.values())))
        for _ in range(dice.randrange(4)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        cut = bytes(body[: dice.choice([len(body), dice.randrange(len(body))])])
        began = time.thread_time()
        try:
            bodies.decompressed(coding, cut, 2_000_000)
        except RefusedError:
            refused += 1
        slowest = max(slowest, time.thread_time() - began)
    fault.found(f"{refused:,} of {tries:,} refused, slowest {slowest * 1000:.0f} ms", what=f"damaged compression as {coding}")
    assert slowest < 1


def test_compressed_bytes_in_steps_are_the_bytes(tmp_path: Path) -> None:
    dice = random.Random(2)
    for size in (0, 1, bodies.STEP_BYTES - 1, bodies.STEP_BYTES, bodies.STEP_BYTES + 1, 3 * bodies.STEP_BYTES):
        for content in (bytes(size), dice.randbytes(size)):
            for coding, compress in (("gzip", gzip.compress), ("zstd", zstd.compress), ("deflate in gRPC", zlib.compress)):
                assert bodies.decompressed(coding, compress(content), 4_000_000) == content


def test_what_grows_to_the_limit_is_taken_and_a_byte_more_is_not() -> None:
    assert len(bodies.decompressed("gzip", gzip.compress(bytes(5_000_000)), 5_000_000)) == 5_000_000
    with pytest.raises(RefusedError, match="more than 4999999 bytes"):
        bodies.decompressed("gzip", gzip.compress(bytes(5_000_000)), 4_999_999)


def test_json_of_a_million_elements_is_the_protobuf_of_them() -> None:
    converted = otlp_json.to_protobuf(TRACES, _json_array(1000))
    assert checked(TRACES, converted.body).records == 1
