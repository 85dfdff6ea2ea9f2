"""Usage files as tables for a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import RenderableType

from tollbook_ui import units, unsettled
from tollbook_ui.show import escape, listed
from tollbook_ui.usage.figures import Import, Imported
from tollbook_ui.usage.mapping import KNOWN_NAMES, TARGETS, option


def taken(found: Sequence[Imported]) -> Iterable[RenderableType]:
    """What came of files."""
    for file in found:
        if file.export:
            yield escape(f"{file.file} is {file.export}")
        yield escape(_line(file))
        if file.replaced:
            said = "taken back for it" if file.stored else "would be taken back for it"
            yield f"{units.counted(len(file.replaced), 'earlier import')} {said}: {', '.join(map(str, file.replaced))}"
        if file.differing_rows:
            yield (
                f"{units.counted(file.differing_rows, 'row')} of these say otherwise than what is stored of the same request_id: "
                "that stays. Where these are right, take the earlier file back (tollbook import list, tollbook import undo ID), "
                "then import this one again"
            )
        yield from map(escape, file.warnings)
        if not file.stored:
            yield from _looked_at(file)
    if hours := sum(file.hours for file in found):
        yield unsettled.next_step(hours)


def imports(found: Sequence[Import]) -> Iterable[RenderableType]:
    """Files that were taken."""
    if not found:
        yield "No file of usage was taken yet. Start with: tollbook import usage FILE --dry-run"
        return
    yield listed(
        f"{units.count(len(found))} files of usage",
        ("id", "=taken (UTC)", "file", ">rows", ">new calls", "=from (UTC)", "=to (UTC)", "mapping"),
        (
            (
                str(file.import_id),
                f"{file.imported_at:%Y-%m-%d %H:%M}",
                file.file,
                units.count(file.rows),
                units.count(file.new_calls),
                f"{file.first_call:%Y-%m-%d %H:%M}",
                f"{file.last_call:%Y-%m-%d %H:%M}",
                f"--map {option(file.columns)}" + (f" --set {option(file.constants)}" if file.constants else ""),
            )
            for file in found
        ),
    )


def taken_back(found: Import) -> Iterable[RenderableType]:
    """What was taken back."""
    yield escape(f"{found.file}: {units.counted(found.new_calls, 'call')} taken back")
    yield "Calls that later files had too are gone with them: import those files again"
    yield unsettled.NEXT


def targets() -> Iterable[RenderableType]:
    """What a column can be."""
    yield listed(
        "What a column of a usage file can be",
        ("target", "columns known by these names"),
        ((target, ", ".join(KNOWN_NAMES.get(target, ()))) for target in TARGETS),
    )


def _line(file: Imported) -> str:
    if not file.rows:
        return f"{file.file}: no rows"
    span = (
        f"{units.counted(file.rows, 'call')} from {file.first_call:%Y-%m-%d %H:%M:%S} to {file.last_call:%Y-%m-%d %H:%M:%S} UTC"
    )
    if not file.stored:
        return f"{file.file}: {span}; all rows can be read, nothing was taken"
    if "calls" in file.columns or "calls" in file.constants:
        return f"{file.file}: {span.replace('call', 'row', 1)}, which stand for calls; {file.new_calls:,} of these are new"
    known = file.rows - file.new_calls
    return f"{file.file}: {span}; {file.new_calls:,} new" + (f", {known:,} known already" if known else "")


def _looked_at(file: Imported) -> Iterable[RenderableType]:
    given = [(target, column, "") for target, column in file.columns.items()]
    given += [(target, "", value) for target, value in file.constants.items()]
    yield listed("Mapping", ("what", "column", "for every row"), given)
    yield f"Times: {escape(file.times)}"
    yield listed(
        "Models",
        ("provider", "model", ">rows", ">input tokens", ">output tokens", ">cost", "=from (UTC)", "=to (UTC)", "price"),
        (
            (
                model.provider,
                model.model,
                units.count(model.rows),
                "" if model.input_tokens is None else units.count(model.input_tokens),
                "" if model.output_tokens is None else units.count(model.output_tokens),
                "" if model.cost is None else f"{model.cost.normalize():f}",
                f"{model.first_call:%Y-%m-%d %H:%M}",
                f"{model.last_call:%Y-%m-%d %H:%M}",
                model.price,
            )
            for model in file.models
        ),
    )
    names = list(dict.fromkeys(name for row in file.first_rows for name in row.fields if name != "timestamp"))
    rows: list[Sequence[str]] = [
        (str(row.row), f"{row.start_time:%Y-%m-%d %H:%M:%S.%f}", *(row.fields.get(name, "") for name in names))
        for row in file.first_rows
    ]
    yield listed("First rows", (">row", "=time (UTC)", *names), rows)
