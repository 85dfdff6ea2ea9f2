"""`tollbook validate`: what emitters say, held against the vocabulary. Files in, lines and an exit status out."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import tollbook
from click.testing import Result
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tollbook.testing import capture
from tollbook_ui.cli import app
from typer.testing import CliRunner


def validate(*words: object) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, words)])


def otlp(attributes: dict[str, dict[str, Any]], spans: int = 1) -> bytes:
    said = [{"key": key, "value": value} for key, value in attributes.items()]
    span = {"traceId": "00" * 15 + "01", "spanId": "00" * 7 + "01", "name": "load", "attributes": said}
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "intake"}}]}
    return json.dumps({"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": [span] * spans}]}]}).encode()


def problems(tmp_path: Path, attributes: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    file = tmp_path / "spans.json"
    file.write_bytes(otlp(attributes))
    result = validate(file, "-f", "json")
    rows = json.loads(result.stdout)["rows"]
    assert result.exit_code == (1 if rows else 0)
    return [(row["attribute"], row["problem"]) for row in rows]


def test_what_our_own_sdk_sends_is_valid(tmp_path: Path) -> None:
    with capture() as captured, tollbook.request("intake", team="documents", customer="acme", user="u1"):
        with tollbook.handoff("copy", source="staging", network="cross_zone", delivery="at_least_once", event_id="e") as span:
            span.bytes(1024).records(3).content(b"page").asset("s3://a", version="v7", event_time="2026-11-22T06:00:00Z")
        with tollbook.inference("gpt-4o", provider="openai", operation="chat", location="remote") as call:
            call.usage(10, 5, cache_read_tokens=4, reasoning_tokens=2, response_model="gpt-4o-1", parts={"input_audio": 6})
    file = tmp_path / "spans.pb.gz"
    file.write_bytes(gzip.compress(encode_spans(captured.spans).SerializeToString()))
    result = validate(tmp_path)
    assert (result.exit_code, result.stdout) == (0, "Nothing wrong in 3 records of 1 file.\n")


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("tollbook.handof.operation", {"stringValue": "read"}, "unknown attribute, did you mean tollbook.handoff.operation"),
        ("tollbook.nothing.like.it", {"stringValue": "x"}, "unknown attribute"),
        ("tolbook.team", {"stringValue": "search"}, "unknown attribute, did you mean tollbook.team?"),
        ("gen_ai.usage.input_token", {"intValue": "5"}, "unknown attribute, did you mean gen_ai.usage.input_tokens"),
        ("genai.request.model", {"stringValue": "gpt-4o"}, "unknown attribute, did you mean gen_ai.request.model"),
        ("hw.modell", {"stringValue": "H100"}, "unknown attribute, did you mean hw.model"),
        ("gen_ai.usage.input_tokens", {"stringValue": "5"}, "is string, should be int"),
        ("tollbook.simulated", {"intValue": "1"}, "is int, should be boolean"),
        ("tollbook.input.asset.ids", {"stringValue": "a,b"}, "is string, should be string[]"),
        ("tollbook.handoff.operation", {"stringValue": "raed"}, "'raed' is none of read, write"),
        ("tollbook.kind", {"stringValue": "inference"}, "missing, and required of tollbook.inference"),
    ],
)
def test_a_mistake_fails_and_is_named(tmp_path: Path, key: str, value: dict[str, Any], problem: str) -> None:
    ((named, said),) = problems(tmp_path, {key: value})
    assert named == ("gen_ai.operation.name" if "missing" in problem else key)
    assert said.startswith(problem)


def test_other_spellings_and_other_namespaces_are_no_mistakes(tmp_path: Path) -> None:
    assert not problems(
        tmp_path,
        {
            "gen_ai.system": {"stringValue": "openai"},
            "gen_ai.agent.id": {"stringValue": "a-1"},
            "gen_ai.retrieval.top_k": {"intValue": "10"},
            "gen_ai.prompt.0.content": {"stringValue": "hello"},
            "gen_ai.usage.prompt_tokens_details.cached_tokens": {"intValue": "4"},
            "gen_ai.request.temperature": {"intValue": "1"},
            "hw.id": {"arrayValue": {"values": [{"stringValue": "GPU-1"}, {"stringValue": "GPU-2"}]}},
            "acme.order.id": {"intValue": "7"},
            "toolbox.name": {"stringValue": "x"},
            "gen_ai.operation.name": {"stringValue": "chat"},
            "tollbook.kind": {"stringValue": "inference"},
        },
    )


def test_a_mistake_made_often_is_one_line_with_its_count(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_bytes(b"\n".join([otlp({"tollbook.taem": {"stringValue": "x"}}, spans=2)] * 3))
    result = validate(file, "-f", "csv")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == [
        'tollbook.taem,"unknown attribute, did you mean tollbook.team or tollbook.tier?",6,load,intake'
    ]
    assert "1 problem in 6 records of 1 file." in validate(file).stdout


def test_no_file_and_no_otlp_are_told_in_words(tmp_path: Path) -> None:
    text, nowhere, folder = tmp_path / "a.txt", tmp_path / "nowhere", tmp_path / "empty"
    text.write_text("hello")
    folder.mkdir()
    for path, reason in ((text, "not OTLP"), (nowhere, "No such file"), (folder, "there is no file in it")):
        result = validate(path)
        assert result.exit_code == 1
        assert result.stdout == "Nothing was read.\n"
        assert f"refused  {path}: {reason}" in result.stderr
