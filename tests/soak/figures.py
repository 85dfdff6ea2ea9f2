"""One line for each fault that tests put the product through: its id, the fault, the figure found, and whether that will do.

A pytest plugin. A test is marked with the fault's id, the fault and what it must give, asks for its size, and says what it found:

    @pytest.mark.fault("R1", "kill -9 under load", "0 acknowledged lost, 0 doubled")
    def test_killed_it_loses_nothing(fault: Fault) -> None:
        kills = fault.size(3, soak=100)
        ...
        fault.found(f"{kills} kills: {lost} of {sent:,} acknowledged lost, {doubled} doubled")

`make test` runs the small size, `make soak` (`--soak`) the other. The table ends the run; `--soak` writes it to `results/` too,
where the lines of faults that other runs of the day tried stay.
"""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).with_name("results")
ROW = "fault"
NOT_FOUND = "ended before it had a figure"
HEAD = ("| id | fault | must give | found | verdict |", "|---|---|---|---|---|")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    id: str
    """Of the fault: R1, P12, S3."""
    what: str
    must: str
    found: str
    verdict: str
    """ok, FAILED or skipped."""

    @property
    def place(self) -> tuple[str, int, str]:
        """Sorts R2 before R10."""
        letter, number = re.match(r"(\D*)(\d*)", self.id).groups()  # type: ignore[union-attr]  # it matches anything
        return letter, int(number or 0), self.what


class Fault:
    """What a test of a fault is given: how hard to try, and where to say what it found."""

    def __init__(self, node: pytest.Item, soak: bool) -> None:
        self._node = node
        self.soak = soak
        """Whether this is `make soak`, which may take its time."""

    def size(self, small: int, *, soak: int) -> int:
        """How often, how many or how long: `small` in `make test`, `soak` in `make soak`."""
        return soak if self.soak else small

    def found(self, figure: str, *, what: str = "") -> None:
        """Reports the figure, whatever asserts follow. A test of several faults of one id reports each with its own `what`."""
        self._node.user_properties.append((ROW, (figure, what)))


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Fault:
    """The fault that the test is marked with."""
    return Fault(request.node, bool(request.config.getoption("--soak")))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="fault tests at full size; writes their table into tests/soak/results")
    parser.addoption("--faults", default="", help="only the tests of these faults: R1,R9")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = {fault_id for fault_id in config.getoption("--faults").split(",") if fault_id}
    if wanted:
        chosen = [item for item in items if (marker := item.get_closest_marker("fault")) and marker.args[0] in wanted]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """The report of a fault's test carries what it was about, so that it is known in the process that prints."""
    report: pytest.TestReport = yield
    marker = item.get_closest_marker("fault")
    if marker is not None:
        report.fault = tuple(marker.args)  # type: ignore[attr-defined]  # xdist sends a report's attributes along
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = sorted(rows_of(terminalreporter.stats), key=lambda row: row.place)
    if not rows:
        return
    terminalreporter.section("faults")
    for line in lines(rows):
        terminalreporter.write_line(line, red="FAILED" in line)
    if config.getoption("--soak"):
        path = written(rows, datetime.now(UTC))
        terminalreporter.write_line(f"\nwritten to {path}")


def rows_of(stats: dict[str, list[Any]]) -> list[Row]:
    """The table's rows from the reports of a run."""
    verdicts = {"passed": "ok", "failed": "FAILED", "error": "FAILED", "skipped": "skipped"}
    return [
        row
        for outcome, verdict in verdicts.items()
        for report in stats.get(outcome, [])
        if hasattr(report, "fault") and (report.when == "call" or outcome != "passed")
        for row in _rows(report, verdict)
    ]


def _rows(report: Any, verdict: str) -> Iterable[Row]:
    fault_id, what, must = report.fault
    figures = [value for name, value in report.user_properties if name == ROW] or [(_without_figure(report, verdict), "")]
    for figure, own in figures:
        yield Row(fault_id, own or what, must, figure, verdict)


def _without_figure(report: Any, verdict: str) -> str:
    if verdict == "skipped":
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return NOT_FOUND


def lines(rows: Sequence[Row]) -> Iterable[str]:
    """The table for a terminal."""
    width = max(len(row.what) for row in rows)
    for row in rows:
        yield f"{row.id:<4}{row.what:<{width}}  {row.found}   {row.verdict}"


def written(rows: Sequence[Row], when: datetime) -> Path:
    """Writes the table as Markdown into the day's file, with the machine it was made on; lines of other faults stay."""
    path = RESULTS / f"{when:%Y-%m-%d}.md"
    tried = {row.id for row in rows}
    others = [row for row in _read(path) if row.id not in tried]
    body = [f"| {' | '.join(astuple(row))} |" for row in sorted((*others, *rows), key=lambda row: row.place)]
    machine = f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    title = f"# Faults, {when:%Y-%m-%d %H:%M} UTC\n\n{machine}. Made by `make soak`.\n"
    RESULTS.mkdir(exist_ok=True)
    path.write_text("\n".join([title, *HEAD, *body]) + "\n")
    return path


def _read(path: Path) -> Iterable[Row]:
    """The rows of a table that was written."""
    lines = path.read_text().splitlines() if path.exists() else []
    cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines if line.startswith("| ")]
    return [Row(fault, what, must, found, verdict) for fault, what, must, found, verdict in cells[1:]]
