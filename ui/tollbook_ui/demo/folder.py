"""The demo's own data folder: apart from real data, and emptied at each start so that a run shows itself only."""

import shutil
from pathlib import Path

from tollbook_ui import locate

MARK = "DEMO"
"""A file that says that a folder is the demo's. Only such a folder, or an empty one, is emptied."""

MARK_TEXT = "Made by `tollbook demo`, which empties this folder each time it starts.\n"


class FolderError(Exception):
    """The folder is not the demo's to empty; the message is one line for the person who named it."""


def default() -> Path:
    """Beside the folder of real data, never inside it."""
    real = locate.default_data()
    return real.with_name(f"{real.name}-demo")


def prepare(folder: Path) -> None:
    """Make the folder, or empty the one of an earlier run.

    Raises:
        FolderError: another process has it, or something that is not the demo's is in it.
    """
    holder = locate.holder(folder)
    if holder is not None:
        raise FolderError(
            f"{folder} is in use by process {holder.pid}: a demo that is still up? End it, or name another with --data"
        )
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise FolderError(f"{folder} holds something that is not the demo's; name an empty folder with --data")
    if folder.exists():
        _empty(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / MARK).write_text(MARK_TEXT, encoding="utf-8")
    for name in ("files", "logs", "report"):
        (folder / name).mkdir()


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == MARK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
