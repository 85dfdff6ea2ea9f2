"""Programs that ask over HTTP, by each library: the same spans, bytes exact, and nobody else's host is told what is ours."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tollbook
from opentelemetry import baggage, propagate
from opentelemetry.context import attach, detach
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor as ContribAiohttp
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor, HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor as ContribRequests
from opentelemetry.trace import SpanKind, StatusCode
from tollbook import carriers, hosts, testing
from tollbook.integrations.aiohttp import AiohttpClientInstrumentor
from tollbook.integrations.http_client import HttpClientInstrumentor
from tollbook.integrations.httpx import Httpx2Instrumentor, HttpxInstrumentor
from tollbook.integrations.requests import RequestsInstrumentor
from tollbook.integrations.urllib3 import Urllib3Instrumentor

from tests.sdk.webserver import ASSET, CHANGED_NS, CHUNKS, TEXT, ZIPPED, Web

Ask = Callable[..., bytes]


def _requests(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
    import requests

    with requests.Session() as session:
        return session.request(method, url, data=body, headers=headers).content


def _urllib3(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
    import urllib3

    with urllib3.PoolManager() as pool:
        return pool.request(method, url, body=body, headers=headers).data


def _httpx(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
    import httpx

    with httpx.Client(follow_redirects=True) as client:
        return client.request(method, url, content=body, headers=headers).content


def _httpx2(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
    import httpx2

    with httpx2.Client(follow_redirects=True) as client:
        return client.request(method, url, content=body, headers=headers).content


def _httpx_async(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
    import httpx

    async def pieces() -> Any:
        for piece in body:
            yield piece

    async def ask() -> bytes:
        async with httpx.AsyncClient(follow_redirects=True) as client:
            content = body if body is None or isinstance(body, bytes) else pieces()
            return (await client.request(method, url, content=content, headers=headers)).content

    return asyncio.run(ask())


def _aiohttp(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
    import aiohttp

    async def pieces() -> Any:
        for piece in body:
            yield piece

    async def ask() -> bytes:
        async with aiohttp.ClientSession() as session:
            content = body if body is None or isinstance(body, bytes) else pieces()
            async with session.request(method, url, data=content, headers=headers) as response:
                return await response.read()

    return asyncio.run(ask())


def _urllib(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> bytes:
    import gzip
    import urllib.error
    import urllib.request

    asked = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(asked) as response:
            content = response.read()
            return gzip.decompress(content) if response.headers["Content-Encoding"] else content
    except urllib.error.HTTPError as error:
        with error:
            return error.read()


CLIENTS = {
    "urllib": (_urllib, HttpClientInstrumentor, None),
    "aiohttp": (_aiohttp, AiohttpClientInstrumentor, ContribAiohttp),
    "requests": (_requests, RequestsInstrumentor, ContribRequests),
    "urllib3": (_urllib3, Urllib3Instrumentor, None),
    "httpx": (_httpx, HttpxInstrumentor, HTTPXClientInstrumentor),
    "httpx async": (_httpx_async, HttpxInstrumentor, HTTPXClientInstrumentor),
    "httpx2": (_httpx2, Httpx2Instrumentor, HTTPX2ClientInstrumentor),
}
ORDERS = {"alone": [1], "contrib inside": [2, 1], "contrib outside": [1, 2]}
WAYS = [(client, order) for client, made in CLIENTS.items() for order in ORDERS if made[2] or order == "alone"]


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


@pytest.fixture(params=WAYS, ids=[f"{client}, {order}" for client, order in WAYS])
def ask(request: pytest.FixtureRequest, captured: testing.Captured) -> Iterator[Ask]:
    client, order = request.param
    instrumentors = [CLIENTS[client][number]() for number in ORDERS[order]]
    with contextlib.ExitStack() as stack:
        for instrumentor in instrumentors:
            instrumentor.instrument(tracer_provider=captured.provider)
            stack.callback(instrumentor.uninstrument)
        yield CLIENTS[client][0]


@pytest.fixture(autouse=True)
def nobody_elses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """127.0.0.2 stands for somebody else's host."""
    hosts.declare(["!127.0.0.2"])
    yield
    hosts.declare(None)


