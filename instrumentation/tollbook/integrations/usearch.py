"""usearch: searches of an index are lookups, what changes it writes and deletes."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from tollbook.handle import Handle
from tollbook.integrations.base import Integration
from tollbook.integrations.vectors import Vectors, rows, say_ids, say_search, say_written

_VECTORS: Final = Vectors("usearch", ("size", "ndim"))


def _searched(handle: Handle, said: Mapping[str, Any], matches: Any) -> None:
    counts = getattr(matches, "counts", None)  # of a batch
    found = len(matches.keys) if counts is None else int(counts.sum())
    say_search(handle, said["vectors"], said.get("count", 10), (matches.keys, matches.distances), found)


def _added(handle: Handle, said: Mapping[str, Any], keys: Any) -> None:
    say_written(handle, said["vectors"], keys, rows(said["vectors"]))


def _removed(handle: Handle, said: Mapping[str, Any], result: Any) -> None:
    handle.records(int(result.sum() if hasattr(result, "sum") else result))
    say_ids(handle, said["keys"])


class UsearchInstrumentor(Integration):
    """Instruments `usearch`."""

    library = "usearch"
    wrappers: ClassVar = {
        "usearch.index": {
            "Index.search": _VECTORS.search(("vectors", "count"), _searched),
            "Index.add": _VECTORS.add(("keys", "vectors"), _added),
            "Index.remove": _VECTORS.remove(("keys",), _removed),
            "Index.load": _VECTORS.load(("path_or_buffer",), "path_or_buffer", lambda index, _result: index),
            "Index.view": _VECTORS.load(("path_or_buffer",), "path_or_buffer", lambda index, _result: index),
            "Index.save": _VECTORS.save(("path_or_buffer",), "path_or_buffer"),
        }
    }
