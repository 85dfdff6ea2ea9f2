"""Fractions of devices, rules of sharing, prices: many devices in one settlement, each worked out by hand."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tollbook_attribution import policies, set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import MS, Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances
from tests.machines.devices import on_gpu, set_gpu_price

HOUR = 3_600 * S
STATES = """
SELECT device, toString(state) AS state, sum(device_seconds) AS seconds, sum(cost_usd) AS usd FROM accelerator_states
GROUP BY device, state ORDER BY device, state
"""
SHARES = """
SELECT toUInt64(reinterpretAsUInt64(reverse(trace_id))) AS trace, quantity, amount_usd, method FROM ledger
WHERE category = 'accelerator' AND allocation = 'request' ORDER BY trace
"""


def at(host: str) -> dict[str, str]:
    return {A.HOST_ID: host, A.HOST_TYPE: "gpubox"}


def pods_with_a_quarter_each() -> Iterator[Span]:
    """X18: HAMi gives each of four pods 25 % of one device for the whole hour."""
    for pod in range(4):
        resource = {**at("hami"), A.K8S_POD_NAME: f"pod-{pod}", "tollbook.accelerator.share": 0.25}
        yield on_gpu(100 + pod, 1, device="GPU-quarters", duration_ns=HOUR, resource=resource, service=f"s{pod}")


def two_instances_of_seven() -> Iterator[Span]:
    """MIG: a 1g and a 2g instance are held, four sevenths are nobody's."""
    for trace, profile, place in ((200, "1g.10gb", "7"), (201, "2g.20gb", "3")):
        named = {"GPU_I_PROFILE": profile, "GPU_I_ID": place}
        yield on_gpu(trace, 1, device="GPU-mig", duration_ns=700 * S, resource=at("mig"), attributes=named, service=profile)


def three_at_once() -> Iterator[Span]:
    """Thirds do not divide a cent, and sum to it all the same."""
    for trace in (300, 301, 302):
        yield on_gpu(trace, 1, device="GPU-thirds", duration_ns=10 * S, resource=at("thirds"))


def by_tokens() -> Iterator[Span]:
    """A hundred tokens and three hundred, at the same time."""
    for trace, tokens in ((400, 100), (401, 300)):
        told = {A.GEN_AI_USAGE_INPUT_TOKENS: tokens - 40, A.GEN_AI_USAGE_OUTPUT_TOKENS: 40, A.GEN_AI_OPERATION_NAME: "chat"}
        yield on_gpu(trace, 1, device="GPU-tokens", duration_ns=40 * S, resource=at("tokens"), attributes=told)


def a_wait_of_300_ms() -> Iterator[Span]:
    """C46: 300 ms of the call are a lookup in it; the model was loaded before, and 600 ms nobody asked."""
    host = at("waiting")
    yield on_gpu(
        500, 1, device="GPU-waits", name="load model", duration_ns=400 * MS, resource=host, attributes={A.TOLLBOOK_KIND: ""}
    )
    yield Span(501, 1, start_ns=S, duration_ns=S, resource=host, attributes={A.TOLLBOOK_KIND: "request"})
    yield on_gpu(501, 2, 1, device="GPU-waits", start_ns=S, duration_ns=S, resource=host)
    look = {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "lookup", A.TOLLBOOK_HANDOFF_SOURCE: "pgvector"}
    yield Span(501, 3, 2, start_ns=1_200 * MS, duration_ns=300 * MS, resource=host, attributes=look)


def eight_at_seventy_per_cent() -> Iterator[Span]:
    """T6: 8 accelerators at 2.50 USD that wait for data 30 % of the hour: 6 USD an hour, 4,380 a month of 730 hours."""
    read = {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "read", A.TOLLBOOK_HANDOFF_SOURCE: "s3"}
    for gpu in range(8):
        host = {A.HOST_ID: "eight", A.HOST_TYPE: "eightbox"}
        yield Span(600 + gpu, 1, duration_ns=1_080 * S, resource=host, attributes=read, service=f"w{gpu}")
        yield on_gpu(600 + gpu, 2, device=str(gpu), start_ns=1_080 * S, duration_ns=2_520 * S, resource=host, service=f"w{gpu}")


