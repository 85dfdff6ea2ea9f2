"""`tollbook bill` beside a running server: every command goes through its API, files too."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from pyarrow import parquet as pq
from tollbook_ui.cli import app
from typer.testing import CliRunner, Result

from tests.bills.conftest import Folder, focus
from tests.ui.conftest import Served, answers, served

__all__ = ["answers", "served"]

DAY = ("--from", "2026-11-20", "--to", "2026-11-21")


def tollbook(server: Served, *words: str) -> Result:
    """What a command answers beside a server that has the data folder."""
    return CliRunner().invoke(app, [*words, "--data", str(server.data)])


def test_a_bill_is_imported_reconciled_mapped_and_exported_through_a_running_server(
    served: Served,
    folder: Folder,
    tmp_path: Path,
) -> None:
    lint = pytest.importorskip("focus_data_toolkit.model.validator")
    wrong = folder.csv(focus(), focus(BilledCost="1,5"), name="wrong.csv")
    refused = tollbook(served, "bill", "import", str(wrong))
    assert refused.exit_code == 2
    assert "wrong.csv, line 3, column BilledCost: '1,5'" in refused.stderr
    assert json.loads(tollbook(served, "bill", "list", "-f", "json").stdout) == []

    for words in (("list",), ("show",), ("reconcile",)):
        for asked, told in (
            (("--period", "2026-13"), "as 2026-10, not as '2026-13'"),
            (("--provider", "nobody"), "No such bill is stored; see"),
        ):
            assert told in tollbook(served, "bill", *words, *asked).output
        assert "No bill is stored yet" in tollbook(served, "bill", *words).stdout
    assert "ends in .csv or .parquet, not to x.txt" in tollbook(served, "bill", "export", "x.txt").stderr

    mine = folder.text("day,price,what\n2026-11-20,3.5,H100\n", "mine.csv")
    said = (
        "--map",
        "BilledCost=price,ServiceName=what",
        "--map",
        "ChargePeriodStart=day,ChargePeriodEnd=day",
        "--set",
        "BillingCurrency=USD",
    )
    more = ("--set", "ServiceProviderName=Acme,ChargeCategory=Usage")
    assert "1 line of 1 file stored" in tollbook(served, "bill", "import", str(mine), *said, *more).stdout
    [acme] = json.loads(tollbook(served, "bill", "list", "-f", "json").stdout)
    assert (
        f"Import {acme['import_id']} was taken back: bills of 1 line"
        in tollbook(served, "bill", "undo", str(acme["import_id"])).stdout
    )
    assert tollbook(served, "bill", "undo", str(acme["import_id"])).exit_code == 2
    assert "1 line of 1 file stored" in tollbook(served, "bill", "import", str(mine), *said, *more).stdout
    assert "not 'Price=USD'" in tollbook(served, "bill", "import", str(mine), "--map", "Price=USD").stderr

    bill = folder.csv(
        focus(BilledCost="1.25", ResourceId="i-unseen"), focus(BilledCost="0.7", ChargeCategory="Tax", ResourceId="")
    )
    assert "2 lines of 1 file stored" in tollbook(served, "bill", "import", str(bill)).stdout
    for _ in range(2):
        assert tollbook(served, "settle").exit_code == 0
    [row] = json.loads(tollbook(served, "bill", "reconcile", "-f", "json").stdout, parse_float=Decimal)["rows"][:1]
    assert Decimal(str(row["billed"])) >= Decimal("0.7")
    for words in (("list",), ("show",), ("reconcile",), ("mappings",)):
        for shape in ("table", "json", "csv"):
            shown = tollbook(served, "bill", *words, "--format", shape)
            assert (shown.exit_code, bool(shown.stdout)) == (0, True), (words, shape, shown.output)
    assert tollbook(served, "bill", "map", "none", "--resource", "i-unseen").exit_code == 0
    [mapped] = json.loads(tollbook(served, "bill", "mappings", "-f", "json").stdout)
    assert tollbook(served, "bill", "unmap", mapped["mapping_id"]).exit_code == 0
    assert json.loads(tollbook(served, "bill", "mappings", "-f", "json").stdout) == []

    for name in ("focus.csv", "focus.parquet"):
        assert tollbook(served, "bill", "export", str(tmp_path / name), *DAY).exit_code == 0
    empty = tollbook(served, "bill", "export", str(tmp_path / "empty.csv"), "--from", "2020-01-01", "--to", "2020-01-02")
    assert empty.stderr.startswith("tollbook: empty.csv holds the names of its columns alone.\ntollbook: Nothing from 2020-01-01")
    assert len((tmp_path / "empty.csv").read_text().splitlines()) == 1
    with (tmp_path / "focus.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert lint.lint_focus_1_4_structure("Cost and Usage", rows).ok
    by_sql = tollbook(served, "sql", "SELECT sum(amount) AS usd FROM ledger", "-f", "csv").stdout.split()[1]
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(by_sql)
    typed = pq.read_table(tmp_path / "focus.parquet").to_pylist()
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in typed]
    assert lint.lint_focus_1_4_structure("Cost and Usage", texts).ok
    assert sum(row["BilledCost"] for row in typed) == sum(Decimal(row["BilledCost"]) for row in rows)
