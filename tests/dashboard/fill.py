"""Fills a data folder with the sample, for a server that is started on it afterwards: `python -m tests.dashboard.fill DIR`."""

import sys
import tempfile
from pathlib import Path

from tollbook_schema.store import Store

from tests.attribution.facts import Intake
from tests.report import week

if __name__ == "__main__":
    store = Store.open(Path(sys.argv[1]))
    store.migrate()
    with tempfile.TemporaryDirectory() as folder:
        week.fill(Intake(store, Path(folder)), week.today())
    store.close()
