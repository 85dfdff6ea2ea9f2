"""Rows 4 and 5: an hour of many spans settled and asked about, against the stock schema, pandas and SQLite."""

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tollbook_schema.store import Store

from benchmarks import hours
from benchmarks.figures import Line, Result, Series
from benchmarks.peers import ROOT

PANDAS_SPANS = 1_000_000
"""Pandas holds an hour in memory: about 2 KB a span, so that ten million do not fit into 16 GB."""
SQLITE_SPANS = 1_000_000
MILLION = 1_000_000
CALLS_IN = 4
"""Of a mixed hour, one span in so many is a call: the others are requests, tools and handoffs around it."""

SETTLING = (
    "genai spans, each a call with three kinds of tokens, one to eight in a trace: the dearest hour there is; and an hour in "
    "which a quarter of the spans are calls. Some go through the collector's INSERT, the others are these with other ids, made "
    "inside ClickHouse. One process settles the hour, again in each round; what it does once for a data folder, prices and its "
    "own tables, is done before. CPU is that of the whole process, peak its resident memory. Pandas is given the columns that it "
    "needs as a frame; it uses floats and leaves out roll-ups, twins, machines, lineage and findings."
)
ASKING = (
    "Tokens by team, model and day over all spans: columns of `spans`, OpenTelemetry's table with maps in the same engine, a "
    "pandas frame fetched and grouped, and JSON in SQLite, over a million spans at most. Spans per CPU second. The rollup: cost "
    "by team, model and day from `day_costs`, the settled hour's sums for each hour of a month. When the merges that loading has "
    "left are done; once to warm up, then in turns."
)


def settlement(rounds: int, spans: int) -> Result:
    """Row 5 for an hour of that many spans."""
    with _hour(spans) as folder:
        taken = [_run("benchmarks.hours", "settle", folder) for _ in range(rounds)]
    with _hour(min(spans, MILLION), calls_in=CALLS_IN) as folder:
        mixed = [_run("benchmarks.hours", "settle", folder) for _ in range(rounds)]
    with _hour(min(spans, PANDAS_SPANS)) as folder:
        small = [_run("benchmarks.hours", "settle", folder) for _ in range(rounds)] if spans > PANDAS_SPANS else taken
        theirs = [_run("benchmarks.pandas_hour", str(folder)) for _ in range(rounds)]
    million, few = taken[0]["spans"] / MILLION, mixed[0]["spans"] / MILLION
    ours = Series(tuple(one["seconds"] for one in taken))
    pandas = Series(tuple(one["spans"] / one["settle"]["cpu_s"] for one in theirs))
    lines = [
        Line("5", f"an hour of {million:.1f} M spans, settled", "s", ours, rule="at most", target=max(10.0, 9 * million)),
        Line("5", "the same, CPU of a million spans", "s", Series(tuple(one["cpu_s"] / million for one in taken))),
        Line("5", "the same, peak memory", "MB", Series(tuple(one["peak_mb"] for one in taken)), rule="at most", target=4096),
        Line(
            "5",
            f"an hour of {few:.1f} M spans, one in {CALLS_IN} a call",
            "s",
            Series(tuple(one["seconds"] for one in mixed)),
            rule="at most",
            target=max(10.0, 9 * few),
        ),
        Line(
            "5",
            f"an hour of {small[0]['spans'] / MILLION:.1f} M spans",
            "spans per CPU s",
            _rate(small),
            "pandas, fewer steps",
            pandas,
        ),
    ]
    notes = [f"round {number}: {_figures(one)}" for number, one in enumerate(taken, start=1)]
    notes += [f"one in {CALLS_IN} a call, round {number}: {_figures(one)}" for number, one in enumerate(mixed, start=1)]
    notes += [
        f"pandas, {one['spans']:,} spans: fetched in {one['fetch']['cpu_s']:.1f} s of CPU, "
        f"settled in {one['settle']['cpu_s']:.1f} s, peak {one['settle']['peak_mb']:,.0f} MB"
        for one in theirs
    ]
    return Result("Row 5: settlement", SETTLING, lines, notes)


def queries(rounds: int, spans: int) -> Result:
    """Row 4 over that many spans."""
    with _hour(spans) as folder:
        _run("benchmarks.hours", "settle", folder)
        found = _run("benchmarks.hours", "queries", folder, "--rounds", str(rounds))
        in_sqlite = _sqlite(folder, min(spans, SQLITE_SPANS), rounds)
    spans = found["spans"]
    rates = {name: Series(tuple(spans / one["cpu_s"] for one in taken)) for name, taken in found["rounds"].items()}
    walls = {name: Series(tuple(one["seconds"] * 1000 for one in taken)) for name, taken in found["rounds"].items()}
    typed, what, unit = rates["rollup_typed"], f"tokens by team x model x day, {spans / MILLION:.1f} M spans", "spans per CPU s"
    cpu_of_pandas = zip(found["rounds"]["to_pandas"], found["rounds"]["pandas"], strict=True)
    fetched = Series(tuple(spans / (fetch["cpu_s"] + group["cpu_s"]) for fetch, group in cpu_of_pandas))
    lines = [
        Line("4", what, unit, typed, "stock Map schema", rates["rollup_map"], rule="times at least", target=2.5),
        Line("4", what, unit, typed, "pandas, fetched", fetched, rule="times at least", target=15),
        Line("4", what, unit, typed, "SQLite JSON", Series(tuple(in_sqlite))),
        Line(
            "4",
            f"cost by team x model x day, {found['day_rows']:,} rows of days for {found['rollup_rows']:,} of hours",
            "ms",
            walls["rollup"],
            rule="at most",
            target=20,
        ),
    ]
    notes = [f"{name}: wall {series} ms" for name, series in walls.items()]
    notes.append(f"merges waited for: {found['waited_s']:.0f} s")
    return Result("Row 4: questions", ASKING, lines, notes)


def _rate(taken: Sequence[Any]) -> Series:
    return Series(tuple(one["spans"] / one["cpu_s"] for one in taken))


def _figures(taken: Any) -> str:
    return (
        f"{taken['spans']:,} spans, {taken['lines']:,} lines in {taken['seconds']:.1f} s, {taken['cpu_s']:.1f} s of CPU "
        f"({taken['cpu_s'] / taken['spans'] * MILLION:.1f} us a span), peak {taken['peak_mb']:,.0f} MB; "
        f"prepared in {taken['prepared_s']:.1f} s"
    )


@contextmanager
def _hour(spans: int, calls_in: int = 1) -> Iterator[Path]:
    """A data folder with the hour, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tollbook-hour-"))
    try:
        _run("benchmarks.hours", "make", folder, "--spans", spans, "--calls-in", calls_in)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(module: str, *arguments: object) -> Any:
    """What a program of this folder prints last, as JSON."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def _sqlite(folder: Path, rows: int, rounds: int) -> list[float]:
    """Spans per CPU second of the question in SQLite, by round."""
    store = Store.open(folder)
    spans = [tuple(row.values()) for row in store.query(hours.text("as_json"), {"rows": rows})]
    store.close()
    database = sqlite3.connect(folder / "spans.sqlite")
    try:
        database.execute(hours.text("sqlite_table"))
        database.executemany(hours.text("sqlite_add"), spans)
        database.commit()
        taken = []
        for _ in range(rounds):
            began = time.process_time()
            database.execute(hours.text("sqlite_rollup")).fetchall()
            taken.append(len(spans) / (time.process_time() - began))
        return taken
    finally:
        database.close()
