"""How the embedded engine comes into a process."""

import os
import sys
from importlib import import_module

import pytest
from tollbook_schema import engine


def test_its_allocator_is_told_of_as_many_heaps_as_there_are_cores_and_of_two_at_least() -> None:
    assert [engine.heaps(cores).split(",")[1] for cores in (1, 2, 16)] == ["narenas:2", "narenas:2", "narenas:16"]


def test_it_is_told_so_alone_and_not_over_what_the_operator_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(engine.HEAPS, raising=False)
    with engine.brought_in_lightly():
        assert "narenas" in os.environ[engine.HEAPS]
    assert engine.HEAPS not in os.environ
    monkeypatch.setenv(engine.HEAPS, "narenas:7")
    with engine.brought_in_lightly():
        assert os.environ[engine.HEAPS] == "narenas:7"
    assert os.environ[engine.HEAPS] == "narenas:7"


def test_pyarrow_is_not_there_for_the_engine_and_is_there_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pyarrow", raising=False)
    with engine.brought_in_lightly(), pytest.raises(ImportError):
        import_module("pyarrow")
    assert "pyarrow" not in sys.modules
