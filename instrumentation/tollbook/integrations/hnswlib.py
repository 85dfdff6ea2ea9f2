"""hnswlib: searches of an index are lookups, what changes it writes and deletes."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from tollbook.handle import Handle
from tollbook.integrations.base import Integration
from tollbook.integrations.vectors import Vectors, rows, say_ids, say_search, say_written

_VECTORS: Final = Vectors("hnswlib", ("get_current_count", "dim"))


def _searched(handle: Handle, said: Mapping[str, Any], found: Any) -> None:
    labels, distances = found
    say_search(handle, said["data"], said.get("k", 1), (labels, distances), labels.size)


def _added(handle: Handle, said: Mapping[str, Any], _result: Any) -> None:
    say_written(handle, said["data"], said.get("ids"), rows(said["data"]))


def _removed(handle: Handle, said: Mapping[str, Any], _result: Any) -> None:
    handle.records(1)
    say_ids(handle, said["label"])


class HnswlibInstrumentor(Integration):
    """Instruments `hnswlib`."""

    library = "hnswlib"
    wrappers: ClassVar = {
        "hnswlib": {
            f"{kind}.{name}": wrapper
            for kind in ("Index", "BFIndex")
            for name, wrapper in {
                "knn_query": _VECTORS.search(("data", "k"), _searched),
                "add_items": _VECTORS.add(("data", "ids"), _added),
                **(
                    {"mark_deleted": _VECTORS.remove(("label",), _removed)}
                    if kind == "Index"
                    else {"delete_vector": _VECTORS.remove(("label",), _removed)}
                ),
                "load_index": _VECTORS.load(("path_to_index",), "path_to_index", lambda index, _result: index),
                "save_index": _VECTORS.save(("path_to_index",), "path_to_index"),
            }.items()
        }
    }
