"""The vocabulary: attributes, spans and metrics, read from the YAML files of `registry/`.

The files follow OpenTelemetry Weaver's definition format (`file_format: definition/2`). What Weaver has no word for, such as the
column an attribute becomes, stands under `annotations.tollbook`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

SCHEMA_URL = "https://tollbook.dev/schemas/0.1.0"

NOT_DEFINITIONS = ("manifest.yaml", "dialects.yaml")
"""Files of the registry that define no attributes; `dialects.py` reads the second."""

COLUMN_TYPES = {
    "string": "LowCardinality(String)",
    "int": "Nullable(Int64)",
    "double": "Nullable(Float64)",
    "boolean": "Nullable(Bool)",
    "string[]": "Array(String)",
}
"""ClickHouse type of the column for each attribute type. A string column holds '' where the attribute is absent."""

CODECS = {"Nullable(Int64)": "T64, ZSTD(1)"}
"""How a column of that type is compressed where the registry says nothing else; all others as the table's default is."""


class RegistryError(Exception):
    """A registry file says something the format does not allow; the message names the file and the place."""


@dataclass(frozen=True)
class Member:
    """One value of an attribute that has a closed list of known ones."""

    value: str
    brief: str


@dataclass(frozen=True)
class Attribute:
    """One attribute of the vocabulary and the column of `spans` it becomes, if any."""

    key: str
    type: str
    brief: str
    stability: str
    members: tuple[Member, ...]
    examples: tuple[Any, ...]
    column: str | None
    column_type: str | None
    codec: str | None
    """How the column is compressed, if not as the table is by default."""
    source: str
    """Where the value is looked for: `span`, `resource`, or `both` (the span's value wins)."""
    aliases: tuple[str, ...]
    lists: bool
    """Whether a list of texts is read as well, with commas between them."""
    owner: bool
    content: bool

    @property
    def constant(self) -> str:
        """Name of the Python constant: `gen_ai.usage.input_tokens` is `GEN_AI_USAGE_INPUT_TOKENS`."""
        return self.key.replace(".", "_").upper()


@dataclass(frozen=True)
class Signal:
    """A span or metric of the vocabulary with the attributes it carries."""

    name: str
    kind: str
    brief: str
    unit: str
    attributes: tuple[str, ...]
    required: tuple[str, ...] = ()
    """Those of the attributes that a span of its kind must have."""


@dataclass(frozen=True)
class Registry:
    """All of the vocabulary, in the order of the files."""

    attributes: tuple[Attribute, ...]
    spans: tuple[Signal, ...]
    metrics: tuple[Signal, ...]

    @property
    def columns(self) -> tuple[Attribute, ...]:
        """The attributes that become columns of `spans`."""
        return tuple(attribute for attribute in self.attributes if attribute.column)

    @property
    def owners(self) -> tuple[Attribute, ...]:
        """The attributes a cost can be grouped by as its owner."""
        return tuple(attribute for attribute in self.attributes if attribute.owner)


def load() -> Registry:
    """Reads every file of `registry/`.

    Raises:
        RegistryError: a file is not a definition, a key or a column appears twice, or a span refers to an unknown attribute.
    """
    definitions = dict(_definitions())
    registry = Registry(
        attributes=tuple(_attribute(name, item) for name, d in definitions.items() for item in d.get("attributes", [])),
        spans=tuple(_span(item) for d in definitions.values() for item in d.get("spans", [])),
        metrics=tuple(_metric(item) for d in definitions.values() for item in d.get("metrics", [])),
    )
    _check(registry)
    return registry


def _definitions() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, definition in _texts():
        if not isinstance(definition, dict) or definition.get("file_format") != "definition/2":
            raise RegistryError(f"{name}: not a definition, `file_format: definition/2` is missing")
        yield name, definition


def _texts() -> Iterator[tuple[str, Any]]:
    folder = resources.files("tollbook_schema") / "registry"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml") and file.name not in NOT_DEFINITIONS:
            yield file.name, yaml.safe_load(file.read_text(encoding="utf-8"))


def _attribute(file: str, item: dict[str, Any]) -> Attribute:
    try:
        kind = item["type"]
        members: tuple[Member, ...] = ()
        if isinstance(kind, dict):
            members = tuple(Member(str(m["value"]), str(m["brief"])) for m in kind["members"])
            kind = "string"
        ours = item.get("annotations", {}).get("tollbook", {})
        column_type = ours.get("type") or COLUMN_TYPES.get(kind) if ours.get("column") else None
        return Attribute(
            key=item["key"],
            type=kind,
            brief=item["brief"],
            stability=item["stability"],
            members=members,
            examples=tuple(item.get("examples", ())),
            column=ours.get("column"),
            column_type=column_type,
            codec=ours.get("codec") or CODECS.get(column_type or ""),
            source=ours.get("from", "span"),
            aliases=tuple(ours.get("aliases", ())),
            lists=bool(ours.get("lists", False)),
            owner=bool(ours.get("owner", False)),
            content=bool(ours.get("content", False)),
        )
    except (KeyError, TypeError) as error:
        raise RegistryError(f"{file}: {item.get('key', item)}: {error!r}") from error


def _span(item: dict[str, Any]) -> Signal:
    attributes = item.get("attributes", [])
    required = tuple(a["ref"] for a in attributes if a.get("requirement_level") == "required")
    return Signal(item["type"], item["kind"], item["brief"], "", tuple(a["ref"] for a in attributes), required)


def _metric(item: dict[str, Any]) -> Signal:
    return Signal(item["name"], item["instrument"], item["brief"], item["unit"], ())


def _check(registry: Registry) -> None:
    keys = [attribute.key for attribute in registry.attributes]
    columns = [str(attribute.column) for attribute in registry.columns]
    for names, what in ((keys, "attribute"), (columns, "column")):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise RegistryError(f"{what} defined twice: {', '.join(sorted(twice))}")
    untyped = [attribute.key for attribute in registry.columns if attribute.column_type is None]
    if untyped:
        raise RegistryError(f"no column type for: {', '.join(untyped)}")
    unknown = {ref for span in registry.spans for ref in span.attributes} - set(keys)
    if unknown:
        raise RegistryError(f"a span refers to unknown attributes: {', '.join(sorted(unknown))}")
