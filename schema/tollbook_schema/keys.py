"""API keys: whose data a sender brings and who may read it. A key is shown once, when it is made; its hash is all that is kept.

A key is `tb_<id>_<secret>`. The secret is 256 random bits, so one round of SHA-256 protects it: there is nothing to guess.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from tollbook_schema import private, sql
from tollbook_schema.store import Store, StoreError
from tollbook_schema.tenants import DEFAULT_TENANT
from tollbook_schema.tenants import NAME as TENANT_NAME

KEY = re.compile(r"tb_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)
MAX_HEADER_CHARS = 1024
"""Longer headers hold no key and are not looked into."""

REFRESH_SECONDS = 5.0
"""How long a key that another process made or revoked may go unnoticed."""

Clock = Callable[[], datetime]


class KeyRefusedError(ValueError):
    """A key that cannot be made, or is not there to be revoked; the message says why."""


class Scope(StrEnum):
    """What a key is for."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True)
class Principal:
    """Who asks."""

    tenant: str | None
    """Whose data they bring and see; none is the operator, who sees all."""
    scopes: frozenset[Scope]
    key_id: str
    """Of the key; empty for a person who signed in elsewhere and for whoever uses a server without keys."""
    name: str

    @property
    def stores_for(self) -> str:
        """The tenant that gets what they send."""
        return self.tenant or DEFAULT_TENANT


ANYBODY = Principal(None, frozenset(Scope), "", "anybody on this machine")
"""Everyone, where no key is asked for."""


@dataclass(frozen=True)
class Key:
    """One key, without its secret."""

    key_id: str
    name: str
    tenant: str
    """Empty where it is the operator's."""
    scopes: tuple[str, ...]
    secret_sha256: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def valid(self, now: datetime) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def principal(self) -> Principal:
        """Who comes with this key."""
        return Principal(self.tenant or None, frozenset(Scope(scope) for scope in self.scopes), self.key_id, self.name)


def presented(authorization: str, x_api_key: str) -> str:
    """The key in a request's headers: `x-api-key`, a Bearer token, or the password of Basic, as Langfuse's SDK sends it."""
    if x_api_key:
        return x_api_key if len(x_api_key) <= MAX_HEADER_CHARS else ""
    if len(authorization) > MAX_HEADER_CHARS:
        return ""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return _password(value) if scheme.lower() == "basic" else ""


