"""A world in memory for one collector: a clock, a disk that crashes and lies, a store that fails; one seed plays it all."""

import errno
import random
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_collector import wire
from tollbook_schema.store import Signal, StoreError, StoreUnavailableError

FRAME_FIELD = 1000
TENANT_FIELD = 4
POISON = "poison"
WINDOW = 1000
"""Insert tokens that the store remembers; a real one remembers 10,000."""

Key = tuple[str, bytes, bytes]
"""Tenant, trace_id and span_id of a row."""


class Crash(BaseException):
    """The process is no more. No handler of its own may run after it."""


class Clock:
    """Wall and steady time, which move only when told; the wall's may jump."""

    def __init__(self) -> None:
        self.wall_ns = 1_795_325_799_000_000_000
        self.steady_s = 1000.0

    def time_ns(self) -> int:
        """See tollbook_collector.disk.Clock."""
        return self.wall_ns

    def monotonic(self) -> float:
        """See tollbook_collector.disk.Clock."""
        return self.steady_s

    def go_on(self, seconds: float) -> None:
        """Time passes."""
        self.wall_ns += int(seconds * 1e9)
        self.steady_s += seconds


@dataclass
class File:
    """What processes read, and what a loss of power would leave for sure."""

    content: bytearray = field(default_factory=bytearray)
    safe: bytes = b""
    doubtful: bool = False
    """A sync failed: the system dropped the bytes that waited, and says yes to the next sync without having written them."""