def busier_than_told() -> Iterator[Point]:
    """Samples say 0.714, spans tell of nothing: three pods see the same device, which is 0.714 busy and not 2.142 (X17)."""
    for pod in range(3):
        for second in (0, 10, 20):
            labels = {"hw.id": "GPU-sliced", "hw.model": "H100", "k8s.pod.name": f"pod-{pod}"}
            yield Point("hw.gpu.utilization", 0.714, second * S, attributes=labels, resource=at("sliced"))


def test_what_each_device_did_and_who_bears_it(store: Store, intake: Intake) -> None:
    set_gpu_price(store, "H100", "3.60")
    set_rate(store, "eightbox", "25", 64, accelerators=8, accelerator_share="0.8")
    policies.set_policy(store, "accelerator", "by-tokens")
    intake.spans([
        *pods_with_a_quarter_each(), *two_instances_of_seven(), *three_at_once(), *by_tokens(), *a_wait_of_300_ms(),
        *eight_at_seventy_per_cent(),
    ])  # fmt: skip
    intake.points(busier_than_told())
    settle(store)
    assert_the_ledger_balances(store)

    states: dict[str, dict[str, tuple[Decimal, Decimal]]] = {}
    for row in store.query(STATES):
        states.setdefault(row["device"], {})[row["state"]] = (row["seconds"], row["usd"])
    assert {device: found for device, found in states.items() if not device.startswith("eight/")} == told(
        {
            "GPU-quarters": {"active": (3_600, "3.6")},
            "GPU-mig": {"active": (300, "0.3"), "unallocated": (400, "0.4")},
            "GPU-thirds": {"active": (10, "0.01")},
            "GPU-tokens": {"active": (40, "0.04")},
            "GPU-waits": {
                "active": ("0.7", "0.0007"), "loading": ("0.4", "0.0004"), "waiting for data": ("0.3", "0.0003"),
                "no requests": ("0.6", "0.0006"),
            },
            "GPU-sliced": {"unclaimed": ("14.28", "0.01428"), "unallocated": ("5.72", "0.00572")},
        }
    )  # fmt: skip
    assert [states[f"eight/{gpu}"] for gpu in range(8)] == [
        told({"": {"active": (2_520, "1.75"), "waiting for data": (1_080, "0.75")}})[""]
    ] * 8

    shares = {row["trace"]: row for row in store.query(SHARES)}
    assert [shares[trace]["quantity"] for trace in range(100, 104)] == [Decimal(900)] * 4
    assert [shares[trace]["amount_usd"] for trace in (200, 201)] == [Decimal("0.1"), Decimal("0.2")]
    assert sum(shares[trace]["amount_usd"] for trace in (300, 301, 302)) == Decimal("0.01")
    assert max(abs(shares[trace]["amount_usd"] * 3 - Decimal("0.01")) for trace in (300, 301, 302)) <= Decimal("3e-18")
    assert [shares[trace]["amount_usd"] for trace in (400, 401)] == [Decimal("0.01"), Decimal("0.03")]
    assert "by the tokens" in shares[400]["method"]
    assert "not all tell their tokens" in shares[300]["method"]


def told(states: dict[str, dict[str, tuple[Any, str]]]) -> dict[str, dict[str, tuple[Decimal, Decimal]]]:
    return {
        device: {state: (Decimal(seconds), Decimal(usd)) for state, (seconds, usd) in found.items()}
        for device, found in states.items()
    }


