"""Which AI outputs there were, asked of a store, or of a running server."""

from datetime import UTC, datetime
from typing import Any

from tollbook_schema import sql
from tollbook_schema.attributes import OWNER_COLUMNS
from tollbook_schema.store import Reads

from tollbook_ui import figures as f
from tollbook_ui import unsettled
from tollbook_ui.costs.remote import Get, asked
from tollbook_ui.outputs.figures import KINDS, Output, Outputs
from tollbook_ui.periods import BadQuestionError, whole_hours

MOST = 1_000_000
"""Outputs that are answered at once: some 300 MB as JSON."""


class AiOutputs:
    """Outputs that one asker may read."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    @unsettled.told
    def told(self, scope: f.Scope, by: str = "response") -> Outputs:
        """AI outputs of a period by their ids.

        Raises:
            BadQuestionError: they are not told by that, or there are more than `MOST`.
        """
        if by not in KINDS:
            raise BadQuestionError(f"outputs are told by {', '.join(KINDS)}, not by {by!r}")
        period = whole_hours(scope.since, scope.until, datetime.now(UTC))
        bound: dict[str, Any] = {"since": period.since, "until": period.until, "service": scope.service, "limit": MOST + 1}
        written = {"by": by} if by in ("asset", "digest") else {}
        query = sql.text("tollbook_ui", f"outputs/queries/{'written' if written else by}.sql")
        found = self._reads.query(query, {**bound, **written, **{key: getattr(scope, key) for key in OWNER_COLUMNS}})
        if len(found) > MOST:
            raise BadQuestionError(f"there are more than {MOST:,} outputs in the period: ask of a shorter one")
        rows = [Output(**{**row, "time": row["time"].replace(tzinfo=UTC)}) for row in found]
        return Outputs(period, by, sum(row.told for row in rows if not row.id), tuple(row for row in rows if row.id))


class RemoteOutputs:
    """The same of a running server."""

    def __init__(self, get: Get) -> None:
        self._get = get

    def told(self, scope: f.Scope, by: str = "response") -> Outputs:
        """As `AiOutputs.told`."""
        return self._get(Outputs, "/outputs", {**asked(scope), "by": by})
