"""Bodies seen before: known for a time and up to a number, also by the next collector, whatever became of the last."""

import errno
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tollbook_collector.disk import RealDisk
from tollbook_collector.seen import Seen

from tests.collector.played import PlayedClock


def digests(first: int, last: int) -> bytes:
    return b"".join(sha256(str(number).encode()).digest() for number in range(first, last))


def known(seen: Seen, first: int, last: int) -> int:
    return sum(sha256(str(number).encode()).digest() in seen for number in range(first, last))


def opened(folder: Path, clock: PlayedClock, bodies: int = 8000) -> Seen:
    return Seen(folder, 800, bodies, RealDisk(), clock)


def test_what_was_added_is_known_and_nothing_else(tmp_path: Path) -> None:
    seen = opened(tmp_path, PlayedClock())
    seen.add(digests(0, 500))
    assert known(seen, 0, 500) == 500
    assert known(seen, 500, 2000) == 0


def test_a_body_is_known_for_its_time_and_not_much_longer(tmp_path: Path) -> None:
    clock = PlayedClock()
    seen = opened(tmp_path, clock)
    seen.add(digests(0, 10))
    for second in range(1, 800, 100):
        clock.go_on(100)
        seen.add(digests(second * 1000, second * 1000 + 1))
    assert known(seen, 0, 10) == 10
    clock.go_on(200)
    assert known(seen, 0, 10) == 0


def test_the_number_of_bodies_is_bounded_and_the_newest_are_known(tmp_path: Path) -> None:
    seen = opened(tmp_path, PlayedClock(), bodies=800)
    for first in range(0, 10_000, 50):
        seen.add(digests(first, first + 50))
        seen.keep(digests(first, first + 50))
    assert 700 <= known(seen, 0, 10_000) <= 900
    assert known(seen, 9_500, 10_000) == 500
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 900 * 16


def test_the_next_collector_knows_what_was_loaded(tmp_path: Path) -> None:
    clock = PlayedClock()
    seen = opened(tmp_path, clock)
    for first in range(0, 5000, 100):
        seen.add(digests(first, first + 100))
        seen.keep(digests(first, first + 100))
    seen = opened(tmp_path, clock)
    assert known(seen, 0, 5000) == 5000
    clock.go_on(801)
    assert known(seen, 0, 5000) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_log_whose_end_was_never_written_costs_nothing_before_it_and_nothing_after(tmp_path: Path) -> None:
    clock = PlayedClock()
    for cut in range(1, 20):
        seen = opened(tmp_path, clock)
        seen.keep(digests(cut * 100, cut * 100 + 10))
        newest = max(tmp_path.iterdir())
        newest.write_bytes(newest.read_bytes()[:-cut])
    seen = opened(tmp_path, clock)
    assert [known(seen, cut * 100, cut * 100 + 10) for cut in range(1, 20)] == [9] * 16 + [8] * 3


def test_a_write_that_fails_in_the_middle_ends_its_log(tmp_path: Path) -> None:
    class Full(RealDisk):
        def write(self, handle: int, parts: Sequence[bytes]) -> None:
            if full:
                super().write(handle, [b"".join(parts)[:5]])
                raise OSError(errno.ENOSPC, "No space left on device")
            super().write(handle, parts)

    full = False
    seen = Seen(tmp_path, 800, 8000, Full(), PlayedClock())
    seen.keep(digests(0, 10))
    full = True
    seen.keep(digests(10, 20))
    full = False
    seen.keep(digests(20, 30))
    seen = opened(tmp_path, PlayedClock())
    assert [known(seen, 0, 10), known(seen, 10, 20), known(seen, 20, 30)] == [10, 0, 10]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "x.seen").write_text("hello")
    opened(tmp_path, PlayedClock()).add(digests(0, 5))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "x.seen"]
