"""`tollbook` with every connection and name look-up of its Python written down: `python -m tests.hostile.audited LOG COMMAND`."""

import sys
from pathlib import Path
from typing import Any

EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")


def write_down(log: Path) -> None:
    """Appends a line for each event from now on."""

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS:
            with log.open("a") as file:
                file.write(f"{event} {arguments[1:] if event.startswith('socket.') and len(arguments) > 1 else arguments}\n")

    sys.addaudithook(audit)


if __name__ == "__main__":
    log, *sys.argv[1:] = sys.argv[1:]
    write_down(Path(log))
    from tollbook_ui.command import main

    main()
