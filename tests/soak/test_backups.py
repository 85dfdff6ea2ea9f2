"""A backup made under load, restored elsewhere: the whole of one moment."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tollbook_ui import backup

from tests.soak.figures import Fault
from tests.soak.senders import Load
from tests.soak.server import Server

LEDGER = "SELECT toString(sum(amount_usd)) FROM ledger"


@pytest.mark.slow
@pytest.mark.fault(
    "R17", "backup under load, restored elsewhere", "all acknowledged before it, once; its ledger is that of one moment"
)
def test_a_backup_under_load_holds_all_that_was_acknowledged_before_it(fault: Fault, tmp_path: Path) -> None:
    rounds = fault.size(1, soak=10)
    server = Server(tmp_path / "data", {"TOLLBOOK_SETTLE_SECONDS": "2"})
    server.start()
    load = Load(server.http_port, pause_s=0.01)
    lost = doubled = waited = 0
    with load.flowing():
        for number in range(rounds):
            load.until(len(load.acknowledged) + 40)
            before = set(load.acknowledged)
            made = backup.Backup(**server.post("/api/v1/backup", {"folder": str(tmp_path / f"copy-{number}")}))
            waited += made.spool_bytes
            found = _restored(tmp_path / f"copy-{number}", tmp_path / f"again-{number}", load, before, made)
            lost, doubled = lost + found[0], doubled + found[1]
    server.stop()
    fault.found(
        f"{lost} of the bodies acknowledged before lost, {doubled} spans doubled, {waited / 1e6:.1f} MB came by the spool",
        what=f"backup under load, restored elsewhere, x {rounds}",
    )
    assert (lost, doubled) == (0, 0)


def _restored(copy: Path, data: Path, load: Load, before: set[int], made: backup.Backup) -> tuple[int, int]:
    """Bodies lost and spans doubled in a folder restored from a copy."""
    restore = [sys.executable, "-m", "tollbook_ui.cli", "restore", str(copy), "--data", str(data)]
    subprocess.run(restore, check=True, capture_output=True, timeout=120)  # this process may have another store open
    again = Server(data, {"TOLLBOOK_SETTLE_SECONDS": "0"})
    again.start()
    again.until_loaded()
    assert Decimal(again.ask(LEDGER)[0][0] or 0) == Decimal(made.ledger_usd or 0)
    stored = load.stored(again)
    again.stop()
    lost = sum(stored.get(body, (0, 0))[1] != load.spans for body in before)
    return lost, sum(spans - ids for spans, ids in stored.values())