class Keys:
    """The keys of one store, known in memory. Safe to use from several threads.

    The last known state is kept in a file, so that a collector knows its senders while the store is away.
    """

    def __init__(self, store: Store, cache: Path, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._cache = cache
        self._clock = clock
        self._known: dict[str, Key] = {}
        self._one_at_a_time = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._refresh_for_ever, name="tollbook-keys", daemon=True)
        try:
            self.refresh()
        except StoreError:
            self._known = _from_cache(cache)

    def start(self) -> None:
        """Looks for changes from now on; needed only where another process may make them, which an embedded store rules out."""
        if not self._store.embedded:
            self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def verify(self, presented: str) -> Principal | None:
        """Who comes with this key; none where it is no key, an unknown one, a revoked or an expired one."""
        match = KEY.fullmatch(presented) if len(presented) <= MAX_HEADER_CHARS else None
        if match is None:
            return None
        key = self._known.get(match[1])
        right = hmac.compare_digest(_hash(match[2]), key.secret_sha256 if key else "")
        return key.principal() if key and right and key.valid(self._clock()) else None

    def principal(self, key_id: str) -> Principal | None:
        """Who comes with the key of this id, which was verified before; none where it is no longer valid."""
        key = self._known.get(key_id)
        return key.principal() if key and key.valid(self._clock()) else None

    def all(self) -> tuple[Key, ...]:
        """Every key there ever was, newest first.

        Raises:
            StoreError: the store does not answer.
        """
        return tuple(_key(row) for row in self._store.query(sql.text("tollbook_schema", "queries/keys.sql")))

    def create(self, name: str, tenant: str | None, scopes: Iterable[str], expires_in: timedelta | None = None) -> str:
        """Makes a key and returns it whole, for the only time.

        Args:
            name: what people call it.
            tenant: whose data it sends and reads; none for a key of the operator's.
            scopes: what it is for.
            expires_in: none where it is valid until revoked.

        Raises:
            KeyRefusedError: such a key cannot be.
            StoreError: the store cannot keep it.
        """
        wanted = _checked(name, tenant, scopes, expires_in)
        now, key_id, secret = self._clock(), secrets.token_hex(6), secrets.token_hex(32)
        expires_at = None if expires_in is None else now + expires_in
        self._add("created", key_id, now, name, tenant or "", sorted(wanted), _hash(secret), expires_at)
        return f"tb_{key_id}_{secret}"

    def revoke(self, key_id: str) -> Key:
        """Ends a key at once. Whole keys are taken for their id, as people paste them.

        Raises:
            KeyRefusedError: there is no such key.
            StoreError: the store cannot keep it.
        """
        key_id = match[1] if (match := KEY.fullmatch(key_id)) else key_id
        found = next((key for key in self.all() if key.key_id == key_id), None)
        if found is None:
            raise KeyRefusedError("there is no key of that id; list them with: tollbook keys list")
        if found.revoked_at is None:
            self._add("revoked", key_id, self._clock(), found.name, found.tenant, [], "", None)
        return self._known.get(key_id, found)

    def refresh(self) -> None:
        """Learns what has changed, and writes it down.

        Raises:
            StoreError: the store does not answer; what was known stays known.
        """
        with self._one_at_a_time:
            known = {key.key_id: key for key in self.all()}
            if known != self._known or not self._cache.exists():
                self._known = known
                _to_cache(self._cache, known.values())

    def _add(self, *values: Any) -> None:
        columns = ("event", "key_id", "at", "name", "tenant", "scopes", "secret_sha256", "expires_at")
        self._store.insert("api_keys", [values], columns)
        self.refresh()

    def _refresh_for_ever(self) -> None:
        while not self._stopping.wait(REFRESH_SECONDS):
            with contextlib.suppress(StoreError):
                self.refresh()


def _checked(name: str, tenant: str | None, scopes: Iterable[str], expires_in: timedelta | None) -> frozenset[Scope]:
    try:
        wanted = frozenset(Scope(scope) for scope in scopes)
    except ValueError as error:
        raise KeyRefusedError(f"a scope is one of {', '.join(Scope)}: {error}") from error
    faults = (
        (not wanted, f"a key needs a scope: {', '.join(Scope)}"),
        (not 0 < len(name.strip()) <= 200 or not name.isprintable(), "a key needs a name of at most 200 printable characters"),
        (tenant is not None and not TENANT_NAME.fullmatch(tenant), f"a tenant is named like acme or acme-eu.1, not {tenant!r}"),
        (tenant is not None and Scope.ADMIN in wanted, "an admin key is the operator's and has no tenant"),
        (tenant is None and Scope.INGEST in wanted, "a key that sends needs a tenant, whose data it will be"),
        (expires_in is not None and expires_in <= timedelta(), "a key cannot expire before it is made"),
    )
    for wrong, reason in faults:
        if wrong:
            raise KeyRefusedError(reason)
    return wanted


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _key(row: dict[str, Any]) -> Key:
    return Key(**{**row, "scopes": tuple(row["scopes"]), **{name: _utc(row[name]) for name in TIMES}})


TIMES = ("created_at", "expires_at", "revoked_at")


def _utc(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _to_cache(path: Path, keys: Iterable[Key]) -> None:
    rows = [{**asdict(key), **{name: _iso(getattr(key, name)) for name in TIMES}} for key in keys]
    with contextlib.suppress(OSError):  # a full disk must not end a collector that knows its keys
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        private.write(path, json.dumps(rows))


def _from_cache(path: Path) -> dict[str, Key]:
    names = [field.name for field in fields(Key)]
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        rows = [{name: row[name] for name in names} for row in json.loads(path.read_text(encoding="utf-8"))]
        return {row["key_id"]: _key({**row, **{name: _time(row[name]) for name in TIMES}}) for row in rows}
    return {}


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
