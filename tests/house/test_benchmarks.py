"""The benchmark measures what it says it measures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks import peers
from benchmarks.figures import Line, Series
from benchmarks.payload import SHAPES, Payload, ShapeName
from benchmarks.watch import parts_and_merges

END_NS = 1_795_331_042_000_000_000
ROOT = Path(__file__).resolve().parents[2]


def spans_of(content: bytes | bytearray) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(bytes(content))
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def tokens_of(spans: list[Span]) -> list[int]:
    attributes = [attribute for span in spans for attribute in span.attributes]
    return [attribute.value.int_value for attribute in attributes if attribute.key == "gen_ai.usage.input_tokens"]


@pytest.mark.parametrize(
    ("shape", "span_attributes", "resource_attributes", "bytes_per_span"),
    [("loadgen", 1, 1, 121), ("genai", 17, 11, 716), ("genai_msg", 19, 11, 3_500)],
)
def test_a_body_has_the_shape_that_the_protocol_names(
    shape: ShapeName, span_attributes: int, resource_attributes: int, bytes_per_span: int
) -> None:
    body = Payload(1, shape).body(END_NS)
    request = ExportTraceServiceRequest.FromString(bytes(body.content))
    assert len(request.resource_spans[0].resource.attributes) == resource_attributes
    assert {len(span.attributes) for span in spans_of(body.content)} == {span_attributes}
    assert body.spans == len(spans_of(body.content)) == 512
    assert len(body.content) / 512 == pytest.approx(bytes_per_span, rel=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_ids_never_repeat_and_tokens_are_counted(shape: ShapeName) -> None:
    payload = Payload(1, shape)
    bodies = payload.bodies(20, END_NS)
    spans = [span for body in bodies for span in spans_of(body.content)]
    again = [span for body in bodies for span in spans_of(payload.renew(body, END_NS).content)]
    assert len({span.span_id for span in [*spans, *again]}) == 2 * 20 * 512
    assert not {span.trace_id for span in spans} & {span.trace_id for span in again}
    assert sum(tokens_of(spans)) == sum(tokens_of(again)) == sum(body.input_tokens for body in bodies)


def test_the_spans_of_a_trace_share_a_parent_and_no_trace_spans_bodies() -> None:
    spans = spans_of(Payload(1).body(END_NS).content)
    parents = {(span.trace_id, span.parent_span_id) for span in spans}
    assert len(parents) == len({span.trace_id for span in spans})
    assert 90 < len(parents) < 140


def test_bodies_do_not_repeat_each_other() -> None:
    first, second = (spans_of(body.content) for body in Payload(1).bodies(2, END_NS))
    assert tokens_of(first) != tokens_of(second)
    assert [span.name for span in first] != [span.name for span in second]


def test_the_same_seed_gives_the_same_bodies() -> None:
    assert Payload(7, "genai_msg").body(END_NS).content == Payload(7, "genai_msg").body(END_NS).content


def test_spans_end_evenly_over_the_time_before_the_body() -> None:
    ends = [span.end_time_unix_nano for span in spans_of(Payload(seed=1, spans_per_body=3).body(END_NS, spread_ns=200).content)]
    assert ends == [END_NS - 200, END_NS - 100, END_NS]


def test_a_line_is_its_median_round_against_a_bound() -> None:
    assert Line("", "ingest", "spans/s", Series((70_000, 50_000, 90_000)), rule="at least", target=60_000).met
    assert not Line("", "start", "s", Series((3.0, 5.0, 4.5)), rule="at most", target=4).met


def test_a_line_against_a_peer_is_the_ratio_of_medians() -> None:
    line = Line(
        "1", "genai, per core", "spans/CPU s", Series((90, 100, 120)), "rotel", Series((50, 40, 30)), "", "times at least", 2.5
    )
    assert (line.ratio, line.met) == (2.5, True)
    assert (
        str(line)
        == "| 1 | genai, per core, spans/CPU s | **100** (90 to 120) | rotel | **40** (30 to 50) | 2.50x | ≥ 2.50x | met |"
    )


def test_nothing_is_won_against_a_peer_that_is_missing() -> None:
    line = Line("1", "genai", "spans/s", Series((100,)), "rotel", None, "no network", "times at least", 2.5)
    assert line.met is None
    assert "missing: no network" in str(line)
    assert "met" not in str(line)


def test_parts_that_were_merged_into_another_are_not_active(tmp_path: Path) -> None:
    folder = tmp_path / "clickhouse" / "data" / "default" / "spans"
    for name in ("20261122_1_4_1", "20261122_2_2_0", "20261122_5_5_0", "20261121_5_5_0", "tmp_merge_20261122_1_5_2", "detached"):
        (folder / name).mkdir(parents=True)
    assert parts_and_merges(tmp_path) == (3, 1)


@pytest.mark.parametrize("name", peers.PACKAGES)
def test_peers_are_pinned_to_exact_versions_with_hashes(name: peers.PeerName) -> None:
    text = (peers.REQUIREMENTS / f"{name}.txt").read_text()
    pins = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert all("==" in pin for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text
    assert re.fullmatch(r"[\w.]+", peers.version(name))


def test_a_peer_that_cannot_be_installed_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rotel.txt").write_text("rotel==0.0.0 --hash=sha256:" + 64 * "0")
    monkeypatch.setattr(peers, "REQUIREMENTS", tmp_path)
    monkeypatch.setattr(peers, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(peers, "_run", _failing)
    with pytest.raises(peers.PeerMissingError, match="no network"):
        peers.rotel_agent()


@pytest.mark.slow
def test_a_slice_of_the_benchmark_runs() -> None:
    """Seconds of ours and of rotel; its figures mean nothing, it shows that the harness works."""
    only = ["--quick", "--only", "import", "ingest", "--programs", "tollbook", "rotel", "--shapes", "genai"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *only], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "| 1 | genai, per core, spans/CPU s |" in done.stdout
    assert "round 1: tollbook, genai: 20,480 spans" in done.stdout


def _failing(*_arguments: str, python: str) -> None:
    raise peers.PeerMissingError("no network")