class Disk:
    """Files by path, as tollbook_collector.disk.Disk has them.

    A process that is killed leaves all that it wrote. A loss of power leaves what was synced, for sure; of the rest a part, torn
    perhaps, and of the names that no `sync_folder` has made safe the older ones.
    """

    def __init__(self, rng: random.Random) -> None:
        self.files: dict[Path, File] = {}
        self.full = False
        self.failing = 0.0
        """Share of writes and syncs that fail."""
        self.crash_in: int | None = None
        """Calls until the process dies in one."""
        self.crashed = False
        self.forgot = False
        """Whether a write of what was seen has failed since it was asked for last."""
        self._rng = rng
        self._safe_names: dict[Path, File] = {}
        self._unsafe: list[tuple[Path, Path, File | None]] = []
        """Folder, name, and what it stands for now; in order, until the folder is synced."""
        self._handles: dict[int, File] = {}
        self._next_handle = 3

    # What a process may call

    def make_folder(self, folder: Path) -> None:
        """See tollbook_collector.disk.Disk. Folders need not be made."""
        self._called()

    def lock(self, path: Path) -> int:
        """See tollbook_collector.disk.Disk. There is only one process."""
        self._called()
        return self._handle(File())

    def create(self, path: Path) -> int:
        """See tollbook_collector.disk.Disk."""
        self._called()
        if path in self.files:
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        try:
            self._refuse_when_full()
            self._maybe_fail()
        except OSError:
            self.forgot = self.forgot or path.suffix == ".seen"
            raise
        file = File()
        self._name(path, file)
        return self._handle(file)

    def write(self, handle: int, parts: Sequence[bytes]) -> None:
        """See tollbook_collector.disk.Disk."""
        file, data = self._handles[handle], b"".join(parts)
        try:
            self._called()
            self._refuse_when_full()
            self._maybe_fail()
        except (OSError, Crash):
            file.content += data[: self._rng.randrange(len(data) + 1)]
            self.forgot = self.forgot or any(known is file and path.suffix == ".seen" for path, known in self.files.items())
            raise
        file.content += data

    def sync(self, handle: int) -> None:
        """See tollbook_collector.disk.Disk."""
        file = self._handles[handle]
        self._called()
        try:
            self._maybe_fail()
        except OSError:
            file.doubtful = True
            raise
        if not file.doubtful:
            file.safe = bytes(file.content)

    def sync_path(self, path: Path) -> None:
        """See tollbook_collector.disk.Disk."""
        self._called()
        self._maybe_fail()
        file = self._found(path)
        if not file.doubtful:
            file.safe = bytes(file.content)

    def close(self, handle: int) -> None:
        """See tollbook_collector.disk.Disk."""
        self._called()
        self._handles.pop(handle)

    def sync_folder(self, folder: Path) -> None:
        """See tollbook_collector.disk.Disk."""
        self._called()
        self._maybe_fail()
        for _, path, file in [change for change in self._unsafe if change[0] == folder]:
            self._settle_name(path, file)
        self._unsafe = [change for change in self._unsafe if change[0] != folder]

    def read(self, path: Path, start: int = 0, size_bytes: int = -1) -> bytes:
        """See tollbook_collector.disk.Disk."""
        self._called()
        content = self._found(path).content
        return bytes(content[start:] if size_bytes < 0 else content[start : start + size_bytes])

    def size(self, path: Path) -> int:
        """See tollbook_collector.disk.Disk."""
        self._called()
        return len(self._found(path).content)

    def truncate(self, path: Path, size_bytes: int) -> None:
        """See tollbook_collector.disk.Disk."""
        self._called()
        self._maybe_fail()
        file = self._found(path)
        del file.content[size_bytes:]

    def rename(self, old: Path, new: Path) -> None:
        """See tollbook_collector.disk.Disk."""
        self._called()
        self._maybe_fail()
        file = self._found(old)
        self._name(old, None)
        self._name(new, file)

    def unlink(self, path: Path) -> None:
        """See tollbook_collector.disk.Disk."""
        self._called()
        if path in self.files:
            self._name(path, None)

    def names(self, folder: Path) -> list[str]:
        """See tollbook_collector.disk.Disk."""
        self._called()
        return sorted(path.name for path in self.files if path.parent == folder)

    def free_bytes(self, folder: Path) -> int:
        """See tollbook_collector.disk.Disk."""
        self._called()
        return 0 if self.full and self._rng.random() < 0.5 else 1 << 40  # quotas are not told

    # What happens to it

    def kill(self) -> None:
        """The process dies: all that it wrote stays."""
        self._handles.clear()
        self.crashed, self.crash_in = False, None

    def lose_power(self) -> None:
        """What was not synced is there in part, or not at all."""
        kept = self._rng.randrange(len(self._unsafe) + 1)
        for _, path, file in self._unsafe[:kept]:
            self._settle_name(path, file)
        self._unsafe.clear()
        self.files = dict(self._safe_names)
        for file in self.files.values():
            file.content = bytearray(self._left_of(file))
            file.safe, file.doubtful = bytes(file.content), False
        self.kill()

    def flip(self, path: Path) -> int:
        """One bit of a file changes, for good; the place of its byte."""
        file = self.files[path]
        place = self._rng.randrange(len(file.content))
        file.content[place] ^= 1 << self._rng.randrange(8)
        file.safe = bytes(file.content)
        return place

    def _left_of(self, file: File) -> bytes:
        if len(file.content) < len(file.safe):
            return bytes(file.content) if self._rng.random() < 0.5 else file.safe
        tail = bytes(file.content[len(file.safe) :])[: self._rng.randrange(len(file.content) - len(file.safe) + 1)]
        if tail and self._rng.random() < 0.3:
            torn = self._rng.randrange(len(tail))
            tail = tail[:torn] + bytes(len(tail) - torn)
        return file.safe + tail

    def _called(self) -> None:
        if self.crash_in is not None and not self.crashed:
            self.crash_in -= 1
            self.crashed = self.crash_in <= 0
        if self.crashed:
            raise Crash

    def _refuse_when_full(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")

    def _maybe_fail(self) -> None:
        if self.failing and self._rng.random() < self.failing:
            raise OSError(errno.EIO, "Input/output error")

    def _found(self, path: Path) -> File:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, "not there", str(path))
        return self.files[path]

    def _handle(self, file: File) -> int:
        self._next_handle += 1
        self._handles[self._next_handle] = file
        return self._next_handle

    def _name(self, path: Path, file: File | None) -> None:
        self._unsafe.append((path.parent, path, file))
        if file is None:
            del self.files[path]
        else:
            self.files[path] = file

    def _settle_name(self, path: Path, file: File | None) -> None:
        if file is None:
            self._safe_names.pop(path, None)
        else:
            self._safe_names[path] = file


