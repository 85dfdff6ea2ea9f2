"""What a staged file tells of each model, and whether that has a price."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

from tollbook_attribution import model_names, price_list
from tollbook_attribution.model_names import ModelName
from tollbook_schema import sql
from tollbook_schema.store import Node, Store

from tollbook_ui.usage.figures import ModelFound

SHOWN = 50


def found(store: Store, node: Node, import_id: int, tenant: str) -> tuple[ModelFound, ...]:
    """Models of a staged file, those with the most rows first."""
    rows = node.query(_query("models"), {"import_id": import_id, "limit": SHOWN})
    names = [model_names.find_model(row["provider"], row["model"], price_list.version()) for row in rows]
    known = _in_the_book(store, rows, names, tenant) if rows else frozenset[str]()
    return tuple(
        ModelFound(
            provider=row["provider"],
            model=row["model"],
            rows=row["row_count"],
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            cost=row["cost"],
            first_call=row["first_call"].replace(tzinfo=UTC),
            last_call=row["last_call"].replace(tzinfo=UTC),
            price="told" if row["told"] else "in the book" if name.price_model or known & {*_spellings(name)} else "unpriced",
        )
        for row, name in zip(rows, names, strict=True)
    )


def _in_the_book(store: Store, rows: Sequence[dict[str, Any]], names: Iterable[ModelName], tenant: str) -> frozenset[str]:
    asked = {
        "tenant": tenant,
        "names": sorted({spelling for name in names for spelling in _spellings(name)}),
        "models": sorted({row["model"].lower() for row in rows}),
        "first": min(row["first_call"] for row in rows).replace(tzinfo=UTC),
        "last": max(row["last_call"] for row in rows).replace(tzinfo=UTC),
    }
    return frozenset(row["name"] for row in store.query(_query("in_the_book"), asked))


def _spellings(name: ModelName) -> tuple[str, ...]:
    """What the price book may call a model beside what its list says."""
    return (*name.spellings, f"*/{name.model.lower()}")


def _query(name: str) -> str:
    return sql.text("tollbook_ui", f"usage/queries/{name}.sql")
