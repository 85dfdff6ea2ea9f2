"""Writes what follows from the registry: Python constants, the vocabulary page, columns of `spans` and the ingest SQL.

`python -m tollbook_schema.generate` writes the files; with `--check` it only says which of them are out of date and exits 1.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tollbook_schema import registry as vocabulary
from tollbook_schema.registry import Attribute, Registry

HERE = Path(__file__).parent
SIGNALS = ("spans", "metrics", "logs")
TARGETS = {
    "attributes.py.j2": HERE / "attributes.py",
    "VOCABULARY.md.j2": HERE.parent / "VOCABULARY.md",
    "columns.sql.j2": HERE / "generated" / "columns.sql",
    "insert_spans.sql.j2": HERE / "generated" / "insert_spans.sql",
    "insert_metrics.sql.j2": HERE / "generated" / "insert_metrics.sql",
    "insert_logs.sql.j2": HERE / "generated" / "insert_logs.sql",
}


@dataclass(frozen=True)
class Column:
    """A column of `spans` as the templates see it."""

    key: str
    column: str
    column_type: str
    type: str
    source: str
    brief: str
    spellings: tuple[str, ...]


def main() -> int:
    """Writes or checks every generated file; returns the exit status."""
    check = "--check" in sys.argv[1:]
    stale = [path for path, text in rendered(vocabulary.load()) if not path.exists() or path.read_text() != text]
    if check:
        sys.stderr.writelines(f"out of date: {path}; run `make generate`\n" for path in stale)
        return 1 if stale else 0
    for path, text in rendered(vocabulary.load()):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return 0


def rendered(registry: Registry) -> Iterator[tuple[Path, str]]:
    """Each generated file's path and what belongs in it."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the templates are SQL, Python and Markdown, the input is our own registry
    )
    columns = [_column(attribute) for attribute in registry.columns]
    context = {
        "registry": registry,
        "schema_url": vocabulary.SCHEMA_URL,
        "columns": columns,
        "content_keys": _list(attribute.key for attribute in registry.attributes if attribute.content),
        "string_keys": _keys(columns, "string"),
        "int_keys": _keys(columns, "int"),
        "double_keys": _keys(columns, "double"),
        "boolean_keys": _keys(columns, "boolean"),
        "strings_keys": _keys(columns, "string[]"),
    }
    for template, path in TARGETS.items():
        yield path, environment.get_template(template).render(context)
    for signal in SIGNALS:
        text = environment.get_template("structure.j2").render(signal=signal)
        yield HERE / "generated" / f"{signal}.structure", text
        messages = (HERE / "otlp" / "common.proto").read_text() + (HERE / "otlp" / f"{signal}.proto").read_text()
        yield HERE / "generated" / f"{signal}.proto", messages


def _column(attribute: Attribute) -> Column:
    assert attribute.column
    assert attribute.column_type
    return Column(
        key=attribute.key,
        column=attribute.column,
        column_type=attribute.column_type,
        type=attribute.type,
        source=attribute.source,
        brief=attribute.brief,
        spellings=(attribute.key, *attribute.aliases),
    )


def _keys(columns: list[Column], kind: str) -> str:
    return _list(column.key for column in columns if column.type == kind and column.source != "resource")


def _list(keys: Iterator[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys)


if __name__ == "__main__":
    sys.exit(main())
