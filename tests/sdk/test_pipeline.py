"""File → queue → worker → HTTP → model: four programs that know nothing of Tollbook, and an inference as old as the file."""

import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.processes import ended, free_port
from tests.sdk import onnx
from tests.sdk.receiver import Receiver, values

for needed in ("onnxruntime", "fastapi", "requests"):
    pytest.importorskip(needed)
confluent_kafka = pytest.importorskip("confluent_kafka")

FILE_TIME_NS = 1_763_000_000_123_000_000
ROWS, COLUMNS = 12, 8
PAYLOAD_BYTES = ROWS * COLUMNS * 4
TIMEOUT_S = 60

INGEST = """
    import sys
    from confluent_kafka import Producer

    broker, path = sys.argv[1:]
    with open(path, "rb") as file:
        readings = file.read()
    producer = Producer({"bootstrap.servers": broker, "log_level": 0})
    producer.produce("readings", readings, key=b"press-7")
    sys.exit(producer.flush(30))
"""
WORK = """
    import sys
    import requests
    from confluent_kafka import Consumer, TopicPartition

    broker, url = sys.argv[1:]
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "scorers", "enable.auto.commit": False, "log_level": 0})
    consumer.assign([TopicPartition("readings", number, 0) for number in range(4)])
    message = None
    while message is None or message.error():
        message = consumer.poll(0.2)
    answer = requests.post(url, data=message.value(), timeout=30)
    consumer.close()
    sys.exit(0 if answer.json() == {"rows": 12} else 1)
"""
SERVE = """
    import sys
    import fastapi
    import numpy
    import onnxruntime
    import uvicorn

    port, model = sys.argv[1:]
    app, session = fastapi.FastAPI(), onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    @app.post("/score")
    async def score(request: fastapi.Request):
        readings = numpy.frombuffer(await request.body(), "float32").reshape(-1, 8)
        return {"rows": len(session.run(None, {"x": readings})[0])}

    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error")
"""


@pytest.fixture
def broker() -> Iterator[str]:
    mock = confluent_kafka.Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    yield ",".join(f"{known.host}:{known.port}" for known in mock.list_topics(timeout=20).brokers.values())
    mock.flush(0)


def program(folder: Path, name: str, text: str, receiver: Receiver, *arguments: str) -> "subprocess.Popen[str]":
    """A program under `tollbook-instrument`, with its own instrumentations alone so that it starts sooner."""
    file = folder / f"{name}.py"
    file.write_text(textwrap.dedent(text))
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "TOLLBOOK_"))}
    only = "files,onnxruntime,tollbook_confluent_kafka,tollbook_requests,tollbook_fastapi"
    command = [sys.executable, "-m", "tollbook.instrument", "--only", only, "--no-metrics", "--team", "quality", str(file)]
    environment = {**inherited, "TOLLBOOK_STRICT": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    return subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True, env=environment)


def finish(process: "subprocess.Popen[str]") -> None:
    _said, complained = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, complained) == (0, "")


def listens(port: int) -> None:
    until = time.monotonic() + TIMEOUT_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < until
        time.sleep(0.1)


def by_service(receiver: Receiver) -> dict[str, list[tuple[Span, dict[str, Any]]]]:
    found: dict[str, list[tuple[Span, dict[str, Any]]]] = {}
    for request in receiver.traces:
        for resource in request.resource_spans:
            service = values(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                found.setdefault(service, []).extend((span, values(span.attributes)) for span in scope.spans)
    return found


def one(spans: list[tuple[Span, dict[str, Any]]], **said: Any) -> tuple[Span, dict[str, Any]]:
    """The one span that says this; dots in names are written as underscores."""
    wanted = {name.replace("__", "."): value for name, value in said.items()}
    (found,) = [pair for pair in spans if wanted.items() <= pair[1].items()]
    return found


def above(span_id: bytes, parents: dict[bytes, bytes]) -> list[bytes]:
    """A span and those it is in, the innermost first."""
    return [span_id, *above(parents[span_id], parents)] if span_id in parents else []


def test_the_inference_at_the_end_is_as_old_as_the_file_at_the_beginning(tmp_path: Path, broker: str) -> None:
    readings, model = tmp_path / "readings.bin", tmp_path / "scorer.onnx"
    readings.write_bytes(bytes(PAYLOAD_BYTES))
    os.utime(readings, ns=(FILE_TIME_NS, FILE_TIME_NS))
    model.write_bytes(onnx.model("Identity"))
    port = free_port()
    with Receiver() as receiver, ExitStack() as running:
        serving = running.enter_context(ended(program(tmp_path, "serve", SERVE, receiver, str(port), str(model))))
        url = f"http://127.0.0.1:{port}/score"
        working = running.enter_context(ended(program(tmp_path, "work", WORK, receiver, broker, url)))
        listens(port)
        finish(running.enter_context(ended(program(tmp_path, "ingest", INGEST, receiver, broker, str(readings)))))
        finish(working)
        serving.terminate()
        serving.communicate(timeout=TIMEOUT_S)
        spans = by_service(receiver)

    file_id = f"file://{readings}"
    _read, said = one(spans["ingest"], tollbook__handoff__operation="read", tollbook__asset__id=file_id)
    assert (said["tollbook.handoff.size"], said["tollbook.asset.event_time"]) == (PAYLOAD_BYTES, FILE_TIME_NS)
    write, said = one(spans["ingest"], tollbook__handoff__operation="write", tollbook__handoff__destination="kafka:readings")
    assert said["tollbook.handoff.size"] == PAYLOAD_BYTES + len(b"press-7")
    event_id = said["tollbook.event.id"]
    taken, said = one(spans["work"], tollbook__handoff__operation="read", tollbook__handoff__source="kafka:readings")
    assert (said["tollbook.handoff.size"], said["tollbook.event.id"]) == (PAYLOAD_BYTES + len(b"press-7"), event_id)
    assert (said["tollbook.asset.event_time"], said["tollbook.handoff.delivery"]) == (FILE_TIME_NS, "at_least_once")
    call, said = one(spans["work"], tollbook__handoff__operation="call")
    assert said["tollbook.handoff.size"] == PAYLOAD_BYTES + len(b'{"rows":12}')
    request, _said = one(spans["serve"], tollbook__kind="request")
    inference, said = one(spans["serve"], gen_ai__request__model="scorer", gen_ai__operation__name="inference")
    assert said["tollbook.inference.input.size"] == PAYLOAD_BYTES

    assert said["tollbook.input.event_time.oldest"] == said["tollbook.input.event_time.newest"] == FILE_TIME_NS
    assert {file_id, "kafka:readings"} <= set(said["tollbook.input.asset.ids"])
    chain = [write, taken, call, request, inference]
    assert {span.trace_id for span in chain} == {write.trace_id}, "one trace across all borders"
    parents = {span.span_id: span.parent_span_id for pairs in spans.values() for span, _said in pairs}
    line = above(inference.span_id, parents)
    assert [span_id for span_id in line if span_id in {span.span_id for span in chain}] == [
        span.span_id for span in reversed(chain)
    ]
