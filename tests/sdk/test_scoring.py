"""Scores: of what runs now, of what ran before, by an answer's id, and all the way to the numbers of the weekly report."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import tollbook
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from tollbook import runtime, scoring, shield
from tollbook.processor import TollbookSpanProcessor
from tollbook.testing import Captured
from tollbook_attribution import settle
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.figures import Scope

from tests.attribution.facts import NOON, Intake, chat
from tests.sdk.receiver import Receiver, values


def test_a_score_is_of_the_request_that_runs(captured: Captured) -> None:
    with tollbook.request("r") as request:
        tollbook.score("relevance", 0.9, explanation="all sources named")
    (score,) = captured.scores
    assert f"{score.trace_id:032x}" == request.trace_id
    assert score.attributes() == {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.9,
        "gen_ai.evaluation.explanation": "all sources named",
    }


def test_feedback_that_comes_later_finds_its_request(captured: Captured) -> None:
    with tollbook.request("r") as request, tollbook.inference("gpt-4o") as call:
        call.usage(10, 2, response_id="chatcmpl-7")
    tollbook.score("thumbs", True, trace_id=request.trace_id)
    tollbook.score("thumbs", label="bad", response_id="chatcmpl-7")
    tollbook.score("thumbs", 1, span=call)
    tollbook.score("thumbs", 1, response_id="of another process")
    trace, part = int(request.trace_id, 16), call.span.get_span_context().span_id
    assert [(score.trace_id, score.span_id) for score in captured.scores] == [(trace, 0), (trace, part), (trace, part), (0, 0)]
    assert [score.value for score in captured.scores] == [1.0, None, 1.0, 1.0]


@pytest.mark.parametrize(
    "score",
    [
        lambda: tollbook.score("of nothing", 1),
        lambda: tollbook.score("empty", trace_id="0af7651916cd43dd8448eb211c80319c"),
        lambda: tollbook.score("wrong", 1, trace_id="no trace"),
        lambda: tollbook.score("wrong", "high", trace_id="0af7651916cd43dd8448eb211c80319c"),
    ],
)
def test_a_wrong_score_is_counted_and_raises_nothing(captured: Captured, lenient: None, score) -> None:
    score()
    assert captured.scores == []
    assert shield.faults["note a score"] == 1


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_scores_reach_the_headline_numbers(store: Store, tmp_path: Path, receiver: Receiver) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "rag"}), shutdown_on_exit=False)
    processor = TollbookSpanProcessor(receiver.endpoint)
    provider.add_span_processor(processor)
    runtime.use(provider)
    try:
        traces = [f"{number:032x}" for number in (1, 2, 3)]
        for trace, (value, label) in zip(traces, ((0.75, None), (None, "good"), (0.25, "bad")), strict=True):
            tollbook.score("relevance", value, label=label, trace_id=trace)
        assert provider.force_flush()
    finally:
        runtime.use(None)
        provider.shutdown()
    assert scoring.use(None) is None
    (export,) = receiver.logs
    (resource,) = export.resource_logs
    assert values(resource.resource.attributes) == {"service.name": "rag"}
    assert [record.event_name for record in resource.scope_logs[0].log_records] == ["gen_ai.evaluation.result"] * 3
    intake = Intake(store, tmp_path)
    intake.spans([chat(number, 1, input=10, output=2) for number in (1, 2, 3)])
    intake._load("logs", export.SerializeToString())
    settle(store)
    (point,) = Answers(store).outcomes.headlines(Scope(NOON, NOON + timedelta(hours=1))).rows
    assert (point.score_mean, round(point.good_ratio or 0, 4)) == (0.5, 0.6667)
