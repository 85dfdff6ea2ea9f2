"""Energy of accelerators: joules to the requests that held the device while it drew them, and money by the price of a kWh."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal

import pytest
from tollbook_attribution import policies, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store
from tollbook_ui import access, units
from tollbook_ui.answers import Answers
from tollbook_ui.cli import app
from tollbook_ui.figures import Scope
from tollbook_ui.look import effort
from typer.testing import CliRunner

from tests.attribution.facts import NOON, Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances
from tests.machines.devices import HOST, on_gpu, set_gpu_price, set_kwh

ENERGY = """
SELECT device, toString(state) AS state, toUInt64(reinterpretAsUInt64(reverse(trace_id))) AS trace, joules, cost_usd, why
FROM accelerator_energy
ORDER BY device, state, trace
"""
LINES = """
SELECT toString(allocation) AS allocation, item, toUInt64(reinterpretAsUInt64(reverse(trace_id))) AS trace, quantity, amount_usd
FROM ledger
WHERE category = 'energy' ORDER BY allocation, item, trace
"""
HOUR_S = 3_600


def drawing(device: str, watts: dict[float, float], **labels: str) -> Iterator[Point]:
    """Samples of power: watts by second."""
    for second, value in watts.items():
        yield Point(
            "hw.power",
            value,
            round(second * S),
            attributes={A.HW_ID: device, A.HW_MODEL: "H100", **labels},
            resource=HOST,
            service="node",
        )


def rows(store: Store) -> dict[str, list[tuple[str, int, Decimal, Decimal | None]]]:
    found: dict[str, list[tuple[str, int, Decimal, Decimal | None]]] = {}
    for row in store.query(ENERGY):
        found.setdefault(row["device"], []).append((row["state"], row["trace"], row["joules"], row["cost_usd"]))
    return found


def test_who_holds_the_device_while_it_draws_much_bears_much(store: Store, intake: Intake) -> None:
    """100 W for 20 s, then 300 W for 20 s: 8,000 J. One request in each half, one more beside the later for half its time."""
    set_kwh(store, "0.36")
    set_kwh(store, "1.25", item="pue")
    intake.points(drawing("GPU-1", {1000: 100, 1010: 100, 1020: 100, 1020.0001: 300, 1030: 300, 1040: 300}))
    intake.spans([
        on_gpu(1, 1, start_ns=1000 * S, duration_ns=10 * S),
        on_gpu(2, 1, start_ns=1020 * S + 100_000, duration_ns=10 * S),
        on_gpu(3, 1, start_ns=1025 * S + 100_000, duration_ns=5 * S),
    ])  # fmt: skip
    settle(store)
    assert_the_ledger_balances(store)
    [device] = rows(store).values()
    told = {(state, trace): round(joules) for state, trace, joules, _ in device}
    assert told == {
        ("active", 1): 1000,
        ("active", 2): 2250,
        ("active", 3): 750,
        ("no requests", 0): 1000,
        ("unallocated", 0): 3000,
    }
    # 8,000 J are 1 / 450 kWh: 0.0008 USD, and a quarter more for the building.
    total = sum((row["amount_usd"] for row in store.query(LINES)), Decimal(0))
    assert round(total, 8) == Decimal("0.001")
    first = next(row for row in store.query(LINES) if row["trace"] == 1)
    assert (first["allocation"], first["item"], round(first["quantity"])) == ("request", "electricity", 1000)
    assert round(first["amount_usd"], 8) == Decimal("0.000125")


def test_joules_of_requests_and_idle_come_to_the_meter_however_many_tell_of_it(store: Store, intake: Intake) -> None:
    """A counter of three pods that see one device: 360 kJ in the hour, not three times that. Its power is not counted beside."""
    resource = {**HOST, A.K8S_POD_NAME: "p"}
    points = [
        Point(
            "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 5e9 + 100_000 * second, second * S, cumulative=True,
            attributes={"UUID": "GPU-2", "gpu": "0", "modelName": "NVIDIA H100", "pod": f"pod-{pod}", "Hostname": "h1"},
            resource=resource,
        )
        for pod in range(3)
        for second in range(7, HOUR_S, 15)
    ]  # fmt: skip
    points += [
        Point("DCGM_FI_DEV_POWER_USAGE", 400, second * S, attributes={"UUID": "GPU-2", "gpu": "0", "Hostname": "h1"})
        for second in range(7, HOUR_S, 15)
    ]
    intake.points(points)
    intake.spans([on_gpu(1, 1, device="GPU-2", start_ns=600 * S, duration_ns=900 * S)])
    settle(store)
    [device] = rows(store).values()
    assert sum(joules for *_, joules, _ in device) == Decimal(360_000)
    assert {state: joules for state, _, joules, _ in device}["active"] == Decimal(90_000)
    assert store.query("SELECT DISTINCT why FROM accelerator_energy") == [{"why": "no price of a kWh"}]
    assert store.query(LINES) == []


def test_power_that_a_rate_pays_for_is_told_and_not_paid_again(store: Store, intake: Intake) -> None:
    set_gpu_price(store, "H100", "3.60")
    half_past = NOON + timedelta(minutes=30)
    set_kwh(store, "0.36", region="attic", account="7", valid_until=half_past)
    set_kwh(store, "0.72", region="attic", account="7", valid_from=half_past, version="v2")
    set_kwh(store, "9", region="attic", account="8", version="of another")
    set_kwh(store, "1", version="of all")
    place = {**HOST, A.TOLLBOOK_SITE: "attic", A.CLOUD_ACCOUNT_ID: "7"}
    intake.points(
        Point(
            "hw.power", 500, second * S, attributes={A.HW_ID: "GPU-3", A.HW_MODEL: "NVIDIA H100"}, resource=place, service="node"
        )
        for second in range(0, HOUR_S, 10)
    )
    intake.spans([on_gpu(1, 1, device="GPU-3", duration_ns=1800 * S, resource=place)])
    settle(store)
    [device] = rows(store).values()
    assert [(state, joules, cost) for state, _, joules, cost in device] == [
        ("active", Decimal(900_000), None), ("unallocated", Decimal(900_000), None),
    ]  # fmt: skip
    assert store.query("SELECT DISTINCT why FROM accelerator_energy") == [{"why": "in the rate of the device"}]
    assert store.query(LINES) == []
    policies.set_policy(store, "energy", "apart")
    policies.set_policy(store, "idle", "by-node")
    settle(store, since=store.query("SELECT min(window) AS first FROM settlements")[0]["first"])
    assert_the_ledger_balances(store)
    lines = store.query(LINES)
    assert [(row["allocation"], row["item"], row["quantity"], row["amount_usd"]) for row in lines] == [
        # a quarter of a kWh at each price: half of the energy bears half of the money
        ("request", "electricity", Decimal(900_000), Decimal("0.135")),
        ("request", "share of electricity unallocated", Decimal(900_000), Decimal("0.135")),
    ]


def test_slices_of_a_device_make_up_its_use_and_share_its_energy(store: Store, intake: Intake) -> None:
    """DCGM on a device in slices: a seventh is busy, and two sevenths half; the driver's own figure is wrong and not read."""
    for_slice = {"UUID": "GPU-4", "modelName": "NVIDIA A100", "Hostname": "h1"}
    told = (("3", "1g.10gb", 1.0), ("5", "2g.20gb", 0.5))
    intake.points([
        Point(name, value, second * S, attributes={**for_slice, "GPU_I_ID": place, "GPU_I_PROFILE": profile})
        for second in (0, 10, 20)
        for place, profile, busy in told
        for name, value in (
            ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", busy), ("DCGM_FI_DEV_GPU_UTIL", 100.0), ("DCGM_FI_DEV_POWER_USAGE", 210.0),
        )
    ])  # fmt: skip
    intake.spans([
        Span(
            1, 1, duration_ns=20 * S, resource=HOST,
            attributes={
                A.TOLLBOOK_KIND: "inference", A.HW_ID: "MIG-1", A.HW_PARENT: "GPU-4", A.TOLLBOOK_ACCELERATOR_PROFILE: "1g.10gb",
            },
        )
    ])  # fmt: skip
    settle(store)
    [usage] = store.query(
        "SELECT device, model, source, busy_ratio_avg, joules, request_joules FROM accelerator_usage WHERE kind = 'gpu'"
    )
    assert (usage["device"], usage["model"], usage["source"]) == ("GPU-4", "NVIDIA A100", "DCGM_FI_PROF_GR_ENGINE_ACTIVE")
    assert round(usage["busy_ratio_avg"], 9) == round(2 / 7, 9)
    assert (usage["joules"], usage["request_joules"]) == (Decimal(4_200), Decimal(600))


