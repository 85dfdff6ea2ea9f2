"""chDB: its queries are handoffs; one that orders by the distance of vectors is a lookup among them."""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.extract import size_bytes
from tollbook.handle import INERT, Handle
from tollbook.integrations.base import Handover, Integration, Wrapper
from tollbook.shield import shielded
from tollbook.steps import ending

_SYSTEM: Final = "chdb"
_KEYWORD: Final = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(\w+)", re.DOTALL)
_SEARCH: Final = re.compile(
    r"\b(?:cosineDistance|L1Distance|L2Distance|L2SquaredDistance|LpDistance|LinfDistance|dotProduct|scalarProduct)\w*\s*\(",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(r"\bORDER\s+BY\b.*\bLIMIT\s+(\d+)\s*(?:SETTINGS\b.*|FORMAT\b.*|;\s*)?$", re.IGNORECASE | re.DOTALL)
_TABLE: Final = re.compile(r"\b(?:FROM|INTO(?:\s+TABLE)?|UPDATE|TABLE)\s+([`\"\w.]+)(?!\s*\(|[`\"\w.])", re.IGNORECASE)
_OPERATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("SELECT", "WITH", "FROM"), "read"),
    "INSERT": "write",
    **dict.fromkeys(("DELETE", "TRUNCATE", "DROP"), "delete"),
}
"""By the word that a query begins with. Others move no data."""
_LINES: Final = frozenset({"csv", "tsv", "tabseparated", "jsoneachrow", "jsoncompacteachrow"})
_COUNTED_BYTES: Final = 1024 * 1024
"""Lines of a larger result are not counted: that would take more than a millisecond."""

_ATTRIBUTES: Final = {A.TOLLBOOK_HANDOFF_NETWORK: "in_process", A.DB_SYSTEM_NAME: _SYSTEM}
_HANDOVERS: Final = {
    operation: Handover(operation, kind=SpanKind.INTERNAL, attributes={end: _SYSTEM, **_ATTRIBUTES})
    for operation, end in {
        "read": A.TOLLBOOK_HANDOFF_SOURCE,
        "lookup": A.TOLLBOOK_HANDOFF_SOURCE,
        "write": A.TOLLBOOK_HANDOFF_DESTINATION,
        "delete": A.TOLLBOOK_HANDOFF_DESTINATION,
    }.items()
}


def begin(sql: str) -> Handle:
    """The span of a query, of which the text is not kept."""
    with shielded("look at a query of chdb"):
        found = _KEYWORD.match(sql)
        keyword = found[1].upper() if found else ""
        operation = _OPERATIONS.get(keyword)
        if operation is None:
            return INERT
        limit = _LIMIT.search(sql) if operation == "read" and _SEARCH.search(sql) else None
        table = _TABLE.search(sql)
        name = table[1].replace("`", "").replace('"', "") if table else None
        handle = _HANDOVERS["lookup" if limit else operation].begin(
            " ".join(filter(None, ["search" if limit else keyword, name or _SYSTEM])),
            {A.DB_OPERATION_NAME: "search" if limit else keyword, A.DB_COLLECTION_NAME: name},
        )
        if handle is not INERT:
            handle.bytes(len(sql.encode(errors="surrogatepass")))
            if limit:
                handle.set("gen_ai.retrieval.top_k", int(limit[1]))
            if name:
                handle.asset(f"{_SYSTEM}:{name}")
        return handle
    return INERT


def _answered(handle: Handle, result: Any, style: str) -> None:
    with shielded("size a result of chdb"):
        if hasattr(result, "has_error"):
            body = result.bytes() or b""
            handle.bytes(len(body))
            if style.lower() in _LINES and len(body) <= _COUNTED_BYTES:
                handle.records(body.count(b"\n"))
            return
        size = size_bytes(result)  # a table of Arrow; of a frame, the sum of its columns
        if size is None and hasattr(result, "memory_usage"):
            size = int(result.memory_usage().sum())
        if size is not None:
            handle.bytes(size)
        if hasattr(result, "shape"):
            handle.records(int(result.shape[0]))


def _queried(style_name: str) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any], _connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        sql = args[0] if args else next((kwargs[name] for name in ("sql", "query") if name in kwargs), None)
        handle = begin(sql) if isinstance(sql, str) else INERT
        if handle is INERT:
            return wrapped(*args, **kwargs)
        with ending(handle):
            with handle:
                result = wrapped(*args, **kwargs)
            _answered(handle, result, str(args[1] if len(args) > 1 else kwargs.get(style_name, "CSV")))
        return result

    return wrapper


def _executed(wrapped: Callable[..., Any], _cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`Cursor.execute`: what is fetched of the result is not seen."""
    sql = args[0] if args else kwargs.get("query")
    handle = begin(sql) if isinstance(sql, str) else INERT
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle), handle:
        return wrapped(*args, **kwargs)


class ChdbInstrumentor(Integration):
    """Instruments `chdb`: its functions, sessions, connections and cursors."""

    library = "chdb"
    wrappers: ClassVar = {
        "chdb": {"query": _queried("output_format"), "sql": _queried("output_format")},
        "chdb.state.sqlitelike": {"Connection.query": _queried("format"), "Cursor.execute": _executed},
    }
