"""Real traces of agent frameworks: the model calls in them count, the agents around them do not."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Span

CALLS = """
SELECT reinterpretAsUInt64(reverse(trace_id)) AS trace, countIf(role = 'counted') AS calls, countIf(role = 'rollup') AS sums,
    sumIf(input_tokens + ifNull(cache_read_tokens, 0), role = 'counted') AS input,
    sumIf(output_tokens + ifNull(reasoning_tokens, 0), role = 'counted') AS output
FROM calls GROUP BY trace ORDER BY trace
"""


def spans_of(trace: int, observations: list[dict[str, Any]]) -> list[Span]:
    """The spans that became these observations, all within one hour."""
    numbers = {observation["id"]: number for number, observation in enumerate(observations, start=1)}
    times = {
        observation["id"]: [datetime.fromisoformat(observation[key]) for key in ("startTime", "endTime")]
        for observation in observations
    }
    first = min(start for start, _ in times.values())
    return [
        Span(
            trace,
            numbers[observation["id"]],
            numbers.get(observation["parentObservationId"] or "", 0),
            name=observation["name"],
            start_ns=int((times[observation["id"]][0] - first).total_seconds() * 1e9),
            duration_ns=int((times[observation["id"]][1] - times[observation["id"]][0]).total_seconds() * 1e9),
            scope=_metadata(observation).get("scope", {}).get("name", ""),
            attributes=_attributes(observation),
        )
        for observation in observations
    ]


def _metadata(observation: dict[str, Any]) -> dict[str, Any]:
    said = observation["metadata"] or {}
    return dict(json.loads(said)) if isinstance(said, str) else said


def _attributes(observation: dict[str, Any]) -> dict[str, str]:
    """Those the framework set; where Langfuse kept none, its own spelling of what it shows."""
    said = _metadata(observation).get("attributes") or {}
    if any("usage" in key or "token_count" in key for key in said) or not observation["model"]:
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in said.items()}
    return {
        "langfuse.observation.type": observation["type"].lower(),
        "langfuse.observation.model.name": observation["model"],
        "langfuse.observation.usage_details": json.dumps(observation["usageDetails"]),
    }


def test_the_calls_of_real_frameworks_count_and_their_agents_do_not(store: Store, intake: Intake, shared_data: Path) -> None:
    expected = []
    for trace, path in enumerate(sorted((shared_data / "langfuse_framework_traces").glob("*.json")), start=1):
        observations = json.loads(path.read_text())["observations"]
        intake.spans(spans_of(trace, observations))
        usage = [observation["usageDetails"] for observation in observations if observation["type"] == "GENERATION"]
        expected.append((trace, len(usage), sum(told["input"] for told in usage), sum(told["output"] for told in usage)))
    settle(store)
    found = store.query(CALLS)
    assert [(row["trace"], row["calls"], row["input"], row["output"]) for row in found] == expected
    assert sum(row["sums"] for row in found) == 2  # agents of Pydantic AI that say what their calls used
