"""Every .sql file is what ClickHouse itself parses. What it means is tested where it is used."""

from pathlib import Path

import pytest
from tollbook_schema import sql
from tollbook_schema.store import Store

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path for part in ("schema", "attribution", "ui") for path in (ROOT / part).rglob("*.sql") if "sqlite" not in path.parts
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_clickhouse_parses_every_statement(store: Store, path: Path) -> None:
    statements = sql.statements(path.read_text().replace("/*SOURCE*/", "source"))
    assert statements
    for statement in statements:
        assert store.query("SELECT formatQuerySingleLine({text:String}) AS text", {"text": statement})
