"""usearch and faiss, real, and hnswlib's shape: searches are lookups in data of some age, what changes an index is a write."""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tollbook
from tollbook.integrations.faiss import FaissInstrumentor
from tollbook.integrations.hnswlib import HnswlibInstrumentor
from tollbook.integrations.usearch import UsearchInstrumentor
from tollbook.testing import Captured

np = pytest.importorskip("numpy")
VECTORS = np.eye(4, 8, dtype=np.float32)


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    instrumentors = [UsearchInstrumentor(), FaissInstrumentor(), HnswlibInstrumentor()]
    for instrumentor in instrumentors[:2]:
        instrumentor.instrument()
    yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


def said(captured: Captured, name: str) -> dict[str, Any]:
    """What a span says; the time of the last change and the index's number differ from run to run."""
    attributes = dict(captured.attributes(name))
    attributes.pop("tollbook.cpu.time")
    if "memory-" in str(attributes.get("tollbook.asset.id")):
        attributes["tollbook.asset.id"] = str(attributes["tollbook.asset.id"]).rpartition("-")[0]
        assert attributes.pop("tollbook.asset.event_time") > 1_700_000_000 * 10**9
    return attributes


def test_a_search_with_usearch_is_a_lookup(captured: Captured) -> None:
    index = pytest.importorskip("usearch.index").Index(ndim=8)
    index.add(np.arange(4), VECTORS)
    assert index.search(VECTORS[2], 3).keys[0] == 2
    assert said(captured, "add usearch") == {
        "tollbook.kind": "handoff",
        "tollbook.handoff.operation": "write",
        "tollbook.handoff.destination": "usearch",
        "tollbook.handoff.network": "in_process",
        "tollbook.handoff.size": 4 * 8 * 4,
        "tollbook.handoff.records": 4,
        "tollbook.event.ids": ("0", "1", "2", "3"),
        "tollbook.asset.id": "usearch:memory",
        "tollbook.asset.version": "1",
        "tollbook.index.records": 4,
        "tollbook.index.dimensions": 8,
        "db.system.name": "usearch",
        "db.operation.name": "add",
    }
    assert said(captured, "search usearch") == {
        "tollbook.kind": "handoff",
        "tollbook.handoff.operation": "lookup",
        "tollbook.handoff.source": "usearch",
        "tollbook.handoff.network": "in_process",
        "tollbook.handoff.size": 8 * 4 + 3 * (8 + 4),
        "tollbook.handoff.records": 3,
        "gen_ai.retrieval.top_k": 3,
        "tollbook.asset.id": "usearch:memory",
        "tollbook.asset.version": "1",
        "tollbook.index.records": 4,
        "tollbook.index.dimensions": 8,
        "db.system.name": "usearch",
        "db.operation.name": "search",
    }


def test_batches_and_removals_with_usearch_are_counted(captured: Captured) -> None:
    index = pytest.importorskip("usearch.index").Index(ndim=8)
    index.add(7, VECTORS[0])
    index.add(8, VECTORS[1])
    index.search(VECTORS[:2], 5)
    index.remove(7)
    assert [span.attributes.get("tollbook.event.id") for span in captured.spans] == ["7", "8", None, "7"]
    batch, removed = captured.spans[2:]
    assert batch.attributes["db.operation.batch.size"] == 2
    assert batch.attributes["tollbook.handoff.records"] == 4
    assert removed.attributes["tollbook.handoff.operation"] == "delete"
    assert removed.attributes["tollbook.handoff.records"] == 1
    assert removed.attributes["tollbook.index.records"] == 1


def test_the_age_of_an_index_is_that_of_its_file(captured: Captured, tmp_path: Path) -> None:
    usearch = pytest.importorskip("usearch.index")
    path = tmp_path / "docs.usearch"
    index = usearch.Index(ndim=8)
    index.add(np.arange(4), VECTORS)
    index.save(path)
    fresh = usearch.Index(ndim=8)
    fresh.load(path)
    with tollbook.request("r"):
        fresh.search(VECTORS[0], 1)
        with tollbook.inference("m"):
            pass
    assert captured.attributes("save usearch")["tollbook.handoff.size"] == path.stat().st_size
    assert captured.attributes("load usearch")["tollbook.handoff.network"] == "local_disk"
    assert captured.attributes("search usearch")["tollbook.asset.id"] == path.as_uri()
    assert captured.attributes("inference m")["tollbook.input.event_time.oldest"] == path.stat().st_mtime_ns


