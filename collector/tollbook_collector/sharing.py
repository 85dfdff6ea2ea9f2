"""Segments into servers that other collectors use too: each body once, whichever collectors were sent it, and each on its node.

A client that got no answer sends the same body again, to another collector if there are several. So before a collector loads a
body, it claims it by the body's digest, in a table of the node that the digest decides on; of the claims in force the first one
counts. Claimed by somebody else and stored: dropped. Claimed and not stored yet: this body waits in the spool. A claim lapses
after an hour, so that what a lost collector claimed is stored by another that was sent it.
"""

import hashlib
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tollbook_schema import sql
from tollbook_schema.store import Node, QueryError, Signal, Store, StoreUnavailableError

from tollbook_collector import segment as segments
from tollbook_collector.folder import token

CLAIM_SECONDS = 3600
"""Longer than any load takes, its INSERT's own time limit included."""

AWAY_S = 5.0
"""A node that could not be reached is not asked again for this long, so that the other nodes' bodies do not wait for it."""

CLAIM = struct.Struct("<16sQB")
COLUMNS = ("digest", "claimant", "state")
CLAIMED, STORED, WITHDRAWN = 1, 2, 3
KEY_BYTES = 16


class PartlyStoredError(StoreUnavailableError):
    """Some bodies of a segment are stored, others wait; other segments can go before it."""

    def __init__(self, message: str, trouble: str) -> None:
        super().__init__(message)
        self.trouble = trouble
        """What is wrong; empty where another collector is waited for, which is not wrong."""


class Sink(Protocol):
    """Where the loader loads segments into."""

    def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
        """As `Store.load`."""

    def ping(self) -> bool:
        """As `Store.ping`."""


def sink(store: Store) -> Sink:
    """The store itself where one process has it, else the way into it that others' loads are seen on."""
    return store if store.embedded else SharedStore(store)


@dataclass(frozen=True)
class _Body:
    content: bytes
    """With its frame."""
    digest: bytes

    @property
    def key(self) -> bytes:
        """What its claims are found by."""
        return self.digest[:KEY_BYTES]

    def shard(self, shards: int) -> int:
        """The node that it belongs to: the same for every collector that was sent it."""
        return int.from_bytes(self.digest[KEY_BYTES:24]) % shards


@dataclass(frozen=True)
class _Split:
    """What is to be done with bodies."""

    mine: list[_Body]
    waiting: list[_Body]
    """Another segment is about to load them."""


