"""Several collectors on one server, or on a cluster: each body once, whichever collectors hold it and whenever they die."""

import struct
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tollbook_collector import segment as segments
from tollbook_collector import sharing
from tollbook_collector.folder import token
from tollbook_collector.sharing import PartlyStoredError, SharedStore
from tollbook_schema.store import Store, StoreError, StoreUnavailableError

from tests.clickhouse_server import CLUSTER, Server, clickhouse_cluster, clickhouse_server, cluster_url
from tests.collector.conftest import trace_request

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clickhouse_server(tmp_path_factory.mktemp("server")) as url:
        yield url.removesuffix("default")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    with clickhouse_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture(params=["server", "cluster"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    database = f"t_{uuid.uuid4().hex}"
    if request.param == "server":
        store = Store.open(url=request.getfixturevalue("server_url") + database)
    else:
        store = Store.open(url=cluster_url(request.getfixturevalue("nodes"), database), cluster=CLUSTER)
    store.migrate()
    yield store
    store.close()


def segment_of(folder: Path, *bodies: bytes) -> Path:
    """A segment as a collector's spool writes it, of a collector of its own."""
    content = b""
    for body in bodies:
        content += segments.frame(len(body), segments.digest("traces", "default", body), 1, "default") + body
    path = folder / f"traces-{uuid.uuid4().int % 10**20:020d}-000001.otlp"
    path.write_bytes(content)
    return path


def body(number: int) -> bytes:
    return trace_request(first=number).SerializeToString()


def load(store: Store | SharedStore, segment: Path) -> None:
    digests = b"".join(frame.digest for frame in segments.frames(segments.InMemory(segment.read_bytes())))
    store.load("spans", segment, token("traces", digests), NOW)


def stored(store: Store) -> list[int]:
    return [int(row["s"], 16) for row in store.query("SELECT hex(span_id) AS s FROM spans ORDER BY s")]


def test_a_body_that_two_collectors_were_sent_is_stored_once(store: Store, tmp_path: Path) -> None:
    first, second = segment_of(tmp_path, body(1), body(2)), segment_of(tmp_path, body(2), body(3))
    load(SharedStore(store), first)
    load(SharedStore(store), second)
    assert stored(store) == [1, 2, 3]


def test_a_segment_loaded_again_after_a_kill_changes_nothing(store: Store, tmp_path: Path) -> None:
    segment = segment_of(tmp_path, body(1), body(2))
    for _ in range(3):
        load(SharedStore(store), segment)
    assert stored(store) == [1, 2]


def test_a_collector_killed_before_it_says_stored_stores_nothing_twice(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, others = segment_of(tmp_path, body(1), body(2)), segment_of(tmp_path, body(2))
    with monkeypatch.context() as killed:
        killed.setattr(sharing, "STORED", 1)  # the mark that follows the INSERT never comes
        load(SharedStore(store), mine)
    with pytest.raises(PartlyStoredError, match="1 bodies are about to be stored by another collector") as waits:
        load(SharedStore(store), others)
    assert waits.value.trouble == ""
    load(SharedStore(store), mine)
    load(SharedStore(store), others)
    assert stored(store) == [1, 2]


def test_what_a_lost_collector_claimed_is_stored_by_another(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, kept = segment_of(tmp_path, body(1), body(2)), segment_of(tmp_path, body(2), body(3))
    with monkeypatch.context() as killed:
        killed.setattr(store, "load_content", unreachable)
        with pytest.raises(StoreUnavailableError):
            load(SharedStore(store), lost)
    with pytest.raises(PartlyStoredError):
        load(SharedStore(store), kept)
    assert stored(store) == [3]
    age_claims(store)
    load(SharedStore(store), kept)
    assert stored(store) == [2, 3]
    load(SharedStore(store), lost)  # found again after all
    assert stored(store) == [1, 2, 3]


def unreachable(*_: object) -> None:
    raise StoreUnavailableError("connection refused")


def age_claims(store: Store) -> None:
    """Two hours pass for the claims there are."""
    for number in range(store.shards):
        store.shard(number).command(
            "ALTER TABLE body_claims UPDATE claimed_at = claimed_at - 7200 WHERE true SETTINGS mutations_sync = 1"
        )


def test_collectors_that_load_at_the_same_time_share_the_bodies(store: Store, tmp_path: Path) -> None:
    rounds, bodies = 5, 40
    for turn in range(rounds):
        sent = [body(turn * bodies + number) for number in range(1, bodies + 1)]
        pieces = [segment_of(tmp_path, *sent[: 3 * bodies // 4]), segment_of(tmp_path, *sent[bodies // 4 :])]
        with ThreadPoolExecutor(2) as pool:
            collectors = [pool.submit(load_until_stored, store, piece) for piece in pieces]
            for collector in collectors:
                collector.result(60)
    assert stored(store) == list(range(1, rounds * bodies + 1))


def load_until_stored(store: Store, segment: Path) -> None:
    collector = SharedStore(store)
    while True:
        try:
            return load(collector, segment)
        except PartlyStoredError:
            pass


def test_a_body_that_cannot_be_stored_is_nobodys(store: Store, tmp_path: Path) -> None:
    request = trace_request(first=1)
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"\x01" * 17
    bad = request.SerializeToString()
    for _ in range(2):
        with pytest.raises(StoreError, match="too long") as refused:
            load(SharedStore(store), segment_of(tmp_path, bad))
        assert not isinstance(refused.value, StoreUnavailableError)


def test_a_node_that_is_away_keeps_only_its_own_bodies_waiting(tmp_path: Path) -> None:
    with clickhouse_cluster(tmp_path / "nodes") as nodes:
        store = Store.open(url=cluster_url(nodes), cluster=CLUSTER)
        store.migrate()
        collector = SharedStore(store)
        segment = segment_of(tmp_path, *(body(number) for number in range(1, 21)))
        nodes[1].kill()
        with pytest.raises(PartlyStoredError) as partly:
            load(collector, segment)
        assert partly.value.trouble
        here = store.shard(0).query("SELECT count() AS n FROM spans_local")[0]["n"]
        assert 0 < here < 20
        nodes[1].start(nodes)
        load(SharedStore(store), segment)
        assert stored(store) == list(range(1, 21))
        store.close()


def test_a_server_that_refuses_claims_is_waited_for_and_nothing_is_set_aside(store: Store, tmp_path: Path) -> None:
    segment = segment_of(tmp_path, body(1))
    for number in range(store.shards):
        store.shard(number).command("RENAME TABLE body_claims TO elsewhere")
    with pytest.raises(StoreUnavailableError, match="claims cannot be kept"):
        load(SharedStore(store), segment)
    for number in range(store.shards):
        store.shard(number).command("RENAME TABLE elsewhere TO body_claims")
    load(SharedStore(store), segment)
    assert stored(store) == [1]


def test_what_is_no_segment_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "traces-1-1.otlp"
    path.write_bytes(struct.pack("<Q", 7))
    with pytest.raises(StoreError, match="no frame at byte 0"):
        load(SharedStore(store), path)
