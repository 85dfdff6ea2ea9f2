"""Keyed digests: equal for equal content, useless without the key, the same for all processes of an installation."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tollbook
from tollbook import digest
from tollbook.testing import Captured


@pytest.fixture(autouse=True)
def _own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv(digest.KEY_VARIABLE, raising=False)
    digest.key.cache_clear()
    yield
    digest.key.cache_clear()


def test_equal_content_has_an_equal_digest_and_other_content_another() -> None:
    assert digest.digest([b"page"]) == digest.digest(["page"]) == digest.digest([memoryview(b"page")])
    assert len(digest.digest([b"page"])) == 32
    assert digest.digest(["ab", "c"]) != digest.digest(["a", "bc"])


def test_without_the_key_the_content_cannot_be_guessed() -> None:
    mine = digest.digest([b"yes"])
    digest.key.cache_clear()
    (digest._data_folder() / "digest.key").unlink()
    assert digest.digest([b"yes"]) != mine
    assert mine != hashlib.blake2b(b"yes", digest_size=16).hexdigest()


def test_the_key_is_kept_for_the_user_alone(tmp_path: Path) -> None:
    digest.key()
    kept = tmp_path / "tollbook" / "digest.key"
    assert kept.read_bytes() == digest.key()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert list(kept.parent.iterdir()) == [kept]


def test_processes_that_start_at_once_agree_on_the_key() -> None:
    code = "from tollbook import digest; print(digest.key().hex())"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in started}) == 1


def test_machines_may_share_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(digest.KEY_VARIABLE, "our installation")
    assert digest.digest([b"page"]) == digest.digest([b"page"])
    assert digest.key() == hashlib.blake2b(b"our installation").digest()


def test_a_folder_that_cannot_be_written_gives_a_key_for_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    assert digest.digest([b"page"]) == digest.digest([b"page"])


def test_a_damaged_key_file_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "tollbook" / "digest.key"
    kept.parent.mkdir()
    kept.write_bytes(b"short")
    assert len(digest.key()) == 64
    assert kept.read_bytes() == b"short"


def test_a_handoff_notes_the_digest_of_what_it_hands_over(captured: Captured) -> None:
    for name in ("one", "two"):
        with tollbook.handoff("copy", name=name) as span:
            span.content(b"the same page")
    digests = {captured.attributes(name)["tollbook.content.digest"] for name in ("one", "two")}
    assert digests == {digest.digest([b"the same page"])}
    assert "the same page" not in captured.named("one").to_json()
