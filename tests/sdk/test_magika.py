"""`magika`, a program of others, unmodified: under `tollbook-instrument` its inferences, its file reads and their ages arrive."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.served import served

MODIFIED_NS = (1_700_000_000_123_000_000, 1_710_000_000_456_000_000)
FILES = {
    "plan.md": b"# Plan\n\nWhat we do next, in *three* steps.\n" * 20,
    "main.py": b"import os\n\n\ndef main():\n    print(os.name)\n" * 20,
}


def test_magika_is_seen_with_the_ages_of_its_files(tmp_path: Path) -> None:
    pytest.importorskip("magika")
    bin_ = Path(sys.executable).parent
    instrument = shutil.which("tollbook-instrument", path=str(bin_))
    if instrument is None:
        pytest.skip("tollbook-instrument is not installed: run uv pip install -e . once more")
    folder = tmp_path / "documents"
    folder.mkdir()
    for (name, content), modified_ns in zip(FILES.items(), MODIFIED_NS, strict=True):
        (folder / name).write_bytes(content)
        os.utime(folder / name, ns=(modified_ns, modified_ns))
    with served(tmp_path / "data") as server:
        program = ["-m", "magika.cli.magika_client", "--json"]  # the `magika` beside it is compiled from Rust, not Python
        command = [instrument, "--endpoint", server.url, *program, *(str(folder / name) for name in FILES)]
        environment = {key: value for key, value in os.environ.items() if key != "TOLLBOOK_STRICT"}
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environment)
        labels = [answer["prediction"]["output"]["label"] for answer in json.loads(ran.stdout)]
        assert labels == ["markdown", "python"]
        reads = server.rows(
            "SELECT asset_id, asset_event_time_ns, handoff_bytes, handoff_source, handoff_network FROM spans"
            " WHERE name = 'read file' ORDER BY asset_event_time_ns",
            count=2,
        )
        assert [row["asset_id"] for row in reads] == [(folder / name).as_uri() for name in FILES]
        assert [int(row["asset_event_time_ns"]) for row in reads] == [*MODIFIED_NS]
        assert [int(row["handoff_bytes"]) for row in reads] == [
            2 * len(content) for content in FILES.values()
        ]  # it reads both ends
        assert {(row["handoff_source"], row["handoff_network"]) for row in reads} == {("file", "local_disk")}
        inferences = server.rows(
            "SELECT request_model, input_asset_ids, input_event_time_oldest_ns, input_event_time_newest_ns, batch_size FROM spans"
            " WHERE tollbook_kind = 'inference'",
            count=1,
        )
    (inference,) = inferences
    assert inference["input_asset_ids"] == [(folder / name).as_uri() for name in FILES]
    assert int(inference["input_event_time_oldest_ns"]) == MODIFIED_NS[0]
    assert int(inference["input_event_time_newest_ns"]) == MODIFIED_NS[1]
