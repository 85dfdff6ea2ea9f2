"""What is wrong with a file of a bill: named with file, line and column."""

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 20
"""Problems that are told of one import; whoever mends a file mends them by kind, not one by one."""

FOR_GOOD = "nothing was stored; the same files will be refused again"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    file: str
    line: int | None
    """Line of the file, from 1 on; None where it is about the file as a whole. Of Parquet, its row."""
    column: str
    """As the file names it; empty where it is about the line as a whole."""
    value: str
    problem: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        column = f", column {self.column}" if self.column else ""
        value = f" {self.value[:80]!r}" if self.value else ""
        return f"{place}{column}:{value} {self.problem}"


class BillError(Exception):
    """The files cannot be taken as a bill; nothing of them was stored."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        more = f"\nand more; these are the first {SHOWN}" if len(problems) > SHOWN else ""
        super().__init__("\n".join(str(problem) for problem in problems[:SHOWN]) + more + "\n" + FOR_GOOD)
        self.problems = tuple(problems[:SHOWN])


def of_file(file: str, problem: str, column: str = "", line: int | None = None) -> BillError:
    """One problem with a file as a whole."""
    return BillError([Problem(file, line, column, "", problem)])
