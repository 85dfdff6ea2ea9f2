"""Rates, commitments and policies through the API and the command line: set, imported, shown, refused."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tollbook_schema.store import Store
from tollbook_ui import access, api
from tollbook_ui.answers import Answers
from tollbook_ui.cli import app
from tollbook_ui.machines import files
from tollbook_ui.machines.figures import RateFile
from tollbook_ui.periods import BadQuestionError
from typer.testing import CliRunner


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    """The API over an empty store."""

    async def settle(since: Any, until: Any) -> Any:
        raise NotImplementedError

    return TestClient(api.create(Answers(store), settle, dict, None), base_url="http://localhost")


def test_policies_and_rates_are_set_over_the_api_and_shown(client: TestClient) -> None:
    assert client.post("/api/v1/policies", json={"subject": "idle", "method": "by-node"}).status_code == 200
    refused = client.post("/api/v1/policies", json={"subject": "idle", "method": "by-luck"})
    assert (refused.status_code, "idle goes none, separate" in refused.json()["detail"]) == (422, True)
    shown = {(row["subject"], row["method"], row["source"]) for row in client.get("/api/v1/policies").json()}
    assert shown == {
        ("idle", "by-node", "set by the user"), ("shared", "separate", "by default"), ("accelerator", "equal", "by default"),
        ("energy", "included", "by default"),
    }  # fmt: skip

    assert client.post("/api/v1/rates/accelerators", json={"model": "H100", "amount": "2.50"}).status_code == 200
    assert client.post("/api/v1/rates/accelerators", json={"model": "H100", "amount": "-1"}).status_code == 422
    [price] = client.get("/api/v1/rates/accelerators").json()
    assert (price["model"], price["amount"], price["currency"]) == ("H100", "2.5", "USD")

    times = {"valid_from": "2026-11-01T00:00:00Z", "valid_until": "2026-12-01T00:00:00Z"}
    paid = {"commitment_id": "ptu", "amount": "720", "unit": "token", "covers": "gpt-4o", **times}
    assert client.post("/api/v1/rates/commitments", json=paid).status_code == 200
    assert client.post("/api/v1/rates/commitments", json={**paid, "unit": "cow"}).status_code == 422
    assert [row["commitment_id"] for row in client.get("/api/v1/rates/commitments").json()] == ["ptu"]


CATALOG = """InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone,updated
m7i.xlarge,,,4,16,,0.2016,0.08,us-east-1,us-east-1a,2026-11-01
p5.48xlarge,H100,8,192,2048,"{'Gpus': []}",98.32,40.1,us-east-1,us-east-1a,2026-11-01
"""


def test_a_catalog_is_taken_whole(client: TestClient) -> None:
    file = {"kind": "instance", "name": "vms.csv", "content": CATALOG, "defaults": {"accelerator_share": "0.9"}}
    refused = client.post("/api/v1/rates/import", json={**file, "defaults": {}})
    assert (refused.status_code, "vms.csv, line 3" in refused.json()["detail"]) == (422, True)
    assert client.get("/api/v1/rates").json() == []
    assert client.post("/api/v1/rates/import", json=file).json() == {"name": "vms.csv", "kind": "instance", "rows": 4}
    [cheap, cheap_spot, rate, rate_spot] = client.get("/api/v1/rates").json()
    assert (cheap["instance_type"], cheap["accelerators"]) == ("m7i.xlarge", 0)
    assert (rate["instance_type"], rate["accelerators"], rate["accelerator_usd_per_hour"]) == ("p5.48xlarge", 8, "88.488")
    assert [(row["purchase"], row["usd_per_hour"]) for row in (cheap_spot, rate_spot)] == [("spot", "0.08"), ("spot", "40.1")]
    assert rate["split"] == "a CPU costs as much as 8 GiB"


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("instance", "instance_type,usd_per_hour\nbox,1\n", "rates.csv: no column vcpus"),
        (
            "instance",
            'instance_type,usd_per_hour,vcpus\nbox,"1,50",2\n',
            "rates.csv, line 2, column usd_per_hour: '1,50' is no number",
        ),
        ("instance", "instance_type,usd_per_hour,vcpus\nbox,1,2\nbig,,4\n", "rates.csv, line 3, column usd_per_hour: empty"),
        ("instance", "instance_type,usd_per_hour,vcpus\nbox,1,2,3\n", "rates.csv, line 2: 4 cells where the head has 3"),
        (
            "instance",
            "instance_type,usd_per_hour,vcpus\nbox,NaN,2\n",
            "rates.csv, line 2, column usd_per_hour: 'NaN' is no number",
        ),
        ("instance", "instance_type,usd_per_hour,vcpus\nbox,1,0\n", "rates.csv, line 2, column vcpus: '0' is not more than 0"),
        (
            "instance",
            "instance_type,usd_per_hour,vcpus\nbox,1,9223372036854775808\n",
            "column vcpus: '9223372036854775808' is more than",
        ),
        ("instance", "instance_type,usd_per_hour,vcpus,currency\nbox,1,2,eur\n", "column currency: 'eur' is not USD"),
        (
            "instance",
            "instance_type,usd_per_hour,vcpus\nbox,1,2\nbox,2,2\n",
            "rates.csv, line 3: of the same and from the same time on as line 2",
        ),
        ("accelerator", '[{"model": "H100",\n "usd_per_hour": }]', "rates.csv, line 2, column 18: no JSON"),
        ("accelerator", '[{"model": "H100", "usd_per_hour": -2}]', "rates.csv, line 1, column usd_per_hour: '-2' is below 0"),
        (
            "commitment",
            "name,amount,valid_from,valid_until\na,1,soon,2026-12-01\n",
            "line 2, column valid_from: 'soon' is no time",
        ),
        ("commitment", "name,amount,valid_from,valid_until\na,1,2026-12-01,2026-11-01\n", "line 2: the period ends"),
        (
            "instance",
            "instance_type;usd_per_hour;vcpus;from\nbox;1;2;2026-02-30\n",
            "line 2, column valid_from: '2026-02-30' is no time",
        ),
        (
            "instance",
            "instance_type,usd_per_hour,vcpus,effective_date\nbox,1,2,2026-01-01\n",
            "column effective_date: no such column",
        ),
        (
            "instance",
            'instance_type,usd_per_hour,vcpus\n"box,1,2\ncar,1,2\n',
            "rates.csv, line 2: not CSV: a quote is not closed",
        ),
        ("lunch", "", "not of 'lunch'"),
        ("instance", "", "rates.csv: no column instance_type"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_its_place(kind: str, content: str, why: str) -> None:
    with pytest.raises(BadQuestionError) as refused:
        files.read(RateFile(kind, "rates.csv", content))
    assert why in str(refused.value)
    assert "will be refused again" in str(refused.value)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["policy", "set", "idle", "by-luck"], "idle goes none"),
        (["rates", "accelerator", "H100", "cheap"], "'cheap' is no number"),
        (["rates", "commitment", "x", "1", "--from", "2026-12-01", "--to", "2026-11-01"], "before it begins"),
        (["rates", "import", "no-such-file.csv"], "No such file"),
        (["rates", "set", "box", "1", "2", "--accelerators", "4"], "both"),
        (["rates", "set", "box", "1", "2", "--purchase", "stolen"], "bought on_demand, spot, reserved"),
    ],
)
def test_a_wrong_command_is_told_in_one_line(words: list[str], why: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "opened", lambda where, create: nullcontext(Answers(store)))
    result = CliRunner().invoke(app, words)
    assert result.exit_code in (1, 2)
    assert why in result.stderr


def test_what_is_set_is_listed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "opened", lambda where, create: nullcontext(Answers(store)))
    for words in (
        ["policy", "set", "accelerator", "by-tokens", "--since", "2026-11-01"],
        ["rates", "accelerator", "H100", "2.50", "--provider", "acme"],
        ["rates", "set", "box", "0.2016", "4", "--memory-gib", "16", "--memory-share", "0.25"],
        ["rates", "commitment", "plan", "240", "--from", "2026-11-01", "--to", "2026-12-01", "--unit", "seat", "--capacity", "4"],
    ):
        assert CliRunner().invoke(app, words).exit_code == 0
    shown = [
        CliRunner().invoke(app, words).stdout
        for words in (
            ["policy", "show"],
            *(["rates", "list", "--kind", kind, "-f", "csv"] for kind in ("instance", "accelerator", "commitment")),
        )
    ]
    for words, text in zip((("by-tokens",), ("0.1512", "0.0504"), ("H100", "2.5"), ("plan", "seat")), shown, strict=True):
        assert all(word in text for word in words), text
