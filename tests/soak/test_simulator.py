"""Ten thousand lives of a collector, none of which breaks a promise; and the proof that the simulator would notice."""

import random

import pytest
from tollbook_collector.seen import Seen
from tollbook_collector.spool import Spool

from tests.soak.figures import Fault
from tests.soak.simulator import STEPS, Life, failures
from tests.soak.world import Disk, Store


@pytest.mark.fault("R18", "simulated lives: clock, disk, store and clients", "0 violations, any failing seed replays identically")
def test_no_life_loses_doubles_or_changes_what_was_acknowledged(fault: Fault) -> None:
    seeds = range(fault.size(100, soak=10_000))
    found = list(failures(seeds))
    fault.found(f"{len(found)} of {len(seeds):,} seeds x {STEPS} steps break a promise", what=f"simulated lives x {len(seeds):,}")
    assert not found, "\n".join(f"python -m tests.soak.simulator --seed {seed}   # {what}" for seed, what in found)


def test_a_seed_is_always_the_same_life() -> None:
    first, again = ([], [])  # type: tuple[list[str], list[str]]
    Life(17, say=first.append).play()
    Life(17, say=again.append).play()
    assert first == again
    assert len(first) > 200


def forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Seen, "__contains__", lambda self, digest: False)


def does_not_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "sync", lambda self, handle: None)


def trusts_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "sync_folder", lambda self, folder: None)


def drops_what_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spool, "put_back", lambda self, segment, suspect=False: self.done(segment))


def loads_under_new_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = random.Random(1)
    load = Store.load
    monkeypatch.setattr(
        Store, "load", lambda self, table, segment, token, at: load(self, table, segment, f"{numbers.random()}", at)
    )


def mixes_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    append = Spool.append
    monkeypatch.setattr(
        Spool, "append", lambda self, signal, body, tenant, resources: append(self, signal, body, resources=resources)
    )


@pytest.mark.parametrize(
    "breaks",
    [forgets, does_not_sync, trusts_names, drops_what_fails, loads_under_new_tokens, mixes_tenants],
    ids=lambda f: f.__name__,
)
def test_a_collector_that_is_broken_is_found_out(monkeypatch: pytest.MonkeyPatch, breaks: object) -> None:
    assert callable(breaks)
    breaks(monkeypatch)
    assert list(failures(range(60)))
