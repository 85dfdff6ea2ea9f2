"""The SDK's README is true: its examples run, and its names exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import tollbook
from tollbook.testing import Captured
from tollbook_schema import attributes

README = (Path(__file__).parents[2] / "instrumentation" / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def run(example: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(tollbook, "configure", lambda **_settings: None)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, "README.md", "exec"), names)
    return names


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_runs(captured: Captured, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    run(EXAMPLES[number], monkeypatch)


def test_the_first_example_captures_what_the_page_says(
    captured: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "page.txt"
    page.write_text("hello")
    assert run(EXAMPLES[0], monkeypatch)["intake"](page) == "text"
    assert captured.names == ["read", "inference page-kinds", "document-intake"]
    assert captured.attributes("read")["tollbook.handoff.size"] == 5
    model_call = captured.attributes("inference page-kinds")
    assert model_call["tollbook.input.asset.ids"] == (page.as_uri(),)
    assert model_call["tollbook.input.event_time.oldest"] == page.stat().st_mtime_ns
    assert model_call["tollbook.feature"] == "upload"


def test_every_attribute_in_the_table_is_in_the_vocabulary() -> None:
    table = README.partition("## What is captured")[2].partition("## CPU time")[0].partition("Metrics")[0]
    rows = [row for row in table.splitlines() if row.startswith("|")][2:]
    named = {name for row in rows for name in re.findall(r"`([\w.]+)`", row.rsplit("|", 2)[1])}
    known = {value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}
    assert len(named) > 50
    assert named <= known
