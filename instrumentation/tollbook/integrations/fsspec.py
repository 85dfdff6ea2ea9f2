"""fsspec: what is read, written and copied through a file system of it is a handoff, whichever store it leads to.

Files of this machine are left to the instrumentation of `open`, web pages to that of HTTP, and file systems that stand on another
one (caches, archives) to that one: each byte is seen once.
"""

import os
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import digest
from tollbook.handle import INERT, Handle, Value
from tollbook.inputs import Asset
from tollbook.integrations.base import Handover, Integration
from tollbook.shield import shielded
from tollbook.steps import ending

_ELSEWHERE: Final = frozenset(
    [
        "file",
        "local",
        "http",
        "https",
        "filecache",
        "simplecache",
        "blockcache",
        "cached",
        "dir",
        "zip",
        "tar",
        "libarchive",
        "reference",
    ]
)
"""Protocols that are seen by other means."""
_CHANGED: Final = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
_VERSION: Final = ("VersionId", "ETag", "etag", "generation", "md5Hash")
_HANDOVERS: Final = {
    (operation, inside): Handover(operation, kind=SpanKind.INTERNAL if inside else SpanKind.CLIENT)
    for operation in ("read", "write", "copy", "delete")
    for inside in (True, False)
}
_on = False


class _Act:
    """One act on a file system: its span, and the identity of what it is about."""

    def __init__(self, fs: Any, operation: str, path: Any) -> None:
        self._fs = fs
        self._operation = operation
        self._protocol = _protocol_of(fs)
        self._path = fs._strip_protocol(path) if isinstance(path, str | os.PathLike) else None
        inside = self._protocol == "memory"
        place = self._place()
        comes_in = operation == "read"
        said: dict[str, Value | None] = {
            A.TOLLBOOK_HANDOFF_SOURCE if comes_in else A.TOLLBOOK_HANDOFF_DESTINATION: place,
            A.TOLLBOOK_HANDOFF_NETWORK: "in_process" if inside else None,
        }
        self.handle: Handle = _HANDOVERS[operation, inside].begin(f"{operation} {self._protocol}", said, measures_cpu=False)

    def _place(self) -> str:
        bucket = self._path.lstrip("/").partition("/")[0] if self._path and self._protocol != "memory" else ""
        return f"{self._protocol}:{bucket}" if bucket else str(self._protocol)

    def about(self, details: Mapping[str, Any] | None) -> None:
        """Name the asset, and say how old it is where that is known without asking for it."""
        if self._path is None:
            return
        said = details or {}
        changed = next((said[name] for name in _CHANGED if isinstance(said.get(name), datetime | float | str)), None)
        version = next((str(said[name]).strip('"') for name in _VERSION if said.get(name)), None)
        self.handle.asset(Asset(self._fs.unstrip_protocol(self._path), version, changed))

    def known(self) -> Mapping[str, Any] | None:
        """What the file system remembers of the path from an earlier look at it."""
        if self._path is None:
            return None
        if self._protocol == "memory":
            held = self._fs.store.get(self._path)
            return {"modified": held.modified} if held is not None else None
        listed = self._fs._ls_from_cache(self._path)
        return next((entry for entry in listed or () if entry.get("name") == self._path), None)

    def content(self, data: Any) -> None:
        """Count the content, and digest it where it is small."""
        if not isinstance(data, bytes | bytearray | str):
            return
        self.handle.bytes(len(data.encode() if isinstance(data, str) else data))
        if 0 < len(data) <= digest.MAX_BYTES:
            self.handle.content(data)


def _protocol_of(fs: Any) -> str:
    return fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]


def _begun(fs: Any, operation: str, path: Any) -> _Act | None:
    with shielded("begin an act on a file system"):
        if not _on:
            return None
        act = _Act(fs, operation, path)
        return None if act.handle is INERT else act
    return None


Calling = Callable[..., Any]
Tell = Callable[[_Act, tuple[Any, ...], Mapping[str, Any], Any], None]


