"""Clients that speak HTTP in less usual ways, which the protocol allows all the same."""

import socket
from urllib.parse import urlsplit

import pytest
from tollbook_schema.store import Store

from tests.collector.conftest import Running, trace_request

HEAD = b"host: x\r\ncontent-type: application/x-protobuf\r\n"
CHUNKED = b"POST /v1/traces HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n" + HEAD


OFFERED = "\r\nupgrade: h2c\r\n"


def body(first: int, name: str = "") -> bytes:
    request = trace_request(1, first=first)
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.name = name or span.name
    return request.SerializeToString()


def whole(content: bytes) -> bytes:
    return b"%scontent-length: %d\r\n\r\n%s" % (HEAD, len(content), content)


def chunked(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n" % (len(content), content)


REQUESTS = {
    "HTTP/1.0": b"POST /v1/traces HTTP/1.0\r\n" + whole(body(1)),
    "HTTP/1.0 that would stay": b"POST /v1/traces HTTP/1.0\r\nconnection: keep-alive\r\n" + whole(body(2)),
    "a trailer": CHUNKED + b"trailer: x-sum\r\n\r\n" + chunked(body(3)) + b"x-sum: 17\r\n\r\n",
    "a trailer that says how the body is to be read": CHUNKED + b"\r\n" + chunked(body(4)) + b"content-encoding: gzip\r\n\r\n",
    "a chunk's extension": CHUNKED + b"\r\n" + chunked(body(5)).replace(b"\r\n", b";a=b\r\n", 1) + b"\r\n",
    "the whole address": b"POST http://x/v1/traces HTTP/1.1\r\nconnection: close\r\n" + whole(body(6)),
    "an offer of HTTP/2": b"POST /v1/traces HTTP/1.1\r\nconnection: Upgrade, close\r\nupgrade: h2c\r\n" + whole(body(7)),
    "the words of one in a body": b"POST /v1/traces HTTP/1.1\r\nconnection: close\r\n" + whole(body(10, OFFERED)),
}


@pytest.mark.parametrize("way", REQUESTS)
def test_what_the_protocol_allows_is_taken(running: Running, store: Store, way: str) -> None:
    assert _answer(running, REQUESTS[way]).startswith(b"HTTP/1.1 200 OK")
    running.wait()
    assert store.query("SELECT count() AS n FROM spans") == [{"n": 1}]


def test_who_asks_first_whether_to_send_is_told_to(running: Running) -> None:
    content = body(8)
    head, _, _ = whole(content).partition(b"\r\n\r\n")
    with _connected(running) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nexpect: 100-continue\r\n" + head + b"\r\n\r\n")
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(content)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    too_large = (
        b"POST /v1/traces HTTP/1.1\r\nexpect: 100-continue\r\nconnection: close\r\n"
        + HEAD
        + b"content-length: 99999999999\r\n\r\n"
    )
    assert _answer(running, too_large).startswith(b"HTTP/1.1 413 ")


def _answer(running: Running, request: bytes) -> bytes:
    with _connected(running) as connection:
        connection.sendall(request)
        return connection.recv(4096)


def _connected(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(running.http).port or 0), 20)


def test_a_body_that_cannot_be_told_from_another_protocols_is_refused(running: Running) -> None:
    padding = b"x-padding: " + b"y" * 4000 + b"\r\n"
    offer = b"POST /v1/traces HTTP/1.1\r\n" + padding + b"connection: Upgrade\r\nupgrade: h2c\r\n" + whole(body(9))
    assert _answer(running, offer).startswith(b"HTTP/1.1 400 ")
