"""One hour of many spans in an embedded database: loaded through the real door, then multiplied inside ClickHouse with new ids.

Run as a program it settles the hour, or asks about it, in a process of its own, and prints what that took as JSON.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from tollbook_schema import sql
from tollbook_schema.store import Store

from benchmarks.payload import SPANS_PER_BODY, Payload

SQL = Path(__file__).with_name("hour")
WINDOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECEIVED_AT = WINDOW + timedelta(hours=1)
LOADED = 204_800
"""Spans that go through the loader; the others are these with other ids."""
BODIES_PER_SEGMENT = 100
S = 1_000_000_000
HOURS_OF_A_MONTH = 30 * 24 - 1
MERGES_S = 120.0
"""How long questions wait for the merges that loading has left."""
STILL_S = 3.0
"""Without a merge for so long, there is none to come."""

Answer = TypeVar("Answer")


def make(folder: Path, spans: int, calls_in: int = 1, seed: int = 1) -> int:
    """Fills an empty data folder with an hour of about that many spans; how many it has.

    Args:
        folder: the data folder.
        spans: how many.
        calls_in: one span in so many is a call of a model. Where not all are, what was loaded lies a day before, and the hour has
            copies alone.
        seed: of the spans that are loaded.
    """
    store = Store.open(folder)
    try:
        store.migrate()
        loaded = min(spans, LOADED)
        segments = max(1, loaded // (BODIES_PER_SEGMENT * SPANS_PER_BODY))
        later = timedelta(days=calls_in > 1)
        _load(store, folder, Payload(seed), segments, WINDOW - later)
        there = int(_ask(store, "SELECT count() AS spans FROM spans")[0]["spans"])
        for copy in range(1, spans // there + (calls_in > 1)):
            terms = {"copy": copy, "received_at": RECEIVED_AT, "later_s": int(later.total_seconds()), "calls_in": calls_in}
            store.command(text("multiply"), terms)
        return int(_ask(store, "SELECT count() AS spans FROM spans")[0]["spans"]) - (there if later else 0)
    finally:
        store.close()


def _load(store: Store, folder: Path, payload: Payload, segments: int, window: datetime) -> None:
    """Segments whose spans end evenly over the hour, but for its first and last minute."""
    first_ns, step_ns = int(window.timestamp()) * S + 60 * S, 3_480 * S // (segments * BODIES_PER_SEGMENT)
    for segment in range(segments):
        ends = (first_ns + (segment * BODIES_PER_SEGMENT + body + 1) * step_ns for body in range(BODIES_PER_SEGMENT))
        file = folder / "segment.otlp"
        file.write_bytes(b"".join(bytes(payload.body(end_ns, step_ns).content) for end_ns in ends))
        store.load("spans", file, f"segment {segment}", RECEIVED_AT)
        file.unlink()


def text(name: str) -> str:
    """A statement of the folder `hour`."""
    (statement,) = sql.statements((SQL / f"{name}.sql").read_text())
    return statement


def cpu_seconds() -> float:
    """CPU time of this process, the engine's threads included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(work: Callable[[], Answer]) -> tuple[dict[str, float], Answer]:
    """Wall time, CPU time and the most memory that some work took."""
    Path("/proc/self/clear_refs").write_text("5")
    cpu, began = cpu_seconds(), time.perf_counter()
    answer = work()
    took = {"seconds": time.perf_counter() - began, "cpu_s": cpu_seconds() - cpu, "peak_mb": _status_mb("VmHWM")}
    return took, answer


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def _ask(store: Store, question: str) -> list[dict[str, Any]]:
    return store.query(question)