def _acting(fs: Any, method: Calling, operation: str, place: int, tell: Tell) -> Calling:
    """A method of a file system, whose span is about the path at this place among its arguments."""

    def call(*args: Any, **kwargs: Any) -> Any:
        path = (
            args[place]
            if len(args) > place
            else next((kwargs[name] for name in ("path", "rpath", "path1") if name in kwargs), None)
        )
        act = _begun(fs, operation, path)
        if act is None:
            return method(*args, **kwargs)
        with ending(act.handle):
            with act.handle, suppress_instrumentation():
                result = method(*args, **kwargs)
            with shielded("describe an act on a file system"):
                tell(act, args, kwargs, result)
        return result

    return _named(call, method)


def _named(call: Calling, method: Calling) -> Calling:
    call.__name__ = getattr(method, "__name__", call.__name__)
    call.__doc__ = method.__doc__
    call.__wrapped__ = method  # type: ignore[attr-defined]  # `inspect.signature` looks there
    return call


def _tell_read(act: _Act, _args: tuple[Any, ...], _kwargs: Mapping[str, Any], result: Any) -> None:
    act.about(act.known())
    if isinstance(result, Mapping):
        result = list(result.values())
    if isinstance(result, list):
        contents = [item for item in result if isinstance(item, bytes)]
        act.handle.bytes(sum(map(len, contents))).records(len(contents))
    else:
        act.content(result)


def _tell_written(act: _Act, args: tuple[Any, ...], kwargs: Mapping[str, Any], _result: Any) -> None:
    value = args[1] if len(args) > 1 else kwargs.get("value")
    if value is None and args and isinstance(args[0], Mapping):
        act.handle.bytes(sum(len(item) for item in args[0].values())).records(len(args[0]))
        return
    act.about(None)
    act.content(value)


def _tell_got(act: _Act, args: tuple[Any, ...], kwargs: Mapping[str, Any], _result: Any) -> None:
    """Copied to this machine."""
    act.about(act.known())
    _size_local(act, args[1] if len(args) > 1 else kwargs.get("lpath"))


def _tell_put(act: _Act, args: tuple[Any, ...], kwargs: Mapping[str, Any], _result: Any) -> None:
    act.about(None)
    _size_local(act, args[0] if args else kwargs.get("lpath"))


def _size_local(act: _Act, path: Any) -> None:
    if isinstance(path, str | os.PathLike) and os.path.isfile(path):  # noqa: PTH113
        act.handle.bytes(os.stat(path).st_size)  # noqa: PTH116


def _tell_copied(act: _Act, _args: tuple[Any, ...], _kwargs: Mapping[str, Any], _result: Any) -> None:
    act.handle.set(A.TOLLBOOK_HANDOFF_SOURCE, act._place())
    act.about(act.known())


def _tell_deleted(act: _Act, _args: tuple[Any, ...], _kwargs: Mapping[str, Any], _result: Any) -> None:
    if act._path is not None:
        act.handle.set(A.TOLLBOOK_ASSET_ID, act._fs.unstrip_protocol(act._path))


_METHODS: Final[Mapping[str, tuple[str, int, Tell]]] = {
    "cat": ("read", 0, _tell_read),
    "cat_file": ("read", 0, _tell_read),
    "cat_ranges": ("read", 0, _tell_read),
    "pipe": ("write", 0, _tell_written),
    "pipe_file": ("write", 0, _tell_written),
    "get": ("read", 0, _tell_got),
    "get_file": ("read", 0, _tell_got),
    "put": ("write", 1, _tell_put),
    "put_file": ("write", 1, _tell_put),
    "copy": ("copy", 0, _tell_copied),
    "cp_file": ("copy", 0, _tell_copied),
    "rm": ("delete", 0, _tell_deleted),
    "rm_file": ("delete", 0, _tell_deleted),
}


# Files that are opened.


