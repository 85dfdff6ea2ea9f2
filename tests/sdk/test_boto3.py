"""boto3, real, against a stand-in of the server: objects, tables, queues and streams are handoffs, within contrib's spans too."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
import tollbook
from tollbook import shield
from tollbook.integrations.boto3 import Boto3Instrumentor
from tollbook.testing import Captured

from tests.sdk.object_server import CHANGED_S, base64_of, serving

boto3 = pytest.importorskip("boto3")
BODY = b"date,total\n2026-11-22,17\n"


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    Boto3Instrumentor().instrument()
    yield
    Boto3Instrumentor().uninstrument()


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with serving() as (url, held):
        held.url = url
        yield held


def client(server: Any, service: str = "s3") -> Any:
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=server.url,
        region_name="eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


@pytest.fixture
def s3(server: Any) -> Iterator[Any]:
    server.objects.clear()
    s3 = client(server)
    yield s3
    s3.close()


@pytest.fixture
def contrib(captured: Captured) -> Iterator[None]:
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor

    BotocoreInstrumentor().instrument(tracer_provider=captured.provider)
    yield
    BotocoreInstrumentor().uninstrument()


def said(captured: Captured, name: str) -> dict[str, Any]:
    """What a span says, without what differs from run to run."""
    return {key: value for key, value in captured.attributes(name).items() if key not in {"server.port", "tollbook.cpu.time"}}


def etag_of(data: bytes) -> str:
    import hashlib

    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_five_lines_that_write_and_read_an_object_are_two_handoffs(captured: Captured, s3: Any) -> None:
    s3.put_object(Bucket="corpus", Key="2026/a.csv", Body=BODY)
    answer = s3.get_object(Bucket="corpus", Key="2026/a.csv")
    assert answer["Body"].read() == BODY
    written, read = said(captured, "S3.PutObject"), said(captured, "S3.GetObject")
    assert written.pop("tollbook.content.digest") == read.pop("tollbook.content.digest")
    same = {
        "tollbook.kind": "handoff",
        "rpc.system.name": "aws-api",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "tollbook.handoff.network": "loopback",
        "tollbook.handoff.size": len(BODY),
        "tollbook.asset.id": "s3://corpus/2026/a.csv",
        "tollbook.asset.version": etag_of(BODY),
    }
    assert written == {**same, "tollbook.handoff.operation": "write", "tollbook.handoff.destination": "s3:corpus"}
    assert read == {
        **same,
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": "s3:corpus",
        "tollbook.asset.event_time": CHANGED_S * 10**9,
    }


@pytest.mark.usefixtures("contrib")
def test_contribs_spans_are_told_what_they_lack(captured: Captured, s3: Any) -> None:
    with tollbook.request("r"):
        s3.put_object(Bucket="corpus", Key="a", Body=BODY)
        body = s3.get_object(Bucket="corpus", Key="a")["Body"]
        assert captured.names == ["S3.PutObject"]
        body.read()
        with tollbook.inference("m"):
            pass
    assert captured.names == ["S3.PutObject", "S3.GetObject", "inference m", "r"]
    read = captured.named("S3.GetObject")
    assert read.instrumentation_scope is not None
    assert read.instrumentation_scope.name == "opentelemetry.instrumentation.botocore"
    attributes = captured.attributes("S3.GetObject")
    assert attributes["tollbook.handoff.size"] == len(BODY)
    assert attributes["tollbook.handoff.source"] == "s3:corpus"
    assert attributes["tollbook.asset.event_time"] == CHANGED_S * 10**9
    assert captured.attributes("inference m")["tollbook.input.event_time.oldest"] == CHANGED_S * 10**9


READS: list[Any] = [
    lambda body: body.read(),
    lambda body: b"".join(iter(lambda: body.read(7), b"")),
    b"".join,
    lambda body: b"".join(body.iter_chunks(10)),
    lambda body: b"\n".join(body.iter_lines()) + b"\n",
    lambda body: b"".join(body.readlines()),
    lambda body: bytes(buffer[: body.readinto(buffer)]) if (buffer := bytearray(1000)) else b"",
    lambda body: io.BufferedReader(body).read(),
]


@pytest.mark.parametrize("read", READS)
def test_bytes_are_exact_however_a_body_is_read(captured: Captured, s3: Any, server: Any, read: Any) -> None:
    server.objects["/corpus/a"] = BODY
    assert read(s3.get_object(Bucket="corpus", Key="a")["Body"]) == BODY
    assert captured.attributes("S3.GetObject")["tollbook.handoff.size"] == len(BODY)


def test_a_body_that_is_closed_or_thrown_away_ends_with_what_was_read(captured: Captured, s3: Any, server: Any) -> None:
    server.objects["/corpus/a"] = b"x" * 100_000
    body = s3.get_object(Bucket="corpus", Key="a")["Body"]
    with body as stream:
        stream.read(1000)
    assert captured.attributes("S3.GetObject")["tollbook.handoff.size"] == 1000
    s3.get_object(Bucket="corpus", Key="a")
    assert [(span.attributes or {}).get("tollbook.handoff.size") for span in captured.spans] == [1000, 0]
    part = s3.get_object(Bucket="corpus", Key="a", Range="bytes=10-19")["Body"].read()
    assert len(part) == 10
    assert (captured.spans[-1].attributes or {})["tollbook.handoff.size"] == 10


def test_files_go_up_and_down_whole_or_in_parts(captured: Captured, s3: Any, server: Any) -> None:
    from boto3.s3.transfer import TransferConfig

    config = TransferConfig(use_threads=False, multipart_threshold=6 * 2**20, multipart_chunksize=5 * 2**20)
    s3.upload_fileobj(io.BytesIO(BODY), "corpus", "small", Config=config)
    assert captured.attributes("S3.PutObject")["tollbook.handoff.size"] == len(BODY)
    s3.upload_fileobj(io.BytesIO(b"x" * (7 * 2**20)), "corpus", "large", Config=config)
    parts = [span.attributes or {} for span in captured.spans if span.name == "S3.UploadPart"]
    assert [part["tollbook.handoff.size"] for part in parts] == [5 * 2**20, 2 * 2**20]
    target = io.BytesIO()
    s3.download_fileobj("corpus", "small", target, Config=config)
    assert target.getvalue() == BODY
    assert captured.attributes("S3.GetObject")["tollbook.handoff.size"] == len(BODY)


def test_looking_copying_and_deleting_are_told_apart(captured: Captured, s3: Any, server: Any) -> None:
    server.objects["/corpus/a"] = BODY
    with tollbook.request("r") as request:
        s3.head_object(Bucket="corpus", Key="a")
        assert request.inputs is not None
        assert request.inputs.attributes() == {}
        s3.copy_object(Bucket="archive", Key="b", CopySource={"Bucket": "corpus", "Key": "a"})
        assert request.inputs.attributes() == {"tollbook.input.asset.ids": ("s3://corpus/a",)}
    s3.list_objects_v2(Bucket="corpus")
    s3.delete_object(Bucket="corpus", Key="a")
    operations = {span.name: (span.attributes or {}).get("tollbook.handoff.operation") for span in captured.spans}
    assert operations == {
        "S3.HeadObject": "lookup",
        "S3.CopyObject": "copy",
        "r": None,
        "S3.ListObjectsV2": "lookup",
        "S3.DeleteObject": "delete",
    }
    copied = captured.attributes("S3.CopyObject")
    assert (copied["tollbook.handoff.source"], copied["tollbook.handoff.destination"]) == ("s3:corpus", "s3:archive")
    assert "tollbook.handoff.size" not in copied
    assert captured.attributes("S3.HeadObject")["tollbook.asset.version"] == etag_of(BODY)


def test_an_error_stays_the_applications(captured: Captured, s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="corpus", Key="gone")
    assert captured.attributes("S3.GetObject")["error.type"] == "NoSuchKey"


def test_a_server_that_is_not_there_is_a_failure(captured: Captured, server: Any) -> None:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        away = type("Away", (), {"url": f"http://127.0.0.1:{held.getsockname()[1]}"})
        gone = client(away)
        with pytest.raises(Exception, match="Could not connect"):
            gone.get_object(Bucket="corpus", Key="a")
        gone.close()
    assert captured.attributes("S3.GetObject")["error.type"] == "botocore.exceptions.EndpointConnectionError"


def test_tables_queues_and_streams_count_records_and_bytes(captured: Captured, server: Any) -> None:
    item = {"id": {"S": "1"}}
    server.answers.update({
        "GetItem": {"Item": item},
        "Query": {"Items": [item] * 3, "Count": 3},
        "PutItem": {},
        "SendMessage": {"MessageId": "m-1", "MD5OfMessageBody": "5d41402abc4b2a76b9719d911017c592"},
        "ReceiveMessage": {
            "Messages": [{"MessageId": "m-1", "Body": "hello", "Attributes": {"SentTimestamp": str(CHANGED_S * 1000 + 5)}}]
        },
        "PutRecords": {"FailedRecordCount": 1, "Records": []},
        "GetRecords": {
            "Records": [{"Data": base64_of(b"abc"), "SequenceNumber": "9", "ApproximateArrivalTimestamp": CHANGED_S}]
        },
    })  # fmt: skip
    tables = client(server, "dynamodb")
    tables.get_item(TableName="orders", Key=item)
    tables.query(TableName="orders", KeyConditionExpression="id = :i", ExpressionAttributeValues={":i": {"S": "1"}})
    tables.put_item(TableName="orders", Item=item)
    queue = client(server, "sqs")
    queue.send_message(QueueUrl=f"{server.url}/1/jobs", MessageBody="hello")
    with tollbook.request("r") as request:
        queue.receive_message(QueueUrl=f"{server.url}/1/jobs")
        assert request.inputs is not None
        assert request.inputs.attributes()["tollbook.input.event_time.oldest"] == (CHANGED_S * 1000 + 5) * 10**6
    stream = client(server, "kinesis")
    stream.put_records(StreamName="clicks", Records=[{"Data": b"abc", "PartitionKey": "1"}, {"Data": b"de", "PartitionKey": "1"}])
    stream.get_records(ShardIterator="i", StreamARN="arn:aws:kinesis:eu-west-1:123456789012:stream/clicks")
    for used in (tables, queue, stream):
        used.close()
    keys = ("operation", "records", "delivery")
    rows = {span.name: tuple((span.attributes or {}).get(f"tollbook.handoff.{key}") for key in keys) for span in captured.spans}
    assert rows == {
        "DynamoDB.GetItem": ("lookup", 1, None),
        "DynamoDB.Query": ("read", 3, None),
        "DynamoDB.PutItem": ("write", 1, None),
        "SQS.SendMessage": ("write", 1, "at_least_once"),
        "SQS.ReceiveMessage": ("read", 1, "at_least_once"),
        "r": (None, None, None),
        "Kinesis.PutRecords": ("write", 1, "at_least_once"),
        "Kinesis.GetRecords": ("read", 1, "at_least_once"),
    }
    sent, received = captured.attributes("SQS.SendMessage"), captured.attributes("SQS.ReceiveMessage")
    assert sent["tollbook.event.id"] == received["tollbook.event.id"] == "m-1"
    assert sent["tollbook.handoff.size"] == received["tollbook.handoff.size"] == 5
    assert captured.attributes("Kinesis.GetRecords")["tollbook.asset.event_time"] == CHANGED_S * 10**9
    assert captured.attributes("Kinesis.PutRecords")["tollbook.handoff.size"] == 5
    assert captured.attributes("DynamoDB.Query")["tollbook.asset.id"] == "dynamodb://orders"


@pytest.mark.parametrize(
    "hook",
    [
        "tollbook.integrations.boto3._said",
        "tollbook.integrations.boto3._Call.sends",
        "tollbook.integrations.boto3.Asset",
        "tollbook.integrations.boto3._Reading.__init__",
        "tollbook.integrations.boto3._Reading.read",
        "opentelemetry.sdk.trace.Tracer.start_span",
        "opentelemetry.sdk.trace.Span.set_attributes",
        "opentelemetry.sdk.trace.Span.end",
    ],
)
def test_a_fault_in_any_hook_leaves_the_call_alone(
    lenient: None, captured: Captured, s3: Any, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(hook, broken)
    s3.put_object(Bucket="corpus", Key="a", Body=BODY)
    assert s3.get_object(Bucket="corpus", Key="a")["Body"].read() == BODY
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="corpus", Key="gone")
    assert shield.faults
