"""Runs the measurements and prints each figure with its protocol and spread, as Markdown that can be kept in `results/`."""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import measures
from benchmarks.measures import Figure

PROTOCOLS = {
    "ingest": (
        "Seeded GenAI spans (17 + 11 attributes) in bodies of 512, made beforehand, posted over 4 connections by another process "
        "of the same machine; every answer awaited; fsync before each. Clock: first byte sent to all spans counted by a query. "
        "Rounds follow one another on one server. Spans and the sum of input tokens are compared with what was sent."
    ),
    "lag": (
        "Ten bodies a second of 500 spans that ended evenly over the tenth of a second before. A reader polls every 30 ms. "
        "A fresh server a round."
    ),
    "start": "An empty folder each round; the span is offered from the start on, every 10 ms.",
    "memory": "PSS of the process tree, after the first page was opened in chromium and left. A fresh server a round.",
    "import": "A fresh interpreter each round, files compiled and in the page cache.",
}


def main() -> int:
    """Prints the figures; returns 1 where a target is missed and that matters (`--strict`)."""
    options = _options()
    runs: dict[str, Callable[[], Figure]] = {
        "import": lambda: measures.import_time(5 * options.rounds),
        "start": lambda: measures.start(options.rounds),
        "memory": lambda: measures.memory(options.rounds),
        "lag": lambda: measures.lag(options.rounds, options.seconds),
        "ingest": lambda: measures.ingest(options.rounds, options.spans),
    }
    print(f"# Tollbook {version('tollbook')}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_commit()}\n\n{_machine()}\n", flush=True)
    figures = []
    for name, run in runs.items():
        if not options.only or name in options.only:
            figures.append(run())
            _print(figures[-1], PROTOCOLS[name])
    return 1 if options.strict and not all(figure.met for figure in figures) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(PROTOCOLS), default=[], help="measure these alone")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement (import: five times as many)")
    parser.add_argument("--spans", type=int, default=1_000_000, help="spans sent in a round of ingest")
    parser.add_argument("--seconds", type=int, default=30, help="length of a round of lag")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    return parser.parse_args()


def _print(figure: Figure, protocol: str) -> None:
    sign = "≥" if figure.more_is_better else "≤"
    digits = 0 if figure.median >= 100 else 2
    median, low, high = (f"{value:,.{digits}f}" for value in (figure.median, min(figure.rounds), max(figure.rounds)))
    met = "met" if figure.met else "MISSED"
    print(f"## {figure.name}\n")
    print(f"**{median} {figure.unit}**, median of {len(figure.rounds)} rounds ({low} to {high}); ", end="")
    print(f"target {sign} {figure.target:,} {figure.unit}: {met}.\n\n{protocol}\n")
    print("".join(f"* {note}\n" for note in figure.notes), flush=True)


def _machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine()
    )
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{len(os.sched_getaffinity(0))} cores of {model}, {memory_gib:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, chdb {version('chdb')}; load average at the start {load:.2f}."
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "no commit"


if __name__ == "__main__":
    sys.exit(main())
