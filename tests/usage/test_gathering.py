"""Files whose rows are no calls: clouds' metrics, gathered by time and model, and summaries of usage by model."""

import json
from decimal import Decimal

import pytest
from tollbook_attribution import engine
from tollbook_schema.store import Store
from tollbook_ui.periods import BadQuestionError

from tests.usage.conftest import Take

AT = "2026-11-20T12:00:00Z"
NOVA = "amazon.nova-lite-v1:0"
SIDES = (("InputTokenCount", 1000), ("OutputTokenCount", 200), ("InvocationLatency", 812))
GOOGLE = "aiplatform.googleapis.com/publisher/online_serving/token_count"


def streamed(owners: dict[str, str]) -> str:
    """What CloudWatch streams, a line a metric."""
    values = (*SIDES, ("Invocations", 4))
    return "\n".join(
        json.dumps({"region": "us-east-1", "metric_name": name, "dimensions": owners, "timestamp": 1795176000000,
                    "value": {"max": 900.0, "min": 1.0, "sum": value, "count": 4.0}})
        for name, value in values
    )  # fmt: skip


def of_azure() -> str:
    """What Azure Monitor answers."""
    model = [{"name": {"value": "modelname"}, "value": "gpt-4o"}]
    metrics = [("ProcessedPromptTokens", 1000.0), ("GeneratedTokens", 200.0), ("InputTokens", 1000.0), ("OutputTokens", 200.0)]
    data = [[{"timeStamp": AT, "total": n}, {"timeStamp": "2026-11-20T13:00:00Z"}] for _, n in metrics]
    series = [
        {"name": {"value": name}, "timeseries": [{"metadatavalues": model, "data": told}]}
        for (name, _), told in zip(metrics, data, strict=True)
    ]  # fmt: skip
    odd = {"name": "Latency", "timeseries": [{"metadatavalues": None, "data": None}, None]}
    return json.dumps({"interval": "PT1H", "value": [odd, *series]}, indent=1)


def of_google() -> str:
    """What Cloud Monitoring answers."""
    series = [
        {"metric": {"type": GOOGLE, "labels": {"type": kind}}, "resource": {"labels": {"model_user_id": "gemini-2.5-flash"}},
         "points": [{"interval": {"startTime": AT, "endTime": "2026-11-20T13:00:00Z"}, "value": {"int64Value": str(tokens)}}]}
        for kind, tokens in (("input", 1000), ("output", 200))
    ]  # fmt: skip
    return json.dumps({"timeSeries": series})


FILES = {
    "a stream of CloudWatch's": f"{streamed({'ModelId': NOVA})}\n{streamed({})}",  # the second one sums all models up
    "get-metric-data": json.dumps({"MetricDataResults": [
        {"Label": f"{NOVA} {name}", "Timestamps": [AT], "Values": [value]} for name, value in SIDES
    ]}),
    "a table": "\n".join(["Timestamp,MetricName,ModelId,Sum", *(f"{AT},{name},{NOVA},{value}.0" for name, value in SIDES)]),
    "dimensions in a cell": "\n".join([
        "timestamp;metric;stat;value;dimensions",
        *(f"{AT};{name};{stat};{value};ModelId={NOVA}" for name, value in SIDES for stat in ("Sum", "Average")),
    ]),
    "Azure Monitor": of_azure(),
    "Cloud Monitoring": of_google(),
    "a table of Cloud Monitoring's": "time,metric.type,metric.labels.type,resource.labels.model_user_id,value\n"
    f"{AT},{GOOGLE},input,gemini-2.5-flash,1000\n{AT},{GOOGLE},output,gemini-2.5-flash,200\n",
}  # fmt: skip

USED = "SELECT request_model AS model, count() AS n, sum(input_tokens) AS i, sum(output_tokens) AS o FROM spans GROUP BY ALL"


def test_metrics_of_clouds_are_gathered_by_time_and_model(store: Store, take: Take) -> None:
    calls = 0
    for kind, text in FILES.items():
        found = take(text, "", "")
        assert found.rows == 1, kind
        calls += found.new_calls
    assert [take(FILES[kind], "", "").new_calls for kind in ("a stream of CloudWatch's", "Azure Monitor")] == [0, 0]
    # What three files of one hour and model say is told once, but for that which says how many calls it was of.
    assert {row["model"]: (row["n"], row["i"], row["o"]) for row in store.query(USED)} == {
        NOVA: (5, 2000, 400), "gpt-4o": (1, 1000, 200), "gemini-2.5-flash": (1, 1000, 200),
    }  # fmt: skip
    # A million: Nova Lite $0.06 and $0.24, GPT-4o $2.50 and $10, Gemini 2.5 Flash $0.30 and $2.50
    assert calls == 7
    assert engine.settle(store).amount_usd == 2 * Decimal("0.000108") + Decimal("0.0045") + Decimal("0.0008")


