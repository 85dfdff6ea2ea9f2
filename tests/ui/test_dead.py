"""`tollbook dead`: what the store refused is seen with its reason, tried again or dropped, with a server and without."""

import json
from pathlib import Path

import pytest
from tollbook_collector import segment as segments
from tollbook_collector.dead import Graves
from tollbook_collector.disk import CLOCK, DISK
from tollbook_collector.folder import Segment
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool
from tollbook_ui.cli import app
from typer.testing import CliRunner, Result

from tests.collector.conftest import trace_request


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with two dead letters."""
    graves = Graves(tmp_path / "spool", DISK)
    for number in (1, 2):
        body = trace_request(first=number).SerializeToString()
        digest = segments.digest("traces", "acme", body)
        opened_ns = 1_795_325_799_000_000_000 + number
        segment = Segment("traces", opened_ns, number, tmp_path / "spool" / f"traces-{opened_ns:020d}-{number:09d}.otlp")
        graves.bury(segment, digest, segments.frame(len(body), digest, 1, "acme") + body, f"27. DB::Exception: number {number}")
    return tmp_path


def dead(data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["dead", *words, "--data", str(data)])


def names(data: Path) -> list[str]:
    return [row["name"] for row in json.loads(dead(data, "list", "--format", "json").stdout)]


def test_the_list_says_whose_they_are_and_why(data: Path) -> None:
    table = dead(data, "list").stdout
    assert "27. DB::Exception: number 1" in table
    assert "acme" in table
    assert "2026-11-22" in table
    assert [name.rpartition("-")[0][-9:] for name in names(data)] == ["000000001", "000000002"]


def test_one_is_shown_with_all_that_is_in_it(data: Path) -> None:
    shown = dead(data, "show", names(data)[1])
    assert shown.exit_code == 0
    reason, tenant, came, tree = shown.stdout.split("\n", 3)
    assert (reason, tenant) == ("reason: 27. DB::Exception: number 2", "tenant: acme")
    assert came.startswith("came:   2026-11-22 ")
    assert json.loads(tree)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "chat gpt-4o"


def test_one_that_cannot_be_read_is_shown_as_bytes(data: Path) -> None:
    (path, _) = sorted((data / "spool" / "dead").glob("*.otlp"))
    path.write_bytes(b"\xff\xff")
    assert '"bytes": "ffff"' in dead(data, "show", names(data)[0]).stdout


def test_what_is_tried_again_is_in_the_spool_of_the_next_collector(data: Path) -> None:
    tried = dead(data, "retry", "--all")
    assert (tried.exit_code, tried.stdout) == (0, "2 go to the store with the next: tollbook up.\n")
    assert names(data) == []
    spool = Spool(data / "spool", Settings(), disk=DISK, clock=CLOCK)
    taken = [spool.take(0), spool.take(0)]
    assert [segment.bodies for segment in taken if segment] == [1, 1]
    spool.close()


def test_what_is_dropped_is_gone(data: Path) -> None:
    assert dead(data, "drop", names(data)[0]).stdout == "Dropped 1.\n"
    assert len(names(data)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("retry",), "say which"),
        (("drop", "--all", "x"), "say which"),
        (("retry", "../lock"), "there is no dead letter ../lock; see: tollbook dead list"),
        (("show", "nothing"), "there is no dead letter nothing"),
    ],
)
def test_what_was_asked_wrongly_is_said_in_one_line(data: Path, words: tuple[str, ...], said: str) -> None:
    asked = dead(data, *words)
    assert asked.exit_code == 2
    assert said in asked.stderr


def test_a_folder_without_a_spool_has_none(tmp_path: Path) -> None:
    assert dead(tmp_path / "none", "list", "--format", "json").stdout == "[]\n"
