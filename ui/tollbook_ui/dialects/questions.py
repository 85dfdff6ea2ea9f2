"""Questions about how calls are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tollbook_schema import dialects, sql
from tollbook_schema.store import Reads

from tollbook_ui.dialects.figures import Normalization, Use

EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 1, 1, tzinfo=UTC))
HOUR = timedelta(hours=1)


class Dialects:
    """Answers about the table of dialects and what was settled with it."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    def normalization(self, since: datetime | None = None, until: datetime | None = None) -> Normalization:
        """What the calls of a period came to; without one, of the hours from the first to the last with another table."""
        version = dialects.load().version
        counted = self._hours(version, since or EVER[0], until or EVER[1])
        if since is None and until is None:
            if not counted["outdated_hours"]:
                return Normalization(version, None, None, 0, 0, ())
            since = counted["first_outdated"].replace(tzinfo=UTC)
            until = counted["last_outdated"].replace(tzinfo=UTC) + HOUR
            counted = self._hours(version, since, until)
        bound = {"since": since or EVER[0], "until": until or EVER[1]}
        rows = tuple(Use(**row) for row in self._reads.query(_text("uses"), bound))
        return Normalization(version, since, until, counted["hours"], counted["outdated_hours"], rows)

    def outdated_hours(self) -> int:
        """Hours that were settled with another table than this release has."""
        return int(self._hours(dialects.load().version, *EVER)["outdated_hours"])

    def _hours(self, version: str, since: datetime, until: datetime) -> dict[str, Any]:
        return self._reads.query(_text("hours"), {"version": version, "since": since, "until": until})[0]


def _text(name: str) -> str:
    return sql.text("tollbook_ui", f"dialects/queries/{name}.sql")
