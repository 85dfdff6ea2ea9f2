"""Merges what a stopped Tollbook stored and prints its size as JSON: rows and bytes on disk of each table.

A process of its own, because an embedded database can be opened once in a process.
"""

import json
import sys
from pathlib import Path

from tollbook_schema.store import Store

SIZES = """
SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE database = currentDatabase() AND active GROUP BY table ORDER BY table
"""


def main(data: Path) -> None:
    store = Store.open(data)
    for row in store.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'span%' AND total_rows > 0"
    ):
        store.command(f"OPTIMIZE TABLE {row['name']} FINAL")
    print(json.dumps({row["table"]: [row["rows"], row["bytes"]] for row in store.query(SIZES)}))
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