REFUSED = (
    (FILES["a table"].replace("Output", "Sent"), "line 2: no metric of output tokens of amazon.nova-lite-v1:0"),
    (FILES["a table"].replace("Input", "Sent"), "line 3: no metric of input tokens of amazon.nova-lite-v1:0"),
    (FILES["a table"].replace("1000.0", "-1"), "line 2: '-1' is no count of InputTokenCount"),
    (FILES["a table"].replace("1000.0", "99.5"), "line 2: '99.5' is no count of InputTokenCount"),
    (FILES["a table"].replace("1000.0", "1e99999999"), "line 2: '1e99999999' is no count of InputTokenCount"),
    (FILES["a table"] + f"\n{AT},InputTokenCount,{NOVA},9", "line 5: '9' is the same metric, time and dimensions as line 2"),
    (FILES["a table"].replace("ModelId", "Unit"), "say which model answered"),
    (FILES["Azure Monitor"].replace("GeneratedTokens", "Other").replace("OutputTokens", "Other"), "no metric of output tokens"),
    (f"{streamed({'ModelId': NOVA})}\n{{", "line 5: is no JSON"),
)


def test_metrics_that_no_usage_follows_from_are_named(store: Store, take: Take) -> None:
    for text, problem in REFUSED:
        with pytest.raises(BadQuestionError) as refused:
            take(text, "", "")
        assert problem in str(refused.value)
        assert "nothing of the file was taken" in str(refused.value)
    assert store.query("SELECT count() AS n FROM spans") == [{"n": 0}]


def test_an_embedding_has_no_output(store: Store, take: Take) -> None:
    text = f"time,metric,value,model\n{AT},InputTokenCount,1000,amazon.titan-embed-text-v2:0\n"
    assert take(text, "", "").new_calls == 1
    # The account's sum has no model, and somebody says it for all.
    assert take(FILES["a table"].replace("ModelId", "Unit"), "", f"model={NOVA}").new_calls == 1


def weave_call(identity: str, above: str | None, **models: int) -> dict[str, object]:
    usage = {name.replace("_", "-"): {"prompt_tokens": n, "completion_tokens": 20, "requests": 1} for name, n in models.items()}
    return {"id": identity, "parent_id": above, "op_name": "x", "started_at": AT, "ended_at": AT, "summary": {"usage": usage}}


def test_summaries_by_model_count_where_nothing_below_them_does(store: Store, take: Take) -> None:
    rows = [
        weave_call("r", None, gpt_4o=100, gpt_4o_mini=50),
        weave_call("a", "r", gpt_4o=100),
        weave_call("b", "r", gpt_4o_mini=50),
    ]
    found = take("\n".join(map(json.dumps, rows)), "", "provider=openai")
    assert (found.rows, found.new_calls, found.columns["usage"]) == (2, 2, "usage")
    columns = (f"summary.usage.gpt-4.1.{name}" for name in ("prompt_tokens", "prompt_tokens_details.cached_tokens", "requests"))
    table = f"id,parent_id,started_at,{','.join(columns)}\n"
    # As tables with empty cells are written, counts have a point.
    assert take(f"{table}r,,{AT},100.0,0.0,1.0\nq,r,{AT},100.0,50.0,1.0\ns,r,{AT},,,nan\n", "", "provider=openai").new_calls == 1
    several = {"prompt_tokens": 1000, "completion_tokens": 100, "requests": 2, "prompt_tokens_details": {"cached_tokens": 600}}
    summary = {"usage": {"gpt-4o": several}}
    assert take(json.dumps({"id": "t", "started_at": AT, "summary": summary}), "", "provider=openai").new_calls == 2
    # A million: $2.50 and $10, $0.15 and $0.60, $2 and cached $0.50; then 400 of $2.50, 600 of $1.25, 100 of $10
    calls = Decimal("0.00045") + Decimal("0.0000195") + Decimal("0.000125")
    assert engine.settle(store).amount_usd == calls + Decimal("0.00275")
