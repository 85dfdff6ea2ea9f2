"""API keys: shown once, kept as a hash, ended at once."""

import base64
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tollbook_schema.keys import KeyRefusedError, Keys, Principal, Scope, presented
from tollbook_schema.store import Store, StoreUnavailableError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOTH = frozenset({Scope.INGEST, Scope.READ})


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(store: Store, tmp_path: Path, clock: Clock) -> Keys:
    return Keys(store, tmp_path / "keys.json", clock)


def test_a_key_says_whose_data_it_brings_and_what_it_may(keys: Keys) -> None:
    key = keys.create("shop", "acme", ["ingest", "read"])
    assert keys.verify(key) == Principal("acme", BOTH, key.split("_")[1], "shop")


def test_only_a_hash_of_the_secret_is_kept(keys: Keys, store: Store, tmp_path: Path) -> None:
    secret = keys.create("shop", "acme", ["ingest"]).split("_")[2]
    kept = str(store.query("SELECT * FROM api_keys")) + (tmp_path / "keys.json").read_text()
    assert len(secret) == 64
    assert secret not in kept
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: "",
        lambda key: key[:-1],
        lambda key: f"{key}0",
        lambda key: key.upper(),
        lambda key: f"{key}\n",
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: f"tb_{'0' * 12}_{key.split('_')[2]}",
        lambda key: "tb_' OR 1=1",
        lambda key: "ü" * 80,
        lambda key: "tb_" * 1_000_000,
    ],
)
def test_what_is_not_quite_a_key_opens_nothing(keys: Keys, spoil: Callable[[str], str]) -> None:
    assert keys.verify(spoil(keys.create("shop", "acme", ["read"]))) is None


def test_a_revoked_key_opens_nothing_from_then_on(keys: Keys) -> None:
    key = keys.create("shop", "acme", ["read"])
    key_id = key.split("_")[1]
    assert keys.principal(key_id) is not None
    assert keys.revoke(key_id).revoked_at == NOON
    assert (keys.verify(key), keys.principal(key_id)) == (None, None)
    assert keys.revoke(key).revoked_at == NOON


def test_a_key_ends_when_it_was_said_to(keys: Keys, clock: Clock) -> None:
    key = keys.create("shop", "acme", ["read"], timedelta(days=90))
    clock.now += timedelta(days=90, seconds=-1)
    assert keys.verify(key) is not None
    clock.now += timedelta(seconds=1)
    assert keys.verify(key) is None


def test_keys_are_listed_with_what_became_of_them(keys: Keys, clock: Clock) -> None:
    first = keys.create("shop", "acme", ["read", "ingest"], timedelta(days=1)).split("_")[1]
    clock.now += timedelta(hours=1)
    keys.create("operator", None, ["admin", "read"])
    keys.revoke(first)
    assert [(key.name, key.tenant, key.scopes, key.created_at, key.expires_at, key.revoked_at) for key in keys.all()] == [
        ("operator", "", ("admin", "read"), NOON + timedelta(hours=1), None, None),
        ("shop", "acme", ("ingest", "read"), NOON, NOON + timedelta(days=1), NOON + timedelta(hours=1)),
    ]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"scopes": []}, "a key needs a scope"),
        ({"scopes": ["write"]}, "a scope is one of ingest, read, admin"),
        ({"name": " "}, "a key needs a name"),
        ({"name": "shop\x1b[31m"}, "printable"),
        ({"tenant": "Acme"}, "a tenant is named like acme"),
        ({"tenant": "a' OR tenant != '"}, "a tenant is named like acme"),
        ({"tenant": "acme\n"}, "a tenant is named like acme"),
        ({"tenant": "a" * 64}, "a tenant is named like acme"),
        ({"scopes": ["admin"]}, "an admin key is the operator's"),
        ({"tenant": None}, "a key that sends needs a tenant"),
        ({"expires_in": timedelta(0)}, "expire"),
    ],
)
def test_a_key_that_cannot_be_is_not_made(keys: Keys, wrong: dict[str, Any], reason: str) -> None:
    asked: dict[str, Any] = {"name": "shop", "tenant": "acme", "scopes": ["ingest"], "expires_in": None}
    with pytest.raises(KeyRefusedError, match=reason):
        keys.create(**{**asked, **wrong})
    assert keys.all() == ()


def test_an_unknown_key_cannot_be_revoked(keys: Keys) -> None:
    with pytest.raises(KeyRefusedError, match="tollbook keys list"):
        keys.revoke("0" * 12)


def test_another_collector_learns_of_a_key_when_it_looks(keys: Keys, store: Store, tmp_path: Path) -> None:
    other = Keys(store, tmp_path / "other.json")
    key = keys.create("shop", "acme", ["ingest"])
    assert other.verify(key) is None
    other.refresh()
    assert other.verify(key) is not None


class Away:
    """A store that does not answer."""

    embedded = False

    def query(self, *_: object) -> list[dict[str, Any]]:
        raise StoreUnavailableError("away")


def test_a_collector_knows_its_senders_while_the_store_is_away(keys: Keys, tmp_path: Path, clock: Clock) -> None:
    key = keys.create("shop", "acme", ["ingest"], timedelta(days=1))
    revoked = keys.create("old", "acme", ["ingest"])
    keys.revoke(revoked)
    again = Keys(Away(), tmp_path / "keys.json", clock)  # type: ignore[arg-type]
    assert again.verify(key) == keys.verify(key)
    assert again.verify(revoked) is None
    clock.now += timedelta(days=2)
    assert again.verify(key) is None


@pytest.mark.parametrize("damaged", ["", "{", "[1]", '[{"key_id": "0"}]', '{"a": 1}'])
def test_a_damaged_file_of_keys_opens_nothing(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "keys.json").write_text(damaged)
    assert Keys(Away(), tmp_path / "keys.json").verify(f"tb_{'0' * 12}_{'0' * 64}") is None  # type: ignore[arg-type]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "x_api_key", "key"),
    [
        ("Bearer tb_1", "", "tb_1"),
        ("bearer  tb_1 ", "", "tb_1"),
        (basic("pk-lf-1", "tb_1"), "", "tb_1"),
        ("", "tb_1", "tb_1"),
        ("Basic cHJveHk6cHJveHk=", "tb_1", "tb_1"),
        ("Basic !!", "", ""),
        ("Basic /w==", "", ""),
        ("Digest tb_1", "", ""),
        ("tb_1", "", ""),
        ("Bearer " + "x" * 2000, "", ""),
        ("", "x" * 2000, ""),
        ("", "", ""),
    ],
)
def test_a_key_comes_in_three_headers(authorization: str, x_api_key: str, key: str) -> None:
    assert presented(authorization, x_api_key) == key
