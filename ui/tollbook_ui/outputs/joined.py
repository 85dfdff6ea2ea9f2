"""The join of outputs and records by their ids. Pure."""

from collections import Counter

from tollbook_ui.outputs.figures import Outputs, Reconciled, Record, Records
from tollbook_ui.periods import BadQuestionError


def reconciled(outputs: Outputs, records: Records) -> Reconciled:
    """Which outputs no record has the id of, and which records no output has. Ids are the same if each character is.

    Raises:
        BadQuestionError: there is no output, or what passes for the column's name is the id of one.
    """
    known = Counter[str]()
    for row in outputs.rows:
        known[row.id] += row.told
    if not known:
        raise BadQuestionError(
            f"no AI output from {outputs.period.since:%Y-%m-%d %H:%M} to {outputs.period.until:%Y-%m-%d %H:%M} UTC has an id by "
            f"{outputs.by} ({outputs.without_id:,} have none): choose with --from and --to, and with --by"
        )
    if records.column in known:
        raise BadQuestionError(
            f"{records.file} begins with the id of an output, not with the names of its columns: give --no-header"
        )
    stored = Counter(record.id for record in records.rows)
    orphans = {record.id: record for record in reversed(records.rows) if record.id not in known}
    return Reconciled(
        period=outputs.period,
        by=outputs.by,
        file=records.file,
        column=records.column,
        outputs=len(known),
        records=len(stored),
        matched=len(known.keys() & stored.keys()),
        repeated_outputs=sum(times > 1 for times in known.values()),
        repeated_records=sum(times > 1 for times in stored.values()),
        outputs_without_id=outputs.without_id,
        records_without_id=records.without_id,
        orphan_outputs=tuple(row for row in outputs.rows if row.id not in stored),
        orphan_records=tuple(sorted(orphans.values(), key=_line)),
        unsettled_hours=outputs.unsettled_hours,
    )


def _line(record: Record) -> int:
    return record.line
