"""What columns are: options read, known names suggested."""

import pytest
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage.mapping import Reading, mapping, option, suggested

EXPORTS = {
    "Azure's trace": (
        ["TIMESTAMP", "ContextTokens", "GeneratedTokens"],
        "timestamp=TIMESTAMP,input_tokens=ContextTokens,output_tokens=GeneratedTokens",
    ),
    "Mooncake's trace": (
        ["timestamp", "input_length", "output_length", "hash_ids"],
        "timestamp=timestamp,input_tokens=input_length,output_tokens=output_length,prefix_blocks=hash_ids",
    ),
    "Anthropic's console": (
        ["usage_date_utc", "model_version", "workspace", "usage_input_tokens_no_cache", "usage_input_tokens_cache_write_5m",
         "usage_input_tokens_cache_write_1h", "usage_input_tokens_cache_read", "usage_output_tokens", "web_search_count"],
        "timestamp=usage_date_utc,uncached_input_tokens=usage_input_tokens_no_cache,output_tokens=usage_output_tokens,"
        "cache_read_tokens=usage_input_tokens_cache_read,cache_write_tokens=usage_input_tokens_cache_write_5m,"
        "cache_write_1h_tokens=usage_input_tokens_cache_write_1h,web_searches=web_search_count,model=model_version,team=workspace",
    ),
    "LiteLLM's log": (
        ["request_id", "startTime", "endTime", "model", "prompt_tokens", "completion_tokens", "total_tokens", "spend", "team_id"],
        "timestamp=startTime,end_time=endTime,input_tokens=prompt_tokens,output_tokens=completion_tokens,cost=spend,model=model,"
        "request_id=request_id,team=team_id",
    ),
    "OpenAI's batches": (
        ["custom_id", "response", "response.status_code", "response.request_id", "response.body", "response.body.created",
         "response.body.model", "response.body.usage", "response.body.usage.prompt_tokens", "response.body.usage.total_tokens"],
        "timestamp=response.body.created,model=response.body.model,request_id=response.request_id,status=response.status_code,"
        "usage=response.body.usage",
    ),
    "OpenAI's usage pages": (
        ["start_time", "end_time", "input_tokens", "output_tokens", "input_cached_tokens", "num_model_requests", "project_id",
         "model", "batch"],
        "timestamp=start_time,end_time=end_time,calls=num_model_requests,input_tokens=input_tokens,output_tokens=output_tokens,"
        "cache_read_tokens=input_cached_tokens,model=model,batch=batch,project=project_id",
    ),
    "Claude's own log": (
        ["timestamp", "model", "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"],
        "timestamp=timestamp,uncached_input_tokens=input_tokens,output_tokens=output_tokens,"
        "cache_read_tokens=cache_read_input_tokens,cache_write_tokens=cache_creation_input_tokens,model=model",
    ),
    "BurstGPT": (
        ["Timestamp", "Model", "Request tokens", "Response tokens", "Total tokens", "Log Type"],
        "timestamp=Timestamp,input_tokens=Request tokens,output_tokens=Response tokens,model=Model",
    ),
}  # fmt: skip


@pytest.mark.parametrize("export", EXPORTS)
def test_known_names_of_columns_suggest_a_mapping(export: str) -> None:
    columns, expected = EXPORTS[export]
    assert option(suggested(columns)) == expected


def test_a_suggestion_can_be_given_as_it_is() -> None:
    columns, expected = EXPORTS["Anthropic's console"]
    assert mapping([expected]).columns == suggested(columns)


def test_a_column_may_hold_commas_and_equals_signs() -> None:
    read = mapping(["timestamp=a, b,model=c=d,cost=e"])
    assert read.columns == {"timestamp": "a, b", "model": "c=d", "cost": "e"}


WRONG = {
    "": "--map takes TARGET=VALUE, not ''",
    "timestamp": "--map takes TARGET=VALUE, not 'timestamp'",
    "input_tokens=i,model=m": "map the time of each call",
    "timestamp=t,input_tokens=i": "say which model answered",
    "timestamp=t,model=m": "map what is counted",
    "timestamp=t,model=m,inputtoken=i": "knows no 'inputtoken', did you mean input_tokens?",
    "timestamp=t,model=m,prompt_token=i": "knows no 'prompt_token', did you mean input_tokens?",
    "timestamp=t,model=m,cached=i": "knows no 'cached', did you mean cache_read_tokens?",
    "timestamp=t,model=m,xyz=i": "knows no 'xyz'; tollbook import targets lists all",
    "timestamp=t,timestamp=u": "names timestamp twice",
    "timestamp=t,model=m,input_tokens=i,uncached_input_tokens=u": "not both",
    "timestamp=t,model=m,input_tokens=i,prefix_blocks=b,cache_read_tokens=c": "not both",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mapping_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadQuestionError) as refusal:
        mapping([text])
    assert WRONG[text] in str(refusal.value)


def test_a_currency_that_is_none_is_refused() -> None:
    with pytest.raises(BadQuestionError, match="--set currency: 'DOLLAR' is no currency: three letters, as EUR"):
        mapping(["timestamp=t,model=m,cost=c"], ["currency=DOLLAR"])


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (Reading(timezone="Middle/Earth"), "no time zone"),
        (Reading(time_unit="h"), "not in 'h'"),
    ],
)
def test_times_that_cannot_be_read_so_are_refused(reading: Reading, reason: str) -> None:
    with pytest.raises(BadQuestionError, match=reason):
        mapping(["timestamp=t,model=m,cost=c"], [], reading)
