"""How busy devices were: means and differences worked out by hand."""

from decimal import Decimal
from typing import Any

from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Point, S, Span

HOST = {A.HOST_ID: "h", A.HOST_TYPE: "box"}


def usage(store: Store) -> list[dict[str, Any]]:
    """All devices."""
    return store.query("SELECT * EXCEPT (window, settlement) FROM accelerator_usage ORDER BY device")


def test_a_gpu_is_as_busy_as_its_samples_say(store: Store, intake: Intake) -> None:
    labels = {"hw.id": "GPU-1", "hw.model": "H100"}
    intake.points([
        Point("hw.gpu.utilization", value, time_ns=at_s * S, attributes=labels, resource=HOST)
        for at_s, value in ((0, 0.25), (10, 0.75), (20, 0.5), (20, 75.0))
    ])  # fmt: skip
    held = {A.TOLLBOOK_KIND: "inference", A.HW_ID: "GPU-1"}
    intake.spans([
        Span(1, 1, start_ns=0, duration_ns=4 * S, attributes=held),
        Span(2, 1, start_ns=2 * S, duration_ns=4 * S, attributes=held),
        Span(2, 2, start_ns=2 * S, duration_ns=4 * S, attributes={**held, A.HW_ID: "GPU-2"}),
    ])  # fmt: skip
    settle(store)
    known, unknown = usage(store)
    assert (known["device"], known["kind"], known["model"], known["host"], known["samples"]) == ("GPU-1", "gpu", "H100", "h", 3)
    assert (known["busy_ratio_avg"], known["capacity_seconds"], known["busy_seconds"]) == (0.5, 20.0, 10.0)
    assert known["inference_busy_seconds"] == 6.0
    assert (known["source"], known["cost_usd"]) == ("hw.gpu.utilization", None)
    assert (unknown["device"], unknown["busy_ratio_avg"], unknown["inference_busy_seconds"]) == ("GPU-2", None, 4.0)


def test_a_cpu_is_as_busy_as_its_processes_grow(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 2)
    one, two = {**HOST, A.PROCESS_PID: 1}, {**HOST, A.PROCESS_PID: 2}
    counted = [(one, 0, 100.0), (one, 10, 104.0), (one, 20, 3.0), (two, 0, 50.0), (two, 20, 51.0)]
    intake.points(
        [Point("process.cpu.time", value, at_s * S, cumulative=True, resource=who) for who, at_s, value in counted]
        + [Point("system.cpu.logical.count", 2.0, resource=one)]
    )
    intake.spans(
        [Span(1, 1, duration_ns=20 * S, resource=HOST, attributes={A.TOLLBOOK_KIND: "inference", A.TOLLBOOK_CPU_TIME: 5 * S})]
    )
    settle(store)
    [cpu] = usage(store)
    # 4 s, then 3 s after a restart, and 1 s of the other process, in 20 s of 2 CPUs.
    assert (cpu["device"], cpu["kind"], cpu["source"], cpu["model"]) == ("cpu:h", "cpu", "process.cpu.time", "2 logical CPUs")
    assert (cpu["busy_seconds"], cpu["capacity_seconds"], cpu["busy_ratio_avg"]) == (8.0, 40.0, 0.2)
    # Of the 8 s that the process took, spans tell of 5: 3 s of 40 are neither a request's nor idle.
    assert (cpu["inference_busy_seconds"], cpu["cost_usd"], cpu["idle_usd"]) == (20.0, Decimal("0.0025"), Decimal("0.016"))


def test_without_a_count_of_cpus_the_share_is_unknown(store: Store, intake: Intake) -> None:
    intake.points([Point("process.cpu.time", at_s, at_s * S, cumulative=True, resource=HOST) for at_s in (1, 2)])
    settle(store)
    [cpu] = usage(store)
    assert (cpu["busy_seconds"], cpu["capacity_seconds"], cpu["busy_ratio_avg"], cpu["cost_usd"]) == (1.0, None, None, None)
