"""A file that people asked for: there whole, or as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to. It takes the place of `path` at the end; where writing fails, `path` stays as it was.

    Raises:
        OSError: the folder cannot be written to.
    """
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
