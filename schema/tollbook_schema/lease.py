"""A lease: the right to do what only one of the processes on a server may do at a time, such as settling."""

import contextlib
import secrets
import time
from collections.abc import Iterator

from tollbook_schema import sql
from tollbook_schema.store import Node, Store, StoreError, StoreUnavailableError

SECONDS = 600
"""A process that dies holds what it has for this long at most."""


class TakenError(StoreUnavailableError):
    """Another process has the lease."""


class Lease:
    """One lease that this process has."""

    def __init__(self, node: Node, name: str) -> None:
        self._node = node
        self._name = name
        self._owner = secrets.randbits(63)
        self._renewed = 0.0

    def renew(self) -> None:
        """Has it for another `SECONDS` from now on.

        Raises:
            TakenError: somebody else has it.
        """
        self._renewed = time.monotonic()
        self._write(SECONDS, released=False)
        holder = self._node.query(_text("lease_holder"), {"name": self._name})[0]["holder"]
        if holder != self._owner:
            self.release()
            raise TakenError(f"another process has the {self._name} in hand")

    def keep(self) -> None:
        """Renews it where half of its time is over. Raises as `renew` does."""
        if time.monotonic() - self._renewed > SECONDS / 2:
            self.renew()

    def release(self) -> None:
        """Gives it back."""
        self._write(SECONDS, released=True)

    def _write(self, seconds: int, *, released: bool) -> None:
        row = {"name": self._name, "owner": self._owner, "seconds": seconds, "released": released}
        self._node.command(_text("take_lease"), row)


@contextlib.contextmanager
def held(store: Store, name: str) -> Iterator[Lease | None]:
    """Holds a lease while it is entered; none is needed of an embedded database, which only one process has open.

    Raises:
        TakenError: another process has it.
    """
    if store.embedded:
        yield None
        return
    lease = Lease(store.shard(0), name)
    lease.renew()
    try:
        yield lease
    finally:
        with contextlib.suppress(StoreError):  # it ends by itself
            lease.release()


def _text(name: str) -> str:
    return sql.text("tollbook_schema", f"queries/{name}.sql")