def test_a_device_is_one_device_however_exporters_name_it(store: Store, intake: Intake) -> None:
    """Half busy at 200 W, each told by a name and a label of its own."""
    bare = "01234567-89ab-cdef-0123-456789abcdef"
    instinct = {"gpu_id": "2", "hostname": "amd", "card_series": "AMD Instinct MI300X"}
    told = [
        ("nvidia_smi_utilization_gpu_ratio", 0.5, "nvidia_smi_power_draw_watts", 200, {"uuid": bare}),
        ("nvidia_gpu_duty_cycle", 50, "nvidia_gpu_power_usage_milliwatts", 200_000, {"uuid": "GPU-b", "name": "Tesla P40"}),
        ("gpu_gfx_activity", 50, "gpu_package_power", 200, instinct),
        ("gpu.dcgm.utilization", 0.5, "hw.power", 200, {"uuid": "GPU-d", "model": "NVIDIA L4"}),
        ("tpu.runtime.tensorcore.dutycycle.percent", 50, "hw.power", 200, {"accelerator_id": "tpu-v5e-7"}),
    ]  # fmt: skip
    intake.points(
        Point(name, value, second * S, attributes=labels)
        for use, busy, power, watts, labels in told
        for second in range(0, HOUR_S, 60)
        for name, value in ((use, busy), (power, watts))
    )
    settle(store)
    found = store.query("SELECT device, model, busy_ratio_avg, joules FROM accelerator_usage ORDER BY device")
    assert [tuple(row.values()) for row in found] == [
        (f"GPU-{bare}", "", 0.5, 720_000), ("GPU-b", "Tesla P40", 0.5, 720_000),
        ("GPU-d", "NVIDIA L4", 0.5, 720_000), ("amd/2", "AMD Instinct MI300X", 0.5, 720_000), ("tpu-v5e-7", "", 0.5, 720_000),
    ]  # fmt: skip


