"""Who has the data folder: one process at a time, found by a lock and, if it is a server, by the address it wrote down."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tollbook_schema import private

LOCK = "tollbook.lock"
SERVER = "server.json"
UP = "tollbook up"
"""What the server says of itself."""

LOOK_SECONDS = 0.3
"""How long a lock is waited for at least: whoever only looks who has it holds it for less than that."""

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class TakenError(Exception):
    """Another process has the data folder; `holder` says which, if it has said so."""

    def __init__(self, data: Path, holder: "Holder") -> None:
        self.holder = holder
        where = f" at {holder.url}" if holder.url else ""
        super().__init__(f"{data} is in use by {holder.command or 'another process'} (process {holder.pid or 'unknown'}){where}")


@dataclass(frozen=True)
class Holder:
    """The process that has a data folder."""

    pid: int
    command: str
    """What it runs, such as 'tollbook up'; empty where it did not say."""
    url: str
    """Base address of its API; empty while it serves none."""


@dataclass(frozen=True)
class Server:
    """A running server, as it wrote itself down."""

    pid: int
    url: str
    grpc_port: int | None
    version: str
    started_at: str
    token: str = field(default="", repr=False)
    """Opens every door of its API to whoever can read the file: the operator on this machine."""
    cert: str = ""
    """File of its certificate; empty where it serves in the clear."""
    client_key: str = ""
    """File of its key, where clients must show a certificate and this is the one at hand."""


class Claim:
    """The data folder, held until closed. The operating system lets go of it when the process dies, however it dies."""

    def __init__(self, data: Path, command: str, wait_seconds: float = LOOK_SECONDS) -> None:
        """Takes the folder, and makes it first if need be.

        Raises:
            TakenError: another process has it and kept it for `wait_seconds`.
            OSError: the folder cannot be made or written.
        """
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data = data
        self._file = (data / LOCK).open("a+", encoding="utf-8")
        if not _locked_within(self._file, wait_seconds):
            self._file.close()
            raise TakenError(data, holder(data) or Holder(0, "", ""))
        (data / SERVER).unlink(missing_ok=True)
        _rewrite(self._file, json.dumps({"pid": os.getpid(), "command": command}))

    def publish(self, server: Server) -> None:
        """Writes down where the server answers, so that other commands find it."""
        private.write(self.data / SERVER, json.dumps(asdict(server)))

    def close(self) -> None:
        """Gives the folder back."""
        if not self._file.closed:
            (self.data / SERVER).unlink(missing_ok=True)
            self._file.close()

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def holder(data: Path) -> Holder | None:
    """The process that has the folder now, or none."""
    path = data / LOCK
    if not path.exists():
        return None
    with path.open("a+", encoding="utf-8") as file:
        if _try_lock(file):
            return None
        file.seek(0)
        said = _object(file.read())
    server = _object(_read(data / SERVER))
    return Holder(int(said.get("pid", 0)), str(said.get("command", "")), str(server.get("url", "")))


def server(data: Path) -> Server | None:
    """The server that has the folder now, or none; one that died is none."""
    said = _object(_read(data / SERVER))
    if not said or holder(data) is None:
        return None
    return Server(
        pid=int(said.get("pid", 0)),
        url=str(said.get("url", "")),
        grpc_port=said.get("grpc_port"),
        version=str(said.get("version", "")),
        started_at=str(said.get("started_at", "")),
        token=str(said.get("token", "")),
        cert=str(said.get("cert", "")),
        client_key=str(said.get("client_key", "")),
    )


def default_data(environment: Mapping[str, str] = os.environ) -> Path:
    """The platform's folder for a user's data: XDG, Application Support or AppData."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "tollbook"


def _locked_within(file: IO[str], wait_seconds: float) -> bool:
    deadline = time.monotonic() + wait_seconds
    while not _try_lock(file):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _try_lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            file.seek(1 << 30)  # far behind the text, because a locked byte cannot be read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _rewrite(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8")
    return ""


def _object(text: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    return {}
