"""redis-py, real, against a server over TCP: commands and pipelines are handoffs, beneath contrib's spans too."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import tollbook
from tollbook import shield
from tollbook.integrations.redis import RedisInstrumentor
from tollbook.testing import Captured

redis = pytest.importorskip("redis")
fakeredis = pytest.importorskip("fakeredis")
VALUE = b"v" * 100


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    RedisInstrumentor().instrument()
    yield
    RedisInstrumentor().uninstrument()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = fakeredis.TcpFakeServer(("127.0.0.1", 0))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(port: int) -> Iterator[Any]:
    with redis.Redis(port=port, db=2) as client:
        client.flushall()
        yield client


@pytest.fixture
def contrib(captured: Captured) -> Iterator[None]:
    from opentelemetry.instrumentation.redis import RedisInstrumentor as Contribs

    Contribs().instrument(tracer_provider=captured.provider)
    yield
    Contribs().uninstrument()


def said(captured: Captured, name: str) -> dict[str, Any]:
    return {key: value for key, value in captured.attributes(name).items() if key not in {"server.port", "tollbook.cpu.time"}}


def test_five_lines_that_set_and_get_a_key_are_two_handoffs(captured: Captured, client: Any) -> None:
    client.set("user:17:cart", VALUE, ex=60)
    assert client.get("user:17:cart") == VALUE
    written, read = said(captured, "SET"), said(captured, "GET")
    assert written.pop("tollbook.content.digest") == read.pop("tollbook.content.digest")
    asset = written["tollbook.asset.id"]
    assert asset.startswith("redis://localhost/2/user:*#")
    assert len(asset) == len("redis://localhost/2/user:*#") + 16
    same = {
        "tollbook.kind": "handoff",
        "db.system.name": "redis",
        "server.address": "localhost",
        "tollbook.handoff.network": "loopback",
        "tollbook.handoff.size": 100,
        "tollbook.handoff.records": 1,
        "tollbook.asset.id": asset,
    }
    assert written == {
        **same,
        "tollbook.handoff.operation": "write",
        "tollbook.handoff.destination": "redis:localhost",
        "db.operation.name": "SET",
    }
    assert read == {
        **same,
        "tollbook.handoff.operation": "lookup",
        "tollbook.handoff.source": "redis:localhost",
        "db.operation.name": "GET",
    }


@pytest.mark.usefixtures("contrib")
def test_contribs_spans_are_told_what_they_lack(captured: Captured, port: int) -> None:
    with redis.Redis(port=port) as client:
        client.set("a", VALUE)
        with client.pipeline() as pipeline:
            pipeline.set("b", VALUE).get("b")
            assert pipeline.execute() == [True, VALUE]
    assert captured.names == ["SET", "SET GET"]
    scopes = {span.instrumentation_scope.name for span in captured.spans if span.instrumentation_scope}
    assert scopes == {"opentelemetry.instrumentation.redis"}
    assert captured.attributes("SET")["tollbook.handoff.size"] == 100
    assert captured.attributes("SET GET")["tollbook.handoff.size"] == 200


def test_a_miss_is_a_lookup_of_nothing(captured: Captured, client: Any) -> None:
    with tollbook.request("r") as request:
        assert client.get("user:18") is None
        assert request.inputs is not None
        assert request.inputs.attributes() == {}
        client.set("user:18", "x")
        client.get("user:18")
        assert len(request.inputs.attributes()["tollbook.input.asset.ids"]) == 1
    missed, hit = [span.attributes or {} for span in captured.spans if span.name == "GET"]
    assert (missed["tollbook.handoff.records"], missed["tollbook.handoff.size"]) == (0, 0)
    assert (hit["tollbook.handoff.records"], hit["tollbook.handoff.size"]) == (1, 1)
    assert missed["tollbook.asset.id"] == hit["tollbook.asset.id"]


COMMANDS: list[tuple[Any, str, int | None, int]] = [
    (lambda r: r.mset({"a:1": "xx", "a:2": "yyy"}), "write", 2, 5),
    (lambda r: r.mget("a:1", "a:2", "a:3"), "read", 2, 5),
    (lambda r: r.hset("h", mapping={"f": "12", "g": "345"}), "write", 2, 7),
    (lambda r: r.hgetall("h"), "read", 2, 7),
    (lambda r: r.hget("h", "f"), "lookup", 1, 2),
    (lambda r: r.execute_command("SETEX", "a:1", 60, "grün"), "write", 1, 5),
    (lambda r: r.get("a:1"), "lookup", 1, 5),
    (lambda r: r.rpush("l", "a", "bb", "ccc"), "write", 3, 6),
    (lambda r: r.lrange("l", 0, -1), "read", 3, 6),
    (lambda r: r.lpop("l"), "read", 1, 1),
    (lambda r: r.exists("a:1"), "lookup", 1, 0),
    (lambda r: r.exists("nothing"), "lookup", 0, 0),
    (lambda r: r.delete("a:1", "a:2", "a:9"), "delete", 2, 0),
    (lambda r: r.publish("c", b"12345"), "write", 1, 5),
    (lambda r: r.set("n", 12345), "write", 1, 5),
    (lambda r: r.sadd("s", "a", "b"), "write", 2, 2),
    (lambda r: r.smembers("s"), "read", 2, 2),
]


def test_records_and_bytes_are_those_of_the_values(captured: Captured, client: Any) -> None:
    for command, *_expected in COMMANDS:
        command(client)
    rows = [
        tuple((span.attributes or {}).get(f"tollbook.handoff.{key}") for key in ("operation", "records", "size"))
        for span in captured.spans
        if span.name != "FLUSHALL"
    ]
    assert rows == [(operation, records, size) for _command, operation, records, size in COMMANDS]


def test_no_key_is_told(captured: Captured, client: Any) -> None:
    for key in ("ada@example.org", "token:7f3c", "x" * 40 + ":1", b"\xff\xfe", "42"):
        client.set(key, "v")
        client.get(key)
    text = " ".join(str(span.attributes) for span in captured.spans)
    assert "ada" not in text
    assert "7f3c" not in text
    assert "xxxx" not in text
    assert {(span.attributes or {})["tollbook.asset.id"].rpartition("#")[0] for span in captured.spans} == {
        "redis://localhost/2/*",
        "redis://localhost/2/token:*",
    }


@pytest.mark.parametrize("transaction", [True, False])
def test_a_pipeline_is_one_handoff(captured: Captured, client: Any, transaction: bool) -> None:
    with client.pipeline(transaction=transaction) as pipeline:
        for number in range(5):
            pipeline.set(f"user:{number}", VALUE)
        pipeline.get("user:0")
        assert pipeline.execute() == [True] * 5 + [VALUE]
    attributes = captured.attributes("PIPELINE")
    assert attributes["tollbook.handoff.operation"] == "write"
    assert attributes["tollbook.handoff.records"] == 6
    assert attributes["tollbook.handoff.size"] == 600
    assert attributes["tollbook.asset.id"] == "redis://localhost/2/user:*"


def test_the_asynchronous_client_is_seen_as_well(captured: Captured, port: int) -> None:
    async def program() -> None:
        async with redis.asyncio.Redis(port=port, decode_responses=True) as client:
            await client.set("user:1", "x" * 70)
            assert await client.get("user:1") == "x" * 70
            async with client.pipeline() as pipeline:
                assert await pipeline.set("user:2", "abc").get("user:2").execute() == [True, "abc"]

    asyncio.run(program())
    assert captured.names == ["SET", "GET", "PIPELINE"]
    assert [(span.attributes or {})["tollbook.handoff.size"] for span in captured.spans] == [70, 70, 6]
    assert len({(span.attributes or {}).get("tollbook.content.digest") for span in captured.spans[:2]}) == 1


def test_an_error_stays_the_applications(captured: Captured, client: Any) -> None:
    client.set("a", "x")
    with pytest.raises(redis.ResponseError):
        client.lpush("a", "y")
    assert captured.attributes("LPUSH")["error.type"] == "redis.exceptions.ResponseError"
    with client.pipeline() as pipeline, pytest.raises(redis.ResponseError):
        pipeline.lpush("a", "y").execute()
    told = [(span.name, (span.attributes or {}).get("error.type")) for span in captured.spans if span.name in {"SET", "LPUSH"}]
    of_network = ("redis.exceptions.ConnectionError", "redis.exceptions.TimeoutError")  # on a busy machine the client asks again
    refused = ("LPUSH", "redis.exceptions.ResponseError")
    assert [one for one in told if one[1] not in of_network] == [("SET", None), refused, refused]


def test_a_cluster_is_seen_command_by_command(captured: Captured) -> None:
    """No cluster runs here: the client's own functions are called as it calls them."""
    node = type("Node", (), {"host": "10.0.0.7", "port": 7000})()
    wrappers = RedisInstrumentor.wrappers
    of_cluster = wrappers["redis.cluster"]["RedisCluster._execute_command"]
    of_node = wrappers["redis.asyncio.cluster"]["ClusterNode.execute_command"]
    reply = of_cluster(lambda *_args, **_kwargs: VALUE, None, (node, "GET", "user:1"), {})
    assert reply == VALUE
    attributes = captured.attributes("GET")
    assert (attributes["server.address"], attributes["server.port"]) == ("10.0.0.7", 7000)
    assert attributes["tollbook.handoff.source"] == "redis:10.0.0.7"
    assert "tollbook.handoff.network" not in attributes

    async def asked() -> Any:
        async def answer(*_args: Any, **_kwargs: Any) -> Any:
            return VALUE

        return await of_node(answer, node, ("GET", "user:1"), {})

    assert asyncio.run(asked()) == VALUE
    assert captured.names == ["GET", "GET"]
    from redis.asyncio.cluster import ClusterNode
    from redis.cluster import RedisCluster

    assert hasattr(RedisCluster._execute_command, "__wrapped__")
    assert hasattr(ClusterNode.execute_command, "__wrapped__")


@pytest.mark.parametrize(
    "hook",
    [
        "tollbook.integrations.redis._name_of",
        "tollbook.integrations.redis._place",
        "tollbook.integrations.redis._received",
        "tollbook.integrations.redis._stacked",
        "tollbook.digest.digest",
        "opentelemetry.sdk.trace.Tracer.start_span",
        "opentelemetry.sdk.trace.Span.set_attributes",
        "opentelemetry.sdk.trace.Span.end",
    ],
)
def test_a_fault_in_any_hook_leaves_the_command_alone(
    lenient: None, captured: Captured, client: Any, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(hook, broken)
    client.set("user:1", VALUE)
    assert client.get("user:1") == VALUE
    with client.pipeline() as pipeline:
        assert pipeline.set("b", VALUE).get("b").execute() == [True, VALUE]
    assert shield.faults