class SharedStore:
    """Loads segments into servers as `Store.load` does, without what other collectors load. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._claimed: dict[tuple[int, int], tuple[float, frozenset[bytes]]] = {}
        self._away: dict[int, tuple[float, StoreUnavailableError]] = {}

    def ping(self) -> bool:
        """Whether the servers answer."""
        return self._store.ping()

    def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
        """Loads the bodies of a segment that no other collector has loaded or is about to.

        Raises:
            PartlyStoredError: some wait; doing it again stores them and no others.
            StoreUnavailableError: none is stored at present.
            StoreError: a server cannot take what a body holds.
        """
        bodies = list(_bodies(segment.read_bytes()))
        shards = self._store.shards
        load = _Load(signal, _claimant(segment), token, received_at, bodies)
        troubles, waiting = [], 0
        for shard in range(shards):
            share = [body for body in bodies if body.shard(shards) == shard]
            try:
                waiting += self._load_share(load, shard, share) if share else 0
            except StoreUnavailableError as error:
                troubles.append(error)
        if len(troubles) == shards:
            raise troubles[0]
        if troubles or waiting:
            trouble = str(troubles[0]) if troubles else ""
            raise PartlyStoredError(trouble or f"{waiting} bodies are about to be stored by another collector", trouble)

    def _load_share(self, load: "_Load", shard: int, bodies: Sequence[_Body]) -> int:
        """Loads bodies of one node; how many of them wait for another collector."""
        self._check_away(shard)
        try:
            node = self._store.shard(shard)
            with _claiming():
                self._claim(node, shard, load.claimant, bodies)
                split = _split(node, load.claimant, bodies)
            if split.mine:
                self._load_mine(load, shard, node, split.mine)
        except StoreUnavailableError as error:
            self._away[shard] = time.monotonic() + AWAY_S, error
            raise
        if not split.waiting:
            self._claimed.pop((shard, load.claimant), None)
        return len(split.waiting)

    def _load_mine(self, load: "_Load", shard: int, node: Node, bodies: Sequence[_Body]) -> None:
        content = b"".join(body.content for body in bodies)
        try:
            self._store.load_content(load.signal, content, load.token_of(bodies), load.received_at, shard)
        except QueryError:
            if len(bodies) == 1:  # it will be set aside, and may be tried again after an upgrade
                with _claiming():
                    node.send("body_claims", COLUMNS, _claims(load.claimant, bodies, WITHDRAWN))
                self._claimed.pop((shard, load.claimant), None)
            raise
        with _claiming():
            node.send("body_claims", COLUMNS, _claims(load.claimant, bodies, STORED))

    def _check_away(self, shard: int) -> None:
        until_s, error = self._away.get(shard, (0.0, None))
        if error is not None and time.monotonic() < until_s:
            raise StoreUnavailableError(str(error)) from error

    def _claim(self, node: Node, shard: int, claimant: int, bodies: Sequence[_Body]) -> None:
        """Claims bodies, unless this process did lately."""
        now = time.monotonic()
        since_s, claimed = self._claimed.get((shard, claimant), (0.0, frozenset()))
        if now - since_s > CLAIM_SECONDS / 2:
            claimed = frozenset()
        new = [body for body in bodies if body.key not in claimed]
        if new:
            node.send("body_claims", COLUMNS, _claims(claimant, new, CLAIMED))
            since_s = since_s if claimed else now
            self._claimed[shard, claimant] = since_s, claimed | {body.key for body in new}


@contextmanager
def _claiming() -> Iterator[None]:
    """A server that refuses a claim, such as one that is just starting, refuses no body: nothing is to be set aside for it."""
    try:
        yield
    except QueryError as error:
        raise StoreUnavailableError(f"claims cannot be kept: {error}") from error


@dataclass(frozen=True)
class _Load:
    """One segment on its way."""

    signal: Signal
    claimant: int
    token: str
    """Of the whole segment."""
    received_at: datetime
    bodies: Sequence[_Body]

    def token_of(self, bodies: Sequence[_Body]) -> str:
        """Identity of some of its bodies."""
        if len(bodies) == len(self.bodies):
            return self.token
        return token(self.signal, b"".join(body.digest for body in bodies))


def _bodies(content: bytes) -> Iterator[_Body]:
    """The bodies of a segment with their frames.

    Raises:
        QueryError: it is no segment.
    """
    place = 0
    for frame in segments.frames(segments.InMemory(content)):
        end = place + segments.frame_bytes(frame.tenant) + frame.length
        yield _Body(content[place:end], frame.digest)
        place = end
    if place != len(content):
        raise QueryError(f"no frame at byte {place} of a segment of {len(content)}")


def _claimant(segment: Path) -> int:
    """Who claims: the segment, whichever part of it is loaded. Its name holds the nanosecond that it was opened in."""
    return int.from_bytes(hashlib.sha256(segment.name.split(".")[0].encode()).digest()[:8])


def _claims(claimant: int, bodies: Sequence[_Body], state: int) -> bytes:
    return b"".join(CLAIM.pack(body.key, claimant, state) for body in bodies)


def _split(node: Node, claimant: int, bodies: Sequence[_Body]) -> _Split:
    asked = b"".join(body.key for body in bodies)
    question = sql.text("tollbook_collector", "queries/claims.sql")
    rows = node.query_about(question, {"claimant": claimant, "seconds": CLAIM_SECONDS}, asked, "digest FixedString(16)")
    found = {bytes.fromhex(row["digest"]): row for row in rows}
    split = _Split([], [])
    for body in bodies:
        claim = found[body.key]
        if not claim["stored"]:
            (split.mine if claim["holder"] == claimant else split.waiting).append(body)
    return split
