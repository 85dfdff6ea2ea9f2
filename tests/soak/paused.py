"""`tollbook` that stops dead at a point: `python -m tests.soak.paused POINT NTH REACHED up ...`.

At the nth time that a thread comes to the point it makes the file REACHED and never goes on; the others do. Then a test kills it.
"""

import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from tollbook_collector.spool import Spool
from tollbook_schema.store import Store
from tollbook_ui import cli

POINTS: dict[str, tuple[type, str]] = {
    "before insert": (Store, "load"),
    "before trim": (Spool, "done"),
}
"""The method at whose entry it stops: synced and not inserted; inserted and still in the spool."""


def main(point: str, nth: int, reached: Path, arguments: list[str]) -> None:
    owner, name = POINTS[point]
    calls = count(1)
    original: Callable[..., Any] = getattr(owner, name)

    def stopping(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == nth:
            reached.touch()
            threading.Event().wait()
        return original(*args, **kwargs)

    setattr(owner, name, stopping)
    sys.argv = ["tollbook", *arguments]
    cli.main()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
