"""A program of its own, its spans and metrics over real OTLP, in every way an application may be set up."""

import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.receiver import Receiver, values

WORK = """
    @tollbook.handoff("read", source="s3", bytes_of="result")
    def read():
        tollbook.asset("s3://a", event_time=1_700_000_000.0)
        return b"abc"

    @tollbook.inference(model="tiny")
    def classify(page):
        return "text"

    @tollbook.request("intake", team="documents")
    def intake():
        return classify(read())

    assert intake() == "text"
"""


UNFIT = "openai,sqlalchemy"
"""Instrumentations of OpenTelemetry's that do not fit the versions of their libraries here, and say so at length."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def run(tmp_path: Path, app: str, *launcher: str, **environment: str) -> str:
    """Run a program and return what it says; it must succeed and complain of nothing."""
    said, complained = run_to_the_end(tmp_path, app, *launcher, **environment)
    assert complained == ""
    return said


def run_to_the_end(tmp_path: Path, app: str, *launcher: str, **environment: str) -> tuple[str, str]:
    """Run a program in a clean environment; what it says and what it complains of. It must succeed."""
    file = tmp_path / "checkout.py"
    file.write_text(textwrap.dedent(app))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOLLBOOK_"))}
    done = subprocess.run(
        [sys.executable, *launcher, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**inherited, "TOLLBOOK_STRICT": "1", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": UNFIT, **environment},
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def instrument(tmp_path: Path) -> tuple[str, ...]:
    """The `opentelemetry-instrument` program, as `python -m` would run it."""
    pytest.importorskip("opentelemetry.distro")
    starter = tmp_path / "opentelemetry_instrument.py"
    starter.write_text("from opentelemetry.instrumentation.auto_instrumentation import run\nrun()\n")
    return str(starter), sys.executable


def test_a_program_that_only_configures_sends_spans_and_metrics(tmp_path: Path, receiver: Receiver) -> None:
    app = f"""
    import tollbook
    tollbook.configure(
        service_name="checkout", endpoint={receiver.endpoint!r}, headers={{"x-key": "k"}}, environment="test",
        service_version="1.2", project="catalog", site="plant", tier="edge",
    )
    tollbook.configure(service_name="ignored")
    {WORK}
    """
    run(tmp_path, app, TOLLBOOK_HOST_TYPE="m7i.xlarge")
    spans = receiver.spans
    assert set(spans) == {"intake", "read", "inference tiny"}
    assert spans["read"].parent_span_id == spans["intake"].span_id
    assert values(spans["read"].attributes)["tollbook.handoff.size"] == 3
    assert values(spans["inference tiny"].attributes)["tollbook.input.asset.ids"] == ["s3://a"]
    assert values(spans["inference tiny"].attributes)["tollbook.team"] == "documents"
    resource = receiver.span_resource
    assert (
        resource.items()
        >= {
            "service.name": "checkout",
            "service.version": "1.2",
            "deployment.environment.name": "test",
            "tollbook.project": "catalog",
            "tollbook.site": "plant",
            "tollbook.tier": "edge",
            "host.type": "m7i.xlarge",
        }.items()
    )
    assert resource["process.pid"] > 0
    assert {"host.id", "host.name", "service.instance.id"} <= set(resource)
    assert receiver.traces[0].resource_spans[0].schema_url == "https://tollbook.dev/schemas/0.1.0"
    assert all(header["x-key"] == "k" for header in receiver.headers)
    assert receiver.metric_resource == resource
    (used,) = receiver.measured["process.cpu.time"].sum.data_points
    assert receiver.measured["process.cpu.time"].sum.is_monotonic
    assert 0 < used.as_double < 60
    (memory,) = receiver.measured["process.memory.usage"].sum.data_points
    assert 10_000_000 < memory.as_int < 2_000_000_000
    (cpus,) = receiver.measured["system.cpu.logical.count"].sum.data_points
    assert cpus.as_int == os.cpu_count()


def test_the_environment_says_where_and_who(tmp_path: Path, receiver: Receiver) -> None:
    app = f"import tollbook\ntollbook.configure()\n{textwrap.dedent(WORK)}"
    run(
        tmp_path,
        app,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_EXPORTER_OTLP_HEADERS="x-key=from-environment",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        OTEL_RESOURCE_ATTRIBUTES="service.name=named,host.id=i-0123",
    )
    assert set(receiver.spans) == {"intake", "read", "inference tiny"}
    assert receiver.headers[0]["x-key"] == "from-environment"
    assert receiver.headers[0]["content-encoding"] == "gzip"
    assert receiver.span_resource["service.name"] == "named"
    assert receiver.span_resource["host.id"] == "i-0123"


def test_a_service_nobody_names_is_named_after_its_program(tmp_path: Path, receiver: Receiver) -> None:
    run(tmp_path, f"import tollbook\ntollbook.configure(endpoint={receiver.endpoint!r})\n{textwrap.dedent(WORK)}")
    assert receiver.span_resource["service.name"] == "checkout"


def test_an_applications_own_provider_is_used_and_nothing_is_sent_twice(tmp_path: Path, receiver: Receiver) -> None:
    app = f"""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    import tollbook

    provider = TracerProvider(resource=Resource.create({{"service.name": "own", "host.name": "kept"}}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter({receiver.endpoint + "/v1/traces"!r})))
    trace.set_tracer_provider(provider)
    tollbook.configure(team="platform")
    tollbook.configure(team="platform")
    assert trace.get_tracer_provider() is provider
    with trace.get_tracer("own").start_as_current_span("foreign"), tollbook.label(feature="search"):
        {textwrap.indent(textwrap.dedent(WORK), " " * 8).strip()}
    assert tollbook.flush()
    """
    run(tmp_path, app)
    sent = [span.name for request in receiver.traces for r in request.resource_spans for s in r.scope_spans for span in s.spans]
    assert sorted(sent) == ["foreign", "inference tiny", "intake", "read"]
    assert receiver.spans["intake"].parent_span_id == receiver.spans["foreign"].span_id
    assert values(receiver.spans["read"].attributes)["tollbook.feature"] == "search"
    assert "tollbook.cpu.time" in values(receiver.spans["foreign"].attributes)
    assert receiver.span_resource["service.name"] == "own"
    assert receiver.span_resource["host.name"] == "kept"
    assert receiver.span_resource["tollbook.team"] == "platform"
    assert "host.id" in receiver.span_resource


def test_an_endpoint_that_is_named_adds_an_exporter_to_the_applications_provider(tmp_path: Path, receiver: Receiver) -> None:
    app = f"""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    import tollbook

    trace.set_tracer_provider(TracerProvider())
    tollbook.configure(service_name="checkout", endpoint={receiver.endpoint!r})
    {WORK}
    """
    run(tmp_path, app)
    assert set(receiver.spans) == {"intake", "read", "inference tiny"}
    assert receiver.span_resource["service.name"] == "checkout"
    assert receiver.metric_resource == receiver.span_resource


@pytest.mark.parametrize("configures", [True, False])
def test_it_works_under_opentelemetry_instrument(tmp_path: Path, receiver: Receiver, configures: bool) -> None:
    app = f"""
    import tollbook
    if {configures}:
        tollbook.configure(team="platform")
    {WORK}
    """
    run(
        tmp_path,
        app,
        *instrument(tmp_path),
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_SERVICE_NAME="launched",
        OTEL_LOGS_EXPORTER="none",
    )
    assert set(receiver.spans) == {"intake", "read", "inference tiny"}
    assert receiver.span_resource["service.name"] == "launched"
    assert values(receiver.spans["read"].attributes)["tollbook.team"] == "documents"
    if configures:
        assert "host.id" in receiver.span_resource
        assert "process.cpu.time" in receiver.measured


def test_opentelemetry_instrument_alone_sees_onnxruntime(tmp_path: Path, receiver: Receiver) -> None:
    pytest.importorskip("magika")
    app = """
    import magika
    assert magika.Magika().identify_bytes(b"import os\\n\\n\\nprint(os.name)\\n" * 20).output.label == "python"
    """
    run(
        tmp_path,
        app,
        *instrument(tmp_path),
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    said = [values(span.attributes) for span in receiver.spans.values()]
    (run_of_model,) = (attributes for attributes in said if attributes.get("gen_ai.operation.name") == "inference")
    assert run_of_model["gen_ai.provider.name"] == "onnxruntime"


def test_auto_turns_on_what_is_installed(tmp_path: Path, receiver: Receiver) -> None:
    pytest.importorskip("onnxruntime")
    app = f"""
    import sys, tollbook
    tollbook.configure(endpoint={receiver.endpoint!r})
    assert "tollbook_onnxruntime" in tollbook.auto()
    assert "tollbook_onnxruntime" in tollbook.auto()
    assert "onnxruntime" not in sys.modules
    """
    run(tmp_path, app)
    run(tmp_path, "import tollbook\nassert tollbook.auto() == []\n", OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="*")


def test_a_disabled_sdk_does_nothing(tmp_path: Path, receiver: Receiver) -> None:
    app = f"""
    import sys, tollbook
    tollbook.configure(endpoint={receiver.endpoint!r})
    {WORK}
    assert "opentelemetry.sdk.trace" not in sys.modules
    """
    run(tmp_path, app, OTEL_SDK_DISABLED="true")
    assert receiver.traces == receiver.metrics == []


def test_exporters_can_be_turned_off(tmp_path: Path, receiver: Receiver) -> None:
    app = f"import tollbook\ntollbook.configure()\n{textwrap.dedent(WORK)}"
    run(
        tmp_path,
        app,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_TRACES_EXPORTER="none",
        OTEL_METRICS_EXPORTER="none",
    )
    assert receiver.traces == receiver.metrics == []


def test_an_absent_collector_costs_two_lines_and_a_short_wait(tmp_path: Path) -> None:
    app = f"""
    import time, tollbook
    tollbook.configure(endpoint="http://127.0.0.1:9", metrics=False)
    {WORK}
    started = time.monotonic()
    assert tollbook.flush(timeout_s=0.5) is False
    assert time.monotonic() - started < 2
    print("done at", time.time())
    """
    said, complained = run_to_the_end(tmp_path, app)
    assert time.time() - float(said.split()[-1]) < 6
    assert complained == (
        "tollbook cannot deliver to http://127.0.0.1:9/v1/traces (ConnectionError); spans wait until it can\n"
        "tollbook ends with 3 spans undelivered to http://127.0.0.1:9/v1/traces\n"
    )


def test_a_collector_that_never_answers_costs_a_short_wait_at_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        app = f"""
        import time, tollbook
        tollbook.configure(endpoint="http://127.0.0.1:{deaf.getsockname()[1]}")
        {textwrap.indent(textwrap.dedent(WORK), " " * 8).strip()}
        print(time.time())
        """
        said, complained = run_to_the_end(tmp_path, app)
        assert time.time() - float(said) < 8
    assert "tollbook ends with spans or metrics undelivered to http://127.0.0.1" in complained


def test_flush_says_that_all_was_delivered(tmp_path: Path, receiver: Receiver) -> None:
    app = f"""
    import tollbook
    tollbook.configure(endpoint={receiver.endpoint!r})
    {WORK}
    assert tollbook.flush() is True
    """
    run(tmp_path, app)
    assert set(receiver.spans) == {"intake", "read", "inference tiny"}


def test_it_can_be_shut_down_and_configured_again(tmp_path: Path, receiver: Receiver) -> None:
    app = f"""
    import tollbook
    for name in ("first", "second"):
        tollbook.configure(service_name=name, endpoint={receiver.endpoint!r})
        with tollbook.request(name):
            pass
        tollbook.shutdown()
    with tollbook.request("after"):
        pass
    """
    run(tmp_path, app)
    services = {
        span.name: values(resource.resource.attributes)["service.name"]
        for request in receiver.traces
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert services == {"first": "first", "second": "second"}


def test_a_forked_child_is_a_process_of_its_own(tmp_path: Path, receiver: Receiver) -> None:
    app = f"""
    import os, tollbook
    tollbook.configure(service_name="forking", endpoint={receiver.endpoint!r})
    with tollbook.request("parent"):
        pass
    tollbook.flush()
    child = os.fork()
    with tollbook.request("child" if child == 0 else "parent again"):
        pass
    tollbook.flush()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    """
    run(tmp_path, app, PYTHONWARNINGS="ignore::DeprecationWarning")  # Python 3.12 warns of forking beside threads
    pids = {
        span.name: values(resource.resource.attributes)["process.pid"]
        for request in receiver.traces
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert pids["parent"] == pids["parent again"] != pids["child"]


def test_workers_of_multiprocessing_send_what_they_did(tmp_path: Path, receiver: Receiver) -> None:
    app = f"""
    import multiprocessing, tollbook

    @tollbook.request
    def work(number):
        return number * 2

    if __name__ == "__main__":
        tollbook.configure(endpoint={receiver.endpoint!r}, metrics=False)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(work, range(4), chunksize=1) == [0, 2, 4, 6]
            pool.close()
            pool.join()
    """
    run(tmp_path, app)
    sent = [span for request in receiver.traces for r in request.resource_spans for s in r.scope_spans for span in s.spans]
    assert [span.name for span in sent] == ["work"] * 4


HEAVY = {
    "asyncio", "chdb", "clickhouse_connect", "fastapi", "google.protobuf", "grpc", "numpy", "onnxruntime",
    "opentelemetry.exporter", "opentelemetry.instrumentation", "opentelemetry.sdk", "pandas", "requests", "streamlit",
    "wrapt",
}  # fmt: skip


def test_importing_tollbook_loads_nothing_heavy(tmp_path: Path) -> None:
    app = f"""
    import sys, tollbook
    print(sorted(set(sys.modules) & {HEAVY!r}))
    """
    assert run(tmp_path, app) == "[]\n"


def test_calls_without_a_configuration_load_nothing_heavy_either(tmp_path: Path) -> None:
    app = f"""
    import sys, tollbook
    {WORK}
    print(sorted(set(sys.modules) & {HEAVY!r}))
    """
    assert run(tmp_path, app) == "[]\n"
