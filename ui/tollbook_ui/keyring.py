"""API keys as people handle them: listed, made and revoked, by the command line and over the API."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tollbook_schema.keys import Key, KeyRefusedError, Keys

from tollbook_ui.periods import BadQuestionError

KEYS_FILE = "keys.json"
"""In the data folder: the hashes of the keys as last known, for while the store is away."""


@dataclass(frozen=True)
class KeyRow:
    """One key, without its secret and without the hash of it."""

    key_id: str
    name: str
    tenant: str
    """Empty where it is the operator's, for all tenants."""
    scopes: tuple[str, ...]
    state: str
    """valid, expired or revoked."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class KeyWish:
    """A key to be made."""

    name: str
    scopes: tuple[str, ...]
    tenant: str | None = None
    """None for a key of the operator's, for all tenants."""
    expires_hours: int | None = None


class Keyring:
    """The keys of one store. Every method may raise `StoreError`."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def keys(self) -> tuple[KeyRow, ...]:
        """Every key there ever was, newest first."""
        return tuple(_row(key) for key in self._keys.all())

    def create_key(self, wish: KeyWish) -> str:
        """Makes a key; the whole of it, for the only time.

        Raises:
            BadQuestionError: such a key cannot be.
        """
        lasting = None if wish.expires_hours is None else timedelta(hours=wish.expires_hours)
        try:
            return self._keys.create(wish.name, wish.tenant, wish.scopes, lasting)
        except KeyRefusedError as error:
            raise BadQuestionError(str(error)) from error

    def revoke_key(self, key_id: str) -> KeyRow:
        """Ends a key at once.

        Raises:
            BadQuestionError: there is no such key.
        """
        try:
            return _row(self._keys.revoke(key_id))
        except KeyRefusedError as error:
            raise BadQuestionError(str(error)) from error


def _row(key: Key) -> KeyRow:
    state = "revoked" if key.revoked_at else "valid" if key.valid(datetime.now(UTC)) else "expired"
    return KeyRow(key.key_id, key.name, key.tenant, key.scopes, state, key.created_at, key.expires_at, key.revoked_at)
