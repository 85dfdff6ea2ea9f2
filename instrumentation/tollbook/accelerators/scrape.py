"""A target's exposition over HTTP, read as a guest of it: no redirects, so many bytes, so much time; what fails is said once."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit

import requests
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.accelerators import exporters, prometheus
from tollbook.accelerators.readings import Sample

_log = logging.getLogger("tollbook")

MOST_BYTES: Final = 32 * 1024 * 1024
TIMEOUT_S: Final = 5.0
LONGEST_S: Final = 10.0
ACCEPT: Final = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8,*/*;q=0.1"
LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


class ScrapeError(Exception):
    """A target that could not be read, and why. It may be readable the next time."""


class Target:
    """An address that tells metrics, such as http://127.0.0.1:9400/metrics."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an address to scrape: {url}")
        self.url = parts._replace(path=parts.path or "/metrics").geturl()
        self.name = parts.netloc.rpartition("@")[2]
        self.is_local = parts.hostname in LOOPBACK
        self.bad_lines = 0
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy is for what is outside
        self._trouble = ""

    def read(self) -> list[Sample]:
        """What it tells at present; nothing, and one line in the log when that begins, while it cannot be read."""
        try:
            text = self._text()
        except ScrapeError as error:
            if not self._trouble:
                _log.warning("cannot scrape %s: %s; trying again each time", self.name, error)
            self._trouble = str(error)
            return []
        if self._trouble:
            _log.info("%s can be scraped again", self.name)
            self._trouble = ""
        scrape = prometheus.parse(text)
        if scrape.bad_lines and not self.bad_lines:
            _log.warning("%s: %d lines are no metrics, and are left out", self.name, scrape.bad_lines)
        self.bad_lines = scrape.bad_lines
        return [self._placed(sample) for sample in exporters.samples(scrape)]

    @property
    def trouble(self) -> str:
        """Why it could not be read the last time; empty where it could."""
        return self._trouble

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()

    def _placed(self, sample: Sample) -> Sample:
        """Where it is from: of a target on this machine we know that better than its labels do."""
        told = dict(sample.resource)
        if self.is_local:
            told.pop(A.HOST_NAME, None)
        if A.SERVICE_NAME in told:
            told[A.SERVICE_INSTANCE_ID] = self.name
            if not self.is_local:
                told[A.HOST_NAME] = urlsplit(self.url).hostname or ""
        return Sample(sample.name, sample.value, sample.attributes, told, sample.time_ns)

    def _text(self) -> str:
        try:
            response = self._session.get(
                self.url, timeout=TIMEOUT_S, allow_redirects=False, stream=True, headers={"Accept": ACCEPT}
            )
        except requests.RequestException as error:
            raise ScrapeError(type(error).__name__) from error
        with closing(response):
            if response.status_code != 200:
                raise ScrapeError(f"status {response.status_code}")
            return b"".join(_pieces(response)).decode("utf-8", "replace")


def _pieces(response: requests.Response) -> Iterator[bytes]:
    until, size = time.monotonic() + LONGEST_S, 0
    try:
        for piece in response.iter_content(65_536):
            size += len(piece)
            if size > MOST_BYTES:
                raise ScrapeError(f"more than {MOST_BYTES} bytes")
            if time.monotonic() > until:
                raise ScrapeError(f"longer than {LONGEST_S:.0f} s")
            yield piece
    except requests.RequestException as error:
        raise ScrapeError(type(error).__name__) from error
