"""Names without end: services, customers, teams, workflows, models and attribute keys that nobody uses twice (S16)."""

import statistics
import time
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest

from tests.hostile import bomb, senders
from tests.served import served
from tests.soak.figures import Fault

MEMORY_MIB = 2048
"""Of a server that took the names in, settled them and answered."""

QUESTIONS = (
    "overview",
    "requests",
    "owners?by=customer",
    "owners?by=team,workflow",
    "calls",
    "workflows",
    "freshness",
    "hotspots",
)


@pytest.mark.fault("S16", "cardinality bomb", "memory bounded, p95 < 2 s, what is cut is counted")
def test_names_that_nobody_uses_twice_take_no_more_than_their_share(fault: Fault, tmp_path: Path) -> None:
    names = fault.size(4_000, soak=100_000)
    start_ns = (time.time_ns() // (3600 * 10**9) - 1) * 3600 * 10**9
    with served(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=600, trust_env=False) as web:
        process = psutil.Process(server.process.pid)
        for request in bomb.bombs(names, start_ns):
            senders.send(web, request)
        senders.all_loaded(web, seconds=600)
        senders.settle(web)
        sizes, cpu = [], []
        for _ in range(3):
            for question in QUESTIONS:
                began = sum(process.cpu_times()[:2])
                answer = web.get(f"/api/v1/{question}")
                cpu.append(sum(process.cpu_times()[:2]) - began)
                assert answer.status_code == 200, f"{question}: {answer.text[:200]}"
                sizes.append(len(answer.content))
        models = web.get("/api/v1/calls").json()["rows"]
        owners = web.get("/api/v1/owners?by=customer").json()
        memory_mib = process.memory_info().rss // 2**20
    p95 = statistics.quantiles(cpu, n=20)[-1]
    cut = next(row["model"] for row in models if row["model"].startswith("and "))
    fault.found(
        f"{names:,} names: {memory_mib:,} MiB, p95 {p95:.2f} s of CPU, answers of {max(sizes) // 1024:,} KiB at most, {cut!r}"
    )
    told = {row["model"]: row["calls"] for row in models}
    others = names // 2 - 1000 + 1  # half of the names are models of their own, the other half is one
    assert told[f"and {others} more"] == others
    assert sum(told.values()) == names
    assert [row["customer"] for row in owners["rows"]][-1] == f"and {names - 1000} more"
    assert sum(float(row["amount_usd"]) for row in owners["rows"]) == pytest.approx(float(owners["totals"]["total_usd"]))
    assert p95 < 2
    assert max(sizes) < 4 * 2**20
    assert memory_mib < MEMORY_MIB


@pytest.mark.fault("S16", "one span of 10 MB and 100,000 keys", "kept whole and shown")
def test_a_span_as_large_as_a_book_is_kept_whole(fault: Fault, tmp_path: Path) -> None:
    keys, value_bytes = fault.size(10_000, soak=100_000), fault.size(1_000_000, soak=10_000_000)
    with served(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=600, trust_env=False) as web:
        senders.send(web, bomb.large(1, time.time_ns(), value_bytes, keys))
        senders.until(web, "SELECT count() FROM spans", [(1,)])
        began = time.monotonic()
        stored = web.get(f"/api/v1/requests/{1:032x}/spans/{1:016x}").json()["attributes"]
        took = time.monotonic() - began
        memory_mib = psutil.Process(server.process.pid).memory_info().rss // 2**20
    fault.found(f"{len(stored):,} keys and {len(stored['large']):,} bytes shown in {took:.1f} s, {memory_mib:,} MiB")
    assert len(stored["large"]) == value_bytes
    assert len(stored) >= keys
    assert memory_mib < MEMORY_MIB
