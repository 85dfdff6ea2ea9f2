"""The same spans from unmodified Python and Node SDKs, over every transport: identical rows."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.served import Served, served

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / ".tools"
"""Where the clients' own environments are kept between runs; not part of the tree."""

ROWS = """
SELECT
    lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, lower(hex(parent_span_id)) AS parent, name,
    toString(kind) AS kind, toString(toUnixTimestamp64Nano(start_time)) AS start_ns, duration_ns, toString(status_code) AS status,
    status_message, scope_name, scope_version, resource, service_name, environment, team, http_route, operation_name,
    provider_name, request_model, input_tokens, output_tokens, finish_reasons, toString(mapSort(attributes)) AS rest,
    toString(mapSort(attribute_types)) AS types, `events.name` AS events, toString(`events.attributes`) AS event_attributes
FROM spans WHERE trace_id = unhex('{trace_id}') ORDER BY start_time
"""


@pytest.fixture(scope="module")
def node_client() -> list[str]:
    """Command of the Node client, its packages installed."""
    if not shutil.which("npm"):
        pytest.skip("no npm on this machine")
    folder = TOOLS / "node-client"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "send.mjs"):
        shutil.copy(HERE / name, folder / name)
    if not (folder / "node_modules" / "@opentelemetry").is_dir():
        install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
        installed = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        if installed.returncode:
            pytest.skip(f"npm cannot install the Node SDK here: {installed.stderr[-300:]}")
    return ["node", str(folder / "send.mjs")]


@pytest.fixture(scope="module")
def python_json_client() -> list[str]:
    """Command of the Python client with the OTLP/JSON exporter, which needs an environment of its own."""
    folder = TOOLS / "python-json-client"
    python = folder / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if uv is None:
            pytest.skip("no uv on this machine")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True, timeout=120)
        packages = ["opentelemetry-sdk==1.45.1", "opentelemetry-exporter-otlp-json-http==0.66b1"]
        install = [uv, "pip", "install", "-q", "--python", str(python), *packages]
        installed = subprocess.run(install, capture_output=True, text=True, check=False, timeout=300)
        if installed.returncode:
            shutil.rmtree(folder)
            pytest.skip(f"the OTLP/JSON exporter cannot be installed here: {installed.stderr[-300:]}")
    return [str(python), str(HERE / "send.py")]


PYTHON_CLIENT = [sys.executable, str(HERE / "send.py")]


def rows_of(server: Served, folder: Path, command: list[str], transport: str, number: int) -> list[dict[str, Any]]:
    """Sends the spans as a trace of their own and reads them back without its id, which was checked."""
    given = json.loads((HERE / "spans.json").read_text())
    given["trace_id"] = f"{number + 1:032x}"
    file = folder / f"{number}.json"
    file.write_text(json.dumps(given))
    endpoint = f"http://127.0.0.1:{server.grpc_port}" if transport == "grpc" else server.url
    sent = subprocess.run([*command, transport, endpoint, str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert sent.returncode == 0, sent.stderr
    rows = server.rows(ROWS.format(trace_id=given["trace_id"]), count=2)
    assert {row.pop("trace") for row in rows} == {given["trace_id"]}
    return rows


def test_python_and_node_over_every_transport_give_identical_rows(
    tmp_path: Path, node_client: list[str], python_json_client: list[str]
) -> None:
    runs = [
        (PYTHON_CLIENT, "http/protobuf"),
        (PYTHON_CLIENT, "grpc"),
        (python_json_client, "http/json"),
        (node_client, "http/protobuf"),
        (node_client, "http/json"),
        (node_client, "grpc"),
    ]
    with served(tmp_path / "data") as server:
        found = [rows_of(server, tmp_path, client, transport, number) for number, (client, transport) in enumerate(runs)]
    assert [row["name"] for row in found[0]] == ["answer", "chat gpt-4o"]
    assert (found[0][1]["input_tokens"], found[0][1]["finish_reasons"]) == (1117, ["stop"])
    assert json.loads(found[0][0]["resource"])["replicas"] == 3
    for (client, transport), rows in zip(runs, found, strict=True):
        assert rows == found[0], (client, transport)
