"""The vocabulary and what is generated from it."""

from typing import Any

import pytest
from tollbook_schema import attributes, generate, registry
from tollbook_schema.store import Store


def test_generated_files_are_up_to_date() -> None:
    stale = [path.name for path, text in generate.rendered(registry.load()) if path.read_text() != text]
    assert stale == []


def test_every_attribute_is_a_constant() -> None:
    for attribute in registry.load().attributes:
        assert getattr(attributes, attribute.constant) == attribute.key


def test_every_column_stands_in_the_table_with_its_type_and_attribute(store: Store) -> None:
    found = {row["name"]: (row["type"], row["comment"]) for row in store.query("DESCRIBE TABLE spans")}
    for column in registry.load().columns:
        assert found[column.column or ""] == (column.column_type, column.key)


def test_owners_are_the_same_in_python_and_in_the_table() -> None:
    assert attributes.OWNER_COLUMNS == ("team", "project", "feature", "customer", "environment", "workflow")
    assert dict(zip(attributes.OWNER_KEYS, attributes.OWNER_COLUMNS, strict=True))["deployment.environment.name"] == "environment"


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        ({"attributes": []}, "`file_format: definition/2` is missing"),
        ({"file_format": "definition/2", "attributes": [{"key": "a", "type": "string"}]}, "bad.yaml: a: KeyError('brief')"),
        (
            {
                "file_format": "definition/2",
                "attributes": [{"key": "a", "type": "string", "brief": "b", "stability": "stable"}] * 2,
            },
            "attribute defined twice: a",
        ),
        (
            {
                "file_format": "definition/2",
                "spans": [{"type": "s", "kind": "client", "brief": "b", "attributes": [{"ref": "none"}]}],
            },
            "a span refers to unknown attributes: none",
        ),
    ],
)
def test_a_fault_in_a_definition_is_named(monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any], fault: str) -> None:
    monkeypatch.setattr(registry, "_texts", lambda: [("bad.yaml", definition)])
    with pytest.raises(registry.RegistryError) as raised:
        registry.load()
    assert fault in str(raised.value)
