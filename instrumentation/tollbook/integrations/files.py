"""Files: a span for each data file that `open` opens, with the bytes that were read or written and the file's age.

The file objects keep their types: only the raw layer beneath their buffers is one of ours, and counts.
"""

import atexit
import builtins
import contextlib
import fnmatch
import io
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from io import FileIO
from itertools import permutations, product
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import quote
from weakref import WeakSet

import wrapt
from opentelemetry.trace import SpanKind, get_current_span
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import digest, runtime
from tollbook.handle import INERT, Handle
from tollbook.inputs import Asset
from tollbook.integrations.base import Handover, Integration
from tollbook.shield import shielded
from tollbook.steps import ending

VARIABLE: Final = "TOLLBOOK_FILES"
"""Which files are seen: globs, separated by commas; those that begin with `!` name exceptions. `none` sees no file."""
APART_EACH_S: Final = 100
"""Files that have a span of their own, in each second of one span around them. Further ones share a span."""
SHARED_FOR_S: Final = 1.0

_READ: Final = Handover("read", kind=SpanKind.INTERNAL, attributes={A.TOLLBOOK_HANDOFF_SOURCE: "file"})
_WRITE: Final = Handover("write", kind=SpanKind.INTERNAL, attributes={A.TOLLBOOK_HANDOFF_DESTINATION: "file"})
_COPY: Final = Handover(
    "copy",
    kind=SpanKind.INTERNAL,
    attributes={A.TOLLBOOK_HANDOFF_SOURCE: "file", A.TOLLBOOK_HANDOFF_DESTINATION: "file"},
)
_REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "beegfs", "9p", "afs", "gpfs"})
"""Kinds of file systems that lie on other machines."""
_NO_DATA: Final = ("*.pyc", "*.so", "*.so.*", "*.log", "*.lock", "*.pid", "*.pth", "*.crt")
_TOOLS: Final = frozenset(
    {"doctest", "importlib", "inspect", "linecache", "logging", "pdb", "pkgutil", "runpy", "tokenize", "zipimport"}
)
"""Modules that open source code and logs on behalf of the interpreter."""


# Which files.


