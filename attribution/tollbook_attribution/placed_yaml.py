"""YAML whose rows know the line that they stand on. Pure.

Scalars stay as they are written: 2.50 is a price to the digit, and a day is no date yet.
"""

from collections.abc import Iterator
from typing import Any


class NotYamlError(ValueError):
    """A text that is no YAML, or YAML that is not read; says where."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def root(text: str) -> Any:
    """The node that a text is of. Raises NotYamlError."""
    try:
        import yaml  # noqa: PLC0415 - no dependency of the server
    except ImportError as error:
        raise NotYamlError("is YAML: install pyyaml to read it, or write JSON or CSV") from error
    try:
        aliases = (token for token in yaml.scan(text, yaml.SafeLoader) if isinstance(token, yaml.AliasToken))
        alias = next(aliases, None)
        node = None if alias else yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise NotYamlError(f"not YAML: {error.problem}", mark.line + 1 if mark else 0) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYamlError(f"not YAML: {error}") from error
    if alias:
        message = "is YAML with aliases, which are not followed: a few of them can stand for gigabytes"
        raise NotYamlError(message, alias.start_mark.line + 1)
    return node


def rows(node: Any) -> Any | None:
    """The node of the list of rows that a document is, or has as its only member `prices`; None where it has none."""
    if _kind(node) == "sequence":
        return node
    if _kind(node) == "mapping" and [key.value for key, _ in node.value] == ["prices"]:
        return next((value for _, value in node.value if _kind(value) == "sequence"), None)
    return None


def placed(found: Any) -> Iterator[tuple[int, Any]]:
    """(line, row) of the rows of a list; what is no mapping of scalars is left as it is for whoever reads the row.

    Raises:
        NotYamlError: a row says a thing twice.
    """
    for row in found.value:
        yield row.start_mark.line + 1, _row(row) if _kind(row) == "mapping" else row.value


def _row(node: Any) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, value in node.value:
        if str(key.value) in read:
            raise NotYamlError(f"{key.value} is there twice", key.start_mark.line + 1)
        empty = value.tag.endswith(":null")
        read[str(key.value)] = "" if empty else value.value
    return read


def _kind(node: Any) -> str:
    return "" if node is None else str(node.id)
