"""Progress of long work, on standard error and only where somebody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tollbook_ui import show

Advance = Callable[[str], None]


@contextmanager
def hours() -> Iterator[Callable[[int, int, datetime], None]]:
    """A bar over hours that are settled; call it with hours done, hours in all, and the last hour."""
    with _bar() as bar:
        task = bar.add_task("Settling", total=None)

        def advance(done: int, total: int, hour: datetime) -> None:
            bar.update(task, completed=done, total=total, description=f"Settled {hour:%Y-%m-%d %H:00}")

        yield advance


@contextmanager
def files(total: int) -> Iterator[Advance]:
    """A bar over files; call it with the name of each before it is read."""
    with _bar() as bar:
        task = bar.add_task("Storing", total=total, completed=-1)

        def advance(name: str) -> None:
            bar.update(task, advance=1, description=f"Storing {name}")

        yield advance


def _bar() -> Progress:
    console = show.console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
