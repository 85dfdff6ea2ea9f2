"""What the demo asks of its own server, through the server's public doors."""

import http.client
import json
import re
import time
from urllib.parse import urlsplit

STORED_SECONDS = 30.0
"""How long the last spans may take from acknowledged to stored."""

SETTLE_SECONDS = 120.0

_OLDEST = re.compile(r"^\w*spool_oldest_seconds\S* (\S+)$", re.MULTILINE)


class OwnServerError(Exception):
    """The demo's server did not do what was asked of it."""


def wait_until_stored(url: str) -> None:
    """Return once everything acknowledged is in the store.

    Raises:
        OwnServerError: it is not, half a minute later.
    """
    deadline = time.monotonic() + STORED_SECONDS
    while oldest_unstored_seconds(url) > 0:
        if time.monotonic() > deadline:
            raise OwnServerError(f"the last spans are not stored after {STORED_SECONDS:.0f} s; see {url}/metrics")
        time.sleep(0.1)


def oldest_unstored_seconds(url: str) -> float:
    """Age of the oldest record that waits for the store; 0 where none does."""
    found = _OLDEST.search(_ask("GET", url, "/metrics", STORED_SECONDS))
    if found is None:
        raise OwnServerError(f"{url}/metrics does not say what waits for the store")
    return float(found[1])


def settle(url: str) -> None:
    """Settle all hours whose facts have changed.

    Raises:
        OwnServerError: the settlement failed.
    """
    _ask("POST", url, "/api/v1/settle", SETTLE_SECONDS, json.dumps({}))


def _ask(method: str, url: str, path: str, timeout_seconds: float, body: str | None = None) -> str:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout_seconds)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        said = response.read().decode()
    except OSError as error:
        raise OwnServerError(f"{url}{path} did not answer: {error}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise OwnServerError(f"{url}{path} answered {response.status}: {said[:500]}")
    return said
