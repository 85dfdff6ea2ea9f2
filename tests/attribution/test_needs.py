"""Steps that an hour has no work for are left out, and nothing of what is derived shows it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import pytest
from tollbook_attribution import engine, needs, set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Point, S, Span, chat
from tests.dialects.test_told_elsewhere import COUNTS, DETAILS, TOLD, log

HOST = {A.HOST_ID: "h", A.HOST_TYPE: "box"}
HELD = {A.HW_ID: "gpu-1", A.HW_MODEL: "H100"}
TABLES = """
SELECT table AS name FROM system.columns
WHERE database = currentDatabase() AND endsWith(table, '_settled') AND system.columns.name = 'settlement'
"""
ROWS = """
SELECT * EXCEPT settlement FROM {table}
WHERE (tenant, window, settlement) IN (SELECT tenant, window, max(settlement) FROM settlements GROUP BY tenant, window)
ORDER BY ALL
"""
LOOKED_AT = ("edges_settled", "long_spans_settled")
"""They say when they looked, too."""


def a_call(intake: Intake, at: datetime) -> None:
    intake.spans([chat(1, 1, input=1_000)], at)


def machines(intake: Intake, at: datetime) -> None:
    intake.spans([
        Span(2, 9, duration_ns=30 * S, resource=HOST, attributes={A.TOLLBOOK_KIND: "request", A.TOLLBOOK_TEAM: "red"}),
        Span(2, 3, 9, duration_ns=S, resource=HOST, attributes={A.TOLLBOOK_CPU_TIME: S}),
    ], at)  # fmt: skip


def data(intake: Intake, at: datetime) -> None:
    kept = {A.TOLLBOOK_ASSET_ID: "corpus", "tollbook.storage.class": "s3-standard", A.TOLLBOOK_HANDOFF_SIZE: 10**9}
    digest = {A.TOLLBOOK_INFERENCE_INPUT_DIGEST: "d"}
    looks = {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "lookup"}
    intake.spans([
        Span(3, 1, attributes={**looks, **kept, A.TOLLBOOK_HANDOFF_OPERATION: "write", A.TOLLBOOK_HANDOFF_NETWORK: "internet"}),
        Span(3, 2, start_ns=2 * S, attributes={A.TOLLBOOK_ASSET_ID: "corpus", A.TOLLBOOK_HANDOFF_OPERATION: "read"}),
        *(chat(3, span, start_ns=span * S, input=100, attributes={A.TOLLBOOK_KIND: "inference", **digest}) for span in (5, 7)),
        *(Span(3, span, 1, "look", attributes=looks) for span in range(10, 14)),
    ], at)  # fmt: skip


def records(intake: Intake, at: datetime) -> None:
    second = 10 + int((at - NOON).total_seconds())
    intake._load("logs", log("told", TOLD | COUNTS, event=DETAILS, trace=4, span=1, second=second))
    intake.spans([Span(4, 1, service="told")], at)


def nothing_but_metrics(intake: Intake, at: datetime) -> None:
    intake.points([Point("process.cpu.time", each, each * S, cumulative=True, resource=HOST) for each in (1, 20)], at)


def sent_twice(intake: Intake, at: datetime) -> None:
    for _ in range(2):
        intake.spans([chat(5, 1, input=1_000)], at)
    intake.spans([chat(5, 2, 1, input=1_000, scope="another", attributes={A.TOLLBOOK_TEAM: "blue"})], at)


def accelerators(intake: Intake, at: datetime) -> None:
    intake.points([Point("hw.gpu.utilization", 0.5, each * S, attributes=HELD, resource=HOST) for each in (1, 20)], at)
    held = HELD | {A.TOLLBOOK_KIND: "inference", A.TOLLBOOK_INFERENCE_LOCATION: "in_process"}
    intake.spans([chat(6, 1, input=10, duration_ns=10 * S, resource=HOST, attributes=held)], at)


def services(intake: Intake, at: datetime) -> None:
    intake.spans([Span(7, 1, attributes={"tollbook.service.name": "search", "tollbook.service.cost": "0.01"})], at)


def over_the_edge(intake: Intake, at: datetime) -> None:
    intake.spans([
        chat(8, 1, scope="framework", input=700, start_ns=3_595 * S, duration_ns=20 * S),
        chat(8, 2, 1, scope="sdk", input=700, start_ns=3_605 * S, duration_ns=5 * S),
    ], at)  # fmt: skip


def over_the_hour(intake: Intake, at: datetime) -> None:
    """A machine and an accelerator are used in the next hour too, by nothing that began in it."""
    held = HELD | {A.TOLLBOOK_KIND: "inference", A.TOLLBOOK_TEAM: "red"}
    intake.spans([Span(9, 1, start_ns=1_800 * S, duration_ns=3_600 * S, resource=HOST, attributes=held)], at)


def the_last_hour_of_the_day(intake: Intake, at: datetime) -> None:
    """Where storage is booked."""
    data(intake, at.replace(hour=20))
    a_call(intake, at.replace(hour=23))


def a_call_and_machines(intake: Intake, at: datetime) -> None:
    a_call(intake, at)
    machines(intake, at)


def data_and_records(intake: Intake, at: datetime) -> None:
    data(intake, at)
    records(intake, at)


Kind = Callable[[Intake, datetime], None]
FEW: tuple[Kind, ...] = (a_call_and_machines, data_and_records)
MORE: tuple[Kind, ...] = (
    a_call,
    machines,
    data,
    records,
    sent_twice,
    accelerators,
    services,
    nothing_but_metrics,
    over_the_edge,
    over_the_hour,
    the_last_hour_of_the_day,
)


@pytest.mark.parametrize("kinds", [FEW, pytest.param(MORE, marks=pytest.mark.long)])
def test_leaving_steps_out_changes_nothing(
    store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch, kinds: tuple[Kind, ...]
) -> None:
    """Each kind of facts has an hour of its own, so that each leaves out what the others need."""
    set_rate(store, "box", "3.60", 1)
    for number, kind in enumerate(kinds):
        kind(intake, NOON + timedelta(hours=2 * number))
    has_work, left_out = needs.Holdings.has_work, set[str]()

    def noted(holdings: needs.Holdings, step: str) -> bool:
        work = has_work(holdings, step)
        left_out.update(() if work else (step,))
        return work

    monkeypatch.setattr(needs.Holdings, "has_work", noted)
    settle(store, since=NOON)
    found = derived(store)
    assert sum(map(bool, found.values())) > 9
    assert len(left_out) > 50
    monkeypatch.setattr(needs.Holdings, "has_work", lambda holdings, step: True)
    settle(store, since=NOON)
    assert derived(store) == found


def test_the_words_of_headers_are_known() -> None:
    """A word is a work table, or one that the question finds what an hour holds."""
    words = {word for step in engine.steps() for line in needs.words_of(step) for word in line}
    package = resources.files("tollbook_attribution")
    asked = "".join((package / "queries" / f"holds{name}.sql").read_text() for name in ("", "_at_the_end_of_the_day"))
    tables = "".join(file.read_text() for file in (package / "work").iterdir())
    unknown = {word for word in words if f"EXISTS {word} " not in tables and f"'{word}'" not in asked}
    assert unknown == set()
    assert len(words) > 30


def derived(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All rows of the settlements in force, but for their numbers and the moments of looking."""
    names = [row["name"] for row in store.query(TABLES)]
    rows = {name: store.query(ROWS.format(table=name)) for name in names}
    for row in (row for name in LOOKED_AT for row in rows[name]):
        del row["looked_at"]
    return rows