def test_a_span_on_several_devices_holds_each_and_a_share_may_be_in_percent(store: Store, intake: Intake) -> None:
    for model, usd in (("H100", "7.00"), ("Trainium2", "2.00"), ("h100-pcie", "3.00")):
        set_gpu_price(store, model, usd)
    both = {A.HW_ID: ["GPU-7", "GPU-8"], A.HW_MODEL: "H100"}
    intake.spans([
        on_gpu(1, 1, device="GPU-1, GPU-2", duration_ns=3_600 * S, resource={}),
        on_gpu(2, 1, device="GPU-2", duration_ns=1_800 * S, resource={}),
        on_gpu(5, 1, duration_ns=3_600 * S, resource={}, attributes={A.HW_ID: ["GPU-5", "GPU-6"]}),
        Span(7, 1, duration_ns=3_600 * S, resource=both, attributes={A.TOLLBOOK_KIND: "inference"}),
        on_gpu(3, 1, device="GPU-3", duration_ns=3_600 * S, resource={}, attributes={A.TOLLBOOK_ACCELERATOR_SHARE: "30 %"}),
        on_gpu(4, 1, device="GPU-4", duration_ns=3_600 * S, resource={}, attributes={A.TOLLBOOK_ACCELERATOR_SHARE: "0.5%"}),
        *named_otherwise(),
    ])  # fmt: skip
    intake.points(
        Point("hw.gpu.utilization", value, second * S, attributes={A.HW_ID: "GPU-9", A.HW_MODEL: "H100"})
        for second, value in ((0, 0.5), (1_800, 60), (3_600 - 1, 80))
    )
    settle(store)
    assert_the_ledger_balances(store)
    borne = store.query(
        "SELECT resource, toUInt64(reinterpretAsUInt64(reverse(trace_id))) AS trace, amount_usd FROM ledger"
        " WHERE allocation = 'request' ORDER BY resource, trace"
    )
    assert [(row["resource"][-1], row["trace"], row["amount_usd"]) for row in borne] == [
        ("1", 1, Decimal(7)), ("2", 1, Decimal("5.25")), ("2", 2, Decimal("1.75")), ("3", 3, Decimal("2.1")),
        ("4", 4, Decimal("0.035")), ("5", 5, Decimal(7)), ("6", 5, Decimal(7)), ("7", 7, Decimal(7)), ("8", 7, Decimal(7)),
        ("a", 11, Decimal(7)), ("b", 11, Decimal(2)), ("d", 13, Decimal(7)),
        ("e", 14, Decimal("2.1")), ("f", 15, Decimal(3)), ("c", 12, Decimal(2)),
    ]  # fmt: skip
    busy = store.query("SELECT device, round(busy_ratio_avg, 9) AS ratio FROM accelerator_usage WHERE samples > 0")
    assert busy == [{"device": "GPU-9", "ratio": round((0.005 + 0.6 + 0.8) / 3, 9)}]
    unpriced = store.query("SELECT DISTINCT device FROM accelerator_states WHERE isNull(cost_usd)")
    assert unpriced == [{"device": "GPU-unlike"}]


def named_otherwise() -> Iterator[Span]:
    """A model for each device of a list; other makers' types; MPS' own words; names with memory and form; another model."""
    hour: dict[str, Any] = {"duration_ns": 3_600 * S, "resource": {}}
    yield on_gpu(
        11, 1, **hour, attributes={A.HW_ID: ["GPU-a", "GPU-b"], A.HW_MODEL: ["H100", "Trainium2"], A.HW_TYPE: ["gpu", "npu"]}
    )
    yield on_gpu(12, 1, device="NEURON-c", **hour, attributes={A.HW_MODEL: "AWS Trainium2", A.HW_TYPE: "neuron"})
    yield on_gpu(13, 1, device="GPU-d", **hour, attributes={A.HW_MODEL: "NVIDIA H100 80GB HBM3"})
    told = {"process.environment_variable.CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "30"}
    yield on_gpu(14, 1, device="GPU-e", duration_ns=3_600 * S, resource=told)
    yield on_gpu(15, 1, device="GPU-f", **hour, attributes={A.HW_MODEL: "NVIDIA H100 PCIe"})
    yield on_gpu(16, 1, device="GPU-unlike", **hour, attributes={A.HW_MODEL: "NVIDIA H100 Ti"})