def _settle(store: Store) -> dict[str, Any]:
    from tollbook_attribution import engine  # noqa: PLC0415 - only this process needs the price list

    prepared, _ = measured(lambda: engine.settle(store, since=WINDOW - timedelta(hours=1), until=WINDOW))
    took, settled = measured(lambda: engine.settle(store, since=WINDOW, until=WINDOW + timedelta(hours=1)))
    return {
        **took,
        "prepared_s": prepared["seconds"],
        "spans": settled.spans,
        "lines": settled.lines,
        "calls": settled.calls,
        "amount_usd": str(settled.amount_usd),
    }


def _queries(store: Store, rounds: int) -> dict[str, Any]:
    """Each question once to warm up, then in turns; milliseconds and CPU milliseconds of each round."""
    if not _ask(store, "SELECT 1 AS there FROM system.tables WHERE database = 'stock'"):
        store.command("CREATE DATABASE stock")
        store.command((SQL.parent / "otel_traces.sql").read_text().replace("otel.otel_traces", "stock.otel_traces"))
        store.command(text("fill_stock"))
    if _ask(store, "SELECT uniqExact(window) = 1 AS one FROM settlements")[0]["one"]:
        for statement in sql.statements((SQL / "more_hours.sql").read_text()):
            store.command(statement, {"hours": HOURS_OF_A_MONTH})
    from tollbook_attribution import days  # noqa: PLC0415 - only this process needs it

    days.add_up(store)
    waited = _waited_for_merges(store)
    figures: dict[str, list[dict[str, float]]] = {
        "rollup_typed": [],
        "rollup_map": [],
        "rollup": [],
        "to_pandas": [],
        "pandas": [],
    }
    answers: dict[str, Any] = {}
    for _ in range(rounds + 1):
        for name in ("rollup_typed", "rollup_map", "rollup"):
            took, answers[name] = measured(lambda name=name: store.query(text(name)))  # type: ignore[misc]
            figures[name].append(took)
        took, frame = measured(lambda: store.frame(text("columns_for_pandas")))
        figures["to_pandas"].append(took)
        took, _sums = measured(lambda frame=frame: _grouped(frame))  # type: ignore[misc]
        figures["pandas"].append(took)
    if answers["rollup_typed"] != answers["rollup_map"]:
        raise AssertionError("the typed columns and the map answer differently")
    return {
        "rounds": {name: taken[1:] for name, taken in figures.items()},
        "rollup_rows": _rows(store, "costs"),
        "day_rows": _rows(store, "day_costs"),
        "spans": _rows(store, "spans"),
        "waited_s": waited,
    }


def _waited_for_merges(store: Store) -> float:
    """Seconds until no parts had been merged for a while, or for as long as a benchmark waits."""
    began = merged = time.perf_counter()
    while (now := time.perf_counter()) - merged < STILL_S and now - began < MERGES_S:
        if _ask(store, "SELECT 1 AS one FROM system.merges LIMIT 1"):
            merged = now
        time.sleep(0.1)
    return time.perf_counter() - began


def _rows(store: Store, table: str) -> int:
    return int(_ask(store, f"SELECT count() AS rows FROM {table}")[0]["rows"])


def _grouped(frame: Any) -> Any:
    named = frame[frame["request_model"] != ""]
    return named.groupby(["team", "request_model", "day"], observed=True)[["input_tokens", "output_tokens"]].agg(["sum", "count"])


def main() -> int:
    """Does one thing with a data folder and prints what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hours", description=__doc__)
    parser.add_argument("what", choices=["make", "settle", "queries"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spans", type=int, default=LOADED)
    parser.add_argument("--calls-in", type=int, default=1, help="one span in so many is a call")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.what == "make":
        print(json.dumps({"spans": make(options.folder, options.spans, options.calls_in)}), flush=True)
        return 0
    store = Store.open(options.folder)
    store.migrate()
    figures = _settle(store) if options.what == "settle" else _queries(store, options.rounds)
    print(json.dumps(figures), flush=True)
    sys.stdout.flush()
    os._exit(0)  # the engine's own way out takes long with much memory


if __name__ == "__main__":
    sys.exit(main())