def _system_folders() -> tuple[str, ...]:
    """Where programs, devices and caches live, and not the data of the application."""
    home = os.path.expanduser("~")  # noqa: PTH111 - importing pathlib takes 3 ms
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")  # noqa: PTH118
    own = os.path.join(os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share"), "tollbook")  # noqa: PTH118
    fixed = ("/proc", "/sys", "/dev", "/run", "/etc", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/boot")
    said = (sys.prefix, sys.base_prefix, sys.exec_prefix, cache, own, os.environ.get("TOLLBOOK_BUFFER"))
    return tuple(folder.rstrip("/") + "/" for folder in (*fixed, *said) if folder)


class Choice:
    """Which files are seen: by default data files only, or those that `TOLLBOOK_FILES` names."""

    def __init__(self, said: str | None) -> None:
        globs = [glob.strip() for glob in (said or "").split(",") if glob.strip()]
        self._none = globs == ["none"]
        self._only = tuple(glob for glob in globs if not glob.startswith("!"))
        self._never = tuple(glob[1:] for glob in globs if glob.startswith("!"))
        self._folders = _system_folders()
        self.takes: Callable[[str], bool] = lru_cache(4096)(self._takes)

    def _takes(self, path: str) -> bool:
        if self._none or any(fnmatch.fnmatch(path, glob) for glob in self._never):
            return False
        if self._only:
            return any(fnmatch.fnmatch(path, glob) for glob in self._only)
        if path.startswith(self._folders) or any(part in path for part in ("/site-packages/", "/dist-packages/")):
            return False
        return not any(fnmatch.fnmatch(path, glob) for glob in _NO_DATA)


_choice = Choice(None)
_within = threading.local()
"""Whether this thread is inside our own work, whose files are none of the application's."""


@contextlib.contextmanager
def _ourselves() -> Iterator[None]:
    before, _within.us = getattr(_within, "us", False), True
    try:
        yield
    finally:
        _within.us = before


class _Mode(NamedTuple):
    raw: str
    reads: bool
    writes: bool
    binary: bool


def _modes() -> Iterator[tuple[str, _Mode]]:
    for base, plus, kind in product("rwax", ("", "+"), ("", "b", "t")):
        mode = _Mode(base + plus, base == "r" or bool(plus), base != "r" or bool(plus), kind == "b")
        for letters in permutations(base + plus + kind):
            yield "".join(letters), mode


_MODES: Final = dict(_modes())


class _Ask(NamedTuple):
    """An `open` of a file that is seen."""

    path: str | bytes
    absolute: str
    text_mode: str
    mode: _Mode
    buffering: int
    encoding: Any
    errors: Any
    newline: Any


def _asked(  # noqa: PLR0917 - the arguments of `open`
    file: Any,
    mode: Any = "r",
    buffering: Any = -1,
    encoding: Any = None,
    errors: Any = None,
    newline: Any = None,
    closefd: Any = True,
    opener: Any = None,
) -> _Ask | None:
    """What is asked for; none where it is not ours to see, or where only the real `open` knows what is wrong with it."""
    known = _MODES.get(mode) if type(mode) is str else None
    if known is None or opener is not None or closefd is not True or type(buffering) is not int:
        return None
    if buffering == 1 if known.binary else buffering == 0 or (encoding is None and sys.flags.warn_default_encoding):
        return None
    if known.binary and not (encoding is errors is newline is None):
        return None
    if not isinstance(file, str | bytes | os.PathLike) or runtime.tracer() is None:
        return None
    path = os.fspath(file)
    absolute = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - importing pathlib takes 3 ms
    return _Ask(path, absolute, mode, known, buffering, encoding, errors, newline) if _choice.takes(absolute) else None


# What is said of one.


def _uri(path: str) -> str:
    return "file://" + quote(os.fsencode(path))


def _asset(path: str, state: os.stat_result) -> Asset:
    return Asset(_uri(path), f"{state.st_size}-{state.st_mtime_ns}", state.st_mtime_ns)


@lru_cache(256)
def _network(device: int) -> str | None:
    """Local disk, unless the file system lies on another machine: then it is not known how far that is."""
    place = f"{os.major(device)}:{os.minor(device)}"
    with contextlib.suppress(OSError), FileIO("/proc/self/mountinfo") as mounts:
        for line in mounts.readall().decode(errors="replace").splitlines():
            fields, _dash, kind = line.partition(" - ")
            if fields.split(" ")[2:3] == [place]:
                kind = kind.split(" ")[0]
                return None if kind in _REMOTE or kind.startswith("fuse") else "local_disk"
    return "local_disk"


class _Watch:
    """The span of one opened file, or its place in a span of many."""

    __slots__ = ("_complete", "_file", "_handle", "_mode", "_parts", "_path", "_process", "native", "read", "written")

    def __init__(self, handle: Handle, ask: _Ask, file: os.stat_result, shared: "_Shared | None") -> None:
        self._handle = handle
        self._file = shared
        self._path = ask.absolute
        self._mode = ask.mode
        self._process = os.getpid()
        self._parts: list[bytes] | None = [] if shared is None else None
        self._complete = 0 if ask.mode.raw[0] in "wx" else file.st_size
        self.native = False
        self.read = 0
        self.written = 0

    def keep(self, data: Any) -> None:
        """Remember content for its digest, as long as it is small."""
        if self._parts is not None:
            self._parts.append(bytes(data))
            if self.read + self.written > digest.MAX_BYTES:
                self._parts = None

    def jump(self) -> None:
        """What follows was not next to what was."""
        if self._parts:
            self._parts = None

    def end(self, state: os.stat_result) -> None:
        """Say what was moved."""
        if self._process != os.getpid():  # the span is the parent's
            return
        size = self._size(state)
        if self._file is not None:
            self._file.left(size or 0)
            return
        handle = self._handle
        if size is not None:
            handle.bytes(size)
        if self.written or self._mode.raw[0] != "r":
            changed = {A.TOLLBOOK_HANDOFF_OPERATION: "write", A.TOLLBOOK_HANDOFF_DESTINATION: "file"}
            handle.span.set_attributes({**changed, **_asset(self._path, state).attributes()})
        if self._parts and self._whole(state):
            handle.content(b"".join(self._parts))
        handle.end()

    def _size(self, state: os.stat_result) -> int | None:
        """Bytes moved; unknown where another library read or wrote beside us, through the file's number."""
        if not self.native:
            return self.read + self.written
        return state.st_size if self._mode.raw in ("w", "x") else None

    def _whole(self, state: os.stat_result) -> bool:
        if self.read and self.written:
            return False
        return self.read == self._complete if self.read else self._mode.raw[0] in "wx" and self.written == state.st_size


_count_readinto: Final = FileIO.readinto
_count_read: Final = FileIO.read
_count_readall: Final = FileIO.readall
_count_write: Final = FileIO.write
_open_files: "WeakSet[_Watched]" = WeakSet()


class _Watched(FileIO):
    """A raw file that counts. It is a `FileIO` in every other way."""

    _watch: _Watch | None = None

    def readinto(self, buffer: Any, /) -> Any:
        count = _count_readinto(self, buffer)
        watch = self._watch
        if count and watch is not None:
            watch.read += count
            watch.keep(memoryview(buffer).cast("B")[:count])
        return count

    def readall(self) -> Any:
        return self._counted(_count_readall(self))

    def read(self, size: Any = -1, /) -> Any:
        return self._counted(_count_read(self, size))

    def _counted(self, data: Any) -> Any:
        watch = self._watch
        if data and watch is not None:
            watch.read += len(data)
            watch.keep(data)
        return data

    def write(self, data: Any, /) -> Any:
        count = _count_write(self, data)
        watch = self._watch
        if count and watch is not None:
            watch.written += count
            watch.keep(memoryview(data).cast("B")[:count])
        return count

    def seek(self, *args: Any) -> Any:
        if self._watch is not None and self._watch.read + self._watch.written:
            self._watch.jump()
        return FileIO.seek(self, *args)

    def fileno(self) -> int:
        if self._watch is not None:
            self._watch.native = True
        return FileIO.fileno(self)

    def close(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None and not self.closed:
            with shielded("end a file"), _ourselves():
                watch.end(os.fstat(FileIO.fileno(self)))
        FileIO.close(self)


_Watched.__name__ = _Watched.__qualname__ = "FileIO"
_Watched.__module__ = FileIO.__module__


# Many files one after another: a loop over thousands must not become as many spans.


class _Shared:
    """One span of many files. Ends a second after it began, once none of them is open."""

    def __init__(self, handle: Handle, path: str) -> None:
        self.handle = handle
        self._folder = os.path.dirname(path)  # noqa: PTH120
        self._open = self._files = self._bytes = 0
        self._until = time.monotonic() + SHARED_FOR_S
        self._lock = threading.RLock()
        self.over = False
        timer = threading.Timer(SHARED_FOR_S, self._due)
        timer.daemon = True
        timer.start()

    def joined(self, path: str, asset: Asset | None) -> bool:
        """Take a further file in; not where the span is over."""
        with self._lock:
            if self.over or time.monotonic() > self._until:
                return False
            self._open += 1
            self._files += 1
            self._folder = os.path.commonpath([self._folder, os.path.dirname(path)])  # noqa: PTH120
        if asset is not None and self.handle.inputs is not None:
            self.handle.inputs.add(asset)
        return True

    def left(self, size: int) -> None:
        """A file is closed."""
        with self._lock:
            self._open -= 1
            self._bytes += size
            self.handle.until_now()
            due = time.monotonic() > self._until
        if due:
            self._due()

    def _due(self, exiting: bool = False) -> None:
        with self._lock:
            if self.over or (self._open and not exiting):
                return
            self.over = True
        with shielded("end a span of many files"):
            self.handle.set(A.TOLLBOOK_ASSET_ID, _uri(self._folder) + "/").bytes(self._bytes).records(self._files).end()


class _Crowd:
    """How many files the span around them has opened this second, and the span that further ones share."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._seen: dict[tuple[int, bool], tuple[int, int]] = {}
        self._shared: dict[tuple[int, bool], _Shared] = {}

    def shared(self, ask: _Ask, state: os.stat_result, asset: Asset | None) -> _Shared | None:
        """The span to share, none where the file gets its own."""
        key = (get_current_span().get_span_context().span_id, ask.mode.raw[0] == "r")
        second = int(time.monotonic())
        with self._lock:
            since, count = self._seen.get(key, (second, 0))
            count = count + 1 if since == second else 1
            if len(self._seen) > 4096:
                self._seen.clear()
            self._seen[key] = (second, count)
            if count <= APART_EACH_S:
                return None
            known = self._shared.get(key)
            if known is None or not known.joined(ask.absolute, asset):
                self._shared = {key: shared for key, shared in self._shared.items() if not shared.over}
                known = self._shared[key] = _Shared(_begun(ask, state), ask.absolute)
                known.joined(ask.absolute, asset)
            return known

    def end(self) -> None:
        """At the end of the program."""
        for shared in list(self._shared.values()):
            shared._due(exiting=True)


_crowd = _Crowd()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_crowd.__init__)  # type: ignore[misc]  # what is shared is the parent's


def _begun(ask: _Ask, state: os.stat_result) -> Handle:
    kind = _READ if ask.mode.raw[0] == "r" else _WRITE
    name = "read file" if kind is _READ else "write file"
    return kind.begin(name, {A.TOLLBOOK_HANDOFF_NETWORK: _network(state.st_dev)}, measures_cpu=False)


def _watch(raw: _Watched, ask: _Ask) -> None:
    state = os.fstat(FileIO.fileno(raw))
    if not stat.S_ISREG(state.st_mode):
        return
    asset = _asset(ask.absolute, state) if ask.mode.raw[0] == "r" else None
    shared = _crowd.shared(ask, state, asset)
    handle = shared.handle if shared else _begun(ask, state)
    if handle is INERT:
        return
    if shared is None and asset is not None:
        handle.asset(asset)
    raw._watch = _Watch(handle, ask, state, shared)
    _open_files.add(raw)


def _layers(raw: _Watched, ask: _Ask) -> Any:
    """The buffer and the text layer that `open` puts over a raw file."""
    buffering = ask.buffering
    line_buffering = buffering == 1
    if buffering < 0 and raw._watch is None and raw.isatty():
        line_buffering = True
    if buffering < 0 or buffering == 1:
        buffering = raw._blksize if raw._blksize > 1 else io.DEFAULT_BUFFER_SIZE  # type: ignore[attr-defined]
        if sys.version_info >= (3, 14):
            buffering = max(min(buffering, 8192 * 1024), io.DEFAULT_BUFFER_SIZE)
    if buffering == 0:
        return raw
    layer: Any = io.BufferedRandom if "+" in ask.mode.raw else io.BufferedWriter if ask.mode.writes else io.BufferedReader
    buffer = layer(raw, buffering)
    if ask.mode.binary:
        return buffer
    text = io.TextIOWrapper(buffer, ask.encoding, ask.errors, ask.newline, line_buffering)
    text.mode = ask.text_mode  # type: ignore[misc]
    return text


class _Open(wrapt.CallableObjectProxy):  # type: ignore[type-arg]  # wrapt 1 has no type arguments
    """`open`, for all the world."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        ask = None
        caller = sys._getframe(1).f_globals.get("__name__") or ""
        if not getattr(_within, "us", False) and caller.partition(".")[0] not in _TOOLS:
            with shielded("look at a file"), contextlib.suppress(TypeError), _ourselves():
                ask = _asked(*args, **kwargs)
        if ask is None:
            return self.__wrapped__(*args, **kwargs)
        raw = _Watched(ask.path, ask.mode.raw)
        file = None
        try:
            with shielded("watch a file"), _ourselves():
                _watch(raw, ask)
            file = _layers(raw, ask)
        finally:
            if file is None:
                raw.close()
        return file

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return "open"  # as pickle names the real one


def _copied(wrapped: Callable[..., Any], _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`shutil.copyfile`: the system copies, beside the file objects."""
    handle: Handle = INERT
    with shielded("look at a copy of a file"):
        source, target = _ends(*args, **kwargs)
        if not getattr(_within, "us", False) and (_choice.takes(source) or _choice.takes(target)):
            handle = _COPY.begin("copy file")
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle):
        with handle, _ourselves():
            result = wrapped(*args, **kwargs)
        with shielded("describe a copy of a file"):
            read, made = os.stat(source), os.stat(target)  # noqa: PTH116
            handle.bytes(made.st_size).asset(_asset(source, read))
            if _network(read.st_dev) == _network(made.st_dev) == "local_disk":
                handle.set(A.TOLLBOOK_HANDOFF_NETWORK, "local_disk")
    return result


def _from_file(wrapped: Callable[..., Any], _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`numpy.fromfile`, which `numpy.load` calls: it reads beside the file object, and leaves it behind what it has read."""
    watch: _Watch | None = None
    ahead = 0
    with shielded("look at an array's file"):
        file: Any = args[0] if args else kwargs.get("file")
        raw: Any = getattr(file, "raw", file)
        watch = raw._watch if isinstance(raw, _Watched) else None
        if watch is not None and file is not None:
            ahead = FileIO.tell(raw) - file.tell()
    result = wrapped(*args, **kwargs)
    with shielded("count an array's file"):
        if watch is not None:
            watch.jump()
            watch.native = False
            watch.read += result.nbytes - ahead
    return result


def _ends(src: Any, dst: Any, **_options: Any) -> Sequence[str]:
    return [os.path.abspath(os.fsdecode(path)) for path in (src, dst)]  # noqa: PTH100


@atexit.register
def _end_all() -> None:
    """Files that a program never closes end with it."""
    with shielded("end the files of a program"):
        for raw in list(_open_files):
            watch, raw._watch = raw._watch, None
            if watch is not None and not raw.closed:
                watch.end(os.fstat(FileIO.fileno(raw)))
        _crowd.end()


class FilesInstrumentor(Integration):
    """Instruments `open`, which `pathlib` goes through as well, and what reads or writes beside the files that it opens."""

    library = "io"
    wrappers: ClassVar = {"shutil": {"copyfile": _copied}, "numpy": {"fromfile": _from_file}}

    def _instrument(self, **kwargs: Any) -> None:
        global _choice  # noqa: PLW0603
        _choice = Choice(os.environ.get(VARIABLE))
        super()._instrument(**kwargs)
        builtins.open = io.open = _Open(io.open)

    def _uninstrument(self, **kwargs: Any) -> None:
        global _choice  # noqa: PLW0603
        super()._uninstrument(**kwargs)
        _choice = Choice("none")  # for those who took our `open` with them
        if isinstance(io.open, _Open):
            builtins.open = io.open = io.open.__wrapped__
