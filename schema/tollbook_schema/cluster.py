"""The migrations on a cluster. Pure: SQL in, SQL out.

A table `x` becomes two: `x_local`, which holds this node's rows, and `x`, a Distributed table over the `x_local` of all nodes, so
that every question and every view reads all rows under the name it knows. Materialized views fill the local tables of the node
that a segment is loaded into.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LOCAL = "_local"

NODES_OWN = frozenset({"schema_migrations"})
"""Tables that each node keeps for itself."""

WORKED_ON = re.compile(r"\b(work_\w+|\w+_settled|settlements|body_claims|leases|usage_rows|(?<=DELETE FROM )\w+)\b")
"""Tables whose rows are read and written where they belong, on one node; rows are deleted of one node alone."""

SETTINGS = {"distributed_product_mode": "global", "distributed_foreground_insert": 1}
"""For every connection: subqueries run once for all nodes, and a row is stored when its INSERT returns."""

_TABLE = re.compile(
    r"CREATE TABLE IF NOT EXISTS (?P<name>\w+) (?P<body>.*?)\bENGINE = (?P<engine>\w*)MergeTree\b(?:\((?P<arguments>[^()]*)\))?",
    re.DOTALL,
)
_COPY = re.compile(r"CREATE TABLE IF NOT EXISTS \w+ AS (?P<name>\w+) ENGINE = Null")
_FILLED = re.compile(r"CREATE MATERIALIZED VIEW\b|ALTER TABLE \w+ MODIFY QUERY\b")
_ALTER = re.compile(r"ALTER TABLE (?P<name>\w+)\s+(?P<rest>.*)", re.DOTALL)
_COLUMNS = re.compile(r"(?:ADD|DROP|RENAME) COLUMN|MODIFY COLUMN \S+ (?!REMOVE|MODIFY|RESET)", re.DOTALL)
_WINDOW = re.compile(r"\bnon_replicated_deduplication_window\b")


@dataclass(frozen=True)
class Cluster:
    """A cluster as its servers' configuration names it."""

    name: str
    shards: int
    replicated: bool = False
    """Whether a Keeper keeps several copies of each shard alike."""


def stored_tables(statements: Iterable[str]) -> frozenset[str]:
    """Names of the tables that these statements create and that hold rows."""
    return frozenset(match["name"] for match in map(_TABLE.match, statements) if match) - NODES_OWN


def rendered(statement: str, stored: frozenset[str], cluster: Cluster) -> Iterator[str]:
    """The statements that do on one node of a cluster what a statement of a migration does on a single server.

    Args:
        statement: one statement of a migration.
        stored: names of all tables that hold rows.
        cluster: where.
    """
    table, altered = _TABLE.match(statement), _ALTER.match(statement)
    if table and table["name"] in stored:
        name = table["name"]
        yield _local_table(statement, table, cluster)
        yield (
            f"CREATE TABLE IF NOT EXISTS {name} AS {name}{LOCAL} "
            f"ENGINE = Distributed('{cluster.name}', currentDatabase(), '{name}{LOCAL}', 0)"
        )
    elif altered and altered["name"] in stored:
        yield f"ALTER TABLE {altered['name']}{LOCAL} {altered['rest']}"
        if _COLUMNS.match(altered["rest"]):
            yield statement
    elif _COPY.match(statement) or _FILLED.match(statement):
        yield _on_local(statement, stored)
    else:
        yield statement


def at_one_node(statement: str) -> str:
    """A statement on the rows that one node holds, of the tables that a settlement or a claim works on."""
    return WORKED_ON.sub(rf"\1{LOCAL}", statement)


def _local_table(statement: str, table: "re.Match[str]", cluster: Cluster) -> str:
    name, engine = table["name"], f"{table['engine']}MergeTree"
    if cluster.replicated:
        place = f"'/clickhouse/tables/{{shard}}/{{database}}/{name}', '{{replica}}'"
        engine = f"Replicated{engine}({', '.join(filter(None, (place, table['arguments'])))})"
        rest = _WINDOW.sub("replicated_deduplication_window", statement[table.end() :])
    else:
        engine += f"({table['arguments']})" if table["arguments"] else ""
        rest = statement[table.end() :]
    return f"CREATE TABLE IF NOT EXISTS {name}{LOCAL} {table['body']}ENGINE = {engine}{rest}"


def _on_local(statement: str, stored: frozenset[str]) -> str:
    def local(match: "re.Match[str]") -> str:
        return f"{match[1]} {match[2]}{LOCAL}" if match[2] in stored else match[0]

    return re.sub(r"\b(TO|FROM|AS) (\w+)\b", local, statement)