def said(captured: testing.Captured, **without: Any) -> dict[str, Any]:
    """What the one span says under names of ours and the conventions'."""
    (span,) = captured.spans
    old = ("http.method", "http.url", "http.status_code", "user_agent", "url.", "net.", "network.")
    return {name: value for name, value in span.attributes.items() if not name.startswith(old) and name != "tollbook.cpu.time"}


def test_an_asset_that_is_read_tells_its_bytes_and_its_age(ask: Ask, web: Web, captured: testing.Captured) -> None:
    assert ask("GET", f"{web.url}/asset?key=secret") == ASSET
    assert said(captured) == {
        "tollbook.kind": "handoff",
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": f"127.0.0.1:{web.port}",
        "tollbook.handoff.network": "loopback",
        "tollbook.handoff.size": 1000,
        "tollbook.handoff.wire.size": 1000,
        "tollbook.asset.id": f"{web.url}/asset",
        "tollbook.asset.version": "v7",
        "tollbook.asset.event_time": CHANGED_NS,
        "server.address": "127.0.0.1",
        "server.port": web.port,
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.response.body.size": 1000,
    }
    assert captured.spans[0].name == "GET"
    assert captured.spans[0].kind is SpanKind.CLIENT


def test_both_bodies_count(ask: Ask, web: Web, captured: testing.Captured) -> None:
    assert ask("POST", f"{web.url}/echo", b"x" * 321) == b"x" * 321
    told = said(captured)
    assert told["tollbook.handoff.operation"] == "call"
    assert told["tollbook.handoff.destination"] == f"127.0.0.1:{web.port}"
    assert told["tollbook.handoff.size"] == 642
    assert (told["http.request.body.size"], told["http.response.body.size"]) == (321, 321)


def test_a_body_that_is_made_while_it_is_sent_counts(ask: Ask, web: Web, captured: testing.Captured) -> None:
    assert ask("POST", f"{web.url}/echo", iter([b"ab", b"cde"])) == b"abcde"
    assert said(captured)["tollbook.handoff.size"] == 10


def test_what_comes_compressed_counts_as_it_is_read(ask: Ask, web: Web, captured: testing.Captured) -> None:
    if ask is _urllib:
        pytest.skip("urllib leaves it compressed")
    for path in ("/gzip", "/zipped-chunks"):
        assert ask("GET", f"{web.url}{path}") == TEXT
    for span in captured.spans:
        assert span.attributes["tollbook.handoff.size"] == len(TEXT)
        assert span.attributes["tollbook.handoff.wire.size"] == len(ZIPPED)


def test_an_answer_in_pieces_counts(ask: Ask, web: Web, captured: testing.Captured) -> None:
    assert ask("GET", f"{web.url}/chunked") == b"".join(CHUNKS)
    assert said(captured)["tollbook.handoff.size"] == 17


def test_a_refusal_is_an_error_and_its_text_counts(ask: Ask, web: Web, captured: testing.Captured) -> None:
    assert ask("GET", f"{web.url}/nowhere") == b"missing"
    told = said(captured)
    assert (told["http.response.status_code"], told["error.type"], told["tollbook.handoff.size"]) == (404, "404", 7)
    assert captured.spans[0].status.status_code is StatusCode.ERROR


def test_an_answer_without_a_body_is_over_at_once(ask: Ask, web: Web, captured: testing.Captured) -> None:
    assert ask("HEAD", f"{web.url}/asset") == b""
    assert said(captured)["tollbook.handoff.size"] == 0


def test_a_host_of_ours_is_told_the_trace_the_owners_and_the_ages(ask: Ask, web: Web, captured: testing.Captured) -> None:
    with tollbook.request("r", team="search") as request:
        with tollbook.handoff("read") as read:
            read.asset("s3://a", event_time=CHANGED_NS)
        ask("GET", f"{web.url}/chunked", None, {"baggage": "mine=1"})
    sent = web.requests[-1]
    span = captured.named("GET")
    assert sent["traceparent"].startswith(f"00-{request.trace_id}-{span.context.span_id:016x}-")
    entries = dict(entry.split("=") for entry in sent["baggage"].split(","))
    assert entries["tollbook.team"] == "search"
    assert entries["tollbook.input.event_time.oldest"] == str(CHANGED_NS)


