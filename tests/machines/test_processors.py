"""Energy of processors and whole machines: what spans ran bears what was drawn meanwhile, however its meters name it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tollbook_attribution import policies, set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances, settle_or_tell
from tests.machines.devices import set_kwh

HOUR_S = 3_600

LINES = """
SELECT resource, toString(allocation) AS allocation, item, quantity AS joules, amount_usd, basis
FROM ledger WHERE category = 'energy' ORDER BY resource, item
"""
USED = "SELECT host, joules, request_joules FROM accelerator_usage WHERE kind = 'cpu' AND isNotNull(joules) ORDER BY host"


def metered(name: str, host: str, each_s: float, gauge: bool = False, **labels: Any) -> Iterator[Point]:
    """A counter that grows by so much a second, or a gauge of so much, every 15 s of the hour."""
    resource = {A.HOST_ID: host} if host else {}
    for second in range(0, HOUR_S, 15):
        value = each_s if gauge else 7e6 + each_s * second
        yield Point(name, value, second * S, cumulative=not gauge, attributes=labels, resource=resource, service="meter")


def counted(host: str, cpus: int) -> Point:
    return Point("system.cpu.logical.count", cpus, 5 * S, resource={A.HOST_ID: host})


def ran(trace: int, host: str, seconds: int = 900, **values: Any) -> Span:
    """A span of 900 s with half of a CPU."""
    place: Mapping[str, Any] = {A.HOST_ID: host, **values.pop("resource", {})}
    work = {A.TOLLBOOK_CPU_TIME: seconds * S // 2}
    return Span(trace, 1, start_ns=600 * S, duration_ns=seconds * S, resource=place, attributes=work, **values)


def test_each_joule_of_a_machine_counts_once_whoever_tells_of_it(store: Store, intake: Intake) -> None:
    """Every machine draws 100 W, an hour long: 360,000 J. A span had half a CPU of four for 900 s: 11,250 J."""
    set_kwh(store, "0.36")
    meters = {
        # Packages and memory, told by index; what is inside of a package is not added, nor a second way to read it.
        "exporter": [
            *(("node_rapl_package_joules_total", 45.0, {"index": n, "path": f"/sys/class/powercap/{way}:{n}"})
              for n in "01" for way in ("intel-rapl", "intel-rapl-mmio")),
            ("node_rapl_dram_joules_total", 10.0, {"index": "0"}),
            ("node_rapl_core_joules_total", 30.0, {"index": "0"}),
        ],
        "kepler": [
            ("kepler_node_cpu_joules_total", 90.0, {"zone": "package", "path": "/sys/class/powercap/intel-rapl:0"}),
            ("kepler_node_cpu_joules_total", 60.0, {"zone": "core", "path": "/sys/class/powercap/intel-rapl:0:0"}),
            ("kepler_node_cpu_joules_total", 10.0, {"zone": "dram", "path": "/sys/class/powercap/intel-rapl:0:1"}),
        ],
        "kepler-before": [
            ("kepler_node_package_joules_total", 50.0, {"mode": "dynamic", "package": "0"}),
            ("kepler_node_package_joules_total", 40.0, {"mode": "idle", "package": "0"}),
            ("kepler_node_dram_joules_total", 10.0, {"mode": "idle", "package": "0"}),
        ],
        "scaphandre": [
            ("scaph_host_energy_microjoules", 100e6, {}),
            ("scaph_socket_energy_microjoules", 80e6, {"socket_id": "0"}),
            ("scaph_domain_energy_microjoules", 20e6, {"socket_id": "0", "domain_name": "dram"}),
        ],
        "conventions": [
            ("hw.energy", 80.0, {"hw.type": "cpu", "hw.id": "socket"}),
            ("hw.energy", 20.0, {"hw.type": "memory", "hw.id": "dimm"}),
            ("hw.power", 999.0, {"hw.type": "fan", "hw.id": "fan 1"}),
        ],
    }  # fmt: skip
    intake.points(
        point for host, told in meters.items() for name, each_s, labels in told for point in metered(name, host, each_s, **labels)
    )
    intake.points(counted(host, 4) for host in meters)
    intake.points(metered("hw.host.power", "watts", 100.0, gauge=True))
    intake.points([counted("watts", 4)])
    hosts = sorted([*meters, "watts"])
    intake.spans(ran(trace, host) for trace, host in enumerate(hosts, 1))
    settle_or_tell(store)
    assert_the_ledger_balances(store)
    assert [tuple(row.values()) for row in store.query(USED)] == [(host, Decimal(360_000), Decimal(11_250)) for host in hosts]
    for host, ours, rest in zip(hosts, *[iter(store.query(LINES))] * 2, strict=True):
        assert (ours["resource"], ours["item"], ours["joules"], ours["basis"]) == (
            f"host:{host}",
            "electricity",
            11_250,
            "computed",
        )
        assert (rest["allocation"], rest["item"], rest["joules"]) == ("idle", "idle electricity", 348_750)
        assert (ours["amount_usd"], rest["amount_usd"]) == (Decimal("0.001125"), Decimal("0.034875"))


def test_what_a_whole_machine_draws_holds_what_its_accelerators_draw(store: Store, intake: Intake) -> None:
    """1,000 W in all, 600 W of them a GPU's. Nobody counts the CPUs, so what ran shares what was drawn meanwhile."""
    set_kwh(store, "0.36", region="attic")
    set_kwh(store, "1.5", item="pue")
    place = {A.TOLLBOOK_SITE: "attic", A.HOST_NAME: "rack 1"}
    intake.points(metered("hw.host.energy", "big", 1000.0))
    intake.points(metered("hw.energy", "big", 600.0, **{A.HW_ID: "GPU-1", "hw.type": "gpu"}))
    intake.points(metered("kepler_node_cpu_watts", "", 50.0, gauge=True, zone="package", node_name="rack 2"))
    intake.spans([
        ran(1, "big", resource=place), ran(2, "big", 1800, resource=place),
        ran(3, "id of rack 2", resource={A.HOST_NAME: "rack 2"}),
    ])  # fmt: skip
    set_rate(store, "rented", "1.00", 4)
    intake.points(metered("hw.host.power", "cloud", 100.0, gauge=True))
    intake.spans([ran(4, "cloud", resource={A.HOST_TYPE: "rented"})])
    policies.set_policy(store, "idle", "by-node")
    settle(store)
    assert_the_ledger_balances(store)
    used = {row["host"]: (row["joules"], row["request_joules"]) for row in store.query(USED)}
    # 400 W while one or both ran, 1,800 s; both used half a CPU while they ran, so a third and two thirds.
    assert used == {
        "big": (Decimal(1_440_000), Decimal(720_000)), "id of rack 2": (Decimal(180_000), Decimal(45_000)),
        "cloud": (Decimal(360_000), Decimal(11_250)),
    }  # fmt: skip
    lines = {(row["resource"], row["item"]): (row["joules"], row["amount_usd"], row["basis"]) for row in store.query(LINES)}
    assert not any(resource == "host:cloud" for resource, _ in lines), "its rate has its power in it"
    assert not any(resource == "host:id of rack 2" for resource, _ in lines), "a kWh has no price there"
    assert [row["basis"] for row in store.query(LINES) if row["item"] == "electricity"] == ["estimated"] * 2
    shared = store.query(
        "SELECT toUInt64(reinterpretAsUInt64(reverse(trace_id))) AS trace, sum(quantity) AS joules, sum(amount_usd) AS usd"
        " FROM ledger WHERE category = 'energy' GROUP BY trace ORDER BY trace"
    )
    assert [(row["trace"], round(row["joules"]), round(row["usd"], 9)) for row in shared] == [
        (1, 1_200_000, Decimal("0.18")), (2, 2_400_000, Decimal("0.36")),
    ]  # fmt: skip
    why = {(row["device"], row["why"]) for row in store.query("SELECT DISTINCT device, why FROM accelerator_energy")}
    assert why >= {("cpu:cloud", "in the rate of the machine"), ("cpu:id of rack 2", "no price of a kWh"), ("cpu:big", "")}