class Store:
    """Rows counted by identity. As the real store, it takes a token once, and nothing of a segment that it cannot take whole."""

    def __init__(self, rng: random.Random, disk: Disk) -> None:
        self.rows: Counter[Key] = Counter()
        self.spans: dict[Key, bytes] = {}
        """What is stored of each row."""
        self.away = False
        self.forgetful = 0.0
        """Share of inserts that are done and whose answer is lost."""
        self.crashing = 0.0
        """Share of inserts in which the collector dies: before, or after they are done."""
        self.step: Callable[[str], None] = lambda _: None
        """Told of every insert."""
        self._rng = rng
        self._disk = disk
        self._tokens: OrderedDict[str, None] = OrderedDict()

    def ping(self) -> bool:
        """Whether it answers."""
        return not self.away

    def load(self, _signal: Signal, segment: Path, token: str, _received_at: datetime) -> None:
        """Takes a segment, or fails."""
        if self.away:
            raise StoreUnavailableError("connection refused")
        content = self._disk.read(segment)
        fate = self._rng.random()
        if fate < self.crashing / 2:
            self._die()
        found = _rows(content)
        if token in self._tokens:
            self.step(f"    the store has {segment.name} by its token {token[:8]}")
        else:
            self._take(found)
            self._tokens[token] = None
            if len(self._tokens) > WINDOW:
                self._tokens.popitem(last=False)
            bodies = ", ".join(dict.fromkeys(str(int.from_bytes(span_id) // 100) for (_, _, span_id), _ in found))
            self.step(f"    the store takes {len(found)} rows of {segment.name}, token {token[:8]}: bodies {bodies}")
        if fate > 1 - self.crashing / 2:
            self._die()
        if self._rng.random() < self.forgetful:
            self.step("    ... and its answer is lost")
            raise StoreUnavailableError("connection reset")

    def _take(self, found: list[tuple[Key, bytes]]) -> None:
        for key, span in found:
            self.rows[key] += 1
            self.spans[key] = span

    def _die(self) -> None:
        self.step("    the collector dies in an insert")
        self._disk.crashed = True
        raise Crash


def _rows(content: bytes) -> list[tuple[Key, bytes]]:
    """The rows of a segment, each with its body's tenant, as the ingest SQL makes them.

    Raises:
        StoreError: it is no export, its frames do not fit its bodies, or a span is one that no table takes.
    """
    try:
        request = ExportTraceServiceRequest.FromString(content)
        tenants = _tenants(content)
    except (DecodeError, wire.WireError) as error:
        raise StoreError(f"cannot parse: {error}") from error
    if tenants and len(tenants) != len(request.resource_spans):
        raise StoreError("frames and bodies do not add up")
    rows = []
    for resource, tenant in zip(request.resource_spans, tenants or ["default"] * len(request.resource_spans), strict=True):
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            if span.name == POISON:
                raise StoreError("this span can never be stored")
            rows.append(((tenant, span.trace_id, span.span_id), span.SerializeToString()))
    return rows


def _tenants(content: bytes) -> list[str]:
    """The tenant of each resource, from the frames: one of n resources gives n."""
    tenants = []
    for frame in (found for found in wire.fields(content) if found.number == FRAME_FIELD):
        told = {part.number: content[frame.value : frame.end][part.value : part.end]
                for part in wire.fields(content[frame.value : frame.end])}  # fmt: skip
        tenants += [told[TENANT_FIELD].decode()] * int.from_bytes(told[3], "little")
    return tenants