def test_the_price_of_a_kwh_is_set_and_devices_show_their_energy(
    store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "opened", lambda where, create: nullcontext(Answers(store)))
    answers = Answers(store)
    for words in (["rates", "electricity", "0.36", "--site", "attic", "--pue", "1.5"],):
        assert CliRunner().invoke(app, words).exit_code == 0
    for wrong in (["-1"], ["0.36", "--pue", "0.5"], ["cheap"]):
        assert CliRunner().invoke(app, ["rates", "electricity", *wrong]).exit_code in (1, 2)
    place = {**HOST, A.TOLLBOOK_SITE: "attic"}
    intake.points(
        Point("hw.power", 500, second * S, attributes={A.HW_ID: "GPU-3", A.HW_MODEL: "H100"}, resource=place, service="node")
        for second in range(0, HOUR_S, 10)
    )
    intake.spans(on_gpu(trace, 1, device="GPU-3", duration_ns=1800 * S, resource=place) for trace in (1, 2))
    settle(store)
    assert_the_ledger_balances(store)
    found = answers.accelerators(Scope(since=NOON.replace(tzinfo=None), until=NOON.replace(tzinfo=None, hour=13)))
    [row] = [row for row in found.rows if row.kind == "gpu"]
    assert (row.joules, row.request_joules, row.requests) == (Decimal(1_800_000), Decimal(900_000), 2)
    assert (units.mean(row.request_joules, row.requests), row.energy_usd) == (Decimal(450_000), Decimal("0.27"))
    shown = str(effort.accelerator_table(found)), str(effort.accelerator_cards(found))
    assert all(word in "".join(shown) for word in ("1,800 kJ", "450 kJ", "$0.27"))
    assert units.energy(Decimal(7_200_000)) == "2 kWh"
    assert [units.energy(value) for value in (None, Decimal(0), Decimal("0.0012"))] == ["unknown", "0 J", "1.2 mJ"]
