"""Whether the disk takes what is written: what passes is told apart from what damages."""

import os
from pathlib import Path

import pytest
from tollbook_schema.probe import Probe
from tollbook_schema.store import DiskFailedError, StoreUnavailableError


def failing(number: int, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
@pytest.mark.parametrize("number", [5, 27, 28, 30, 122], ids=os.strerror)
def test_a_disk_that_failed_once_is_not_trusted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    probe = Probe(tmp_path)
    probe.look()
    with monkeypatch.context() as patch:
        failing(number, patch, call)
        with pytest.raises(DiskFailedError, match=f"failed a write: {os.strerror(number)}"):
            probe.look()
    with pytest.raises(DiskFailedError):
        probe.look()
    Probe(tmp_path).look()


@pytest.mark.parametrize("number", [24, 23, 13], ids=os.strerror)
def test_what_the_database_tells_of_by_itself_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    probe = Probe(tmp_path)
    with monkeypatch.context() as patch:
        failing(number, patch, "write")
        with pytest.raises(StoreUnavailableError, match=os.strerror(number)) as told:
            probe.look()
    assert not isinstance(told.value, DiskFailedError)
    probe.look()
    assert (tmp_path / "probe").stat().st_mode & 0o777 == 0o600
