"""Exports that are known by their columns, and the line that is proposed where they are not."""

import gzip
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tollbook_schema.store import Store
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage import guessing
from tollbook_ui.usage.files import described
from tollbook_ui.usage.mapping import UsageMap, mapping

from tests.usage.conftest import Take
from tests.usage.test_import import SPANS

AT = "2026-11-20T12:00:00.5Z"
OPENAI_USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
OPENAI = {
    "object": "page",
    "data": [
        {
            "object": "bucket",
            "start_time": 1795176000,
            "end_time": 1795179600,
            "results": [{"input_tokens": 9, "num_model_requests": 5, "model": "gpt-4o"}],
        }
    ],
}  # fmt: skip
BATCH = [
    {
        "custom_id": "a",
        "response": {"status_code": 200, "body": {"id": "c1", "created": 1795176000, "model": "gpt-4o", "usage": OPENAI_USAGE}},
    },
    {"custom_id": "b", "response": {"status_code": 400, "body": {"error": {"message": "too long"}}}},
    {"custom_id": "c", "response": None, "error": {"code": "batch_expired"}},
]  # fmt: skip
ANTHROPIC = {
    "data": [{"starting_at": "2026-11-20T00:00:00Z", "ending_at": "2026-11-21T00:00:00Z", "results": [
        {"uncached_input_tokens": 15, "cache_creation": {"ephemeral_1h_input_tokens": 1, "ephemeral_5m_input_tokens": 2},
         "cache_read_input_tokens": 3, "output_tokens": 5, "model": "claude-sonnet-4-5"}]}],
}  # fmt: skip
BEDROCK = {
    "schemaType": "ModelInvocationLog", "timestamp": AT, "accountId": "123", "region": "us-east-1", "requestId": "r1",
    "operation": "Converse", "modelId": "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "input": {"inputTokenCount": 12, "cacheReadInputTokenCount": 4}, "output": {"outputTokenCount": 3},
}  # fmt: skip
LANGFUSE = {
    "id": "o1", "type": "GENERATION", "startTime": AT, "endTime": AT, "model": "gpt-4o",
    "usageDetails": {"input": 10, "output": 5, "input_cached_tokens": 2, "total": 17}, "totalCost": 0.25,
}  # fmt: skip
PORTKEY = {
    "id": "p1", "created_at": AT, "ai_org": "openai", "ai_model": "gpt-4o", "req_units": 20, "res_units": 10, "cost": 1.5,
    "cost_currency": "USD", "response_status_code": 200,
}  # fmt: skip
LITELLM = {
    "request_id": "l1", "startTime": AT, "endTime": AT, "model": "gpt-4o", "custom_llm_provider": "openai", "spend": 0.5,
    "prompt_tokens": 20, "completion_tokens": 10, "metadata": {"usage_object": OPENAI_USAGE},
}  # fmt: skip
VERTEX = {
    "logging_time": "2026-11-20 12:00:00.1 UTC", "model": "gemini-2.5-flash",
    "full_response": json.dumps({"responseId": "v1", "usageMetadata": {"promptTokenCount": 1}}),
}  # fmt: skip
BRAINTRUST = {
    "id": "b1", "created": AT, "metadata": {"model": "gpt-4o"}, "span_attributes": {"type": "llm"},
    "metrics": {"start": 1795176000.25, "end": 1795176001.5, "prompt_tokens": 20, "completion_tokens": 10},
}  # fmt: skip
LANGSMITH = {
    "id": "s1", "run_type": "llm", "start_time": AT, "prompt_tokens": 20, "completion_tokens": 10,
    "extra": {"metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o"}},
}  # fmt: skip
WEAVE = {
    "op_name": "chat",
    "started_at": AT,
    "ended_at": AT,
    "output": {"id": "w1", "model": "gpt-4o", "usage": OPENAI_USAGE},
}


def lines(*rows: Any) -> str:
    return "\n".join(json.dumps(row) for row in rows)


KNOWN = {
    "OpenAI's usage API": (json.dumps(OPENAI), "calls=num_model_requests"),
    "OpenAI's activity export": (
        "timestamp,n_requests,n_context_tokens_total,n_generated_tokens_total,model\n", "calls=n_requests"),
    "OpenAI's Batch output": (lines(*BATCH), "usage=response.body.usage"),
    "Anthropic's usage API": (json.dumps(ANTHROPIC), "uncached_input_tokens=uncached_input_tokens"),
    "Anthropic's console": ("usage_date_utc,model_version,usage_input_tokens_no_cache\n", "model=model_version"),
    "Bedrock's model invocation log": (lines(BEDROCK), "uncached_input_tokens=input.inputTokenCount"),
    "Vertex AI's request-response log": (lines(VERTEX), "usage=full_response.usageMetadata"),
    "the log of Azure's API Management gateway": (
        "TimeGenerated [UTC],PromptTokens,CompletionTokens,ModelName\n", "timestamp=TimeGenerated [UTC]"),
    "OpenRouter's activity export": (
        "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,model_permaslug\n", "cost=cost_total"),
    "OpenRouter's generations": (
        lines({"data": {"created_at": AT, "total_cost": 1, "native_tokens_prompt": 1, "native_tokens_completion": 1}}),
        "cost=data.total_cost"),
    "LiteLLM's spend log": (json.dumps([LITELLM]), "usage=metadata.usage_object"),
    "Langfuse's export": (lines(LANGFUSE), "usage=usageDetails"),
    "Helicone's export": ("request_created_at,request_model,prompt_tokens,completion_tokens,cost\n", "model=request_model"),
    "Portkey's logs": (lines(PORTKEY), "cost_cents=cost"),
    "Braintrust's logs": (lines(BRAINTRUST), "timestamp=metrics.start"),
    "LangSmith's runs": (lines(LANGSMITH), "model=extra.metadata.ls_model_name"),
    "W&B Weave's calls": (lines(WEAVE), "usage=output.usage"),
    "BurstGPT's trace": ("Timestamp,Model,Request tokens,Response tokens,Total tokens\n", "input_tokens=Request tokens"),
}  # fmt: skip