def test_a_search_with_any_class_of_faiss_is_a_lookup(captured: Captured, tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexIDMap2(faiss.IndexFlatL2(8))
    index.add_with_ids(VECTORS, np.arange(4))
    index.search(VECTORS[:2], 10)
    index.remove_ids(np.array([3]))
    faiss.write_index(index, str(tmp_path / "i.faiss"))
    again = faiss.read_index(str(tmp_path / "i.faiss"))
    again.search(VECTORS[:1], 1)
    written, found, removed, saved, read, last = captured.spans
    assert [span.name for span in captured.spans] == [
        f"{name} faiss" for name in ("add_with_ids", "search", "remove_ids", "write_index", "read_index", "search")
    ]
    assert written.attributes["tollbook.event.ids"] == ("0", "1", "2", "3")
    assert found.attributes["tollbook.handoff.records"] == 8, "ten were asked for, four are there"
    assert found.attributes["tollbook.handoff.size"] == 2 * 8 * 4 + 8 * (8 + 4)
    assert removed.attributes["tollbook.handoff.records"] == 1
    assert saved.attributes["tollbook.handoff.size"] == read.attributes["tollbook.handoff.size"]
    assert last.attributes["tollbook.asset.id"] == (tmp_path / "i.faiss").as_uri()
    assert last.attributes["tollbook.index.records"] == 3


def test_faiss_is_as_before_after_uninstrumenting(captured: Captured) -> None:
    faiss = pytest.importorskip("faiss")
    FaissInstrumentor().uninstrument()
    index = faiss.IndexFlatL2(8)
    index.add(VECTORS)
    assert not hasattr(type(index).search, "__wrapped__")
    with pytest.raises(AssertionError):
        index.search(np.zeros((1, 9), dtype=np.float32), 1)
    FaissInstrumentor().instrument()
    with pytest.raises(AssertionError):
        index.search(np.zeros((1, 9), dtype=np.float32), 1)
    assert captured.attributes("search faiss")["error.type"] == "AssertionError"


class FakeIndex:
    """Of the shape of hnswlib's, which is a C extension that has no wheels."""

    dim = 8

    def __init__(self) -> None:
        self.vectors: dict[int, Any] = {}

    def get_current_count(self) -> int:
        return len(self.vectors)

    def add_items(self, data: Any, ids: Any = None) -> None:
        self.vectors.update(zip(ids, data, strict=True))

    def knn_query(self, data: Any, k: int = 1) -> tuple[Any, Any]:
        return np.zeros((len(data), k), dtype=np.uint64), np.zeros((len(data), k), dtype=np.float32)

    def mark_deleted(self, label: int) -> None:
        del self.vectors[label]

    def load_index(self, path_to_index: str) -> None:
        """Nothing to load."""

    def save_index(self, path_to_index: str) -> None:
        Path(path_to_index).write_bytes(b"index")


def test_a_search_of_the_shape_of_hnswlib_is_a_lookup(
    captured: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lenient: None
) -> None:
    module = types.ModuleType("hnswlib")
    module.__dict__["Index"] = FakeIndex
    module.__spec__ = types.SimpleNamespace(name="hnswlib", loader=None)  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "hnswlib", module)
    HnswlibInstrumentor().instrument()
    index = FakeIndex()
    index.add_items(VECTORS, [1, 2, 3, 4])
    index.knn_query(VECTORS[:2], k=3)
    index.mark_deleted(2)
    index.save_index(str(tmp_path / "i.bin"))
    added, found, removed, saved = captured.spans
    assert added.attributes["tollbook.event.ids"] == ("1", "2", "3", "4")
    assert found.attributes["tollbook.handoff.records"] == 6
    assert found.attributes["tollbook.handoff.size"] == 2 * 8 * 4 + 6 * (8 + 4)
    assert removed.attributes["tollbook.index.records"] == 3
    assert saved.attributes["tollbook.handoff.size"] == 5
