"""Exports that are known by their columns: what each column is, what holds for every row, which rows are calls. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tollbook_ui.usage.mapping import BETWEEN, TOKENS


@dataclass(frozen=True)
class Export:
    """A form that files of usage come in."""

    name: str
    """As people call it."""
    marks: Sequence[str]
    """Columns that no other form has all of; capitals and signs do not count, and they may all lie deeper within a row."""
    columns: Mapping[str, Sequence[str]]
    """The columns that each target may be read from, the better one first; `|` stands between those of which a row has one."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """What holds for every row."""
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Rows that are calls, by a column and its values; others sum these up, or are something else."""
    refused: str = ""
    """Why no call can be read from it, and what to take instead."""


@dataclass(frozen=True)
class Recognized:
    """An export, and its columns in a file."""

    export: Export
    columns: Mapping[str, str]
    only: Mapping[str, Sequence[str]]


TOKENLESS = "this log tells of requests, but of no tokens: take the log of an API Management gateway, or what your services log"

EXPORTS = (
    Export(
        "OpenAI's usage API",
        ("start_time", "end_time", "num_model_requests"),
        {
            "timestamp": ("start_time",), "end_time": ("end_time",), "calls": ("num_model_requests",),
            "input_tokens": ("input_tokens",), "output_tokens": ("output_tokens",), "cache_read_tokens": ("input_cached_tokens",),
            "cache_write_tokens": ("input_cache_write_tokens",), "input_audio_tokens": ("input_audio_tokens",),
            "output_audio_tokens": ("output_audio_tokens",), "input_image_tokens": ("input_image_tokens",),
            "output_image_tokens": ("output_image_tokens",), "images": ("images",), "characters": ("characters",),
            "audio_seconds": ("seconds",), "model": ("model",), "batch": ("batch",), "service_tier": ("service_tier",),
            "project": ("project_name", "project_id"), "user": ("user_email", "user_id"), "account": ("organization_id",),
        },
        {"provider": "openai"},
    ),
    Export(
        "OpenAI's older usage API",
        ("aggregation_timestamp", "n_context_tokens_total", "n_generated_tokens_total"),
        {
            "timestamp": ("aggregation_timestamp",), "calls": ("n_requests",), "input_tokens": ("n_context_tokens_total",),
            "output_tokens": ("n_generated_tokens_total",), "cache_read_tokens": ("n_cached_context_tokens_total",),
            "model": ("snapshot_id",), "project": ("project_name", "project_id"), "user": ("email", "user_id"),
            "account": ("organization_id",),
        },
        {"provider": "openai"},
    ),
    Export(
        "OpenAI's activity export",
        ("timestamp", "n_context_tokens_total", "n_generated_tokens_total"),
        {
            "timestamp": ("timestamp",), "calls": ("n_requests", "num_requests"), "input_tokens": ("n_context_tokens_total",),
            "output_tokens": ("n_generated_tokens_total",), "cache_read_tokens": ("n_cached_context_tokens_total",),
            "model": ("model", "snapshot_id"), "project": ("project_name", "project_id"), "user": ("user", "email", "user_id"),
            "account": ("organization_id",),
        },
        {"provider": "openai"},
    ),
    Export(
        "OpenAI's costs API",
        ("line_item", "amount.value"),
        {},
        refused="these are charges, not calls: the same use is told by the usage API, which can be imported here",
    ),
    Export(
        "OpenAI's Batch output",
        ("custom_id", "response.body.usage"),
        {
            "timestamp": ("response.body.created|response.body.created_at", "response.body.created", "response.body.created_at"),
            "model": ("response.body.model",), "request_id": ("response.body.id",),
            "usage": ("response.body.usage",),
        },
        {"provider": "openai", "batch": "true"},
    ),
    Export(
        "Anthropic's usage API",
        ("starting_at", "ending_at", "uncached_input_tokens"),
        {
            "timestamp": ("starting_at",), "end_time": ("ending_at",), "uncached_input_tokens": ("uncached_input_tokens",),
            "output_tokens": ("output_tokens",), "cache_read_tokens": ("cache_read_input_tokens",),
            "cache_write_tokens": ("cache_creation.ephemeral_5m_input_tokens",),
            "cache_write_1h_tokens": ("cache_creation.ephemeral_1h_input_tokens",),
            "web_searches": ("server_tool_use.web_search_requests",), "model": ("model",), "service_tier": ("service_tier",),
            "context_window": ("context_window",), "region": ("inference_geo",), "team": ("workspace_id",),
        },
        {"provider": "anthropic", "calls": "many"},
    ),
    Export(
        "Anthropic's console",
        ("usage_date_utc", "usage_input_tokens_no_cache"),
        {
            "timestamp": ("usage_date_utc",), "uncached_input_tokens": ("usage_input_tokens_no_cache",),
            "output_tokens": ("usage_output_tokens",), "cache_read_tokens": ("usage_input_tokens_cache_read",),
            "cache_write_tokens": ("usage_input_tokens_cache_write_5m",),
            "cache_write_1h_tokens": ("usage_input_tokens_cache_write_1h",), "web_searches": ("web_search_count",),
            "model": ("model_version",), "batch": ("usage_type",), "context_window": ("context_window",),
            "region": ("inference_geo",), "team": ("workspace",),
        },
        {"provider": "anthropic", "calls": "many"},
    ),
    Export(
        "Anthropic's cost report",
        ("cost_type", "token_type", "amount"),
        {},
        refused="these are charges, not calls: the same use is told by the usage report, which can be imported here",
    ),
    Export(
        "Anthropic's Batch results",
        ("custom_id", "result.message.usage"),
        {"model": ("result.message.model",), "request_id": ("result.message.id",), "usage": ("result.message.usage",)},
        {"provider": "anthropic", "batch": "true"},
    ),
    Export(
        "Bedrock's model invocation log",
        ("modelId", "requestId", "input.inputTokenCount", "output.outputTokenCount"),
        {
            "timestamp": ("timestamp",), "model": ("modelId",), "request_id": ("requestId",), "region": ("region",),
            "account": ("accountId",), "user": ("identity.arn",), "status": ("errorCode",),
            "uncached_input_tokens": ("input.inputTokenCount",), "output_tokens": ("output.outputTokenCount",),
            "cache_read_tokens": ("input.cacheReadInputTokenCount",), "cache_write_tokens": ("input.cacheWriteInputTokenCount",),
        },
        {"provider": "aws.bedrock"},
    ),
    Export(
        "Vertex AI's request-response log",
        ("logging_time", "full_response.usageMetadata"),
        {
            "timestamp": ("logging_time",), "model": ("model", "deployed_model_id"),
            "response_model": ("full_response.modelVersion",),
            "request_id": ("full_response.responseId", "request_id"), "usage": ("full_response.usageMetadata",),
        },
        {"provider": "gcp.vertex_ai"},
    ),
    Export(
        "Vertex AI's request-response log of Claude",
        ("logging_time", "full_response.usage"),
        {
            "timestamp": ("logging_time",), "model": ("full_response.model", "model"),
            "request_id": ("full_response.id", "request_id"),
            "usage": ("full_response.usage",),
        },
        {"provider": "gcp.vertex_ai"},
    ),
    Export(
        "the log of Azure's API Management gateway",
        ("TimeGenerated", "PromptTokens", "CompletionTokens"),
        {
            "timestamp": ("TimeGenerated",), "input_tokens": ("PromptTokens",), "output_tokens": ("CompletionTokens",),
            "model": ("ModelName", "DeploymentName"), "request_id": ("RequestId",), "region": ("Region",),
        },
        {"provider": "azure.ai.openai"},
    ),
    Export(
        "Azure OpenAI's request log",
        ("durationMs", "properties.modelDeploymentName"),
        {},
        refused=TOKENLESS,
    ),
    Export(
        "Azure OpenAI's request log",
        ("TimeGenerated", "OperationName", "properties_s"),
        {},
        refused=TOKENLESS,
    ),
    Export(
        "OpenRouter's activity export",
        ("generation_id", "cost_total", "tokens_prompt", "tokens_completion"),
        {
            "timestamp": ("created_at",), "request_id": ("generation_id",), "model": ("model_permaslug",),
            "cost": ("cost_total",),
            "input_tokens": ("tokens_prompt",), "output_tokens": ("tokens_completion",), "cache_read_tokens": ("tokens_cached",),
            "reasoning_tokens": ("tokens_reasoning",), "duration_ms": ("generation_time_ms",), "service": ("app_name",),
            "user": ("user",), "team": ("api_key_name",),
        },
        {"provider": "openrouter"},
    ),
    Export(
        "OpenRouter's activity API",
        ("model_permaslug", "byok_usage_inference", "requests", "usage"),
        {
            "timestamp": ("date",), "calls": ("requests",), "model": ("model_permaslug",), "cost": ("usage",),
            "input_tokens": ("prompt_tokens",), "output_tokens": ("completion_tokens",),
            "reasoning_tokens": ("reasoning_tokens",),
        },
        {"provider": "openrouter"},
    ),
    Export(
        "OpenRouter's generations",
        ("native_tokens_prompt", "native_tokens_completion", "total_cost"),
        {
            "timestamp": ("created_at",), "request_id": ("id",), "model": ("model",), "cost": ("total_cost",),
            "input_tokens": ("native_tokens_prompt",), "output_tokens": ("native_tokens_completion",),
            "cache_read_tokens": ("native_tokens_cached",), "reasoning_tokens": ("native_tokens_reasoning",),
            "duration_ms": ("generation_time",), "user": ("external_user",),
        },
        {"provider": "openrouter"},
    ),
    Export(
        "LiteLLM's spend log",
        ("request_id", "startTime", "spend", "custom_llm_provider"),
        {
            "timestamp": ("startTime",), "end_time": ("endTime",), "request_id": ("request_id",), "model": ("model",),
            "provider": ("custom_llm_provider",), "usage": ("metadata.usage_object",), "input_tokens": ("prompt_tokens",),
            "output_tokens": ("completion_tokens",), "cost": ("spend",), "status": ("status",), "team": ("team_id",),
            "user": ("end_user", "user"), "session": ("session_id",),
        },
    ),
    Export(
        "Langfuse's export",
        ("startTime", "endTime", "usageDetails"),
        {
            "timestamp": ("startTime",), "end_time": ("endTime",), "request_id": ("id",),
            "model": ("providedModelName|model", "model", "providedModelName"), "usage": ("usageDetails",),
            "cost": ("totalCost", "calculatedTotalCost", "costDetails.total"), "environment": ("environment",),
            "user": ("userId",), "session": ("sessionId",),
        },
        only={"type": ("GENERATION", "EMBEDDING")},
    ),
    Export(
        "Helicone's export",
        ("request_created_at", "prompt_tokens", "completion_tokens"),
        {
            "timestamp": ("request_created_at",), "end_time": ("response_created_at",), "request_id": ("request_id",),
            "provider": ("provider",),
            "model": ("response_model|request_model|model", "response_model", "request_model", "model"),
            "input_tokens": ("prompt_tokens",), "output_tokens": ("completion_tokens",),
            "cache_read_tokens": ("prompt_cache_read_tokens",), "cache_write_tokens": ("prompt_cache_write_tokens",),
            "cost": ("cost", "cost_usd", "costUSD"), "status": ("response_status", "status"),
            "user": ("request_user_id", "user_id"),
        },
    ),
    Export(
        "Portkey's logs",
        ("ai_org", "ai_model", "req_units", "res_units"),
        {
            "timestamp": ("created_at", "time_of_generation"), "request_id": ("id",), "provider": ("ai_org",),
            "model": ("ai_model",),
            "input_tokens": ("req_units",), "output_tokens": ("res_units",), "cost_cents": ("cost",),
            "currency": ("cost_currency",),
            "duration_ms": ("response_time",), "status": ("response_status_code",), "user": ("metadata._user",),
        },
    ),
    Export(
        "Braintrust's logs",
        ("span_attributes.type", "metrics.prompt_tokens", "metrics.completion_tokens"),
        {
            "timestamp": ("metrics.start", "created"), "end_time": ("metrics.end",), "request_id": ("id",),
            "model": ("metadata.model",), "provider": ("metadata.provider",), "input_tokens": ("metrics.prompt_tokens",),
            "output_tokens": ("metrics.completion_tokens",), "cache_read_tokens": ("metrics.prompt_cached_tokens",),
            "cache_write_tokens": ("metrics.prompt_cache_creation_tokens",),
            "reasoning_tokens": ("metrics.completion_reasoning_tokens",), "cost": ("metrics.estimated_cost",),
        },
        only={"span_attributes.type": ("llm",)},
    ),
    Export(
        "LangSmith's runs",
        ("run_type", "start_time", "prompt_tokens", "completion_tokens"),
        {
            "timestamp": ("start_time",), "end_time": ("end_time",), "request_id": ("id",),
            "model": ("extra.metadata.ls_model_name", "metadata.ls_model_name", "ls_model_name", "extra.invocation_params.model"),
            "provider": ("extra.metadata.ls_provider", "metadata.ls_provider", "ls_provider"),
            "usage": ("outputs.usage_metadata",), "input_tokens": ("prompt_tokens",), "output_tokens": ("completion_tokens",),
            "cost": ("total_cost",), "status": ("status",), "session": ("session_id",),
        },
        only={"run_type": ("llm", "embedding")},
    ),
    Export(
        "W&B Weave's calls",
        ("op_name", "started_at", "output.usage"),
        {
            "timestamp": ("started_at",), "end_time": ("ended_at",), "request_id": ("output.id", "id"),
            "model": ("output.model", "inputs.model"), "usage": ("output.usage",), "user": ("wb_user_id",),
        },
    ),
    Export(
        "Azure's trace of inference",
        ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
        {"timestamp": ("TIMESTAMP",), "input_tokens": ("ContextTokens",), "output_tokens": ("GeneratedTokens",)},
    ),
    Export(
        "BurstGPT's trace",
        ("Timestamp", "Model", "Request tokens", "Response tokens"),
        {
            "timestamp": ("Timestamp",), "model": ("Model",), "input_tokens": ("Request tokens",),
            "output_tokens": ("Response tokens",),
            "session": ("Session ID",), "duration_s": ("Elapsed time",),
        },
    ),
    Export(
        "Mooncake's trace",
        ("timestamp", "input_length", "output_length", "hash_ids"),
        {
            "timestamp": ("timestamp",), "input_tokens": ("input_length",), "output_tokens": ("output_length",),
            "prefix_blocks": ("hash_ids",),
        },
    ),
)  # fmt: skip
"""Earlier ones go first."""

