"""chDB, real: vector search is a lookup, other queries are reads and writes."""

import subprocess
import sys
from typing import Any

import pytest
from tollbook.integrations.chdb import begin
from tollbook.testing import Captured

PROGRAM = """
import json
from tollbook import testing
from tollbook.integrations.chdb import ChdbInstrumentor
ChdbInstrumentor().instrument()
import chdb

with testing.capture() as captured:
    connection = chdb.connect(":memory:")
    connection.query("CREATE TABLE docs (id UInt32, v Array(Float32)) ENGINE = MergeTree ORDER BY id")
    connection.query("INSERT INTO docs SELECT number, [number, 1] FROM numbers(9)")
    found = connection.query("SELECT id FROM docs ORDER BY cosineDistance(v, [3, 1]) LIMIT 4", "TSV")
    try:
        connection.query("SELECT * FROM nowhere")
    except Exception as error:
        failed = type(error).__name__
    connection.close()
    assert str(found).split()[0] == "3", found
print(json.dumps([[span.name, dict(span.attributes)] for span in captured.spans]))
"""


@pytest.fixture(scope="module")
def spans() -> list[tuple[str, dict[str, Any]]]:
    """In a process of its own: there is one database to a process, and the tests have theirs."""
    import json

    run = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return [(name, attributes) for name, attributes in json.loads(run.stdout)]


def test_a_search_for_vectors_is_a_lookup(spans: list[tuple[str, dict[str, Any]]]) -> None:
    inserted, searched, failed = spans
    assert searched[1].pop("tollbook.cpu.time") > 0
    sql = "SELECT id FROM docs ORDER BY cosineDistance(v, [3, 1]) LIMIT 4"
    assert searched == (
        "search docs",
        {
            "tollbook.kind": "handoff",
            "tollbook.handoff.operation": "lookup",
            "tollbook.handoff.source": "chdb",
            "tollbook.handoff.network": "in_process",
            "tollbook.handoff.size": len(sql) + len("3\n" * 4),
            "tollbook.handoff.records": 4,
            "tollbook.asset.id": "chdb:docs",
            "gen_ai.retrieval.top_k": 4,
            "db.system.name": "chdb",
            "db.operation.name": "search",
            "db.collection.name": "docs",
        },
    )
    assert (inserted[0], inserted[1]["tollbook.handoff.operation"]) == ("INSERT docs", "write")
    assert failed[1]["error.type"]


@pytest.mark.parametrize(
    ("sql", "name", "operation"),
    [
        ("SELECT 1", "SELECT chdb", "read"),
        ("--\nWITH [1.] AS q SELECT id FROM db.docs ORDER BY L2Distance(v, q) LIMIT 5 SETTINGS x=1", "search db.docs", "lookup"),
        ("SELECT cosineDistance(v, [1]) FROM docs", "SELECT docs", "read"),
        ("SELECT count() FROM file('a.csv')", "SELECT chdb", "read"),
        ("DELETE FROM `docs` WHERE id = 1", "DELETE docs", "delete"),
        ("TRUNCATE TABLE docs", "TRUNCATE docs", "delete"),
    ],
)  # fmt: skip
def test_what_a_query_does_is_read_off_its_words(captured: Captured, sql: str, name: str, operation: str) -> None:
    begin(sql).end()
    assert captured.names == [name]
    assert captured.attributes(name)["tollbook.handoff.operation"] == operation


def test_what_moves_no_data_has_no_span(captured: Captured) -> None:
    for sql in ("CREATE TABLE a (b Int8) ENGINE = Memory", "SET max_threads = 1", "", "SYSTEM FLUSH LOGS"):
        begin(sql)
    assert captured.names == []
