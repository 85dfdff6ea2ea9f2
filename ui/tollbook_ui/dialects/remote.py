"""How calls are told, asked of a running server: the same methods as `Dialects`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from tollbook_ui.dialects.figures import Normalization

Answer = TypeVar("Answer")


class Get(Protocol):
    """Asks the server."""

    def __call__(self, kind: type[Answer], path: str, asked: Mapping[str, Any] | None = None) -> Answer:
        """The answer."""


class RemoteDialects:
    """As `Dialects`."""

    def __init__(self, get: Get) -> None:
        self._get = get

    def normalization(self, since: datetime | None = None, until: datetime | None = None) -> Normalization:
        """As `Dialects.normalization`."""
        times = {"since": since and since.isoformat(), "until": until and until.isoformat()}
        return self._get(Normalization, "/dialects", times)
