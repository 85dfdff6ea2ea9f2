"""OTLP spans in, rows of `spans` out, decoded by ClickHouse alone."""

import base64
from pathlib import Path
from typing import Any

import pytest
from tollbook_schema import registry
from tollbook_schema.store import Store

from tests.schema.otlp import START_NS, attributes, export, load, span


def row(store: Store, columns: str) -> dict[str, Any]:
    rows = store.query(f"SELECT {columns} FROM spans")
    assert len(rows) == 1
    return rows[0]


def test_ids_times_and_texts_are_kept_byte_for_byte(store: Store, tmp_path: Path) -> None:
    sent = span(
        trace_id=b"\x00\xff" * 8,
        span_id=b"\x01\x00\xfe\x02\x03\x04\x05\x06",
        parent_span_id=b"\x09" * 8,
        name="naïve 🚀 \x00 'quoted' \\",
        kind=3,
        trace_state="ot=th:8",
        flags=257,
    )
    sent.status.code, sent.status.message = 2, "boom"
    load(store, tmp_path, export(sent))
    assert row(
        store,
        "hex(trace_id) AS t, hex(span_id) AS s, hex(parent_span_id) AS p, name, toString(kind) AS k, trace_state AS ts, flags,"
        " toUnixTimestamp64Nano(start_time) AS start, duration_ns AS d, toString(status_code) AS c, status_message AS m",
    ) == {
        "t": "00FF" * 8,
        "s": "0100FE0203040506",
        "p": "09" * 8,
        "name": "naïve 🚀 \x00 'quoted' \\",
        "k": "client",
        "ts": "ot=th:8",
        "flags": 257,
        "start": START_NS,
        "d": 1000,
        "c": "error",
        "m": "boom",
    }


def test_zero_false_and_absent_stay_distinct(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, export(span({"gen_ai.usage.input_tokens": 0, "gen_ai.request.stream": False, "": "", "e": ""})))
    assert row(store, "input_tokens, output_tokens, request_stream, simulated, attributes, attribute_types") == {
        "input_tokens": 0,
        "output_tokens": None,
        "request_stream": False,
        "simulated": None,
        "attributes": {"": "", "e": ""},
        "attribute_types": {},
    }


def test_attributes_without_a_column_keep_their_type(store: Store, tmp_path: Path) -> None:
    nested = {"a": [1, [2]]}
    plain = {"t": "x", "i": -(2**63), "d": 0.1, "b": True, "l": ["a", 1, 2.5, False], "n": None, "raw": b"\xff\x00", "kv": nested}
    load(store, tmp_path, export(span(plain)))
    stored = row(store, "attributes, attribute_types")
    (kvlist,) = attributes({"kv": nested})
    assert stored["attributes"] == {
        "t": "x",
        "i": "-9223372036854775808",
        "d": "0.1",
        "b": "true",
        "l": '["a",1,2.5,false]',
        "n": "",
        "raw": base64.b64encode(b"\xff\x00").decode(),
        "kv": base64.b64encode(kvlist.value.kvlist_value.SerializeToString()).decode(),
    }
    assert stored["attribute_types"] == {
        "i": "int",
        "d": "double",
        "b": "bool",
        "l": "array",
        "n": "empty",
        "raw": "bytes",
        "kv": "kvlist",
    }


def test_a_value_that_does_not_fit_its_column_stays_in_the_map(store: Store, tmp_path: Path) -> None:
    plain = {
        "server.port": "443",
        "gen_ai.request.model": 7,
        "gen_ai.usage.input_tokens": "12",
        "gen_ai.usage.output_tokens": 3.0,
    }
    load(store, tmp_path, export(span(plain)))
    stored = row(store, "server_port, request_model, input_tokens, output_tokens, attributes")
    assert (stored["server_port"], stored["request_model"]) == (None, "")
    assert (stored["input_tokens"], stored["output_tokens"]) == (12, 3)  # counts are read from text and doubles, too
    assert stored["attributes"] == {
        "server.port": "443",
        "gen_ai.request.model": "7",
        "gen_ai.usage.input_tokens": "12",
        "gen_ai.usage.output_tokens": "3",
    }


def test_an_older_spelling_fills_the_column_and_is_kept(store: Store, tmp_path: Path) -> None:
    load(
        store,
        tmp_path,
        export(span({"gen_ai.usage.prompt_tokens": 9, "gen_ai.system": "openai", "llm.token_count.completion": 4})),
    )
    assert row(store, "input_tokens, output_tokens, provider_name, attributes") == {
        "input_tokens": 9,
        "output_tokens": 4,
        "provider_name": "openai",
        "attributes": {"gen_ai.usage.prompt_tokens": "9", "gen_ai.system": "openai", "llm.token_count.completion": "4"},
    }


def test_the_standard_spelling_wins_over_an_older_one(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, export(span({"gen_ai.usage.prompt_tokens": 9, "gen_ai.usage.input_tokens": 8})))
    assert row(store, "input_tokens") == {"input_tokens": 8}


