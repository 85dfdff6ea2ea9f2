"""What requests in progress may take of this process: how many there are, how much memory they hold, how many are large."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from tollbook_collector import bodies
from tollbook_collector.errors import TooLargeError, UnavailableError
from tollbook_collector.settings import Settings

LARGE_BYTES = 1024 * 1024
"""Bodies beyond this are decompressed and checked in a thread, so that they do not hold up the others: about 2 ms of work."""

SMALL_BYTES = 64 * 1024
"""Compressed bodies up to this are tried at once, where they stay below LARGE_BYTES."""

SWELLING_AT_A_TIME = 2
"""Large bodies decompressed at a time: what they take meanwhile is not counted, and 100 may come at once."""


NO_THREAD = "can't start new thread"
"""What Python says where the system lets it have no more of them."""


class Intake:
    """Room for requests, shared by both transports. Used in one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.requests = 0
        """Requests whose body has arrived and whose answer has not gone."""
        self.bytes_held = 0
        """Bytes of bodies in memory, arriving or in work."""
        self.swelling = asyncio.Semaphore(SWELLING_AT_A_TIME)
        self.large = {"protobuf": asyncio.Semaphore(1), "json": asyncio.Semaphore(1)}
        """For checking a large body: it grows tenfold as objects, and two at a time would not be done sooner."""

    @contextmanager
    def request(self) -> Iterator["Held"]:
        """A request in progress; what it holds is given back at the end.

        Raises:
            UnavailableError: memory, files or threads ran out meanwhile. Any other answer would lose the data.
        """
        held = Held(self, self._settings)
        try:
            yield held
        except (MemoryError, OSError) as error:
            raise UnavailableError(f"this collector is short of something: {error or 'memory'}", retry_after_s=5) from error
        except RuntimeError as error:
            if NO_THREAD not in str(error):
                raise
            raise UnavailableError("this collector may start no more threads", retry_after_s=5) from error
        finally:
            self.bytes_held -= held.bytes_held
            self.requests -= held.arrived


class Held:
    """What one request holds."""

    def __init__(self, intake: Intake, settings: Settings) -> None:
        self._intake = intake
        self._settings = settings
        self.bytes_held = 0
        self.arrived = False

    def expect(self, content_length: str) -> None:
        """Refuses by its header a body that is too large, before it comes."""
        if content_length.isdecimal():
            self._check_size(int(content_length[:20]))

    def add(self, size_bytes: int) -> None:
        """Counts bytes of a body as they come.

        Raises:
            TooLargeError: the body is larger than any may be.
            UnavailableError: all requests together hold too much already.
        """
        self._check_size(self.bytes_held + size_bytes)
        self._count(size_bytes)

    async def content(self, coding: str, body: bytes) -> bytes:
        """The content of a body that has arrived whole.

        Raises:
            BadRequestError, TooLargeError, UnsupportedMediaTypeError: as `bodies.decompressed`.
            UnavailableError: too many are in work already, or hold too much.
        """
        if self._intake.requests >= self._settings.max_requests:
            raise UnavailableError(f"too many requests at a time: {self._intake.requests} are in work")
        self.arrived = True
        self._intake.requests += 1
        if coding in bodies.PLAIN:
            return body
        content = await self._decompressed(coding, body)
        self._count(len(content))
        return content

    async def _decompressed(self, coding: str, body: bytes) -> bytes:
        max_bytes = self._settings.max_body_bytes
        if len(body) <= SMALL_BYTES:
            try:
                return bodies.decompressed(coding, body, min(LARGE_BYTES, max_bytes))
            except TooLargeError:
                pass  # for this thread
        async with self._intake.swelling:
            return await asyncio.to_thread(bodies.decompressed, coding, body, max_bytes)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._settings.max_body_bytes:
            raise TooLargeError(f"the body is larger than {self._settings.max_body_bytes} bytes")

    def _count(self, size_bytes: int) -> None:
        held_bytes = self._intake.bytes_held
        if held_bytes + size_bytes > self._settings.max_in_flight_bytes:
            raise UnavailableError(f"too many requests at a time: {held_bytes} bytes of them in memory")
        self._intake.bytes_held += size_bytes
        self.bytes_held += size_bytes
