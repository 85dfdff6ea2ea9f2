"""A re-batching hop in front: rotel packs spans anew, so no body is what was sent, and the money must not notice."""

import contextlib
import http.client
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.payload import Body, Payload
from tests.processes import free_port
from tests.soak.figures import Fault
from tests.soak.senders import HEADERS
from tests.soak.server import Server

SPANS_PER_BODY = 97
"""No divisor of any batch, so that batches cut across bodies."""
SETTLE_WHEN_ASKED = {"TOLLBOOK_SETTLE_SECONDS": "0"}
SPANS = "SELECT count(), uniqExact(trace_id, span_id) FROM spans"
BOOKED = "SELECT toString(sum(amount_usd)), uniqExact(trace_id, span_id), count() FROM ledger"
BY_TEAM = "SELECT team, toString(sum(amount_usd)) FROM ledger GROUP BY team ORDER BY team"


@dataclass(frozen=True)
class Books:
    """What a server booked for the spans that it was sent."""

    rows: int
    spans: int
    amount_usd: Decimal
    priced_spans: int
    lines: int
    by_team: tuple[tuple[str, Decimal], ...]


@pytest.fixture(scope="module")
def agent() -> Path:
    """Rotel's program."""
    try:
        return peers.rotel_agent()
    except peers.PeerMissingError as error:
        pytest.skip(f"rotel cannot be installed here: {error}")


@pytest.mark.slow
@pytest.mark.fault("P14", "a re-batching rotel in front, then the same bodies directly and through it", "same totals to the cent")
def test_a_rebatching_hop_changes_no_total(fault: Fault, agent: Path, tmp_path: Path) -> None:
    bodies = Payload(14, spans_per_body=SPANS_PER_BODY).bodies(fault.size(60, soak=3_000), time.time_ns())
    with server(tmp_path / "direct") as direct, server(tmp_path / "behind") as behind:
        send(direct.http_port, bodies)
        with rotel(agent, tmp_path, behind) as port:
            send(port, bodies)
            until_stored(behind, rows=len(bodies) * SPANS_PER_BODY)
        expected, through = books(direct), books(behind)
        requests = int(behind.metric("requests_total"))
        with rotel(agent, tmp_path, direct) as port:
            send(direct.http_port, bodies)
            send(port, bodies)
            until_stored(direct, rows=2 * len(bodies) * SPANS_PER_BODY)
        both = books(direct)
    fault.found(
        f"{expected.spans:,} spans direct {expected.amount_usd} USD; through rotel, {len(bodies):,} bodies as {requests:,} "
        f"requests, {through.amount_usd}; both ways into one server ({both.rows:,} rows) {both.amount_usd}"
    )
    assert expected.rows == expected.spans == expected.priced_spans == len(bodies) * SPANS_PER_BODY
    assert expected.amount_usd > 0
    assert requests < len(bodies)
    assert through == expected
    assert both.rows == 2 * expected.rows
    assert (both.spans, both.amount_usd, both.priced_spans, both.lines, both.by_team) == (
        expected.spans, expected.amount_usd, expected.priced_spans, expected.lines, expected.by_team,
    )  # fmt: skip


@contextlib.contextmanager
def server(data: Path) -> Iterator[Server]:
    """A `tollbook up` that settles when asked."""
    running = Server(data, SETTLE_WHEN_ASKED)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def rotel(agent: Path, folder: Path, behind: Server) -> Iterator[int]:
    """A rotel that forwards to the server's gRPC door in batches of its own; the port of its HTTP door."""
    port = free_port()
    command = [
        str(agent), "start", "--exporter", "otlp", "--otlp-exporter-endpoint", f"http://127.0.0.1:{behind.grpc_port}",
        "--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}",
        "--batch-max-size", "1000",
    ]  # fmt: skip
    with (folder / "rotel.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def send(port: int, bodies: list[Body]) -> None:
    """Posts each body until it is taken."""
    deadline = time.monotonic() + 300
    for body in bodies:
        while post(port, bytes(body.content)) != 200:
            assert time.monotonic() < deadline, "a body was not taken"
            time.sleep(0.05)


def post(port: int, content: bytes) -> int:
    """Answer code to one body; 0 if none came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/v1/traces", content, HEADERS)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def until_stored(found: Server, rows: int) -> None:
    """Waits until the server has that many rows of spans."""
    deadline = time.monotonic() + 300
    while (stored := found.ask(SPANS)[0][0]) < rows:
        assert time.monotonic() < deadline, f"{stored} of {rows} spans stored"
        time.sleep(0.1)


def books(found: Server) -> Books:
    """Settles and reads what was booked."""
    found.until_loaded()
    found.post("/api/v1/settle", {})
    ((rows, spans),) = found.ask(SPANS)
    ((amount, priced, lines),) = found.ask(BOOKED)
    teams = tuple((team, Decimal(total)) for team, total in found.ask(BY_TEAM))
    return Books(int(rows), int(spans), Decimal(amount), int(priced), int(lines), teams)
