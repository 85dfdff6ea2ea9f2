"""Requests and commands made from what the application says of itself, so that a new parameter is attacked from its first day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tollbook_schema.attributes import OWNER_COLUMNS

TRACE_ID = f"{4:032x}"
GOOD: Mapping[str, Any] = {
    "trace_id": TRACE_ID,
    "span_id": f"{401:016x}",
    "week": "2026-W47",
    "query": "SELECT 1",
    "instance_type": "crate",
    "usd_per_hour": "0.1",
    "vcpus": "2",
    "scopes": ["read"],
    "before": "2026-W46",
    "after": "2026-W47",
    "benefit_usd": "100",
    "budget": "all",
    "amount_usd": "10",
}
"""Values of parameters that an operation cannot do without."""


FREE = {*OWNER_COLUMNS, "service", "model"}
"""Parameters that take any text; those of one operation are tried together, because none of them refuses."""


@dataclass(frozen=True)
class Slot:
    """One place of one operation that takes values from outside; of free text, several places."""

    method: str
    path: str
    place: str
    """path, query or body."""
    names: tuple[str, ...]
    needed: Mapping[str, str] = field(default_factory=dict)
    """Place of each parameter that must be there."""

    def request(self, text: str) -> tuple[str, str, dict[str, str], dict[str, Any] | None]:
        """Method, path, query and body with `text` in the slot and good values elsewhere."""
        values = {**{name: GOOD.get(name, "x") for name in self.needed}, **dict.fromkeys(self.names, text)}
        places = {**self.needed, **dict.fromkeys(self.names, self.place)}
        of = {place: {name: values[name] for name in places if places[name] == place} for place in ("path", "query", "body")}
        path = self.path.format(**{name: quote(value, safe="") for name, value in of["path"].items()})
        return self.method, path, of["query"], of["body"] if self.method == "post" else None

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path} {self.place} {' '.join(self.names)}"


def slots(openapi: Mapping[str, Any]) -> tuple[Slot, ...]:
    """Every parameter and every member of a body that OpenAPI describes."""
    return tuple(
        slot
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
        for slot in _slots(method, path, list(_taken(operation, openapi)))
    )


def _slots(method: str, path: str, taken: Sequence[tuple[str, str, bool]]) -> Iterator[Slot]:
    needed = {name: place for place, name, required in taken if required}
    free = tuple(name for place, name, _ in taken if name in FREE and place == "query")
    if free:
        yield Slot(method, path, "query", free, needed)
    for place, name, _ in taken:
        if name not in free:
            yield Slot(method, path, place, (name,), {key: at for key, at in needed.items() if key != name})


def _taken(operation: Mapping[str, Any], openapi: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Place, name and necessity of everything an operation takes."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "header":
            yield parameter["in"], parameter["name"], parameter.get("required", False)
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        for schema in _objects(content["schema"], openapi):
            for name in schema["properties"]:
                yield "body", name, name in schema.get("required", ())


def _objects(schema: Mapping[str, Any], openapi: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The objects that a schema names, behind references and alternatives."""
    if "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for alternative in schema.get("anyOf", ()):
        yield from _objects(alternative, openapi)
    if "properties" in schema:
        yield schema


@dataclass(frozen=True)
class Option:
    """One option or argument of one command; of free text, several options."""

    command: tuple[str, ...]
    flags: tuple[str, ...]
    """Empty for an argument."""
    name: str
    is_path: bool
    before: tuple[str, ...] = ()
    """Good values of the arguments before it, and of those after it."""
    after: tuple[str, ...] = ()

    def words(self, text: str) -> list[str]:
        """The command with `text` in the option and good values elsewhere."""
        given = [] if self.flags else [text]
        return [*self.command, *(f"{flag}={text}" for flag in self.flags), "--", *self.before, *given, *self.after]

    def __str__(self) -> str:
        return f"tollbook {' '.join(self.command)} {' '.join(self.flags) or self.name.upper()}"


def options(command: Any, above: Sequence[str] = ()) -> Iterator[Option]:
    """Every option and argument with a value, of every command below one of typer's."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield from _options(command.params, tuple(above))
    else:
        for name, one in inner.items():
            yield from options(one, (*above, name))


def _options(parameters: Sequence[Any], command: tuple[str, ...]) -> Iterator[Option]:
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    good = tuple(GOOD.get(argument.name, "x") for argument in arguments)
    for place, argument in enumerate(arguments):
        yield Option(command, (), argument.name, argument.bare_type() == "Path", good[:place], good[place + 1 :])
    valued = [parameter for parameter in parameters if parameter not in arguments and not parameter.is_bool_flag]
    free = tuple(option.opts[0] for option in valued if option.name in FREE)
    if free:
        yield Option(command, free, "", False, good)
    for option in valued:
        if option.opts[0] not in free:
            yield Option(command, (option.opts[0],), option.name, option.bare_type() == "Path", good)
