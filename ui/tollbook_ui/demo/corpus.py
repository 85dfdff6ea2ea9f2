"""Which files of this machine the demo takes in: real ones, mixed in type and size, the same ones at every run."""

import hashlib
import os
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

MIN_BYTES = 1024
"""Smallest file taken: with less the model has too little to look at."""

MAX_BYTES = 256 * 1024
"""Largest file taken, so that a slow disk or a huge font does not decide what a request costs."""

MAX_EXAMINED = 20_000
"""Files looked at below each root; the walk stops there."""

MAX_KINDS = 24
"""File name suffixes taken of each root, the most frequent ones."""

SKIPPED_FOLDERS = frozenset({"site-packages", "dist-packages", "__pycache__"})
"""Folders not walked: they differ with what is installed, so the choice would."""

MODEL_WINDOW_BYTES = 1024
"""What the model sees of each end of a file. Files equal in both would be one and the same input to it."""


@dataclass(frozen=True)
class Root:
    """A folder that documents come from, and what its files are called in the demo."""

    name: str
    path: Path


def roots() -> tuple[Root, ...]:
    """The Python installation and, where there is one, /usr/share."""
    places = (Root("python", Path(sysconfig.get_path("stdlib"))), Root("share", Path("/usr/share")))
    return tuple(root for root in places if root.path.is_dir())


class NoFilesError(Exception):
    """There is nothing on this machine to take in."""


def select(count: int, places: Sequence[Root]) -> list[tuple[Root, Path]]:
    """Up to `count` files, taken from the roots in turn; fewer where the machine has fewer that fit.

    Raises:
        NoFilesError: no file fits.
    """
    ranked = [[(root, path) for path in _mixed(_by_suffix(root))] for root in places]
    turns = (pair for turn in zip_longest(*ranked) for pair in turn if pair is not None)
    chosen = list(islice(_distinct(turns), count))
    if not chosen:
        raise NoFilesError(f"no file of {MIN_BYTES} to {MAX_BYTES} bytes below {', '.join(str(root.path) for root in places)}")
    return chosen


def _by_suffix(root: Root) -> dict[str, list[Path]]:
    """Fitting files by suffix, most frequent suffix first, in an order that follows no folder."""
    kinds: dict[str, list[Path]] = defaultdict(list)
    for path in islice(_files(root.path), MAX_EXAMINED):
        if MIN_BYTES <= path.stat().st_size <= MAX_BYTES and os.access(path, os.R_OK):
            kinds[path.suffix.lower()].append(path)
    frequent = sorted(kinds, key=lambda suffix: (-len(kinds[suffix]), suffix))[:MAX_KINDS]
    return {suffix: sorted(kinds[suffix], key=_shuffled) for suffix in frequent}


def _files(folder: Path) -> Iterator[Path]:
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        yield from (file for name in sorted(names) if _plain(file := Path(path, name)))


def _plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _shuffled(path: Path) -> bytes:
    return hashlib.sha256(os.fsencode(path)).digest()


def _mixed(kinds: dict[str, list[Path]]) -> Iterator[Path]:
    """One file of each suffix in turn."""
    for turn in zip_longest(*kinds.values()):
        yield from (path for path in turn if path is not None)


def _distinct(documents: Iterable[tuple[Root, Path]]) -> Iterator[tuple[Root, Path]]:
    """The files without those the model could not tell from an earlier one, so that every repeat is a planted one."""
    seen: set[bytes] = set()
    for root, path in documents:
        content = path.read_bytes().strip()
        ends = hashlib.sha256(content[:MODEL_WINDOW_BYTES] + content[-MODEL_WINDOW_BYTES:]).digest()
        if len(content) >= MIN_BYTES and ends not in seen:
            seen.add(ends)
            yield root, path
