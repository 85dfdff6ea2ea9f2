"""Fills a data folder with the sample week and a canary, for a server started on it later: `python -m tests.hostile.fill DIR`."""

import sys
import tempfile
from pathlib import Path

from tollbook_schema.store import Store

from tests.attribution.facts import Intake
from tests.report import week

CANARY = ("CREATE TABLE canary (word String) ENGINE = MergeTree ORDER BY word", "INSERT INTO canary VALUES ('sings')")

if __name__ == "__main__":
    store = Store.open(Path(sys.argv[1]))
    store.migrate()
    for statement in CANARY:
        store.command(statement)
    with tempfile.TemporaryDirectory() as folder:
        week.fill(Intake(store, Path(folder)), week.today())
    store.close()
