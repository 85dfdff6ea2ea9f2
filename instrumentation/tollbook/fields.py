"""The shape of data handed over: a digest of the names and types of its fields, in whatever order. Pure; values are not kept.

A frame, a table or a class that declares its fields is taken at its word. Of mappings the types of their values are looked at,
of many records those of the first ones.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from itertools import islice
from typing import Any, Final

RECORDS_LOOKED_AT: Final = 64
DEEPEST: Final = 8
MAX_FIELDS: Final = 4096


def fingerprint(value: Any) -> str | None:
    """Digest of the fields' names and types, 32 hex digits; the same on every machine. `None` where there are no fields."""
    found = sorted(set(islice(_fields(value, "", 0), MAX_FIELDS)))
    if not found:
        return None
    written = "\n".join(f"{name}\t{kind}" for name, kind in found)
    return hashlib.blake2b(written.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _fields(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """Names and types of all fields, those within others as `a.b`, those of an array's members as `a[]`."""
    if depth > DEEPEST:
        return
    declared = _declared(value)
    if declared is not None:
        yield from ((f"{name}{key}", kind) for key, kind in declared)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _field(item, f"{name}{key}", depth)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in islice(value, RECORDS_LOOKED_AT):
            if _has_fields(item):  # many records have the fields of one
                yield from _fields(item, name, depth + 1)


def _field(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if _has_fields(value):
        yield name, "object"
        yield from _fields(value, f"{name}.", depth + 1)
    else:
        yield from _plain(value, name, depth)


def _plain(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """A value without fields of its own."""
    if isinstance(value, list | tuple | set | frozenset):
        yield name, "array"
        if depth < DEEPEST:
            for item in islice(value, RECORDS_LOOKED_AT):
                yield from _field(item, f"{name}[]", depth + 1)
    else:
        yield name, _type(value)


def _has_fields(value: Any) -> bool:
    return isinstance(value, Mapping) or _declared(value) is not None


def _declared(value: Any) -> list[tuple[str, str]] | None:
    """Fields that an object or a class declares, with their types."""
    kind = value if isinstance(value, type) else type(value)
    if is_dataclass(kind):
        return [(field.name, _type_name(field.type)) for field in dataclass_fields(kind)]
    models = getattr(kind, "model_fields", None) or getattr(kind, "__attrs_attrs__", None)  # pydantic, attrs
    if isinstance(models, Mapping):
        return [(name, _type_name(getattr(field, "annotation", None))) for name, field in models.items()]
    if isinstance(models, tuple):
        return [(field.name, _type_name(field.type)) for field in models]
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        hints = getattr(kind, "__annotations__", {})
        return [(name, _type_name(hints.get(name))) for name in kind._fields]
    return None if isinstance(value, type | Mapping) else _columns(value)


def _columns(value: Any) -> list[tuple[str, str]] | None:
    """Columns of a frame or table: pandas, polars, arrow, Spark, a structured array."""
    schema: Any = getattr(value, "schema", None)
    names: Any = getattr(schema, "names", None)
    kinds: Any = getattr(schema, "types", None)
    if callable(names):  # polars' schema is a mapping
        names, kinds = names(), schema.dtypes() if hasattr(schema, "dtypes") else kinds
    if _listed(names) and _listed(kinds):
        return _paired(names, kinds)
    if _listed(getattr(value, "names", None)) and _listed(getattr(value, "types", None)):  # arrow's schema itself
        return _paired(value.names, value.types)
    dtypes: Any = getattr(value, "dtypes", None)
    if isinstance(dtypes, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in dtypes):  # Spark
        return [(str(name), str(kind)) for name, kind in dtypes]
    if hasattr(dtypes, "items") and hasattr(value, "columns"):
        return [(str(name), str(kind)) for name, kind in dtypes.items()]
    fields = getattr(getattr(value, "dtype", None), "fields", None)  # numpy
    return [(name, str(kind[0])) for name, kind in fields.items()] if isinstance(fields, Mapping) else None


def _listed(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _paired(names: Iterable[Any], kinds: Iterable[Any]) -> list[tuple[str, str]]:
    return [(str(name), str(kind)) for name, kind in zip(names, kinds, strict=False)]


def _type(value: Any) -> str:
    return "null" if value is None else _type_name(type(value))


def _type_name(kind: Any) -> str:
    return kind.__qualname__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
