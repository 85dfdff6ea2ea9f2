"""OTLP/HTTP through the public door: a listening collector and a real store."""

import gzip
import json
import socket
import zlib
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tollbook_collector.settings import Settings
from tollbook_schema.store import Store

from tests.collector.conftest import Running, run, trace_request

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


def post(running: Running, body: bytes, headers: dict[str, str], path: str = "/v1/traces") -> httpx.Response:
    return httpx.post(running.http + path, content=body, headers=headers, timeout=20)


def stored(store: Store) -> int:
    return int(store.query("SELECT count() AS n FROM spans")[0]["n"])


def test_an_acknowledged_span_is_stored_with_its_ids(running: Running, store: Store) -> None:
    response = post(running, trace_request(first=258).SerializeToString(), PROTOBUF)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/x-protobuf"
    running.wait()
    assert store.query("SELECT lower(hex(trace_id)) AS t, lower(hex(span_id)) AS s, service_name, name FROM spans") == [
        {"t": "00000000000000000000000000000102", "s": "0000000000000102", "service_name": "shop", "name": "chat gpt-4o"}
    ]
