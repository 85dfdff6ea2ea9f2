"""The rules of configuring that need no program of their own: where things go, who the host is, what is instrumented."""

import logging
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import tollbook
from opentelemetry.instrumentation.dependencies import DependencyConflict, DependencyConflictError
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from tollbook import exporters, process_metrics, resource
from tollbook.processor import LabelSpanProcessor
from tollbook.sending import Losses, watched
from tollbook.testing import Captured


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "PROTOCOL", "TRACES_ENDPOINT", "TRACES_PROTOCOL", "METRICS_ENDPOINT"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)


def test_spans_go_to_this_machine_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exporters.url("traces", None) == "http://127.0.0.1:4318/v1/traces"
    assert exporters.url("metrics", "https://tollbook.example.org/") == "https://tollbook.example.org/v1/metrics"
    assert exporters.url("metrics", "http://host:4318/v1/traces") == "http://host:4318/v1/metrics"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://elsewhere:4318")
    assert exporters.url("traces", None) is None, "the exporter itself reads the environment"
    assert exporters.url("traces", "http://host:4318") == "http://host:4318/v1/traces"


def test_grpc_is_spoken_where_the_environment_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert exporters.speaks_grpc(None)
    assert not exporters.speaks_grpc("http://127.0.0.1:4318")
    for exporter in (exporters.grpc_exporter({"x-key": "k"}), exporters.metric_exporter(None, {"x-key": "k"})):
        assert exporter is not None
        assert "grpc" in type(exporter).__mro__[1].__module__
        exporter.shutdown()


def test_a_host_is_told_by_a_digest_of_its_machine_id(tmp_path: Path) -> None:
    machine_id = tmp_path / "machine-id"
    machine_id.write_text("0123456789abcdef0123456789abcdef\n")
    told = resource.host_id(machine_id)
    assert told == resource.host_id(machine_id)
    assert len(told) == 32
    assert "0123456789abcdef" not in told


def test_a_host_without_a_machine_id_is_told_by_its_name(tmp_path: Path) -> None:
    assert resource.host_id(tmp_path / "none") == resource.detected()["host.name"]


def test_what_the_caller_names_wins_over_the_environment_and_that_over_what_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=env,host.name=env,tollbook.team=env")
    attributes = resource.resource({"service.name": "caller"}).attributes
    assert (attributes["service.name"], attributes["host.name"], attributes["tollbook.team"]) == ("caller", "env", "env")


def test_process_metrics_are_those_of_the_vocabulary() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    process_metrics.observe(provider.get_meter("test"))
    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    assert {metric.name: metric.unit for metric in metrics} == {
        "process.cpu.time": "s",
        "process.memory.usage": "By",
        "process.thread.count": "{thread}",
        "system.cpu.logical.count": "{cpu}",
    }
    provider.shutdown()


class Unreliable(SpanExporter):
    answers: list[SpanExportResult]
    _endpoint = "http://collector/v1/traces"

    def export(self, spans: Any) -> SpanExportResult:
        logging.getLogger(__name__).error("a retry of the exporter")
        return self.answers.pop(0)


def test_losing_and_finding_the_collector_are_one_line_each(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    losses = Losses()
    monkeypatch.setattr("tollbook.sending.losses", losses)
    bad, good = SpanExportResult.FAILURE, SpanExportResult.SUCCESS
    exporter = watched(Unreliable)()
    exporter.answers = [good, bad, bad, bad, good, good]
    for _batch in range(6):
        exporter.export([])
    assert [record.getMessage() for record in caplog.records] == [
        "tollbook cannot deliver to http://collector/v1/traces; until it can, batches are dropped and counted",
        "tollbook reaches http://collector/v1/traces again; 3 batches were lost so far",
    ]
    assert losses.batches == 3


def test_an_exporter_of_the_applications_own_still_logs(caplog: pytest.LogCaptureFixture) -> None:
    watched(Unreliable)
    exporter = Unreliable()
    exporter.answers = [SpanExportResult.FAILURE]
    exporter.export([])
    assert [record.getMessage() for record in caplog.records] == ["a retry of the exporter"]


class Working:
    is_instrumented_by_opentelemetry = False

    def instrument(self, **_: Any) -> None:
        self.is_instrumented_by_opentelemetry = True


class Conflicting(Working):
    def instrument(self, **_: Any) -> None:
        raise DependencyConflictError(DependencyConflict("x >= 2", "x 1"))


class Faulty(Working):
    def instrument(self, **_: Any) -> None:
        raise RuntimeError("broken")


def test_auto_takes_what_works_and_passes_over_the_rest(lenient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint(name, f"{__name__}:{target}", "opentelemetry_instrumentor")
        for name, target in [("a", "Working"), ("b", "Conflicting"), ("c", "Faulty"), ("d", "Working"), ("f", "Working")]
    ]
    absent = EntryPoint("e", "no_such_library:Instrumentor", "opentelemetry_instrumentor")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [*points, absent])
    monkeypatch.setattr(EntryPoint, "load", _load)
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "d , other")
    assert tollbook.auto() == ["a", "f"]


def _load(point: EntryPoint) -> Any:
    module, _colon, name = point.value.partition(":")
    if module != __name__:
        raise ModuleNotFoundError(module)
    return globals()[name]


def test_captures_nest_and_come_back(captured: Captured) -> None:
    with tollbook.testing.capture() as inner, tollbook.handoff("read", name="inner"):
        pass
    with tollbook.handoff("read", name="outer"):
        pass
    assert (inner.names, captured.names) == (["inner"], ["outer"])
    with pytest.raises(LookupError, match="0 spans are named 'inner'; there are \\['outer'\\]"):
        captured.named("inner")


def test_our_span_processor_never_fails_an_applications_flush() -> None:
    """A provider stops at the first processor whose flush is not true, and leaves the others' spans behind."""
    assert LabelSpanProcessor().force_flush() is True
