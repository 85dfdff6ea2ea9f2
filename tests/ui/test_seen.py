"""The doctor lists what services see and what they do not, and why: from the SDK's metric to the screen."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from rich.console import Console
from tollbook import integrations, process_metrics
from tollbook.integrations import Seen
from tollbook_schema.store import Store
from tollbook_ui import doctor, show
from tollbook_ui.answers import Answers

from tests.attribution.facts import Intake, Point

NAME, STATE = "tollbook.instrumentation.name", "tollbook.instrumentation.state"


def points(data: MetricsData | None) -> list[dict[str, str]]:
    metrics = data.resource_metrics[0].scope_metrics[0].metrics if data is not None else []
    found = [metric for metric in metrics if metric.name == "tollbook.instrumentation"]
    return [dict(point.attributes or {}) for metric in found for point in metric.data.data_points]  # type: ignore[arg-type]


def test_what_is_seen_is_told_once_and_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrations, "_status", {})
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    process_metrics.observe(provider.get_meter("test"))
    assert points(reader.get_metrics_data()) == [], "nothing is said where nobody has asked for instrumentations"
    integrations._status["redis"] = Seen("redis", True, "")
    assert points(reader.get_metrics_data()) == [{NAME: "redis", STATE: "on"}]
    assert points(reader.get_metrics_data()) == []
    integrations._status["x"] = Seen("x", False, "x is not installed")
    assert points(reader.get_metrics_data())[1:] == [{NAME: "x", STATE: "x is not installed"}]
    provider.shutdown()


def test_the_doctor_lists_it_by_service(store: Store, tmp_path: Path) -> None:
    said = [
        ("redis", "it refuses", 0),
        ("redis", "on", 1),
        ("openai", "failed: TypeError", 0),
        ("faiss", "faiss is not installed", 0),
    ]
    Intake(store, tmp_path).points(
        [
            Point("tollbook.instrumentation", state == "on", at, attributes={NAME: name, STATE: state}, service="intake")
            for name, state, at in said
        ],
        at=datetime.now(UTC),
    )
    found = doctor.examine(Answers(store), tmp_path)
    assert [(row.service, row.name, row.state) for row in found.instrumented] == [
        ("intake", "faiss", "faiss is not installed"),
        ("intake", "openai", "failed: TypeError"),
        ("intake", "redis", "on"),
    ]
    console = Console(width=200)
    with console.capture() as captured:
        for part in show.doctor(found):
            console.print(part)
    (line,) = (line for line in captured.get().splitlines() if "TypeError" in line)
    assert line.split() == ["intake", "redis", "openai:", "failed:", "TypeError"]
    assert "faiss" not in captured.get().partition("What is seen in services")[2].partition("machines")[0]
