"""faiss: searches of an index of any class are lookups, what changes it writes and deletes."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar, Final

from tollbook.handle import Handle
from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.vectors import Vectors, rows, say_ids, say_search, say_written

_VECTORS: Final = Vectors("faiss", ("ntotal", "d"))


def _searched(handle: Handle, said: Mapping[str, Any], found: Any) -> None:
    distances, labels = found[:2]
    say_search(handle, said["x"], said.get("k"), (labels, distances), int((labels >= 0).sum()))


def _searched_range(handle: Handle, said: Mapping[str, Any], found: Any) -> None:
    _limits, distances, labels = found
    say_search(handle, said["x"], None, (labels, distances), labels.size)


def _added(handle: Handle, said: Mapping[str, Any], _result: Any) -> None:
    say_written(handle, said["x"], said.get("ids"), rows(said["x"]))


def _removed(handle: Handle, said: Mapping[str, Any], removed: Any) -> None:
    handle.records(int(removed))
    say_ids(handle, said["x"] if hasattr(said["x"], "__len__") else None)


_METHODS: Final[Mapping[str, Wrapper]] = {
    "search": _VECTORS.search(("x", "k"), _searched),
    "search_and_reconstruct": _VECTORS.search(("x", "k"), _searched),
    "range_search": _VECTORS.search(("x", "thresh"), _searched_range),
    "add": _VECTORS.add(("x",), _added),
    "add_with_ids": _VECTORS.add(("x", "ids"), _added),
    "remove_ids": _VECTORS.remove(("x",), _removed),
}


class FaissInstrumentor(Integration):
    """Instruments `faiss`. Each class of index has methods of its own, which are wrapped where they are."""

    library = "faiss"
    wrappers: ClassVar = {
        "faiss": {
            "read_index": _VECTORS.load(("fname",), "fname", lambda _asked, index: index),
            "write_index": _VECTORS.save(("index", "fname"), "fname"),
        }
    }

    def wrappers_of(self, module: ModuleType) -> Mapping[str, Wrapper]:
        """Those of the functions, and of each class that is an index."""
        bases = tuple(kind for name in ("Index", "IndexBinary") if isinstance(kind := getattr(module, name, None), type))
        kinds = {kind.__name__: kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, bases)}
        methods = {
            f"{name}.{method}": wrapper
            for name, kind in kinds.items()
            for method, wrapper in _METHODS.items()
            if method in vars(kind) and getattr(module, name, None) is kind
        }
        return {**super().wrappers_of(module), **methods}
