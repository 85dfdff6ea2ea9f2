"""Others' instrumentations are loaded when the program imports what they instrument, in whatever order that happens."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tollbook import integrations

_METADATA = """Metadata-Version: 2.4
Name: crates-instrumentation
Version: 1
Requires-Dist: packaging
Requires-Dist: crates-of-a-test>=1; extra == "instruments"
"""
_INSTRUMENTOR = """
import crates_of_a_test
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

class CratesInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ("crates-of-a-test >= 1",)
    def _instrument(self, **kwargs):
        crates_of_a_test.seen = True
    def _uninstrument(self, **kwargs):
        crates_of_a_test.seen = False
"""


def distribution(folder: Path, name: str, version: str, **files: str) -> None:
    """Something installed, as pip leaves it."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    for file, text in {"METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n", **files}.items():
        (info / file).write_text(text)


@pytest.fixture
def crates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "crates_of_a_test").mkdir()
    (tmp_path / "crates_of_a_test" / "__init__.py").write_text("seen = False\n")
    (tmp_path / "crates_instrumentation.py").write_text(_INSTRUMENTOR)
    points = "[opentelemetry_instrumentor]\ncrates = crates_instrumentation:CratesInstrumentor\n"
    distribution(tmp_path, "crates-instrumentation", "1", METADATA=_METADATA, **{"entry_points.txt": points})
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(integrations, "_status", {})
    importlib.invalidate_caches()
    yield tmp_path
    for name in ("crates_of_a_test", "crates_instrumentation"):
        sys.modules.pop(name, None)


def installed(crates: Path, version: str = "1.5") -> None:
    distribution(
        crates, "crates-of-a-test", version, RECORD="crates_of_a_test/__init__.py,,\ncrates_of_a_test/sub/__init__.py,,\n"
    )
    importlib.invalidate_caches()


def seen() -> integrations.Seen:
    (found,) = (found for found in integrations.status() if found.name == "crates")
    return found


def test_an_instrumentation_of_others_waits_for_its_library(crates: Path) -> None:
    installed(crates)
    assert integrations.auto(only=["crates"]) == ["crates"]
    assert "crates_instrumentation" not in sys.modules
    import crates_of_a_test  # type: ignore[import-not-found]

    assert crates_of_a_test.seen
    assert seen() == integrations.Seen("crates", True, "")


def test_it_waits_no_longer_where_the_program_imports_it_itself(crates: Path) -> None:
    installed(crates)
    integrations.auto(only=["crates"])
    import crates_instrumentation  # type: ignore[import-not-found]  # which imports the library before it is complete

    assert crates_instrumentation.crates_of_a_test.seen


def test_a_library_that_is_there_already_is_instrumented_at_once(crates: Path) -> None:
    installed(crates)
    import crates_of_a_test

    integrations.auto(only=["crates"])
    assert crates_of_a_test.seen


def test_what_is_not_installed_or_too_old_is_said(crates: Path) -> None:
    integrations.auto(only=["crates"])
    assert seen() == integrations.Seen("crates", False, "crates-of-a-test is not installed")
    installed(crates, "0.9")
    integrations.auto(only=["crates"], at_once=True)
    assert seen() == integrations.Seen("crates", False, "needs crates-of-a-test >= 1, found crates-of-a-test 0.9")


def test_a_fault_of_others_is_said_and_stops_no_import(crates: Path) -> None:
    installed(crates)
    text = _INSTRUMENTOR.replace("crates_of_a_test.seen = True", "raise TypeError('no argument of that name')")
    (crates / "crates_instrumentation.py").write_text(text)
    integrations.auto(only=["crates"])
    import crates_of_a_test

    assert not crates_of_a_test.seen
    assert seen() == integrations.Seen("crates", False, "failed: TypeError: no argument of that name")
