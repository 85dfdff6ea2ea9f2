"""Rates and prices that change within an hour: each for its time, and spans by what their machine cost while they ran."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from tollbook_attribution import set_rate
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances, settle_or_tell
from tests.machines.devices import on_gpu, set_gpu_price

MINUTE = timedelta(minutes=1)

HOSTS = "SELECT host, amount_usd, rate_id FROM hosts ORDER BY host"
BOUGHT = {
    "spot": {"tollbook.host.purchase": "spot"}, "karpenter": {"k8s.node.label.karpenter.sh/capacity-type": "spot"},
    "reserved": {"tollbook.host.purchase": "reserved"}, "untold": {},
}  # fmt: skip

SHARES = """
SELECT resource, item, toUInt64(reinterpretAsUInt64(reverse(trace_id))) AS trace, amount_usd
FROM ledger WHERE allocation = 'request' ORDER BY resource, item, trace
"""


def seen(host: str, kind: str, from_s: int = 0, to_s: int = 3_599, **more: str) -> Iterator[Point]:
    """A machine that is heard of at two moments."""
    for second in (from_s, to_s):
        yield Point("system.cpu.load", 1, second * S, resource={A.HOST_ID: host, A.HOST_TYPE: kind, **more})


def test_each_rate_holds_for_its_time(store: Store, intake: Intake) -> None:
    """USD 1 an hour, from 12:20 on 2, in one region from 12:30 on 9; a GPU likewise. Spans have 600 s of one of 4 CPUs."""
    set_rate(store, "box", "1.00", 4)
    set_rate(store, "box", "2.00", 4, valid_from=NOON + 20 * MINUTE)
    set_rate(store, "box", "9.00", 4, region="eu", valid_from=NOON + 30 * MINUTE)
    set_rate(store, "new", "9.00", 4, valid_from=NOON + 30 * MINUTE)
    set_gpu_price(store, "H100", "1.00", valid_until=NOON + 20 * MINUTE)
    set_gpu_price(store, "H100", "2.00", valid_from=NOON + 20 * MINUTE)
    set_rate(store, "bought", "8.00", 4)
    set_rate(store, "bought", "3.00", 4, purchase="Spot")
    set_rate(store, "turning", "8.00", 8)
    place = {A.HOST_ID: "a", A.HOST_TYPE: "box"}
    full = {A.HOST_ID: "full", A.HOST_TYPE: "box"}
    work = {A.TOLLBOOK_CPU_TIME: 600 * S}
    intake.points([
        *seen("eu", "box", **{A.CLOUD_REGION: "eu"}), *seen("late", "new"), *seen("part", "box", 1_800, 2_700),
        *(Point("hw.gpu.utilization", 0, s * S, attributes={A.HW_ID: "GPU-1", A.HW_MODEL: "H100"}) for s in (0, 3_600 - 1)),
        # told every minute: what runs on does so up to the hour's borders, what stopped does not
        *(Point("system.cpu.load", 1, (30 + 60 * n) * S, resource={A.HOST_ID: host, A.HOST_TYPE: "bought"})
          for host, count in (("runs on", 60), ("stops", 30)) for n in range(count)),
        *(Point("hw.gpu.utilization", 0, (30 + 60 * n) * S, attributes={A.HW_ID: "GPU-2", A.HW_MODEL: "H100"})
          for n in range(60)),
    ])  # fmt: skip
    intake.spans([
        Span(1, 1, start_ns=0, duration_ns=600 * S, resource=place, attributes=work),
        Span(2, 1, start_ns=3_000 * S, duration_ns=600 * S, resource=place, attributes=work),
        Span(3, 1, start_ns=600 * S, duration_ns=1_200 * S, resource=place, attributes=work),
        Span(4, 1, start_ns=0, duration_ns=1_200 * S, resource=full, attributes={A.TOLLBOOK_CPU_TIME: 9_000 * S}),
        Span(5, 1, start_ns=1_200 * S, duration_ns=2_400 * S, resource=full, attributes={A.TOLLBOOK_CPU_TIME: 9_000 * S}),
        on_gpu(6, 1, start_ns=0, duration_ns=600 * S, resource={}),
        # clocks that cannot be: a span of 253 years, another of no CPU time that could be
        # bought as spot by its own word, by a label that Karpenter gives its node; reserved, which has no rate of its own
        *(Span(20 + number, 1, start_ns=0, duration_ns=3_600 * S, resource={A.HOST_ID: host, A.HOST_TYPE: "bought", **told})
          for number, (host, told) in enumerate(BOUGHT.items())),
        # another type from 12:30 on
        *(Span(30 + half, 1, start_ns=half * 1_800 * S, duration_ns=1_800 * S, resource={A.HOST_ID: "turns", A.HOST_TYPE: kind},
               attributes={A.TOLLBOOK_CPU_TIME: 900 * S}) for half, kind in enumerate(("turning", "box"))),
        Span(7, 1, duration_ns=8 * 10**18, resource={**place, A.HOST_ID: "odd"}),
        Span(8, 1, duration_ns=S, resource={**place, A.HOST_ID: "odd"}, attributes={A.TOLLBOOK_CPU_TIME: 2**62}),
    ])  # fmt: skip
    settle_or_tell(store)
    assert_the_ledger_balances(store)
    hosts = {row["host"]: row["amount_usd"] for row in store.query(HOSTS)}
    assert hosts["odd"] == hosts["a"]
    assert [hosts[host] for host in BOUGHT] == [Decimal(3), Decimal(3), Decimal(8), Decimal(8)]
    assert (hosts["runs on"], round(hosts["stops"], 9)) == (8, round(Decimal(8 * 1_770) / 3600, 9))
    assert hosts["turns"] == Decimal(8) / 2 + Decimal(2) / 2
    assert (hosts["a"], hosts["late"], hosts["part"]) == (Decimal("1.666666666666666666"), None, Decimal("0.5"))
    assert round(hosts["eu"], 6) == round(Decimal(1200 * 1 + 600 * 2 + 1799 * 9) / 3600, 6)
    [ids] = [row["rate_id"] for row in store.query(HOSTS) if row["host"] == "a"]
    assert ids == "box@1970-01-01T00:00:00Z+box@2026-11-20T12:20:00Z"
    shares = {row["trace"]: row["amount_usd"] for row in store.query(SHARES)}
    assert [round(shares[trace], 12) for trace in (1, 2, 3)] == [
        round(Decimal(600) * usd / 4 / 3600, 12) for usd in (Decimal(1), Decimal(2), Decimal("1.5"))
    ]
    # By what a CPU cost while they ran: 1 USD an hour and CPU, then 0.50.
    assert [round(shares[trace], 9) for trace in (30, 31)] == [Decimal("0.25"), Decimal("0.125")]
    # Both claim more than all of the machine, one at each rate: a third and two thirds of what it cost.
    assert [round(shares[trace], 6) for trace in (4, 5)] == [Decimal("0.555556"), Decimal("1.111111")]
    devices = store.query("SELECT amount_usd FROM resource_costs WHERE resource LIKE 'accelerator:GPU-%' ORDER BY resource")
    assert [round(device["amount_usd"], 9) for device in devices] == [
        round(Decimal(1200 + 2 * seconds) / 3600, 9) for seconds in (2399, 2400)
    ]
