"""Progress of long work, drawn only where somebody watches."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tollbook_ui import show, units

WATCH_SECONDS = 0.5
TELL_SECONDS = 15.0

Advance = Callable[[str], None]


@contextmanager
def hours() -> Iterator[Callable[[int, int, datetime], None]]:
    """A bar over hours that are settled; call it with hours done, hours in all, and the last hour."""
    with _bar(show.console(stderr=True)) as bar:
        task = bar.add_task("Settling", total=None)

        def advance(done: int, total: int, hour: datetime) -> None:
            bar.update(task, completed=done, total=total, description=f"Settled {hour:%Y-%m-%d %H:00}")

        yield advance


@contextmanager
def waiting(line: str, count: Callable[[], int], expected: int) -> Iterator[None]:
    """A line at once, then how many of the hours expected are settled: a bar where somebody watches, else a line now and then."""
    console = show.console(stderr=True)
    console.print(line, soft_wrap=True)
    if console.is_terminal:
        with counted("Settling", count, expected or None):
            yield
        return
    done = threading.Event()

    def tell() -> None:
        while not done.wait(TELL_SECONDS):
            console.print(f"{count()} of {expected} hours are settled", soft_wrap=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


@contextmanager
def files(total: int) -> Iterator[Advance]:
    """A bar over files, and lines above it; call it with the line of each file that is done."""
    with _bar(show.console()) as bar:
        task = bar.add_task("Storing", total=total)

        def advance(line: str) -> None:
            bar.console.print(line, markup=False, soft_wrap=True)
            bar.update(task, advance=1)

        yield advance


@contextmanager
def share(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar over one long thing; call it with how much is done, and how much there is."""
    with _bar(show.console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def counted(what: str, count: Callable[[], int], expected: int | None) -> Iterator[None]:
    """A bar over what can be counted while it grows, to about the number expected."""
    with _bar(show.console(stderr=True)) as bar:
        task = bar.add_task(what, total=expected)
        if bar.disable:
            yield
            return
        done = threading.Event()

        def watch() -> None:
            while not done.wait(WATCH_SECONDS):
                bar.update(task, completed=count())

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


@contextmanager
def growing(what: str, folder: Path) -> Iterator[None]:
    """A line that tells how many bytes a folder holds by now."""
    console = show.console(stderr=True)
    if not console.is_terminal:
        yield
        return
    done = threading.Event()
    with console.status(what) as line:
        watcher = threading.Thread(target=_watch, args=(folder, done, lambda size: line.update(f"{what}: {size}")), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _watch(folder: Path, done: threading.Event, tell: Callable[[str], None]) -> None:
    while not done.wait(WATCH_SECONDS):
        with suppress(OSError):  # files come and go
            tell(units.size(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())))


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