def recognized(path: Path, content: str | bytes, constants: str = "") -> tuple[UsageMap, str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with described(path, "export") as file:
        return guessing.filled(file, mapping([], [constants] if constants else []))


@pytest.mark.parametrize("export", KNOWN)
def test_known_exports_need_no_mapping(export: str, tmp_path: Path) -> None:
    content, column = KNOWN[export]
    found, name = recognized(tmp_path / "export", content)
    assert name == export
    target, _, expected = column.partition("=")
    assert found.columns[target] == expected


def test_the_same_export_is_known_deeper_within_rows(tmp_path: Path) -> None:
    events = {"events": [{"timestamp": 1, "message": json.dumps(BEDROCK)}]}
    found, _ = recognized(tmp_path / "export", gzip.compress(json.dumps(events).encode()))
    assert found.columns["timestamp"] == "message.timestamp"
    assert found.constants["provider"] == "aws.bedrock"


def test_what_was_set_goes_before_what_an_export_says(tmp_path: Path) -> None:
    found, _ = recognized(tmp_path / "export", lines(PORTKEY), "model=gpt-4o-mini,provider=azure")
    assert "model" not in found.columns
    assert found.constants == {"model": "gpt-4o-mini", "provider": "azure"}


REFUSED: Mapping[str, tuple[str, str]] = {
    "charges": (lines({"line_item": "x", "amount": {"value": 1}}), "these are charges"),
    "no tokens": (lines({"durationMs": 1, "properties": {"modelDeploymentName": "x"}}), "but of no tokens"),
    "no model": ("TIMESTAMP,ContextTokens,GeneratedTokens\n", "Add: --set provider=PROVIDER,model=MODEL"),
    "no time": (
        lines({"custom_id": "a", "result": {"message": {"id": "m", "model": "claude-sonnet-4-5", "usage": {"input_tokens": 1}}}}),
        "Add: --set timestamp=TIMESTAMP",
    ),
    "unknown": (
        "When,Engine,Tokens In,Tokens Out,Dept\n2026-11-20 10:00,gpt-4o-mini,10,5,x\n",
        "--map 'input_tokens=Tokens In,output_tokens=Tokens Out,timestamp=When,model=Engine' --set provider=openai",
    ),
    "other tongues": (
        "datum;modell;anfrage_tokens;antwort_tokens\n20.11.2026;claude-sonnet-4-5;10;5\n",
        "--map timestamp=datum,model=modell,input_tokens=anfrage_tokens,output_tokens=antwort_tokens --set provider=anthropic",
    ),
    "nothing alike": ("a,b,c\n1,2,3\n", "none of these looks like what a call has"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_known_is_told_with_the_line_to_type(case: str, tmp_path: Path) -> None:
    content, expected = REFUSED[case]
    with pytest.raises(BadQuestionError) as refusal:
        recognized(tmp_path / "export", content)
    assert expected in str(refusal.value)


@pytest.mark.slow
def test_exports_become_calls_and_rows_that_sum_up_others_do_not(store: Store, take: Take) -> None:
    parts = [LANGFUSE, {**LANGFUSE, "id": "o0", "type": "SPAN", "model": None}]
    looked = take(lines(*parts), "", "", dry_run=True)
    assert (looked.export, looked.rows, looked.times) == (
        "Langfuse's export",
        1,
        "UTC, only rows whose type is GENERATION or EMBEDDING",
    )
    (model,) = looked.models
    assert (model.model, model.rows, model.input_tokens, model.output_tokens, model.cost, model.price) == (
        "gpt-4o", 1, 10, 5, Decimal("0.25"), "told",
    )  # fmt: skip
    for content in (lines(*parts), lines(PORTKEY), lines(BEDROCK), lines(*BATCH)):
        assert (take(content, "", "").new_calls, take(content, "", "").new_calls) == (1, 0)
    costs = [row["attributes"].get("gen_ai.usage.cost.amount") for row in store.query(SPANS)]
    assert sorted(map(Decimal, filter(None, costs))) == [Decimal("0.015"), Decimal("0.25")]
    # A row has one of two columns, and only some rows are calls.
    either = lines({"t": AT, "a": 1, "k": "llm"}, {"t": AT, "b": 2, "k": "LLM"}, {"t": AT, "a": 9, "k": "chain"})
    looked = take(either, "timestamp=t,input_tokens=a|b", only=["k=llm"], dry_run=True)
    assert [row.fields["input_tokens"] for row in looked.first_rows] == ["1", "2"]
    later = lines({"t": AT, "parts": [{"n": n} for n in range(9)]})
    assert take(later, "timestamp=t,input_tokens=parts.7.n", dry_run=True).first_rows[0].fields["input_tokens"] == "7"
