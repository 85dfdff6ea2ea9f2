"""Runs the measurements and prints each figure with its protocol and spread, as Markdown that is kept in `results/`."""

import argparse
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import lag, lives, peers, pressure, sdks, settling
from benchmarks.figures import Line, Result, Series, table
from benchmarks.lives import Lives
from benchmarks.payload import ShapeName
from benchmarks.systems import SystemName

RESULTS = Path(__file__).with_name("results")
GROUPS = ("import", "sdk", "ingest", "overload", "memory", "lag", "settlement", "queries", "sustained")
IMPORT = "import time; t = time.perf_counter(); import tollbook; print((time.perf_counter() - t) * 1000)"
SPANS: dict[ShapeName, int] = {"genai": 400_000, "loadgen": 600_000, "genai_msg": 150_000}
"""In one flood: some seconds' work for the fastest."""
SLOW_SPANS = 1_024
HOUR_SPANS = 10_000_000
"""Spans of the hour that is settled and asked about."""
QUICK_HOUR = 204_800
QUICK = 20_480
SDK_CALLS = 10_000
OVERLOADED: tuple[SystemName, ...] = ("tollbook", "rotel")
SHAPES: tuple[ShapeName, ...] = ("genai", "loadgen", "genai_msg")


def main() -> int:
    """Prints the figures; returns 1 where a target is missed and that matters (`--strict`)."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the programs under load are stopped too
    began = datetime.now(UTC)
    head = f"# Tollbook {version('tollbook')}, {began:%Y-%m-%d %H:%M} UTC, {_commit()}\n\n{_machine()}\n"
    print(head, flush=True)
    kept = RESULTS / f"{began:%Y-%m-%d-%H%M}.md" if options.write or not options.quick else None
    results: list[Result] = []
    for result in _results(options):
        results.append(result)
        print(result.page(), flush=True)
        if kept:  # after each group, so that one that fails does not cost the others
            kept.write_text(_whole(head, began, results))
    lines = [line for result in results for line in result.lines]
    print(f"## The table\n\n{table(lines)}\n\n{_took(began)}", flush=True)
    if kept:
        print(f"kept in {kept.relative_to(peers.ROOT)}")
    return 1 if options.strict and any(line.met is False for line in lines) else 0


def _whole(head: str, began: datetime, results: Sequence[Result]) -> str:
    """The page that is kept: one table of everything, then each group."""
    everything = table([line for result in results for line in result.lines])
    return "\n".join([head, _took(began), f"{everything}\n", *(result.page() for result in results)]).rstrip() + "\n"


def _took(began: datetime) -> str:
    minutes = (datetime.now(UTC) - began).total_seconds() / 60
    return f"All of it took {minutes:.1f} minutes; load average at the end {_load()}.\n"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=GROUPS, default=[], help="measure these alone")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement")
    parser.add_argument("--spans", type=int, default=0, help="spans of each flood; default as many as take some seconds")
    parser.add_argument("--seconds", type=int, default=300, help="length of the sustained load")
    parser.add_argument("--rate", type=float, default=0, help="spans/s of the sustained load; 0 is as fast as they are taken")
    parser.add_argument(
        "--settle", type=int, default=0, help="TOLLBOOK_SETTLE_SECONDS under the sustained load; 0 settles nothing"
    )
    parser.add_argument("--sustained", action="store_true", help="the sustained load too, which is otherwise left out")
    parser.add_argument("--programs", nargs="*", choices=list(lives.OPEN), default=list(lives.OPEN), help="measure these alone")
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=SHAPES, help="floods of these shapes alone")
    parser.add_argument(
        "--quick", action="store_true", help="seconds of each, to show that the harness works; figures mean nothing"
    )
    parser.add_argument("--write", action="store_true", help="keep the result of a quick run too")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.spans, options.seconds = 1, options.spans or QUICK, min(options.seconds, 5)
    return options


def _results(options: argparse.Namespace) -> Iterator[Result]:
    """The groups that are wanted, one after another."""
    groups = options.only or [group for group in GROUPS if group != "sustained" or options.sustained]
    spans = {shape: options.spans or SPANS[shape] for shape in options.shapes}
    lived = Lives()
    if "import" in groups:
        yield _import_time(5 * options.rounds)
    if "sdk" in groups:
        yield sdks.run(options.rounds, SDK_CALLS // 10 if options.quick else SDK_CALLS)
    if "ingest" in groups or "overload" in groups:
        lived, result = lives.run(options.rounds, spans, QUICK // 40 if options.quick else SLOW_SPANS, options.programs)
        yield result
    if "overload" in groups:
        rates: dict[SystemName, float] = {name: lived.rate("genai_msg", name) for name in OVERLOADED}
        yield pressure.overload(rates, lived.rate("genai"), 2 if options.quick else 10, options.programs)
    if "memory" in groups:
        result, idle_mb = pressure.memory(5 if options.quick else 60, 50_000, options.programs)
        yield Result(result.title, result.protocol, [*result.lines, *_idle_peers(lived, idle_mb)], result.notes)
    if "lag" in groups:
        yield lag.run(options.rounds, 2 if options.quick else 10)
    hour = max(options.spans, QUICK_HOUR) if options.quick else options.spans or HOUR_SPANS
    if "settlement" in groups:
        yield settling.settlement(options.rounds, hour)
    if "queries" in groups:
        yield settling.queries(options.rounds, hour)
    if "sustained" in groups:
        yield pressure.sustained(options.seconds, options.rate, {"TOLLBOOK_SETTLE_SECONDS": str(options.settle)})


def _idle_peers(lived: Lives, idle_mb: float) -> list[Line]:
    """Memory of the peers after their start, against ours."""
    found = {name: lived.series(name, "genai", lambda life: life.idle_mb) for name in ("rotel", "Phoenix", "MLflow")}
    return [Line("7", "memory idle", "MB", Series((idle_mb,)), name, theirs) for name, theirs in found.items() if theirs]


def _import_time(rounds: int) -> Result:
    """Milliseconds of `import tollbook` in a fresh interpreter, compiled files on disk."""
    command = [sys.executable, "-c", IMPORT]
    subprocess.run(command, check=True, capture_output=True)
    times = tuple(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(rounds))
    line = Line("", "`import tollbook`", "ms", Series(times), rule="at most", target=100)
    return Result("Import", "A fresh interpreter each round, files compiled and in the page cache.", [line])


def _machine() -> str:
    found = (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name"))
    model = next(found, platform.machine())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    against = ", ".join(f"{peers.PACKAGES[name]} {peers.version(name)}" for name in peers.PACKAGES)
    return (
        f"{len(os.sched_getaffinity(0))} cores of {model}, {memory_gib:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, chdb {version('chdb')}; against {against}; load average at the start {_load()}."
    )


def _load() -> str:
    return f"{os.getloadavg()[0]:.2f}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, cwd=peers.ROOT)
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "no commit"


if __name__ == "__main__":
    sys.exit(main())
