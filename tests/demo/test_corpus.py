"""The files that the demo takes in."""

from pathlib import Path

import pytest
from tollbook_ui.demo import corpus
from tollbook_ui.demo.corpus import Root

TEXT = "A sentence that is long enough to be worth a look. " * 40  # 2,040 bytes


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(chosen: list[tuple[Root, Path]]) -> list[str]:
    return [path.name for _, path in chosen]


def test_this_machine_has_files_to_take_in() -> None:
    chosen = corpus.select(20, corpus.roots())
    assert len(chosen) == 20
    assert len({path.suffix for _, path in chosen}) >= 5


def test_the_same_files_are_chosen_at_every_run() -> None:
    assert corpus.select(20, corpus.roots()) == corpus.select(20, corpus.roots())


def test_types_take_turns(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"{number}.txt", f"{number} {TEXT}")
    write(tmp_path / "one.md", f"markdown {TEXT}")
    suffixes = [path.suffix for _, path in corpus.select(4, [Root("python", tmp_path)])]
    assert suffixes == [".txt", ".md", ".txt", ".txt"]


def test_roots_take_turns(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        for number in range(2):
            write(tmp_path / folder / f"{folder}{number}.txt", f"{folder} {number} {TEXT}")
    chosen = corpus.select(4, [Root("python", tmp_path / "a"), Root("share", tmp_path / "b")])
    assert [root.name for root, _ in chosen] == ["python", "share", "python", "share"]


def test_files_too_small_or_too_large_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "small.txt", "x" * 1023)
    write(tmp_path / "large.txt", "x" * (256 * 1024 + 1))
    write(tmp_path / "fits.txt", TEXT)
    assert names(corpus.select(9, [Root("python", tmp_path)])) == ["fits.txt"]


def test_files_that_look_the_same_to_the_model_count_once(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", f"{TEXT}{TEXT}")
    write(tmp_path / "b.txt", f"\n\n{TEXT}{TEXT}  ")
    assert len(corpus.select(9, [Root("python", tmp_path)])) == 1


def test_links_and_installed_packages_are_left_out(tmp_path: Path) -> None:
    target = write(tmp_path / "real.txt", TEXT)
    (tmp_path / "link.txt").symlink_to(target)
    write(tmp_path / "site-packages" / "installed.txt", f"installed {TEXT}")
    assert names(corpus.select(9, [Root("python", tmp_path)])) == ["real.txt"]


def test_a_machine_without_files_is_an_error_that_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(corpus.NoFilesError, match="no file of 1024 to 262144 bytes below"):
        corpus.select(9, [Root("python", tmp_path)])