def test_nobody_elses_host_is_told_owners_or_ages(ask: Ask, web: Web, captured: testing.Captured) -> None:
    with Web("127.0.0.2") as theirs, tollbook.request("r", team="search") as request:
        with tollbook.handoff("read") as read:
            read.asset("s3://a", event_time=CHANGED_NS)
        ask("GET", f"{theirs.url}/chunked", None, dict(tollbook.inject()))
        ask("GET", f"{web.url}/to?url={theirs.url}/chunked")
        assert len(theirs.requests) == 2
        for sent in theirs.requests:
            assert request.trace_id in sent["traceparent"]
            assert "tollbook" not in str(sent)
            assert "search" not in str(sent)


def test_an_instrumentation_that_is_not_ours_sends_no_owners(web: Web, captured: testing.Captured) -> None:
    before = propagate.get_global_textmap()
    token = attach(baggage.set_baggage("mine", "1"))
    try:
        carriers.keep_private()
        carriers.keep_private()
        ContribRequests().instrument(tracer_provider=captured.provider)
        with tollbook.label(team="search"):
            _requests("GET", f"{web.url}/chunked")
            assert web.requests[-1]["baggage"] == "mine=1"
            assert "tollbook.team=search" in tollbook.inject()["baggage"]
    finally:
        ContribRequests().uninstrument()
        propagate.set_global_textmap(before)
        detach(token)


def test_libraries_above_each_other_tell_a_request_once(web: Web, captured: testing.Captured) -> None:
    with contextlib.ExitStack() as stack:
        for _, instrumentor, _ in CLIENTS.values():
            instrumentor().instrument()
            stack.callback(instrumentor().uninstrument)
        for ask, _, _ in CLIENTS.values():
            assert ask("GET", f"{web.url}/asset") == ASSET
    assert [span.attributes["tollbook.handoff.size"] for span in captured.spans] == [1000] * len(CLIENTS)


@pytest.mark.parametrize("order", ORDERS)
def test_an_answer_that_is_left_tells_what_was_read_of_it(order: str, web: Web, captured: testing.Captured) -> None:
    import httpx
    import requests

    made = [(RequestsInstrumentor(), ContribRequests()), (HttpxInstrumentor(), HTTPXClientInstrumentor())]
    with contextlib.ExitStack() as stack:
        for pair in made:
            for number in ORDERS[order]:
                pair[number - 1].instrument(tracer_provider=captured.provider)
                stack.callback(pair[number - 1].uninstrument)
        with requests.get(f"{web.url}/asset", stream=True, timeout=10) as response:
            assert captured.names == [], "a span lives as long as its answer"
            assert next(response.iter_content(10)) == ASSET[:10]
        with httpx.stream("GET", f"{web.url}/chunked") as answer:
            pieces = answer.iter_raw()
            assert next(pieces) == b"one"
            pieces.close()
        requests.get(f"{web.url}/asset", stream=True, timeout=10)  # nobody keeps it
    assert [span.attributes["tollbook.handoff.size"] for span in captured.spans] == [10, 3, 0]


@pytest.mark.parametrize("client", ["requests", "urllib3", "httpx", "httpx2", "aiohttp", "urllib"])
def test_baggage_of_the_users_own_goes_where_the_user_sends_it(client: str, web: Web, captured: testing.Captured) -> None:
    ask, instrumentor, _ = CLIENTS[client]
    instrumentor().instrument()
    try:
        with Web("127.0.0.2") as theirs, tollbook.label(team="search"):
            for server in (theirs, web):
                ask("GET", f"{server.url}/chunked", None, {"baggage": "mine=1;p=2, tollbook.team=x"})
            assert theirs.requests[-1]["baggage"] == "mine=1;p=2"
            assert web.requests[-1]["baggage"] == "mine=1;p=2,tollbook.team=search"
    finally:
        instrumentor().uninstrument()


def test_a_host_that_is_not_there_is_an_error_of_the_application(ask: Ask, captured: testing.Captured) -> None:
    with pytest.raises(Exception, match=r"refused|failed|Max retries"):
        ask("GET", "http://127.0.0.1:9/")
    assert said_of_all(captured)[0]["error.type"]
    assert captured.spans[0].status.status_code is StatusCode.ERROR


def said_of_all(captured: testing.Captured) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in captured.spans]
