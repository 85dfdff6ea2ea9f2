"""Writes what follows from the registry: Python constants, the vocabulary page, columns of `spans` and the ingest SQL.

`python -m tollbook_schema.generate` writes the files; with `--check` it only says which of them are out of date and exits 1.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tollbook_schema import dialects as table
from tollbook_schema import registry as vocabulary
from tollbook_schema.dialects import Dialects, Spelling
from tollbook_schema.registry import Attribute, Registry
from tollbook_schema.tenants import DEFAULT_TENANT

HERE = Path(__file__).parent
MAX_CODES = 255
KINDS = ("string", "usage", "int", "double", "boolean", "strings")
"""Of columns: their type, or `usage` for a count that may come as a double or as text."""

SIGNALS = ("spans", "metrics", "logs")
TARGETS = {
    "attributes.py.j2": HERE / "attributes.py",
    "VOCABULARY.md.j2": HERE.parent / "VOCABULARY.md",
    "columns.sql.j2": HERE / "generated" / "columns.sql",
    "insert_spans.sql.j2": HERE / "generated" / "insert_spans.sql",
    "insert_metrics.sql.j2": HERE / "generated" / "insert_metrics.sql",
    "insert_logs.sql.j2": HERE / "generated" / "insert_logs.sql",
}
USAGE = ("14_told_elsewhere.sql", "16_told_only_there.sql", "19_plain_usage.sql", "20_usage.sql", "29_sampled.sql")
STEPS = HERE.parents[1] / "attribution" / "tollbook_attribution" / "steps"
"""Where the steps that normalize stand, among those that use what they find."""

COLUMNS = {
    "gen_ai.usage.input_tokens": "ifNull(toString(input_tokens), '')",
    "gen_ai.usage.output_tokens": "ifNull(toString(output_tokens), '')",
    "gen_ai.usage.cache_read.input_tokens": "ifNull(toString(cache_read_tokens), '')",
    "gen_ai.usage.cache_write.input_tokens": "ifNull(toString(cache_write_tokens), '')",
    "gen_ai.usage.reasoning.output_tokens": "ifNull(toString(reasoning_tokens), '')",
    "gen_ai.provider.name": "toString(provider)",
    "gen_ai.request.model": "toString(request_model)",
    "gen_ai.response.model": "toString(response_model)",
    "gen_ai.response.id": "response_id",
    "openai.response.service_tier": "toString(service_tier)",
    "gen_ai.operation.name": "toString(operation)",
    "framework.kind": "toString(framework_kind)",
}
"""What `work_spans` holds in columns: it is no longer among the attributes."""

ITEMS = ("web_search", "image", "audio_second", "video_second", "character", "page", "query")
"""Concepts that are counted in other units than tokens."""


@dataclass(frozen=True)
class Column:
    """A column of `spans` as the templates see it."""

    key: str
    column: str
    column_type: str
    codec: str | None
    type: str
    source: str
    brief: str
    spellings: tuple[str, ...]
    numeric_text: bool
    """Whether a count may come as a double or as text: other SDKs' spellings of token counts do."""
    lists: bool
    """Whether a text may come as a list of texts."""


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
        "default_tenant": DEFAULT_TENANT,
        "columns": columns,
        "record_events": [record.event for record in table.load().records],
        **_encoding(registry, columns),
    }
    for template, path in TARGETS.items():
        yield path, environment.get_template(template).render(context)
    for name in USAGE:
        yield STEPS / name, environment.get_template(f"{name}.j2").render(_usage(table.load()))
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
        codec=attribute.codec,
        column_type=attribute.column_type,
        type=attribute.type,
        source=attribute.source,
        brief=attribute.brief,
        spellings=(attribute.key, *attribute.aliases),
        numeric_text=attribute.key.startswith("gen_ai.usage."),
        lists=attribute.lists,
    )


