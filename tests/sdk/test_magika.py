"""`magika`, a program of others, unmodified: under `tollbook-instrument` its inferences, its file reads and their ages arrive."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.receiver import Receiver, values
from tests.served import served

CONTENT = {
    "plan.md": b"# Plan\n\nWhat we do next, in *three* steps.\n" * 20,
    "main.py": b"import os\n\n\ndef main():\n    print(os.name)\n" * 20,
}
MODIFIED_NS = {"plan.md": 1_700_000_000_123_000_000, "main.py": 1_710_000_000_456_000_000}


@pytest.fixture
def documents(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in CONTENT]
    for path in paths:
        path.write_bytes(CONTENT[path.name])
        os.utime(path, ns=(MODIFIED_NS[path.name],) * 2)
    return paths


def run(endpoint: str, documents: list[Path]) -> None:
    """Magika's own program, which knows nothing of Tollbook, on the documents."""
    pytest.importorskip("magika")
    instrument = shutil.which("tollbook-instrument", path=str(Path(sys.executable).parent))
    assert instrument is not None, "tollbook is installed without its commands"
    program = ["-m", "magika.cli.magika_client", "--json"]  # the `magika` beside it is compiled from Rust, not Python
    environment = {key: value for key, value in os.environ.items() if key != "TOLLBOOK_STRICT"}
    command = [instrument, "--endpoint", endpoint, *program, *map(str, documents)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environment)
    assert [answer["prediction"]["output"]["label"] for answer in json.loads(ran.stdout)] == ["markdown", "python"]


def test_magika_is_seen_with_the_ages_of_its_files(documents: list[Path]) -> None:
    with Receiver() as receiver:
        run(receiver.endpoint, documents)
        scopes = [scope for request in receiver.traces for told in request.resource_spans for scope in told.scope_spans]
        spans = [(span.name, values(span.attributes)) for scope in scopes for span in scope.spans]
    reads = {said["tollbook.asset.id"]: said for name, said in spans if name == "read file"}
    assert sorted(reads) == sorted(path.as_uri() for path in documents)
    for path in documents:
        said = reads[path.as_uri()]
        assert said["tollbook.asset.event_time"] == MODIFIED_NS[path.name]
        assert said["tollbook.handoff.size"] == 2 * len(CONTENT[path.name])  # it reads both ends
        assert said["tollbook.handoff.network"] == "local_disk"
    (inference,) = [said for _name, said in spans if said.get("tollbook.kind") == "inference"]
    assert inference["gen_ai.provider.name"] == "onnxruntime"
    assert inference["tollbook.inference.batch_size"] == 2
    assert list(inference["tollbook.input.asset.ids"]) == [path.as_uri() for path in documents]
    assert inference["tollbook.input.event_time.oldest"] == MODIFIED_NS["plan.md"]
    assert inference["tollbook.input.event_time.newest"] == MODIFIED_NS["main.py"]


@pytest.mark.long
def test_magika_is_in_the_store_of_a_live_server(documents: list[Path], tmp_path: Path) -> None:
    with served(tmp_path / "data") as server:
        run(server.url, documents)
        told = "SELECT asset_id, asset_event_time_ns FROM spans WHERE name = 'read file' ORDER BY asset_event_time_ns"
        reads = server.rows(told, count=2)
        assert [(row["asset_id"], int(row["asset_event_time_ns"])) for row in reads] == [
            (path.as_uri(), MODIFIED_NS[path.name]) for path in documents
        ]
        told = "SELECT input_asset_ids, input_event_time_oldest_ns FROM spans WHERE tollbook_kind = 'inference'"
        (inference,) = server.rows(told, count=1)
    assert inference["input_asset_ids"] == [path.as_uri() for path in documents]
    assert int(inference["input_event_time_oldest_ns"]) == MODIFIED_NS["plan.md"]
