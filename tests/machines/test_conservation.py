"""Whatever spans hold whatever fractions of whatever devices, under any policy: states sum to devices, lines to resources."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tollbook_attribution import commitments, policies, prices, set_rate
from tollbook_attribution.commitments import Commitment
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances, settle_or_tell
from tests.machines.devices import set_gpu_price

SUMS = """
SELECT d.device AS device, d.paid AS paid, s.states AS states
FROM (
    SELECT substring(resource, 13) AS device, sum(amount_usd) AS paid FROM resource_costs
    WHERE category = 'accelerator' AND resource NOT LIKE '%/not heard of' AND resource NOT LIKE 'commitment:%'
    GROUP BY device
) AS d
FULL JOIN (
    SELECT toString(device) AS device, sum(cost_usd) AS states FROM accelerator_states
    WHERE isNotNull(cost_usd) GROUP BY device
) AS s ON d.device = s.device
"""

FRACTIONS: list[dict[str, Any]] = [
    {},
    {},
    {"tollbook.accelerator.share": 0.3},
    {"tollbook.accelerator.share": 0.7},
    {"GPU_I_PROFILE": "1g.10gb", "GPU_I_ID": "1"},
    {"GPU_I_PROFILE": "3g.40gb", "GPU_I_ID": "2"},
    {"hw.parent": "GPU-c", "tollbook.accelerator.profile": "2g.20gb"},
]
KINDS: list[dict[str, Any]] = [
    {A.TOLLBOOK_KIND: "inference"},
    {A.TOLLBOOK_KIND: "inference", A.GEN_AI_USAGE_INPUT_TOKENS: 7},
    {A.TOLLBOOK_KIND: "inference", A.GEN_AI_USAGE_INPUT_TOKENS: 1_000_000, A.TOLLBOOK_INFERENCE_BATCH_SIZE: 3},
    {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "read"},
    {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "write"},
    {"tollbook.accelerator.state": "loading"},
    {A.TOLLBOOK_CPU_TIME: 3 * S},
    {},
]
DEVICES = ["GPU-a", "GPU-b", "0", "", ""]
TIMES_NS = st.integers(0, 3_600 * S) | st.integers(0, 7).map(lambda n: n * 450 * S)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    device = draw(st.sampled_from(DEVICES))
    held = {A.HW_ID: device, A.HW_MODEL: draw(st.sampled_from(["H100", "A30", "unheard"])), **draw(st.sampled_from(FRACTIONS))}
    host = draw(st.sampled_from(["h1", "h2", "h3", ""]))
    place = {A.HOST_ID: host, A.HOST_TYPE: {"h1": "box", "h2": "gpubox"}.get(host, "none"), A.K8S_CLUSTER_NAME: "east"}
    attributes = {**draw(st.sampled_from(KINDS)), **(held if device else {})}
    return Span(
        trace=draw(st.integers(1, 6)),
        span=draw(st.integers(1, 12)),
        parent=draw(st.integers(0, 12)),
        start_ns=draw(TIMES_NS),
        duration_ns=draw(st.integers(0, 900 * S)),
        resource=place if host else {},
        attributes=attributes,
        service=draw(st.sampled_from(["a", "b"])),
    )


@st.composite
def points(draw: st.DrawFn) -> Point:
    host = {A.HOST_ID: draw(st.sampled_from(["h1", "h2"])), A.HOST_TYPE: "box"}
    name, value, labels = draw(
        st.sampled_from([
            ("hw.gpu.utilization", 0.714, {"hw.id": "GPU-a"}),
            ("hw.gpu.utilization", 1.0, {"hw.id": "GPU-z", "hw.model": "H100"}),
            ("hw.power", 300.0, {"hw.id": "GPU-a"}), ("hw.power", 71.3, {"hw.id": "GPU-a"}),
            ("hw.energy", 5_000.7, {"hw.id": "GPU-z"}), ("hw.energy", 9_123.4, {"hw.id": "GPU-z"}),
            ("node_rapl_package_joules_total", 900.3, {"index": "0"}),
            ("node_rapl_package_joules_total", 7_777.1, {"index": "0"}),
            ("hw.host.energy", 1_234.5, {}), ("hw.host.energy", 90_210.9, {}), ("system.cpu.logical.count", 3.0, {}),
            ("process.cpu.time", 50.0, {}), ("process.memory.usage", 3e9, {}),
        ])
    )  # fmt: skip
    return Point(
        name,
        value,
        draw(TIMES_NS),
        cumulative=name == "process.cpu.time" or "energy" in name or "joules" in name,
        attributes=labels,
        resource=host,
    )


METHODS = st.sampled_from(["separate", "none", "by-node", "by-cluster", "by-use"])
MONEY = st.decimals(min_value=0, max_value=500, places=18, allow_nan=False, allow_infinity=False)


@pytest.mark.long
@settings(max_examples=5, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    facts=st.lists(spans(), min_size=25, max_size=60),
    samples=st.lists(points(), max_size=24),
    rules=st.tuples(METHODS, METHODS, st.sampled_from(["equal", "by-tokens", "by-items"])),
    prices_usd=st.tuples(MONEY, MONEY, MONEY),
    sure=st.booleans(),
)
def test_states_sum_to_devices_and_lines_to_resources(
    store: Store,
    intake: Intake,
    facts: list[Span],
    samples: list[Point],
    rules: tuple[str, str, str],
    prices_usd: tuple[Decimal, Decimal, Decimal],
    sure: bool,
) -> None:
    for table in ("spans", "metrics", "fact_hours", "settlements", "instance_rates", "prices", "policies", "commitments"):
        store.command(f"TRUNCATE TABLE {table}")
    box, gpubox, gpu = prices_usd
    set_rate(store, "box", box, 3, memory_gib=24)
    if sure:
        set_rate(store, "box", gpu, 3, memory_gib=24, valid_from=NOON + timedelta(minutes=25))
        set_gpu_price(store, "A30", str(box), valid_until=NOON + timedelta(minutes=35))
        set_gpu_price(store, "A30", str(gpubox), valid_from=NOON + timedelta(minutes=35))
    set_rate(store, "gpubox", gpubox, 8, accelerators=3, accelerator_share="0.9")
    set_gpu_price(store, "H100", str(gpu))
    kwh = {"version": "v1", "category": "energy", "provider": "", "model": "electricity", "unit": "kwh", "source": "test"}
    prices.add(store, [prices.Price(**kwh, item="kwh", amount=gpu)])
    policies.set_policy(store, "energy", "apart" if sure else "included")
    for subject, method in zip(("idle", "shared", "accelerator"), rules, strict=True):
        policies.set_policy(store, subject, method)
    if sure:
        month = {"valid_from": NOON - timedelta(days=7), "valid_until": NOON + timedelta(days=23), "amount": Decimal(1000)}
        commitments.add(store, [
            Commitment(commitment_id="r", unit="host_hour", covers="box", capacity_per_hour=Decimal("1.5"), **month),
            Commitment(commitment_id="g", unit="gpu_hour", covers="H100", capacity_per_hour=Decimal(1), **month),
            Commitment(commitment_id="f", **month),
        ])  # fmt: skip
    intake.spans(facts)
    intake.points(samples)
    settle_or_tell(store)
    assert_the_ledger_balances(store)
    for row in store.query(SUMS):
        assert row["paid"] == row["states"], row