class _OpenFile:
    """A file while it is open: its reading and writing methods count."""

    def __init__(self, act: _Act, file: Any, mode: str) -> None:
        self._act = act
        self._count = 0
        self._depth = 0
        self._ended = False
        self._reads = "r" in mode
        self._was = type(file)
        act.about((getattr(file, "details", None) or act.known()) if self._reads else None)
        for name in ("read", "read1", "readline", "readinto", "readlines", "write"):
            if hasattr(self._was, name):
                file.__dict__[name] = self._counting(getattr(self._was, name).__get__(file))
        file.__dict__["close"] = self._closing(weakref.ref(file))
        weakref.finalize(file, self.end, None)

    def _counting(self, method: Calling) -> Calling:
        bound = weakref.WeakMethod(method) if hasattr(method, "__func__") else None
        owner, name = weakref.ref(method.__self__), method.__name__  # type: ignore[attr-defined]
        kind = self._was

        def call(*args: Any, **kwargs: Any) -> Any:
            known: Any = bound() if bound is not None else getattr(kind, name).__get__(owner())
            self._depth += 1
            try:
                with suppress_instrumentation():
                    moved = known(*args, **kwargs)
            finally:
                self._depth -= 1
            if not self._depth:
                with shielded("count a file of a file system"):
                    self._count += _length(moved)
                    self._act.handle.until_now()
            return moved

        return _named(call, method)

    def _closing(self, file: Any) -> Calling:
        kind = self._was

        def close() -> Any:
            held = file()
            self._depth += 1
            try:
                with suppress_instrumentation():
                    return kind.close(held)
            finally:
                self._depth -= 1
                self.end(held)

        return close

    def end(self, file: Any) -> None:
        """Say what was moved, once."""
        if self._ended:
            return
        self._ended = True
        with shielded("end a file of a file system"):
            size = self._count
            if file is not None and not size and self._reads and not file.closed:
                size = file.tell()  # read in a way that is not counted, such as line by line in C
            self._act.handle.bytes(size)
        self._act.handle.end()
        with shielded("leave a file of a file system"):
            for name in ("read", "read1", "readline", "readinto", "readlines", "write", "close") if file is not None else ():
                file.__dict__.pop(name, None)


def _length(moved: Any) -> int:
    if isinstance(moved, int):
        return moved
    return sum(map(len, moved)) if isinstance(moved, list) else len(moved or b"")


def _opening(fs: Any, method: Calling) -> Calling:
    def call(*args: Any, **kwargs: Any) -> Any:
        mode = args[1] if len(args) > 1 else kwargs.get("mode", "rb")
        if not isinstance(mode, str) or "b" not in mode or kwargs.get("compression"):
            return method(*args, **kwargs)  # opens the file once more, as bytes
        act = _begun(fs, "read" if "r" in mode else "write", args[0] if args else kwargs.get("path"))
        if act is None:
            return method(*args, **kwargs)
        with ending(act.handle) as end:
            with act.handle, suppress_instrumentation():
                file = method(*args, **kwargs)
            with shielded("open a file of a file system"):
                _OpenFile(act, file, mode)
                end.elsewhere()
        return file

    return _named(call, method)


def _made(wrapped: Calling, _class: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A file system is made, or comes out of the cache of them."""
    fs = wrapped(*args, **kwargs)
    with shielded("see a file system"):
        if _on and "_tollbook_seen" not in fs.__dict__ and _protocol_of(fs) not in _ELSEWHERE:
            fs.__dict__["_tollbook_seen"] = True
            for name, (operation, place, tell) in _METHODS.items():
                if hasattr(fs, name):
                    fs.__dict__[name] = _acting(fs, getattr(fs, name), operation, place, tell)
            fs.__dict__["open"] = _opening(fs, fs.open)
    return fs


class FsspecInstrumentor(Integration):
    """Instruments the file systems that are made from now on."""

    library = "fsspec"
    wrappers: ClassVar = {"fsspec.spec": {"_Cached.__call__": _made}}

    def _instrument(self, **kwargs: Any) -> None:
        global _on  # noqa: PLW0603
        _on = True
        super()._instrument(**kwargs)

    def _uninstrument(self, **kwargs: Any) -> None:
        global _on  # noqa: PLW0603
        _on = False
        super()._uninstrument(**kwargs)
