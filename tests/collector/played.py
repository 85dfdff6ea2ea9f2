"""Time and disks that tests play."""

from tollbook_collector.disk import RealDisk


class PlayedClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_ns = 1_795_325_799_000_000_000
        self.passed_s = 0.0

    def time_ns(self) -> int:
        return self.now_ns

    def monotonic(self) -> float:
        return self.passed_s

    def go_on(self, seconds: float) -> None:
        self.passed_s += seconds
        self.now_ns += int(seconds * 1e9)


class FaultyDisk(RealDisk):
    """A disk whose next syncs fail as said."""

    def __init__(self) -> None:
        self.sync_failures: list[OSError] = []

    def sync(self, handle: int) -> None:
        if self.sync_failures:
            raise self.sync_failures.pop(0)
        super().sync(handle)
