"""How old the data was that an inference used."""

from datetime import timedelta
from typing import Any

from tollbook_attribution import settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span

NOON_NS = int(NOON.timestamp()) * S
ROWS = "SELECT asset_id, asset_version, age_ns, event_time, synced_at, toString(via) AS via FROM lineage ORDER BY asset_id"


def read(span: int, asset: str, start_ns: int, event_ns: int | None = None, **more: Any) -> Span:
    """A handoff that reads an asset for a second."""
    attributes = {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "read", A.TOLLBOOK_ASSET_ID: asset, **more}
    if event_ns is not None:
        attributes[A.TOLLBOOK_ASSET_EVENT_TIME] = event_ns
    return Span(1, span, 1, start_ns=start_ns, attributes=attributes)


def infer(span: int, start_ns: int, **more: Any) -> Span:
    """An inference."""
    return Span(1, span, 1, start_ns=start_ns, attributes={A.TOLLBOOK_KIND: "inference", **more})


def test_an_inference_used_what_its_trace_had_read_before(store: Store, intake: Intake) -> None:
    intake.spans([
        Span(1, 1, duration_ns=20 * S),
        read(2, "a", 0, NOON_NS - 3_600 * S, **{A.TOLLBOOK_ASSET_VERSION: "v7", A.TOLLBOOK_ASSET_SYNCED_AT: NOON_NS - S}),
        read(3, "b", 1 * S),
        read(4, "too late", 9 * S, NOON_NS),
        infer(5, 10 * S - 1),
    ])  # fmt: skip
    settle(store)
    rows = store.query(ROWS)
    assert [(row["asset_id"], row["asset_version"], row["age_ns"], row["via"]) for row in rows] == [
        ("a", "v7", 3_610 * S - 1, "trace"),
        ("b", "", None, "trace"),
    ]
    assert rows[0]["event_time"].replace(tzinfo=NOON.tzinfo) == NOON - timedelta(hours=1)
    assert rows[0]["synced_at"].replace(tzinfo=NOON.tzinfo) == NOON - timedelta(seconds=1)
    assert rows[1]["event_time"] is None
    assert store.query("SELECT input_age_ns FROM requests") == [{"input_age_ns": 3_610 * S - 1}]


def test_what_the_inference_names_itself_comes_first(store: Store, intake: Intake) -> None:
    named = {A.TOLLBOOK_INPUT_ASSET_IDS: ["a", "elsewhere"]}
    intake.spans([Span(1, 1), read(2, "a", 0, NOON_NS), read(3, "b", 0, NOON_NS), infer(4, 5 * S, **named)])
    settle(store)
    assert [(row["asset_id"], row["age_ns"], row["via"]) for row in store.query(ROWS)] == [
        ("a", 5 * S, "span"),
        ("elsewhere", None, "span"),
    ]


def test_one_named_asset_has_the_age_that_is_stamped(store: Store, intake: Intake) -> None:
    stamp = {A.TOLLBOOK_INPUT_ASSET_IDS: ["a"], A.TOLLBOOK_INPUT_EVENT_TIME_OLDEST: NOON_NS - 60 * S}
    intake.spans([infer(4, 0, **stamp)])
    settle(store)
    assert [(row["age_ns"], row["via"]) for row in store.query(ROWS)] == [(60 * S, "span")]


def test_the_last_reading_of_an_asset_decides(store: Store, intake: Intake) -> None:
    intake.spans([read(2, "a", 0, NOON_NS - 100 * S), read(3, "a", 2 * S, NOON_NS - 10 * S), infer(4, 5 * S)])
    settle(store)
    assert [row["age_ns"] for row in store.query(ROWS)] == [15 * S]


def test_what_was_written_is_no_input(store: Store, intake: Intake) -> None:
    intake.spans([read(2, "a", 0, NOON_NS, **{A.TOLLBOOK_HANDOFF_OPERATION: "write"}), infer(4, 5 * S)])
    settle(store)
    assert store.query(ROWS) == []


def test_a_wrapper_and_the_model_in_it_use_the_data_once(store: Store, intake: Intake) -> None:
    inner = Span(1, 5, 4, start_ns=5 * S, attributes={A.TOLLBOOK_KIND: "inference"})
    intake.spans([read(2, "a", 0, NOON_NS), infer(4, 5 * S), inner])
    settle(store)
    assert len(store.query(ROWS)) == 1
