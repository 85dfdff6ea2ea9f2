"""What programs say to models, services and stores stays there: a canary and a key go through every integration."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import tollbook
from opentelemetry.sdk.trace import ReadableSpan
from tollbook.integrations import confluent_kafka as kafka_of_ours
from tollbook.integrations.aiohttp import AiohttpClientInstrumentor
from tollbook.integrations.anthropic import AnthropicInstrumentor
from tollbook.integrations.boto3 import Boto3Instrumentor
from tollbook.integrations.confluent_kafka import ConfluentKafkaInstrumentor
from tollbook.integrations.dbapi import Sqlite3Instrumentor
from tollbook.integrations.files import FilesInstrumentor
from tollbook.integrations.fsspec import FsspecInstrumentor
from tollbook.integrations.grpc import GrpcClientInstrumentor, GrpcServerInstrumentor
from tollbook.integrations.http_client import HttpClientInstrumentor
from tollbook.integrations.httpx import Httpx2Instrumentor, HttpxInstrumentor
from tollbook.integrations.openai import OpenAIInstrumentor
from tollbook.integrations.redis import RedisInstrumentor
from tollbook.integrations.requests import RequestsInstrumentor
from tollbook.integrations.sqlalchemy import SQLAlchemyInstrumentor
from tollbook.integrations.urllib3 import Urllib3Instrumentor
from tollbook.redaction import DiscreetEncoder, Privacy
from tollbook.testing import Captured

from tests.sdk.model_api import chat_answer, chat_chunks, model_api
from tests.sdk.object_server import serving
from tests.sdk.test_http_clients import CLIENTS
from tests.sdk.webserver import Web
from tests.soak.figures import Fault

kafka_of_ours.prepare()  # before anything imports the library, as `tollbook.auto()` does

CANARY = "the canary sings at midnight"
KEY = "sk-ant-api03-" + "a1B2" * 20
SECRETS = (CANARY.encode(), KEY.encode())
INSTRUMENTORS = (
    RequestsInstrumentor, Urllib3Instrumentor, HttpxInstrumentor, Httpx2Instrumentor, AiohttpClientInstrumentor,
    HttpClientInstrumentor, GrpcClientInstrumentor, GrpcServerInstrumentor, ConfluentKafkaInstrumentor,
    Boto3Instrumentor, RedisInstrumentor, Sqlite3Instrumentor, SQLAlchemyInstrumentor, OpenAIInstrumentor,
    AnthropicInstrumentor, FilesInstrumentor, FsspecInstrumentor,
)  # fmt: skip

Leak = Callable[[Path], object]
REFUSED = {"error": {"message": f"Incorrect API key provided: {KEY}. You said: {CANARY}", "type": "auth"}}


def over_http(_folder: Path) -> None:
    with Web() as web:
        for ask, _, _ in CLIENTS.values():
            headers = {"authorization": f"Bearer {KEY}", "x-api-key": KEY, "cookie": f"session={KEY}", "x-note": CANARY}
            assert ask("POST", f"{web.url}/echo?api_key={KEY}", CANARY.encode(), headers) == CANARY.encode()
            place = web.url if ask is CLIENTS["urllib"][0] else web.url.replace("://", f"://app:{KEY}@")
            ask("GET", f"{place}/missing?token={KEY}")


def over_grpc(_folder: Path) -> None:
    import grpc

    def answer(_request: bytes, context: Any) -> bytes:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"{KEY} is no key")

    methods = {
        "Echo": grpc.unary_unary_rpc_method_handler(lambda request, _: request),
        "Refuse": grpc.unary_unary_rpc_method_handler(answer),
    }
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Orders", methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        metadata = (("authorization", f"Bearer {KEY}"), ("x-note", CANARY))
        assert channel.unary_unary("/shop.Orders/Echo")(CANARY.encode(), metadata=metadata) == CANARY.encode()
        with pytest.raises(grpc.RpcError):
            channel.unary_unary("/shop.Orders/Refuse")(CANARY.encode(), metadata=metadata)
    server.stop(0).wait(10)


def over_kafka(_folder: Path) -> None:
    import confluent_kafka

    quiet = {"log_level": 0, "test.mock.num.brokers": 1, "bootstrap.servers": "none", "client.id": "leaks"}
    producer = confluent_kafka.Producer(quiet)
    producer.produce("orders", CANARY, key=CANARY, headers={"authorization": KEY, "note": CANARY})
    assert producer.flush(20) == 0


def through_boto3(_folder: Path) -> None:
    import boto3
    from botocore.config import Config

    with serving() as (url, _held):
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
        s3 = boto3.client("s3", endpoint_url=url, region_name="eu-west-1", aws_access_key_id="AKIA" + "A" * 16,
                          aws_secret_access_key=KEY, config=config)  # fmt: skip
        with contextlib.closing(s3):
            s3.put_object(Bucket="b", Key="report", Body=CANARY.encode(), Metadata={"note": KEY})
            assert s3.get_object(Bucket="b", Key="report")["Body"].read() == CANARY.encode()


def through_redis(_folder: Path) -> None:
    import fakeredis
    import redis

    server = fakeredis.TcpFakeServer(("127.0.0.1", 0))
    server.daemon_threads = True
    with ThreadPoolExecutor(1) as threads:
        threads.submit(server.serve_forever, 0.05)
        with redis.Redis(port=server.server_address[1]) as client:
            client.set("cart", CANARY)
            client.hset("user", mapping={"mail": CANARY, "key": KEY})
            assert client.get("cart") == CANARY.encode()
            for command in (("AUTH", KEY), ("NO-SUCH", KEY, CANARY)):
                with contextlib.suppress(redis.RedisError):
                    client.execute_command(*command)
        server.shutdown()
    server.server_close()


def through_sql(folder: Path) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"sqlite:///{folder}/a.db")
    with contextlib.closing(sqlite3.connect(folder / "b.db")) as plain, engine.begin() as connection:
        for run in (
            lambda text, values: connection.execute(sqlalchemy.text(text), values),
            plain.execute,
        ):
            run("CREATE TABLE notes (note TEXT)", {})
            run("INSERT INTO notes VALUES (:note)", {"note": CANARY})
            assert run("SELECT note FROM notes WHERE note = :note", {"note": CANARY}).fetchall()
            with pytest.raises(Exception, match="no such"):
                run(f"SELECT * FROM notes WHERE password='{KEY}' AND absent = :note", {"note": CANARY})
    engine.dispose()


def to_models(_folder: Path) -> None:
    import anthropic
    import openai

    asked: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": CANARY}], "user": "u"}
    answer = chat_answer()
    answer["choices"][0]["message"]["content"] = CANARY
    with model_api() as api:
        api.will(answer, chat_chunks(usage=True), 401, REFUSED)
        with openai.OpenAI(api_key=KEY, base_url=f"{api.url}/v1", max_retries=0) as client:
            client.chat.completions.create(**asked)
            list(client.chat.completions.create(**asked, stream=True))
            with pytest.raises(openai.AuthenticationError):
                client.chat.completions.create(**asked)
            with contextlib.suppress(openai.OpenAIError):
                client.chat.completions.create(**asked)
        api.will(
            {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
             "content": [{"type": "text", "text": CANARY},
                         {"type": "tool_use", "id": "t", "name": "find", "input": {"q": CANARY}}],
             "usage": {"input_tokens": 3, "output_tokens": 5}},
            401,
        )  # fmt: skip
        with anthropic.Anthropic(api_key=KEY, base_url=api.url, max_retries=0) as client:
            client.messages.create(model="claude", max_tokens=9, system=CANARY, messages=asked["messages"])
            with pytest.raises(anthropic.AuthenticationError):
                client.messages.create(model="claude", max_tokens=9, messages=asked["messages"])


def through_files(folder: Path) -> None:
    import fsspec

    (folder / "notes.txt").write_text(CANARY)
    assert (folder / "notes.txt").read_text() == CANARY
    with fsspec.open(f"file://{folder}/more.txt", "w") as file:
        file.write(CANARY)
    with fsspec.open(f"file://{folder}/more.txt") as file:
        assert file.read()


def in_our_own_words(_folder: Path) -> None:
    @tollbook.inference(model="scorer")
    def score(prompt: str) -> str:
        raise ValueError(f"{KEY} may not say {prompt}")

    with tollbook.request(workflow="answers"):
        for call in (lambda: score(CANARY), lambda: asyncio.run(_asynchronously())):
            with pytest.raises(ValueError, match="may not"):
                call()


async def _asynchronously() -> None:
    with tollbook.handoff("read", source="s3://b/k"):
        raise ValueError(f"Bearer {KEY} may not")


LEAKS: dict[str, Leak] = {
    "http": over_http, "grpc": over_grpc, "kafka": over_kafka, "boto3": through_boto3, "redis": through_redis, "sql": through_sql,
    "models": to_models, "files": through_files, "our own": in_our_own_words,
}  # fmt: skip


@pytest.fixture
def instrumented(captured: Captured) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for made in INSTRUMENTORS:
            made().instrument(tracer_provider=captured.provider)
            stack.callback(made().uninstrument)
        yield


def _sent(span: ReadableSpan) -> bytes:
    return DiscreetEncoder(Privacy()).span(span)


@pytest.mark.fault("S13", "a canary and a key through every integration, content off", "0 spans with either, none in the log")
def test_no_integration_lets_content_or_a_key_out(
    fault: Fault,
    captured: Captured,
    instrumented: None,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO, "tollbook")
    monkeypatch.setenv("TOLLBOOK_FILES", str(tmp_path))
    told, leaks = {}, []
    for way, leak in LEAKS.items():
        before = len(captured.spans)
        leak(tmp_path)
        spans = captured.spans[before:]
        told[way] = len(spans)
        leaks += [
            f"{way}: {span.to_json()}" for span in spans if CANARY.encode() in (sent := _sent(span)) or KEY.encode() in sent
        ]
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("tollbook")]
    fault.found(
        f"{sum(told.values())} spans of {len(INSTRUMENTORS)} integrations: {len(leaks)} leak; {len(logged)} lines of log",
    )
    assert not leaks, "\n".join(leaks)
    assert not [line for line in logged if KEY in line or CANARY in line]
    assert all(told.values()), told