def _usage(dialects: Dialects) -> dict[str, object]:
    """The table of dialects as the step's template sees it: spellings by their codes."""
    by_key = {spelling.key: spelling for spelling in dialects.spellings}
    code = {key: spelling.code for key, spelling in by_key.items()}
    rank = {name: place for place, name in enumerate(dialects.names, start=1)}
    json = dialects.table["json_dialects"]
    of_dialect = {code[key]: rank[json.get(key.split("#")[0], spelling.dialect)] for key, spelling in by_key.items()}
    marked = {key: rank[dialect] for key, dialect in dialects.markers.items() if key not in code}
    of_dialect |= {number: number for number in marked.values()}
    kinds = {kind: name for name, members in dialects.table["kinds"].items() for kind in members}
    families = {name: pattern.replace("\\", "\\\\") for name, pattern in dialects.table["families"].items()}
    cache, reasoning = dialects.table["apart"]["cache"], dialects.table["apart"]["reasoning"]
    keys = {**dialects.flattened, **code, **marked}
    prefixes = {_prefix(scope): d["name"] for d in dialects.table["dialects"] for scope in d["scopes"]}
    servers = {d["name"]: d["provider"] for d in dialects.table["dialects"] if "provider" in d}
    plain = _plain_dialect(dialects, by_key)
    closer = {
        *cache["passed_on"]["dialects"],
        *servers,
        *(d for r in reasoning["passed_on"] if plain not in r["dialects"] for d in r["dialects"]),
    }
    return {
        "plain_dialect": plain,
        "scope_pattern": "|".join(map(_literally, prefixes)),
        "closer_scopes": "|".join(_literally(p) for p, name in prefixes.items() if name in closer),
        "servers": list(servers),
        "server_providers": list(servers.values()),
        "places": table.PLACES,
        "concepts": dialects.concepts,
        "first_word": dialects.first_word,
        "most": dialects.table["most"],
        "columns": list(COLUMNS.items()),
        "items": ITEMS,
        "keys": list(keys),
        "key_codes": list(keys.values()),
        "json_keys": list(dialects.json_keys),
        "json_shapes": [f"{shape}." if "#" in shape else f"{shape}#" for shape in dialects.json_keys.values()],
        "answers": _answers(dialects),
        "envelopes": "|".join(dialects.table["envelopes"]),
        "dialects": dialects.names,
        "dialect_codes": list(of_dialect),
        "dialect_ranks": list(of_dialect.values()),
        "scope_prefixes": list(prefixes),
        "scope_names": list(prefixes.values()),
        "openai_form": dialects.table["openai_form"],
        "kinds": list(kinds),
        "kind_classes": list(kinds.values()),
        "billed": [code[key] for key in dialects.table["billed"]],
        "disjoint": [code[key] for key in dialects.table["disjoint"]],
        "sums": [code[key] for key in dialects.table["sums"]],
        "apart": {
            "cache": [code[key] for key in cache["spellings"]],
            "cache_beside_input": [code[key] for key in cache["beside"]["input"]],
            "cache_beside_parts": [code[key] for key in cache["beside"]["parts"]],
            "cache_family": families[cache["passed_on"]["family"]],
            "cache_dialects": cache["passed_on"]["dialects"],
            "cache_only_with": {dialect: [code[key] for key in keys] for dialect, keys in cache["only_with"].items()},
            "cache_counted_in": {dialect: [code[key] for key in keys] for dialect, keys in cache["counted_in"].items()},
            "reasoning": [code[key] for key in reasoning["spellings"]],
            "reasoning_parts": [code[key] for key in reasoning["parts"]],
            "reasoning_passed_on": [(families[rule["family"]], rule["dialects"]) for rule in reasoning["passed_on"]],
            "reasoning_of_plain": "|".join(
                families[rule["family"]] for rule in reasoning["passed_on"] if plain in rule["dialects"]
            ),
        },
    }


def _answers(dialects: Dialects) -> dict[str, list[dict[str, str]]]:
    """What is read of whole answers: `usage` from which attribute by which ways, and each word; as SQL quotes it."""
    found: dict[str, list[dict[str, str]]] = {}
    for answer in dialects.answers:
        for name, ways in answer.ways.items():
            steps = [", ".join(str(step) if isinstance(step, int) else f"'{step}'" for step in way) for way in ways]
            pattern = answer.pattern.replace("\\", "\\\\")
            found.setdefault(name, []).extend(
                {"key": answer.key, "on": answer.on, "pattern": pattern, "way": way} for way in steps
            )
    return found


def _plain_dialect(dialects: Dialects, by_key: dict[str, Spelling]) -> str:
    """The dialect of all that columns hold. No rule may treat its spellings otherwise: the step for plain spans knows none.

    Raises:
        DialectsError: one does.
    """
    of_columns = {by_key[key].dialect for key in COLUMNS}
    apart, reasoning = dialects.table["apart"]["cache"], dialects.table["apart"]["reasoning"]
    special = {
        *apart["spellings"],
        *apart["beside"]["input"],
        *apart["beside"]["parts"],
        *reasoning["spellings"],
        *reasoning["parts"],
    }
    treated = COLUMNS.keys() & {*special, *dialects.table["billed"], *dialects.table["disjoint"], *dialects.table["sums"]}
    if treated or len(of_columns) != 1:
        raise table.DialectsError(f"columns hold what rules treat in other ways: {', '.join(sorted(treated or of_columns))}")
    return of_columns.pop()


def _literally(prefix: str) -> str:
    """A pattern, as SQL quotes it, that fits this text only."""
    return re.escape(prefix).replace("\\", "\\\\")


def _prefix(scope: str) -> str:
    """A scope's name ends in `$`, so that only those with `*` fit what begins with them."""
    return scope.removesuffix("*") if scope.endswith("*") else f"{scope}$"


def _encoding(registry: Registry, columns: list[Column]) -> dict[str, object]:
    """A small number for each known key, so that the ingest SELECT compares numbers instead of keys.

    The numbers are handed out kind by kind, so that a range of them says which member of the value fits the column. Other
    spellings come after them, in the same order: they are read, but stay in the map of the rest as well.
    """
    of_span_columns = [(kind, c) for kind in KINDS for c in columns if _kind(c) == kind and c.source != "resource"]
    ordered: list[tuple[str, str]] = [
        *((kind, column.key) for kind, column in of_span_columns),
        *(("content", attribute.key) for attribute in registry.attributes if attribute.content),
        *((f"alias_{kind}", key) for kind, column in of_span_columns for key in column.spellings[1:]),
        *(("resource", key) for column in columns for key in column.spellings),
    ]
    codes: dict[str, int] = {}
    for _, key in ordered:
        codes.setdefault(key, len(codes) + 1)
    starts = (*KINDS, "content", *(f"alias_{kind}" for kind in KINDS), "resource")
    ranges = {start: 1 + len({key for name, key in ordered if starts.index(name) < starts.index(start)}) for start in starts}
    ranges["alias"] = ranges["alias_string"]
    if len(codes) > MAX_CODES:
        raise vocabulary.RegistryError(f"{len(codes)} keys do not fit a UInt8; widen the codes of the ingest SELECT to UInt16")
    of_resource = {key for column in columns if column.source != "span" for key in column.spellings}
    of_span = {key for key in codes if key not in {c.key for c in columns if c.source == "resource"}}
    return {"codes": codes, "ranges": ranges, "resource_keys": of_resource, "span_keys": of_span}


def _kind(column: Column) -> str:
    return "usage" if column.numeric_text else column.type.replace("[]", "s")


if __name__ == "__main__":
    sys.exit(main())