def test_a_spelling_whose_value_does_not_fit_hides_no_other(store: Store, tmp_path: Path) -> None:
    sent = {
        "gen_ai.request.model": "",
        "llm.model_name": "gpt-4o",
        "gen_ai.usage.input_tokens": True,
        "llm.token_count.prompt": 7,
    }
    load(store, tmp_path, export(span(sent)))
    assert row(store, "request_model, input_tokens") == {"request_model": "gpt-4o", "input_tokens": 7}


def test_owners_come_from_the_span_before_its_resource(store: Store, tmp_path: Path) -> None:
    resource = {"service.name": "shop", "tollbook.team": "platform", "tollbook.feature": "browse", "process.pid": 7}
    load(store, tmp_path, export(span({"tollbook.team": "search"}), resource=resource))
    assert row(store, "team, feature, service_name, process_pid, resource") == {
        "team": "search",
        "feature": "browse",
        "service_name": "shop",
        "process_pid": 7,
        "resource": '{"service.name":"shop","tollbook.team":"platform","tollbook.feature":"browse","process.pid":7}',
    }


def test_prompts_are_kept_apart(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, export(span({"gen_ai.input.messages": "[secret]", "a": "b"}), span({"a": "c"}, span_id=b"\x01" * 8)))
    assert store.query("SELECT hex(span_id) AS id, content FROM span_content") == [
        {"id": "0001020304050607", "content": {"gen_ai.input.messages": "[secret]"}}
    ]
    assert store.query("SELECT groupUniqArrayArray(mapKeys(attributes)) AS keys FROM spans") == [{"keys": ["a"]}]


def test_events_and_links_are_kept(store: Store, tmp_path: Path) -> None:
    sent = span()
    sent.events.add(time_unix_nano=START_NS + 5, name="e", attributes=attributes({"n": 1}))
    sent.links.add(trace_id=b"\x05" * 16, span_id=b"\x06" * 8, attributes=attributes({"why": "retry"}))
    load(store, tmp_path, export(sent))
    assert row(
        store,
        "arrayMap(t -> toUnixTimestamp64Nano(t), `events.time`) AS et, `events.name` AS en, `events.attributes` AS ea,"
        " arrayMap(x -> hex(x), `links.trace_id`) AS lt, `links.attributes` AS la",
    ) == {"et": [START_NS + 5], "en": ["e"], "ea": [{"n": "1"}], "lt": ["05" * 16], "la": [{"why": "retry"}]}


def test_a_segment_is_any_number_of_requests_one_after_another(store: Store, tmp_path: Path) -> None:
    requests = [export(span(span_id=bytes([i]) * 8), resource={"service.name": f"s{i}"}) for i in range(5)]
    load(store, tmp_path, *requests)
    assert store.query("SELECT groupArray(service_name) AS names FROM (SELECT service_name FROM spans ORDER BY span_id)") == [
        {"names": ["s0", "s1", "s2", "s3", "s4"]}
    ]


def test_a_segment_loaded_twice_is_stored_once_with_its_content(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        load(store, tmp_path, export(span({"gen_ai.prompt": "p"})), token="same")
    assert store.query("SELECT (SELECT count() FROM spans) AS s, (SELECT count() FROM span_content) AS c") == [{"s": 1, "c": 1}]


@pytest.mark.parametrize("start_ns", [0, 9_214_646_400_000_000_000, 2**64 - 1])
def test_a_wrong_clock_poisons_nothing(store: Store, tmp_path: Path, start_ns: int) -> None:
    load(store, tmp_path, export(span(start_time_unix_nano=start_ns, end_time_unix_nano=start_ns)))
    assert row(store, "toUnixTimestamp64Nano(start_time) AS start, duration_ns AS d") == {
        "start": min(start_ns, 2**63 - 1),
        "d": 0,
    }


def test_every_column_of_the_vocabulary_is_filled_from_its_attribute(store: Store, tmp_path: Path) -> None:
    samples: dict[str, Any] = {"string": "v", "int": 5, "double": 0.5, "boolean": True, "string[]": ["v", "w"]}
    columns = registry.load().columns
    on_span = {c.key: samples[c.type] for c in columns if c.source != "resource"}
    on_resource = {c.key: samples[c.type] for c in columns if c.source == "resource"}
    load(store, tmp_path, export(span(on_span), resource=on_resource))
    stored = row(store, ", ".join(c.column or "" for c in columns) + ", attributes")
    assert stored == {**{c.column: samples[c.type] for c in columns}, "attributes": {}}


def test_the_stock_view_has_the_exporter_names_and_all_attributes(store: Store, tmp_path: Path) -> None:
    sent = span({"gen_ai.usage.input_tokens": 3, "own": "x", "tollbook.team": "t"}, kind=2)
    load(store, tmp_path, export(sent, resource={"service.name": "shop", "process.pid": 7, "tollbook.project": "p"}))
    (stored,) = store.query("SELECT * FROM otel_traces")
    assert stored["TraceId"] == "000102030405060708090a0b0c0d0e0f"
    assert (stored["ParentSpanId"], stored["SpanKind"], stored["StatusCode"], stored["Duration"]) == ("", "Server", "Unset", 1000)
    assert stored["SpanAttributes"] == {"gen_ai.usage.input_tokens": "3", "own": "x", "tollbook.team": "t"}
    assert stored["ResourceAttributes"] == {"service.name": "shop", "process.pid": "7", "tollbook.project": "p"}