COUNTED_IN = frozenset(
    {"input_tokens", "uncached_input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"}
)
"""Counts that the provider's own object of counts holds too."""


def recognized(columns: Sequence[str]) -> Recognized | None:
    """The export that has these columns, if one is known."""
    known = _Known(columns)
    for export in EXPORTS:
        within = known.within(export.marks)
        if within is None:
            continue
        found = {target: column for target, names in export.columns.items() if (column := known.first(within, names))}
        if "usage" in found:
            found = {target: column for target, column in found.items() if target not in TOKENS}
        only = {column: values for name, values in export.only.items() if (column := known.first(within, (name,)))}
        return Recognized(export, found, only)
    return None


class _Known:
    """The columns of a file, found by the last steps of their paths."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._by_end: dict[str, dict[str, str]] = {}
        for column in columns:
            steps = [_plain(step) for step in column.split(".")]
            for start in range(len(steps)):
                self._by_end.setdefault("".join(steps[start:]), {}).setdefault(".".join(steps[:start]), column)

    def within(self, marks: Iterable[str]) -> str | None:
        """The place that all of these columns lie in, the outermost one; None where they do not."""
        places = [frozenset(self._by_end.get(_plain(mark), ())) for mark in marks]
        return min(frozenset.intersection(*places), key=len, default=None)

    def first(self, within: str, names: Iterable[str]) -> str:
        """The first of these columns that is there, in that place or outside of it; with `|`, all of several."""
        for name in names:
            columns = [self._one(within, part) for part in name.split(BETWEEN)]
            if all(columns):
                return BETWEEN.join(columns)
        return ""

    def _one(self, within: str, name: str) -> str:
        found = self._by_end.get(_plain(name), {})
        return found.get(within) or found.get("", "")


def _plain(name: str) -> str:
    """A name by its letters and digits, without the zone that Azure's exports add: `TimeGenerated [UTC]`."""
    return re.sub(r"[^a-z0-9]", "", name.lower().removesuffix("[utc]"))
