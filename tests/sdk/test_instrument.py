"""`tollbook-instrument`: programs that know nothing of Tollbook, their child processes, and what is said when it cannot be."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tollbook import instrument, program
from tollbook.instrument import InstrumentError
from tollbook.integrations import Seen, listing

from tests.processes import ended
from tests.sdk.receiver import Receiver, values

ASK = """
    import sqlite3

    database = sqlite3.connect(":memory:")
    database.cursor().execute("SELECT 1")
    database.close()
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(textwrap.dedent(text))
    return file


OURS = (sys.executable, "-m", "tollbook.instrument", "--no-metrics", "--only", "sqlite3")


def started(receiver: Receiver, command: Sequence[str | Path], **environment: str) -> "subprocess.Popen[str]":
    """A command on its way, in a clean environment."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOLLBOOK_", "PYTHONPATH"))}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, "TOLLBOOK_STRICT": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, **environment},
    )


def all_spans(receiver: Receiver) -> list[tuple[str, Span]]:
    """Service and span of all that came."""
    return [
        (values(resource.resource.attributes)["service.name"], span)
        for request in receiver.traces
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_a_program_and_its_children_are_one_request(tmp_path: Path, receiver: Receiver) -> None:
    written(tmp_path, "sitecustomize.py", "import os\nos.environ['SITE'] = 'customized'\n")
    child = written(tmp_path, "child.py", ASK)
    app = written(
        tmp_path,
        "score.py",
        f"""
        import os, subprocess, sys
        exec(open({str(child)!r}).read())
        subprocess.run([sys.executable, {str(child)!r}], check=True)
        print(os.environ["SITE"], sys.argv[1:])
        sys.exit(7)
        """,
    )
    command = [*OURS, "--team", "risk", "--request", "nightly", "python", app, "--team", "x"]
    with ended(started(receiver, command, PYTHONPATH=str(tmp_path))) as process:
        said, complained = process.communicate(timeout=60)
    assert (said, complained, process.returncode) == ("customized ['--team', 'x']\n", "", 7)
    spans = all_spans(receiver)
    assert sorted((service, span.name) for service, span in spans) == [
        ("score", "SELECT"),
        ("score", "SELECT"),
        ("score", "nightly"),
    ]
    (request,) = (span for _service, span in spans if span.name == "nightly")
    assert {span.trace_id for _service, span in spans} == {request.trace_id}
    assert {span.parent_span_id for _service, span in spans} == {request.span_id, b""}
    attributes = values(request.attributes)
    del attributes["tollbook.cpu.time"]
    assert attributes == {"tollbook.kind": "request", "gen_ai.workflow.name": "nightly"}
    assert {values(span.attributes).get("gen_ai.workflow.name") for _service, span in spans} == {"nightly"}


def test_what_a_program_does_not_use_is_not_loaded(receiver: Receiver) -> None:
    heavy = "aiohttp", "botocore", "fastapi", "grpc", "httpx", "kafka", "openai", "redis", "sqlalchemy"
    line = f"import sys; print([name for name in {heavy} if name in sys.modules])"
    command = [sys.executable, "-m", "tollbook.instrument", "--no-metrics", "python", "-c", line]
    with ended(started(receiver, command)) as process:
        said, complained = process.communicate(timeout=60)
    assert (said, complained) == ("[]\n", "")


def test_a_program_that_is_terminated_has_sent_what_it_did(tmp_path: Path, receiver: Receiver) -> None:
    app = written(tmp_path, "serve.py", textwrap.dedent(ASK) + "import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    with ended(started(receiver, [*OURS, "--request", "all", app])) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
    spans = {span.name: values(span.attributes) for _service, span in all_spans(receiver)}
    assert set(spans) == {"SELECT", "all"}
    assert spans["all"]["error.type"] == "SIGTERM"


@pytest.mark.parametrize("first", ["tollbook", "opentelemetry"])
def test_nothing_is_seen_twice_beside_opentelemetrys_own_command(tmp_path: Path, receiver: Receiver, first: str) -> None:
    pytest.importorskip("opentelemetry.distro")
    starter = written(
        tmp_path, "opentelemetry_instrument.py", "from opentelemetry.instrumentation.auto_instrumentation import run\nrun()\n"
    )
    ours, theirs = (*OURS, "--team", "risk"), (sys.executable, str(starter))
    launchers = (*ours, *theirs) if first == "tollbook" else (*theirs, *ours)
    environment = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    others = {point.name for point in entry_points(group="opentelemetry_instrumentor")} - {"sqlite3"}
    environment["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = ",".join(others)
    command = [*launchers, sys.executable, written(tmp_path, "ask.py", ASK)]
    with ended(started(receiver, command, **environment)) as process:
        _said, complained = process.communicate(timeout=60)
    assert process.returncode == 0, complained
    assert [span.name for _service, span in all_spans(receiver)] == ["SELECT"]
    assert receiver.span_resource["tollbook.team"] == "risk"


def test_our_options_end_where_the_program_begins() -> None:
    parser = instrument._parser()
    options, rest = instrument.parsed(parser, ["--team", "a", "--without=redis", "-m", "uvicorn", "--team", "b"])
    assert (options.team, options.without, rest) == ("a", ["redis"], ["-m", "uvicorn", "--team", "b"])
    assert instrument.parsed(parser, ["--no-metrics", "--", "run", "--list"])[1] == ["run", "--list"]
    with pytest.raises(SystemExit):
        instrument.parsed(parser, ["--tema", "a", "x.py"])


@pytest.mark.parametrize(
    ("program_", "name"),
    [
        (["x/score.py", "--a"], "score"),
        (["python3", "-X", "dev", "-u", "score.py"], "score"),
        (["python", "-m", "magika.cli"], "magika.cli"),
        (["-m", "uvicorn", "app:app"], "uvicorn"),
        (["-c", "print()"], "python"),
        (["python"], "python"),
        (["/usr/local/bin/gunicorn", "app"], "gunicorn"),
    ],
)
def test_a_service_that_nobody_names_has_its_programs_name(program_: list[str], name: str) -> None:
    assert instrument._program_name(program_) == name


def test_a_name_in_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    options, rest = instrument.parsed(instrument._parser(), ["score.py"])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/a", instrument.STARTUP]))
    environment = instrument.environment(options, rest)
    assert program.Wish.read(environment[program.VARIABLE]).configure == {"service_name": "score"}
    assert environment["PYTHONPATH"] == os.pathsep.join([instrument.STARTUP, "/a"])
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=intake")
    assert instrument.environment(options, rest)[program.VARIABLE] == "{}"


def test_whose_python_runs_a_script_is_read_from_its_first_lines(tmp_path: Path) -> None:
    def asked(text: str) -> tuple[str, list[str]] | None:
        return instrument.interpreter(str(written(tmp_path, "script", text)))

    assert asked("#!/opt/venv/bin/python3.12 -I\n") == ("/opt/venv/bin/python3.12", ["-I"])
    assert asked('#!/bin/sh\n\'\'\'exec\' "/a b/bin/python" "$0" "$@"\n') is None, "a path with spaces is left to the shell"
    assert asked("#!/bin/sh\n'''exec' /long/bin/python \"$0\" \"$@\"\n") == ("/long/bin/python", [])
    assert asked("#!/usr/bin/env -S python-that-is-nowhere\n") is None
    assert asked("#!/bin/bash\n") is None
    assert asked("\x7fELF") is None


def test_what_cannot_be_run_is_said_with_the_status_of_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instrument, "_become", lambda command, _environment: len(command))
    data = written(tmp_path, "data.txt", "not a program")
    isolated = written(tmp_path, "isolated", f"#!{sys.executable} -I\n")
    elsewhere = written(tmp_path, "elsewhere", "#!/nowhere/bin/python3\n")
    for script in (isolated, elsewhere):
        script.chmod(0o755)
    expected = {
        ("no-such-program-anywhere",): (127, "there is no program no-such-program-anywhere"),
        (str(tmp_path / "gone.py"),): (127, "there is no file"),
        (str(data),): (126, "is not executable; if it is Python"),
        ("-m",): (2, "-m wants a module"),
        (): (2, "name a program to run"),
        (str(isolated),): (2, "runs isolated"),
        (sys.executable, "-I", "x.py"): (2, "runs isolated"),
        (str(elsewhere),): (127, "cannot be started"),
    }
    for arguments, (status, message) in expected.items():
        with pytest.raises(InstrumentError, match=message) as raised:
            instrument._run(arguments)
        assert raised.value.status == status
    capfd.readouterr()
    assert instrument._run(["sh", "-c", "true"]) == 3
    assert "sh is no Python program; only Python that it starts is seen" in capfd.readouterr().err


def test_what_is_seen_is_listed_with_the_reason_why_not() -> None:
    found = [Seen("redis", True, ""), Seen("tollbook_redis", True, ""), Seen("tollbook_faiss", False, "faiss is not installed")]
    assert listing(found) == (
        "redis  opentelemetry  on\nredis  tollbook       on\nfaiss  tollbook       off  faiss is not installed\n"
    )
