"""What the SDK says is what the store keeps: every attribute arrives in a typed column of its own."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tollbook
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tollbook.testing import Captured
from tollbook_schema.store import Store


def stored(store: Store, captured: Captured, tmp_path: Path, columns: str, name: str) -> dict[str, Any]:
    segment = tmp_path / "spans.pb"
    segment.write_bytes(encode_spans(captured.spans).SerializeToString())
    store.load("spans", segment, "token", datetime(2026, 11, 22, tzinfo=UTC))
    (row,) = store.query(f"SELECT {columns}, attributes FROM spans WHERE name = {{name:String}}", {"name": name})
    return row


def test_a_handoff_fills_its_columns(store: Store, captured: Captured, tmp_path: Path) -> None:
    with tollbook.request("intake", team="documents", customer="acme", environment="test", user="u1", session="s1"):
        copy = tollbook.handoff(
            "copy",
            source="staging",
            destination="cache",
            network="cross_zone",
            scaffolding="copy",
            delivery="at_least_once",
            event_id="e-1",
            simulated=True,
        )
        with copy as span:
            span.bytes(1024).records(3).content(b"page")
            span.asset("s3://a", version="v7", event_time="2026-11-22T06:00:00Z", synced_at=1_795_330_800.0)
            with span.serializing():
                pass
    row = stored(
        store,
        captured,
        tmp_path,
        "tollbook_kind, team, customer, environment, workflow, handoff_operation, handoff_source, handoff_destination,"
        " handoff_network, handoff_delivery, scaffolding_class, event_id, simulated, handoff_bytes, handoff_records,"
        " length(content_digest) AS digest, asset_id, asset_version, asset_event_time_ns, asset_synced_at_ns,"
        " serialization_ns > 0 AS serialized, cpu_time_ns > 0 AS measured",
        "copy staging",
    )
    assert row == {
        "tollbook_kind": "handoff",
        "team": "documents",
        "customer": "acme",
        "environment": "test",
        "workflow": "intake",
        "handoff_operation": "copy",
        "handoff_source": "staging",
        "handoff_destination": "cache",
        "handoff_network": "cross_zone",
        "handoff_delivery": "at_least_once",
        "scaffolding_class": "copy",
        "event_id": "e-1",
        "simulated": True,
        "handoff_bytes": 1024,
        "handoff_records": 3,
        "digest": 32,
        "asset_id": "s3://a",
        "asset_version": "v7",
        "asset_event_time_ns": 1_795_327_200_000_000_000,
        "asset_synced_at_ns": 1_795_330_800_000_000_000,
        "serialized": 1,
        "measured": 1,
        "attributes": {},
    }


def test_an_inference_fills_its_columns(store: Store, captured: Captured, tmp_path: Path) -> None:
    with tollbook.request("intake"):
        with tollbook.handoff("read") as span:
            span.asset("s3://a", event_time=1_700_000_000.0).asset("s3://b", event_time=1_700_003_600.0)
        chat = tollbook.inference("gpt-4o", provider="openai", operation="chat", location="remote", version="2")
        with chat as span:
            span.usage(10, 5, cache_read_tokens=4, cache_write_tokens=3, reasoning_tokens=2, response_model="gpt-4o-1")
            span.usage(parts={"input_audio": 6, "web_search": 1, "nothing": 1})
            span.usage(response_id="r1").payload(input_bytes=80, output_bytes=20, batch_size=1).fail("timeout")
    row = stored(
        store,
        captured,
        tmp_path,
        "toString(kind) AS span_kind, toString(status_code) AS status, tollbook_kind, request_model, provider_name,"
        " operation_name, inference_location, model_version, input_tokens, output_tokens, cache_read_tokens,"
        " cache_write_tokens, reasoning_tokens, response_model, response_id, inference_input_bytes,"
        " inference_output_bytes, batch_size, error_type, input_asset_ids, input_event_time_oldest_ns,"
        " input_event_time_newest_ns, scope_name, scope_schema_url",
        "chat gpt-4o",
    )
    assert row == {
        "span_kind": "client",
        "status": "error",
        "tollbook_kind": "inference",
        "request_model": "gpt-4o",
        "provider_name": "openai",
        "operation_name": "chat",
        "inference_location": "remote",
        "model_version": "2",
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_tokens": 4,
        "cache_write_tokens": 3,
        "reasoning_tokens": 2,
        "response_model": "gpt-4o-1",
        "response_id": "r1",
        "inference_input_bytes": 80,
        "inference_output_bytes": 20,
        "batch_size": 1,
        "error_type": "timeout",
        "input_asset_ids": ["s3://a", "s3://b"],
        "input_event_time_oldest_ns": 1_700_000_000_000_000_000,
        "input_event_time_newest_ns": 1_700_003_600_000_000_000,
        "scope_name": "tollbook",
        "scope_schema_url": "https://tollbook.dev/schemas/0.1.0",
        "attributes": {"gen_ai.usage.audio.input_tokens": "6", "gen_ai.usage.web_search.requests": "1"},
    }
