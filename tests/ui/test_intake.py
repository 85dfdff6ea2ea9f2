"""What the intake tells people: in `tollbook doctor` and its exit status, and on every page while something needs them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tollbook_collector import segment as segments
from tollbook_collector.collector import Collector
from tollbook_collector.dead import Graves
from tollbook_collector.disk import DISK
from tollbook_collector.folder import Segment
from tollbook_collector.settings import Settings
from tollbook_schema.store import Store
from tollbook_ui import intake
from tollbook_ui.answers import Answers
from tollbook_ui.cli import app
from typer.testing import CliRunner

from tests.collector.conftest import trace_request
from tests.dashboard.conftest import _served, _shown, words

OPENED_NS = 1_795_325_799_000_000_000


def bury(data: Path, reason: str = "27. DB::Exception: not for any table") -> None:
    """Sets one record aside, as the loader does."""
    body = trace_request(first=1).SerializeToString()
    digest = segments.digest("traces", "acme", body)
    path = data / "spool" / f"traces-{OPENED_NS:020d}-000000001.otlp"
    framed = segments.frame(len(body), digest, 1, "acme") + body
    Graves(data / "spool", DISK).bury(Segment("traces", OPENED_NS, 1, path), digest, framed, reason)


def doctor(data: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["doctor", "--data", str(data), *options])
    return result.exit_code, result.stdout


def test_a_doctor_who_finds_nothing_urgent_exits_with_zero(tmp_path: Path) -> None:
    status, said = doctor(tmp_path)
    assert (status, "Nothing to see to." in said) == (0, True)
    assert "0 segments, 0 B wait for the store; 0 records and 0 damaged stretches set aside" in said
    assert "no collector runs" in said


def test_a_record_that_was_set_aside_is_told_with_its_remedy_and_the_exit_status(tmp_path: Path) -> None:
    bury(tmp_path)
    status, said = doctor(tmp_path)
    assert status == 1
    assert "1 record could not be stored; the newest: 27. DB::Exception: not for any table" in said
    assert "tollbook dead retry --all" in said
    found = json.loads(doctor(tmp_path, "--format", "json")[1])
    assert [row["urgent"] for row in found["rows"]] == [True]
    assert found["intake"]["spool"]["dead"] == 1


def test_damage_on_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool" / "damaged").mkdir(parents=True)
    (tmp_path / "spool" / "damaged" / "traces-1-1-0.bin").write_bytes(b"x")
    status, said = doctor(tmp_path)
    assert (status, "1 stretch of the spool did not survive on disk" in said) == (1, True)


def test_what_waits_without_a_collector_is_no_emergency(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / f"traces-{OPENED_NS:020d}-000000001.otlp").write_bytes(b"x" * 2048)
    found = intake.look(tmp_path / "spool")
    assert (found.spool.segments, found.spool.bytes, found.urgent) == (1, 2048, ())
    assert found.rows[0].remedy == "start tollbook up, which loads it"


def test_a_collector_tells_what_it_turned_away_and_what_troubles_it(store: Store, tmp_path: Path) -> None:
    collector = Collector(store, tmp_path / "spool", Settings(spool_max_bytes=100))
    for name, amount, labels in (
        ("rejected_total", 3, {}),
        ("repaired_total", 1, {}),
        ("refused_total", 2, {"reason": "too_large"}),
    ):
        collector.counters.add(name, amount, **labels)
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / f"traces-{OPENED_NS:020d}-000000001.otlp").write_bytes(b"x" * 90)
    found = intake.look(tmp_path / "spool", collector)
    assert [row.matter.split(";")[0] for row in found.rows] == [
        "the collector has trouble: the collector is not running",
        "the spool is 90% full",
        *(row.matter.split(";")[0] for row in found.urgent[2:]),
        "3 records of senders could never be stored and were rejected",
        "1 record held text that is not UTF-8",
        "requests were refused: 2 too large",
    ]
    assert found.counted is not None
    assert found.counted.refused == {"too_large": 2}
    assert [row.urgent for row in found.rows] == [True, True, True, False, False, False]


@pytest.fixture
def look(store: Store) -> Iterator[None]:
    yield from (None for _ in _served(Answers(store)))
    intake.set_current(None)


def test_a_page_tells_what_needs_a_person_and_nothing_while_all_is_well(look: None, tmp_path: Path) -> None:
    intake.set_current(lambda: replace(intake.look(tmp_path / "spool"), trouble=""))
    assert "The intake needs you" not in words(_page())
    bury(tmp_path, reason="<b>not</b> for any table")
    page = words(_page())
    assert "The intake needs you" in page
    assert "1 record could not be stored; the newest: &lt;b&gt;not&lt;/b&gt; for any table. To do: tollbook dead list" in page


def _page() -> AppTest:
    page = _shown("overview")
    assert not page.exception
    return page
