"""fsspec, real: files of any of its file systems are handoffs, each byte seen once."""

import functools
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import tollbook
from tollbook import shield
from tollbook.integrations.files import FilesInstrumentor
from tollbook.integrations.fsspec import FsspecInstrumentor
from tollbook.testing import Captured

fsspec = pytest.importorskip("fsspec")
BODY = b"date,total\n2026-11-22,17\n"
CHANGED = datetime(2026, 11, 22, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    FsspecInstrumentor().instrument()
    yield
    FsspecInstrumentor().uninstrument()


@pytest.fixture
def memory() -> Iterator[Any]:
    memory = fsspec.filesystem("memory", skip_instance_cache=True)
    memory.store.clear()
    yield memory
    memory.store.clear()


def put(memory: Any, path: str = "/corpus/a.csv", body: bytes = BODY) -> None:
    memory.pipe_file(path, body)
    memory.store[path].modified = CHANGED


def test_five_lines_that_write_and_read_a_file_are_two_handoffs(captured: Captured, memory: Any) -> None:
    put(memory)
    assert memory.cat_file("/corpus/a.csv") == BODY
    written, read = dict(captured.attributes("write memory")), dict(captured.attributes("read memory"))
    assert written.pop("tollbook.content.digest") == read.pop("tollbook.content.digest")
    same = {
        "tollbook.kind": "handoff",
        "tollbook.handoff.network": "in_process",
        "tollbook.handoff.size": len(BODY),
        "tollbook.asset.id": "memory:///corpus/a.csv",
    }
    assert written == {**same, "tollbook.handoff.operation": "write", "tollbook.handoff.destination": "memory"}
    assert read == {
        **same,
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": "memory",
        "tollbook.asset.event_time": 1_795_320_000_000_000_000,
    }


WAYS: list[Any] = [
    lambda fs, path: fs.open(path).read(),
    lambda fs, path: b"".join(fs.open(path, "rb").readlines()),
    lambda fs, path: b"".join(iter(functools.partial(fs.open(path, mode="rb").read, 7), b"")),
    lambda fs, path: fs.cat(path),
    lambda fs, path: fs.open(path, "r", encoding="utf-8").read().encode(),
    lambda fs, path: fs.read_text(path).encode(),
    lambda fs, path: fs.read_bytes(path),
    lambda fs, path: fs.cat_ranges([path, path], [0, 5], [5, None])[0] + BODY[5:],
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("way", WAYS)
def test_bytes_are_exact_however_a_file_is_read(captured: Captured, memory: Any, way: Any) -> None:
    put(memory)
    assert way(memory, "/corpus/a.csv") == BODY
    memory.store["/corpus/a.csv"].__dict__.get("close", lambda: None)()
    assert captured.attributes("read memory")["tollbook.handoff.size"] == len(BODY)


def test_a_file_is_written_and_its_lines_are_read(captured: Captured, memory: Any) -> None:
    with memory.open("/b.txt", "wb") as file:
        file.write(b"one\n")
        file.write(b"two\n")
    assert captured.attributes("write memory")["tollbook.handoff.size"] == 8
    with memory.open("/b.txt") as file:
        assert list(file) == [b"one\n", b"two\n"]
    assert captured.attributes("read memory")["tollbook.handoff.size"] == 8


def test_the_age_of_a_file_reaches_the_inference(captured: Captured, memory: Any) -> None:
    put(memory)
    with tollbook.request("r"):
        with memory.open("/corpus/a.csv") as file:
            file.read()
        with tollbook.inference("m"):
            pass
    assert captured.attributes("inference m")["tollbook.input.event_time.oldest"] == 1_795_320_000_000_000_000


def test_copies_up_down_and_across_are_told_apart(captured: Captured, memory: Any, tmp_path: Path) -> None:
    (tmp_path / "up").write_bytes(BODY)
    memory.put_file(str(tmp_path / "up"), "/up")
    memory.get_file("/up", str(tmp_path / "down"))
    memory.copy("/up", "/across")
    memory.rm("/across")
    assert (tmp_path / "down").read_bytes() == BODY
    rows = [
        ((span.attributes or {})["tollbook.handoff.operation"], (span.attributes or {}).get("tollbook.handoff.size"))
        for span in captured.spans
    ]
    assert rows == [("write", len(BODY)), ("read", len(BODY)), ("copy", None), ("delete", None)]


def test_files_of_this_machine_are_seen_once(captured: Captured, tmp_path: Path) -> None:
    FilesInstrumentor().instrument()
    try:
        local = fsspec.filesystem("file", skip_instance_cache=True)
        with local.open(str(tmp_path / "a.csv"), "wb") as file:
            file.write(BODY)
        assert local.cat_file(str(tmp_path / "a.csv")) == BODY
        with fsspec.open(f"file://{tmp_path}/a.csv", "r") as file:
            assert file.read().encode() == BODY
    finally:
        FilesInstrumentor().uninstrument()
    assert captured.names == ["write file", "read file", "read file"]
    assert {(span.attributes or {})["tollbook.handoff.size"] for span in captured.spans} == {len(BODY)}


def test_a_buffered_file_of_a_remote_store_tells_its_details(captured: Captured) -> None:
    from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

    class File(AbstractBufferedFile):
        def _fetch_range(self, start: int, end: int) -> bytes:
            return BODY[start:end]

        def _upload_chunk(self, final: bool = False) -> bool:
            return True

        def _initiate_upload(self) -> None:
            pass

    class Store(AbstractFileSystem):
        protocol = ("s3", "s3a")
        cachable = False

        def info(self, path: str, **_kwargs: Any) -> dict[str, Any]:
            return {"name": path, "size": len(BODY), "type": "file", "LastModified": CHANGED, "ETag": '"e"'}

        def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> File:
            return File(self, path, mode, cache_type="none", block_size=2**20)

    store = Store()
    file = store.open("s3://corpus/2026/a.csv", "rb")
    with file:
        assert b"".join(file) == BODY
    with store.open("s3://corpus/b.csv", "wb") as file:
        file.write(BODY)
    read, written = captured.attributes("read s3"), captured.attributes("write s3")
    assert dict(read) == {
        "tollbook.kind": "handoff",
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": "s3:corpus",
        "tollbook.handoff.size": len(BODY),
        "tollbook.asset.id": "s3://corpus/2026/a.csv",
        "tollbook.asset.version": "e",
        "tollbook.asset.event_time": 1_795_320_000_000_000_000,
    }
    assert written["tollbook.handoff.size"] == len(BODY)
    assert written["tollbook.asset.id"] == "s3://corpus/b.csv"


def test_an_error_stays_the_applications(captured: Captured, memory: Any) -> None:
    with pytest.raises(FileNotFoundError):
        memory.cat_file("/gone")
    with pytest.raises(FileNotFoundError):
        memory.open("/gone")
    assert [(span.attributes or {})["error.type"] for span in captured.spans] == ["FileNotFoundError"] * 2


def test_file_systems_can_still_be_pickled(memory: Any) -> None:
    assert isinstance(pickle.loads(pickle.dumps(memory)), type(memory))


@pytest.mark.parametrize(
    "hook",
    [
        "tollbook.integrations.fsspec._Act.__init__",
        "tollbook.integrations.fsspec._Act.about",
        "tollbook.integrations.fsspec._OpenFile.__init__",
        "tollbook.integrations.fsspec._length",
        "opentelemetry.sdk.trace.Tracer.start_span",
        "opentelemetry.sdk.trace.Span.end",
    ],
)
def test_a_fault_in_any_hook_leaves_the_file_alone(
    lenient: None, captured: Captured, memory: Any, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(hook, broken)
    with memory.open("/a", "wb") as file:
        file.write(BODY)
    assert memory.cat_file("/a") == BODY
    with memory.open("/a") as file:
        assert file.read() == BODY
    assert shield.faults
