"""The demo's folder: emptied where it is the demo's, untouched where it is not."""

import re
from pathlib import Path

import pytest
from tollbook_ui import locate
from tollbook_ui.demo import folder


def test_it_lies_beside_the_real_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(locate, "default_data", lambda: tmp_path / "tollbook")
    assert folder.default() == tmp_path / "tollbook-demo"


def test_a_second_run_finds_nothing_of_the_first(tmp_path: Path) -> None:
    folder.prepare(tmp_path / "demo")
    (tmp_path / "demo" / "files" / "left.txt").write_text("over")
    folder.prepare(tmp_path / "demo")
    assert sorted(path.name for path in (tmp_path / "demo").rglob("*")) == ["DEMO", "files", "logs", "report"]


def test_a_folder_with_something_else_in_it_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(folder.FolderError, match="holds something that is not the demo's"):
        folder.prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    folder.prepare(tmp_path / "demo")
    with (
        locate.Claim(tmp_path / "demo", "tollbook up"),
        pytest.raises(folder.FolderError, match=re.escape("is in use by process")),
    ):
        folder.prepare(tmp_path / "demo")
