"""What libraries for vector search have in common: a search is a lookup, adding is a write, and an index is data of some age."""

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.extract import as_asset, size_bytes
from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Handover, Wrapper
from tollbook.shield import shielded
from tollbook.steps import ending

MAX_EVENT_IDS: Final = 256
"""Of the vectors in one write whose ids are kept; the records say how many there were."""

Says = Callable[[Handle, Mapping[str, Any], Any], None]
"""Says of a call, by its arguments by name (`self` is the index) and its result, what the library tells."""

_numbers: Final = itertools.count(1)


@dataclass
class Index:
    """What is known of one index."""

    asset: str
    """Its file, else the how-many-th of the process it is."""
    event_time_ns: int | None = None
    """When it was changed last, or its file was."""
    changes: int = 0
    """How often it was changed in this process."""

    def loaded(self, path: Path) -> None:
        """It is what the file holds."""
        found = as_asset(path)
        if found is not None and isinstance(found.event_time, int):
            self.asset, self.event_time_ns, self.changes = found.id, found.event_time, 0

    def changed(self) -> None:
        """Vectors were added or removed."""
        self.changes += 1
        self.event_time_ns = time.time_ns()


class Vectors:
    """The wrappers of one library.

    Args:
        system: its name.
        shape: attributes of an index that hold how many vectors it has, and of how many dimensions; methods or values.
    """

    def __init__(self, system: str, shape: tuple[str, str]) -> None:
        self._system = system
        self._shape = shape
        self._known: WeakKeyDictionary[Any, Index] = WeakKeyDictionary()

    def known(self, index: Any) -> Index:
        """What is known of an index."""
        found = self._known.get(index)
        if found is None:
            found = self._known[index] = Index(f"{self._system}:memory-{next(_numbers)}")
        return found

    def search(self, names: tuple[str, ...], say: Says) -> Wrapper:
        """The wrapper of a search: `names` are those of its arguments, by place."""
        return self._wrapper("lookup", names, say, A.TOLLBOOK_HANDOFF_SOURCE)

    def add(self, names: tuple[str, ...], say: Says) -> Wrapper:
        """The wrapper of what adds vectors."""
        return self._wrapper("write", names, say, A.TOLLBOOK_HANDOFF_DESTINATION)

    def remove(self, names: tuple[str, ...], say: Says) -> Wrapper:
        """The wrapper of what removes vectors."""
        return self._wrapper("delete", names, say, A.TOLLBOOK_HANDOFF_DESTINATION)

    def load(self, names: tuple[str, ...], path_of: str, index_of: Callable[[Any, Any], Any]) -> Wrapper:
        """The wrapper of what makes an index of a file; `index_of` finds it in the object that was asked, or the result."""

        def say(handle: Handle, said: Mapping[str, Any], result: Any) -> None:
            path = Path(said[path_of])
            known = self.known(index_of(said["self"], result))
            known.loaded(path)
            handle.bytes(path.stat().st_size).asset(path.absolute().as_uri(), event_time=known.event_time_ns)

        return self._wrapper("read", names, say, A.TOLLBOOK_HANDOFF_SOURCE, path_of)

    def save(self, names: tuple[str, ...], path_of: str) -> Wrapper:
        """The wrapper of what writes an index into a file."""

        def say(handle: Handle, said: Mapping[str, Any], _result: Any) -> None:
            path = Path(said[path_of])
            found = path.stat()
            handle.bytes(found.st_size).asset(path.absolute().as_uri(), event_time=found.st_mtime_ns)

        return self._wrapper("write", names, say, A.TOLLBOOK_HANDOFF_DESTINATION, path_of)

    def _wrapper(self, operation: str, names: tuple[str, ...], say: Says, end: str, path_of: str | None = None) -> Wrapper:
        attributes: dict[str, Value | None] = {
            end: "file" if path_of else self._system,
            A.TOLLBOOK_HANDOFF_NETWORK: "local_disk" if path_of else "in_process",
            A.DB_SYSTEM_NAME: self._system,
        }
        handover = Handover(operation, kind=SpanKind.INTERNAL, attributes=attributes)
        telling = shielded(f"describe a {operation} of {self._system}")

        def wrapper(wrapped: Callable[..., Any], index: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            said = {"self": index, **dict(zip(names, args, strict=False)), **kwargs}
            if path_of and not isinstance(said.get(path_of), str | Path):
                return wrapped(*args, **kwargs)  # a buffer: nothing is read or written
            method = getattr(wrapped, "__name__", operation).removeprefix("replacement_")
            handle = handover.begin(f"{method} {self._system}", {A.DB_OPERATION_NAME: method})
            if handle is INERT:
                return wrapped(*args, **kwargs)
            with ending(handle):
                with handle:
                    result = wrapped(*args, **kwargs)
                with telling:
                    say(handle, said, result)
                    if index is not None:
                        self._tell_index(handle, index, operation if path_of is None else "file")
            return result

        return wrapper

    def _tell_index(self, handle: Handle, index: Any, operation: str) -> None:
        """Say how large the index is and, where no file is named, what is known of its data."""
        records, dimensions = (getattr(index, name) for name in self._shape)
        handle.set(A.TOLLBOOK_INDEX_RECORDS, int(records() if callable(records) else records))
        handle.set(A.TOLLBOOK_INDEX_DIMENSIONS, int(dimensions() if callable(dimensions) else dimensions))
        if operation == "file":
            return
        known = self.known(index)
        if operation != "lookup":
            known.changed()
        handle.asset(known.asset, str(known.changes) if known.changes else None, known.event_time_ns)


def say_search(handle: Handle, query: Any, k: Any, found: tuple[Any, Any], records: int) -> None:
    """Say what a search asked and found: as many keys and distances as there are records."""
    found_bytes = records * sum(int(getattr(array, "itemsize", 0)) for array in found)
    asked_bytes = size_bytes(query)
    if asked_bytes is not None:
        handle.bytes(asked_bytes + found_bytes)
    handle.records(records)
    if isinstance(k, int):
        handle.set("gen_ai.retrieval.top_k", k)
    queries = rows(query)
    if queries > 1:
        handle.set("db.operation.batch.size", queries)


def say_written(handle: Handle, vectors: Any, ids: Any, records: int) -> None:
    """Say which vectors were added; their ids find what comes twice or not at all."""
    size = size_bytes(vectors)
    if size is not None:
        handle.bytes(size)
    handle.records(records)
    say_ids(handle, ids)


def say_ids(handle: Handle, ids: Any) -> None:
    """Say which vectors a write or a removal is about, where it names them."""
    if ids is None:
        return
    named = [str(each) for each in (ids[:MAX_EVENT_IDS] if hasattr(ids, "__len__") else [ids])]
    if len(named) == 1:
        handle.set(A.TOLLBOOK_EVENT_ID, named[0])
    elif named:
        handle.set(A.TOLLBOOK_EVENT_IDS, named)


def rows(vectors: Any) -> int:
    """Vectors in an array or a list: one, if it has one dimension."""
    shape = getattr(vectors, "shape", None)
    if shape is None:
        return len(vectors) if vectors and hasattr(vectors[0], "__len__") else 1
    return int(shape[0]) if len(shape) > 1 else 1
