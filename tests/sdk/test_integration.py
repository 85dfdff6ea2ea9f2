"""What all integrations share, tried on a library of our own making."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import SpanKind
from tollbook import shield, testing
from tollbook.handle import INERT
from tollbook.integrations.base import Handover, Integration, Joined
from tollbook.steps import ending

_LIBRARY = "parcels_of_a_test"
_SOURCE = "class Depot:\n    def fetch(self, name):\n        return name.encode()\n"
_FETCH = Handover("read", beneath=["somebody.parcels"], attributes={"tollbook.handoff.source": "depot"})


def _fetch(wrapped: Any, _depot: Any, args: Any, kwargs: Any) -> Any:
    handle = _FETCH.begin("fetch", {"tollbook.asset.id": None})
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle):
        with handle:
            result = wrapped(*args, **kwargs)
        handle.bytes(len(result))
    return result


class Parcels(Integration):
    library = _LIBRARY
    wrappers: ClassVar = {_LIBRARY: {"Depot.fetch": _fetch, "Depot.gone": _fetch}}


@pytest.fixture
def depot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lenient: None) -> Iterator[Any]:
    (tmp_path / f"{_LIBRARY}.py").write_text(_SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    Parcels().instrument()
    try:
        assert _LIBRARY not in sys.modules, "instrumenting does not import the library"
        import parcels_of_a_test  # type: ignore[import-not-found]

        yield parcels_of_a_test.Depot()
    finally:
        Parcels().uninstrument()
        sys.modules.pop(_LIBRARY, None)


def test_a_library_is_wrapped_when_it_is_imported_and_unwrapped_again(depot: Any, captured: testing.Captured) -> None:
    assert depot.fetch("abc") == b"abc"
    assert dict(captured.attributes("fetch")) | {"tollbook.cpu.time": 0} == {
        "tollbook.kind": "handoff",
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": "depot",
        "tollbook.handoff.size": 3,
        "tollbook.cpu.time": 0,
    }
    assert captured.named("fetch").kind is SpanKind.CLIENT
    Parcels().uninstrument()
    depot.fetch("abc")
    Parcels().instrument()
    depot.fetch("abc")
    assert captured.names == ["fetch", "fetch"]


def test_a_name_that_a_version_lacks_is_left_out_and_counted(depot: Any) -> None:
    assert shield.faults == {f"instrument {_LIBRARY}.Depot.gone": 1}


def test_a_span_of_another_instrumentation_is_told_what_it_lacks(depot: Any, captured: testing.Captured) -> None:
    tracer = captured.provider.get_tracer("somebody.parcels")
    with tracer.start_as_current_span("GET parcel"):
        depot.fetch("abcd")
    assert captured.names == ["GET parcel"]
    assert captured.attributes("GET parcel")["tollbook.handoff.size"] == 4
    with captured.provider.get_tracer("somebody.else").start_as_current_span("GET parcel"):
        assert not isinstance(_FETCH.begin("fetch"), Joined)


def test_suppressed_instrumentation_makes_no_span(depot: Any, captured: testing.Captured) -> None:
    with suppress_instrumentation():
        assert depot.fetch("abc") == b"abc"
    assert captured.names == []


def test_a_library_that_is_not_installed_says_so() -> None:
    class Missing(Integration):
        library = "no_such_library_anywhere"
        wrappers: ClassVar = {}

    with pytest.raises(ModuleNotFoundError, match="no_such_library_anywhere is not installed"):
        Missing().instrument(raise_exception_on_conflict=True)
