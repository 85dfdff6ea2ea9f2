"""Clients that dribble, flood and never read: each is shown out in time, and legitimate senders do not notice."""

import contextlib
import http.client
import resource
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector.conftest import trace_request
from tests.collector.doors import PROTOBUF, Doors, late_ms, legitimate, opened
from tests.soak.figures import Fault

PATIENCE = 0.1
"""Of the patience that the doors have, in `make test`; all of it in `make soak`."""

HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
MANY = 5_000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, HEADERS, RST_STREAM, PING, CONTINUATION = 4, 1, 3, 6, 9
END_STREAM, END_HEADERS = 1, 4


@pytest.fixture(scope="module")
def patience(request: pytest.FixtureRequest) -> float:
    return 1.0 if request.config.getoption("--soak") else PATIENCE


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, patience: float) -> Iterator[Doors]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with opened(tmp_path_factory.mktemp("doors"), patience) as both:
        yield both


def no_head(connection: socket.socket) -> None:
    connection.sendall(HEAD)


def no_word(_connection: socket.socket) -> None:
    pass


def no_body(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"content-length: 100\r\n\r\n\x0a")


def empty_lines(connection: socket.socket) -> None:
    connection.sendall(b"\r\n")


def no_chunk(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab")


def no_reading(connection: socket.socket) -> None:
    """Asks for more than the buffers of both sides take."""
    connection.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")


def a_letter_more(connection: socket.socket) -> None:
    connection.send(b"a")


SLOW: dict[str, tuple[Callable[[socket.socket], object], Callable[[socket.socket], object]]] = {
    "never say a word": (no_word, no_word),
    "dribble empty lines": (empty_lines, empty_lines),
    "dribble a head": (no_head, a_letter_more),
    "dribble a body": (no_body, a_letter_more),
    "dribble a chunk": (no_chunk, no_word),
    "do not read": (no_reading, no_word),
}


@pytest.mark.fault("S6", "slow clients", "legit p99 < 500 ms, all closed <= 30 s, files return")
@pytest.mark.parametrize("name", SLOW)
def test_slow_clients_are_shown_out(doors: Doors, fault: Fault, patience: float, name: str) -> None:
    begin, go_on = SLOW[name]
    count = fault.size(10, soak=100) if begin is no_reading else fault.size(30, soak=1000)
    with contextlib.ExitStack() as stack, legitimate(doors) as waits:
        began = time.monotonic()
        slow = [stack.enter_context(_connected(doors.http)) for _ in range(count)]
        for connection in slow:
            begin(connection)
        doors.wait_for(range(count - 2, count + 3), 1)
        while doors.strangers() and time.monotonic() - began < 35:
            for connection in slow:
                with contextlib.suppress(OSError):
                    go_on(connection)
            time.sleep(0.1)
        seconds, left = time.monotonic() - began, doors.strangers()
    fault.found(f"{count:,} gone after {seconds:.1f} s of {30 * patience:.0f}, {left} left, {waits}", what=f"they {name}")
    assert left == 0
    assert seconds < 30 * patience + 3
    assert not waits.refused
    assert waits.p99_ms < late_ms(fault, 500)


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return connection


HEADS = {
    "100,000 headers": b"".join(b"x-%d: y\r\n" % number for number in range(100_000)),
    "a header of 1 MB": b"x: " + b"y" * 1_000_000 + b"\r\n",
    "a header name of 1 MB": b"x" * 1_000_000 + b": y\r\n",
    "300 headers": b"x: y\r\n" * 300,
}


@pytest.mark.fault("S6", "large heads", "431 in < 100 ms of CPU, < 32 MB")
@pytest.mark.parametrize("name", HEADS)
def test_a_head_too_large_is_refused(doors: Doors, fault: Fault, name: str) -> None:
    before, cpu = doors.forget_peak(), doors.cpu_s()
    answer = _answer(doors, HEAD + HEADS[name] + b"content-length: 0\r\n\r\n")
    cpu_ms, grown = (doors.cpu_s() - cpu) * 1000, doors.peak_mb() - before
    fault.found(f"{answer[9:12].decode()} in {cpu_ms:.0f} ms of CPU, +{grown:.0f} MB", what=name)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert cpu_ms < 100
    assert grown < 32


def test_an_address_too_long_is_refused(doors: Doors) -> None:
    assert _answer(doors, b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n").startswith(b"HTTP/1.1 4")


def _answer(doors: Doors, request: bytes) -> bytes:
    with _connected(doors.http) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request)
        return connection.recv(4096)


def test_a_refusal_is_read_by_a_sender_that_is_still_sending(doors: Doors) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", doors.http, timeout=10)
    with contextlib.closing(connection):
        connection.request("POST", "/v1/traces", bytes(3_000_000), {"content-type": "application/pdf"})
        refusal = connection.getresponse()
        assert (refusal.status, b"got application/pdf" in refusal.read()) == (415, True)
        connection.request("POST", "/v1/traces", trace_request(1, first=5).SerializeToString(), PROTOBUF)
        assert connection.getresponse().status == 200


def test_requests_one_behind_the_other_are_answered_in_order(doors: Doors) -> None:
    body = trace_request(1, first=6).SerializeToString()
    good = HEAD + b"content-length: %d\r\n\r\n" % len(body) + body
    bad = HEAD + b"content-length: 7\r\n\r\ngarbage"
    with _connected(doors.http) as connection:
        connection.sendall(good + bad + good)
        answers = b""
        while answers.count(b"HTTP/1.1 ") < 3:
            answers += connection.recv(4096)
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400", b"200"]


def test_the_one_that_waits_longest_makes_room(tmp_path: Path) -> None:
    with opened(tmp_path / "spool", connections=50) as doors, contextlib.ExitStack() as stack:
        for _ in range(80):
            stack.enter_context(_connected(doors.http))
        for number in range(20):
            assert doors.post(trace_request(1, first=100 + number).SerializeToString())[0] == 200


def test_more_requests_one_behind_the_other_than_anybody_sends_end_the_connection(doors: Doors, fault: Fault) -> None:
    with legitimate(doors) as waits, _connected(doors.http) as connection, contextlib.suppress(OSError):
        connection.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n" * 10_000)
        while connection.recv(65536):
            pass
    assert waits.p99_ms < late_ms(fault, 500)


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


CALL = b"\x83\x86" + b"".join(
    _literal(name, value)
    for name, value in (
        (b":path", b"/opentelemetry.proto.collector.trace.v1.TraceService/Export"),
        (b":authority", b"x"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
)


def _rapid_reset(connection: socket.socket, frames: int) -> int:
    sent = 0
    for stream in range(1, 2 * frames, 2):
        connection.sendall(_frame(HEADERS, END_HEADERS, stream, CALL) + _frame(RST_STREAM, 0, stream, struct.pack(">I", 8)))
        sent += 1
    return sent


def _continuations(connection: socket.socket, frames: int) -> int:
    connection.sendall(_frame(HEADERS, 0, 1, CALL))
    hundred = b"".join(_frame(CONTINUATION, 0, 1, _literal(b"x-%d" % number, b"y" * 100)) for number in range(100))
    for _ in range(frames // 100):
        connection.sendall(hundred)
    return frames


def _pings(connection: socket.socket, frames: int) -> int:
    for number in range(frames):
        connection.sendall(_frame(PING, 0, 0, struct.pack(">Q", number)))
    return frames


FLOODS = {"rapid reset": _rapid_reset, "CONTINUATION flood": _continuations, "ping flood": _pings}


@pytest.mark.fault("S6", "HTTP/2 floods on gRPC", "legit p99 < 500 ms, < 192 MB, files return")
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_frames_does_not_hurt(doors: Doors, fault: Fault, name: str) -> None:
    frames, clients = fault.size(MANY, soak=100_000), 5
    before, cpu, sent, cut = doors.forget_peak(), doors.cpu_s(), 0, 0
    began = time.monotonic()
    with legitimate(doors) as waits:
        for _ in range(clients):
            with _connected(doors.grpc) as connection:
                connection.sendall(PREFACE + _frame(SETTINGS, 0, 0))
                try:
                    sent += FLOODS[name](connection, frames)
                except OSError:
                    cut += 1
    seconds, cpu_s, grown = time.monotonic() - began, doors.cpu_s() - cpu, doors.peak_mb() - before
    back = doors.wait_for(range(1), 30)
    fault.found(
        f"{clients} x {frames:,} frames in {seconds:.1f} s ({cpu_s:.1f} s of CPU), {cut} cut off, +{grown:.0f} MB, {waits}, "
        f"files back in {back:.1f} s",
        what=name,
    )
    assert not waits.refused
    assert waits.p99_ms < late_ms(fault, 500)
    assert grown < 192  # gRPC's own buffers; 10,000 or 2,000,000 frames make no difference
    assert back < 30


@pytest.mark.fault("S6", "gRPC clients that never speak", "closed <= 30 s")
def test_a_client_of_grpc_that_never_speaks_is_shown_out(doors: Doors, fault: Fault) -> None:
    if not fault.soak:
        pytest.skip("takes gRPC's ten seconds: make soak")
    count = 200
    began = time.monotonic()
    with contextlib.ExitStack() as stack, legitimate(doors) as waits:
        for _ in range(count):
            stack.enter_context(_connected(doors.grpc))
        doors.wait_for(range(count - 2, count + 3), 1)
        doors.wait_for(range(1), 35)
        seconds = time.monotonic() - began
    fault.found(f"{count} gone after {seconds:.1f} s, {waits}")
    assert seconds < 30
