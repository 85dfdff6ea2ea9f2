"""Files, real: what `open` opens is a handoff with its bytes and its age, in programs that know nothing of Tollbook."""

# ruff: noqa: PTH123, PTH110, SIM115, UP020, B008 - `open` is what is tried here

import builtins
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tollbook
from tollbook import shield
from tollbook.integrations import files
from tollbook.integrations.files import FilesInstrumentor
from tollbook.testing import Captured

EVENT_NS = 1_700_000_000_123_456_789


@pytest.fixture(autouse=True)
def _instrumented(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("TOLLBOOK_FILES", raising=False)
    monkeypatch.setattr(files, "_crowd", files._Crowd())  # files of the test before count towards the same second
    FilesInstrumentor().instrument()
    yield
    FilesInstrumentor().uninstrument()


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders grün.csv"
    with FilesInstrumentorOff():
        path.write_bytes("id,name\r\n1,grün\r\n".encode())
    os.utime(path, ns=(EVENT_NS, EVENT_NS))
    return path


class FilesInstrumentorOff:
    def __enter__(self) -> None:
        FilesInstrumentor().uninstrument()

    def __exit__(self, *error: object) -> None:
        FilesInstrumentor().instrument()


def test_five_lines_that_read_a_file_are_a_handoff(captured: Captured, orders: Path) -> None:
    with open(orders, encoding="utf-8") as file:
        text = file.read()
    assert text == "id,name\n1,grün\n"
    attributes = dict(captured.attributes("read file"))
    assert len(attributes.pop("tollbook.content.digest")) == 32
    assert attributes == {
        "tollbook.kind": "handoff",
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": "file",
        "tollbook.handoff.network": "local_disk",
        "tollbook.handoff.size": 18,
        "tollbook.asset.id": orders.as_uri(),
        "tollbook.asset.version": f"18-{EVENT_NS}",
        "tollbook.asset.event_time": EVENT_NS,
    }


def test_five_lines_that_write_a_file_are_a_handoff(captured: Captured, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    with path.open("w") as file:
        json.dump({"a": [1, 2, 3]}, file)
    attributes = dict(captured.attributes("write file"))
    assert len(attributes.pop("tollbook.content.digest")) == 32
    state = path.stat()
    assert attributes == {
        "tollbook.kind": "handoff",
        "tollbook.handoff.operation": "write",
        "tollbook.handoff.destination": "file",
        "tollbook.handoff.network": "local_disk",
        "tollbook.handoff.size": 16,
        "tollbook.asset.id": path.as_uri(),
        "tollbook.asset.version": f"16-{state.st_mtime_ns}",
        "tollbook.asset.event_time": state.st_mtime_ns,
    }


def test_the_age_of_a_file_reaches_the_inference(captured: Captured, orders: Path) -> None:
    with tollbook.request("r"):
        orders.read_text(encoding="utf-8")
        with tollbook.inference("m"):
            pass
    attributes = captured.attributes("inference m")
    assert attributes["tollbook.input.event_time.oldest"] == EVENT_NS
    assert attributes["tollbook.input.asset.ids"] == (orders.as_uri(),)


WAYS_TO_READ: list[Any] = [
    lambda path: open(path, "rb").read(),
    lambda path: b"".join(open(path, "rb")),
    lambda path: b"".join(iter(lambda file=open(path, "rb"): file.read(5), b"")),
    lambda path: open(path, "rb", buffering=0).read(),
    lambda path: open(path, "rb", 0).readall(),
    lambda path: open(path, mode="br").readinto(bytearray(1 << 17)),
    lambda path: open(path, "rb", 16).readinto1(bytearray(1 << 17)),
    lambda path: "".join(open(path, newline="", encoding="latin-1")),
    lambda path: io.open(os.fspath(path), "r+b").read(),
    lambda path: path.read_bytes(),
    lambda path: path.read_text(encoding="latin-1"),
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("size", [0, 1, 8192, 100_001])
@pytest.mark.parametrize("read", WAYS_TO_READ)
def test_bytes_are_exact_however_a_file_is_read(captured: Captured, tmp_path: Path, size: int, read: Any) -> None:
    path = tmp_path / "a.bin"
    with FilesInstrumentorOff():
        path.write_bytes(os.urandom(size))
    read(path)
    assert captured.attributes("read file")["tollbook.handoff.size"] == size


def test_bytes_read_twice_count_twice(captured: Captured, orders: Path) -> None:
    with orders.open("rb") as file:
        file.read()
        file.seek(0)
        file.read()
    assert captured.attributes("read file")["tollbook.handoff.size"] == 36
    assert "tollbook.content.digest" not in captured.attributes("read file")


def test_a_file_that_is_changed_in_place_is_a_write(captured: Captured, orders: Path) -> None:
    with orders.open("r+b") as file:
        file.write(b"ID")
    attributes = captured.attributes("read file")
    assert attributes["tollbook.handoff.operation"] == "write"
    assert attributes["tollbook.handoff.size"] == 2
    assert attributes["tollbook.asset.event_time"] == orders.stat().st_mtime_ns


def test_the_same_content_written_and_read_has_one_digest(captured: Captured, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x" * 10_000)
    (tmp_path / "b").write_bytes(b"x" * 10_000)
    (tmp_path / "a").read_bytes()
    digests = {span.attributes["tollbook.content.digest"] for span in captured.spans if span.attributes}
    assert len(digests) == 1
    assert len(captured.spans) == 3


MODES = ["r", "w", "a", "x", "rb", "wb", "ab", "xb", "r+", "w+", "a+", "r+b", "w+b", "rt", "wt", "bx+"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("buffering", [-1, 0, 1, 4096])
def test_files_are_of_the_same_types_as_without_us(captured: Captured, tmp_path: Path, mode: str, buffering: int) -> None:
    def seen(path: Path) -> Any:
        try:
            file = open(path, mode, buffering, **({} if "b" in mode else {"encoding": "utf-8"}))
        except (ValueError, RuntimeWarning, OSError) as error:
            return type(error), str(error).replace(str(path), "")
        with file:
            raw = getattr(getattr(file, "buffer", file), "raw", file)
            with pytest.raises(TypeError, match="cannot pickle"):
                pickle.dumps(file)
            return (
                type(file).__name__,
                isinstance(file, io.IOBase),
                isinstance(raw, io.FileIO),
                file.mode,
                getattr(file, "line_buffering", None),
                raw.mode,
                file.readable(),
                file.writable(),
                file.seekable(),
                file.name == path.__fspath__() or file.name == path,
                repr(raw).replace(str(path), ""),
                file.tell(),
            )

    paths = [tmp_path / "a.dat", tmp_path / "b.dat"]
    with FilesInstrumentorOff():
        if "x" not in mode:
            for path in paths:
                path.write_text("abc")
        bare = seen(paths[0])
    assert seen(paths[1]) == bare


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere/at/all",),
        ("f", "q"),
        ("f", "rw"),
        ("f", "rb", -1, "utf-8"),
        ("f", "r", 0),
        ("f", "r", -1, "no such encoding"),
        ("f", "r", -1, None, None, "x"),
        ("f", 3),
        ("f", "r", "4"),
        ({},),
        ("a\0b",),
        (),
        (10**9,),
    ],
)
def test_what_is_wrong_is_said_as_without_us(captured: Captured, arguments: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with FilesInstrumentorOff():
        (tmp_path / "f").write_text("abc")
        with pytest.raises((OSError, ValueError, TypeError, LookupError)) as bare:
            open(*arguments)
    with pytest.raises(bare.type) as ours:
        open(*arguments)
    assert str(ours.value) == str(bare.value)


def test_open_is_still_open() -> None:
    import inspect

    assert builtins.open is io.open
    assert pickle.loads(pickle.dumps(open)) is open
    assert inspect.isbuiltin(open)
    assert open.__name__ == "open"
    with FilesInstrumentorOff():
        signature = inspect.signature(open)
    assert inspect.signature(open) == signature

    class Holder:
        opener = open

    assert Holder().opener is open
    with open(__file__, "rb") as file, pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(file)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_file_that_nobody_closes_ends_when_it_is_thrown_away(captured: Captured, orders: Path) -> None:
    assert orders.open("rb").read(2) == b"id"
    assert captured.names == ["read file"]
    kept = orders.open("rb")
    assert captured.names == ["read file"]
    files._end_all()
    assert captured.names == ["read file"] * 2
    kept.close()
    assert captured.names == ["read file"] * 2


def test_the_systems_own_files_are_not_seen(captured: Captured, tmp_path: Path) -> None:
    for path in (json.__file__, "/proc/self/stat", "/etc/hostname", "/dev/null", sys.prefix + "/pyvenv.cfg"):
        if os.path.exists(path):
            with open(path, "rb") as file:
                file.read()
    read, write = os.pipe()
    os.write(write, b"abc")
    os.close(write)
    with open(read, "rb") as file:
        assert file.read() == b"abc"
    import linecache
    import tempfile

    (tmp_path / "code.py").write_text("a = 1")
    assert linecache.getline(str(tmp_path / "code.py"), 1) == "a = 1\n"
    assert captured.names == ["write file"]
    with tempfile.TemporaryFile() as file:
        file.write(b"abc")
    assert captured.names == ["write file"]


def test_which_files_are_seen_can_be_said(captured: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLBOOK_FILES", f"{tmp_path}/*.csv, !*/secret*")
    with FilesInstrumentorOff():
        pass
    for name in ("a.csv", "a.json", "secret.csv"):
        (tmp_path / name).write_text("x")
    assert [span.attributes["tollbook.asset.id"].rpartition("/")[2] for span in captured.spans if span.attributes] == ["a.csv"]
    monkeypatch.setenv("TOLLBOOK_FILES", "none")
    with FilesInstrumentorOff():
        pass
    (tmp_path / "b.csv").write_text("x")
    assert len(captured.spans) == 1


def test_a_copy_is_one_handoff(captured: Captured, orders: Path, tmp_path: Path) -> None:
    with tollbook.request("r") as request:
        shutil.copy(orders, tmp_path / "copy.csv")
        assert request.inputs is not None
        assert request.inputs.attributes()["tollbook.input.event_time.oldest"] == EVENT_NS
    attributes = captured.attributes("copy file")
    assert attributes["tollbook.handoff.operation"] == "copy"
    assert attributes["tollbook.handoff.size"] == 18
    assert attributes["tollbook.asset.id"] == orders.as_uri()
    assert captured.names == ["copy file", "r"]


def test_thousands_of_small_files_share_a_span(captured: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FilesInstrumentorOff():
        for number in range(450):
            (tmp_path / f"{number:03}").write_bytes(b"abc")
            os.utime(tmp_path / f"{number:03}", ns=(EVENT_NS + number, EVENT_NS + number))
    monkeypatch.setattr(time, "monotonic", lambda: 50.5)
    with tollbook.request("r") as request:
        for number in range(450):
            (tmp_path / f"{number:03}").read_bytes()
        files._crowd.end()
        assert request.inputs is not None
        said = request.inputs.attributes()
    assert said["tollbook.input.event_time.newest"] == EVENT_NS + 449
    assert len(captured.names) == 102
    shared = captured.spans[-2].attributes or {}
    assert shared["tollbook.handoff.records"] == 350
    assert shared["tollbook.handoff.size"] == 1050
    assert shared["tollbook.asset.id"] == tmp_path.as_uri() + "/"
    assert sum((span.attributes or {}).get("tollbook.handoff.size", 0) for span in captured.spans) == 1350


def test_a_file_read_by_another_library_through_its_number_has_no_size(captured: Captured, orders: Path) -> None:
    import mmap

    with orders.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[:2] == b"id"
    assert "tollbook.handoff.size" not in captured.attributes("read file")
    assert captured.attributes("read file")["tollbook.asset.event_time"] == EVENT_NS


def test_pandas_and_numpy_read_through_open(captured: Captured, orders: Path, tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    pd = pytest.importorskip("pandas")
    assert pd.read_csv(orders).name.tolist() == ["grün"]
    assert captured.attributes("read file")["tollbook.handoff.size"] == 18
    np.save(tmp_path / "a.npy", np.arange(1000))
    assert captured.attributes("write file")["tollbook.handoff.size"] == 8128
    assert np.load(tmp_path / "a.npy").sum() == 499500
    assert (captured.spans[-1].attributes or {})["tollbook.asset.id"] == (tmp_path / "a.npy").as_uri()
    assert (captured.spans[-1].attributes or {})["tollbook.handoff.size"] == 8128


def test_files_read_by_threads_are_counted_each(captured: Captured, orders: Path) -> None:
    threads = [threading.Thread(target=lambda: [orders.read_bytes() for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(captured.spans) == 80
    assert {(span.attributes or {})["tollbook.handoff.size"] for span in captured.spans} == {18}


@pytest.mark.parametrize(
    "hook",
    [
        "tollbook.integrations.files._asked",
        "tollbook.integrations.files._watch",
        "tollbook.integrations.files._asset",
        "tollbook.integrations.files._Watch.end",
        "tollbook.digest.digest",
        "opentelemetry.sdk.trace.Tracer.start_span",
        "opentelemetry.sdk.trace.Span.set_attributes",
        "opentelemetry.sdk.trace.Span.end",
    ],
)
def test_a_fault_in_any_hook_leaves_the_file_alone(
    lenient: None, captured: Captured, orders: Path, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(hook, broken)
    assert orders.read_bytes().startswith(b"id,name")
    orders.write_text("new")
    with pytest.raises(FileNotFoundError):
        open(orders.with_name("gone"))
    assert orders.read_bytes() == b"new"
    assert shield.faults


def test_a_forked_child_does_not_end_its_parents_files(captured: Captured, orders: Path) -> None:
    with orders.open("rb") as file:
        pid = os.fork()
        if pid == 0:
            file.close()
            os._exit(len(captured.spans))
        assert os.waitpid(pid, 0)[1] == 0
        file.read()
    assert captured.attributes("read file")["tollbook.handoff.size"] == 18


def test_reading_goes_on_while_the_interpreter_ends(orders: Path, tmp_path: Path) -> None:
    program = (
        "import tollbook, atexit\n"
        "from tollbook import testing\n"
        "from tollbook.integrations.files import FilesInstrumentor\n"
        "FilesInstrumentor().instrument()\n"
        "with testing.capture() as captured:\n"
        f"    kept = open({str(orders)!r}, 'rb')\n"
        "    kept.read()\n"
        "atexit.register(lambda: print(captured.names))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
