"""Repeated work, scaffolding and stale inputs, with what they cost."""

from decimal import Decimal
from typing import Any

from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span, chat

NOON_NS = int(NOON.timestamp()) * S
HOST = {A.HOST_ID: "h", A.HOST_TYPE: "box"}


def found(store: Store, kind: str) -> list[dict[str, Any]]:
    """Findings of a kind."""
    return store.query("SELECT * FROM findings WHERE kind = {kind:String} ORDER BY subject, cost_usd", {"kind": kind})


def handoff(trace: int, span: int, parent: int, operation: str, at_s: int, seconds: int = 1, **more: Any) -> Span:
    """A handoff that uses the CPU all the time."""
    name = more.pop("name", operation)
    attributes = {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: operation, A.TOLLBOOK_CPU_TIME: seconds * S, **more}
    return Span(trace, span, parent, name=name, start_ns=at_s * S, duration_ns=seconds * S, resource=HOST, attributes=attributes)


def test_the_same_question_asked_again_could_be_saved(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    asked = {A.TOLLBOOK_CONTENT_DIGEST: "q1"}
    other = {A.TOLLBOOK_CONTENT_DIGEST: "q2"}
    intake.spans([
        Span(9, 1, start_ns=0, duration_ns=100 * S, resource=HOST, kind="client"),
        handoff(1, 1, 0, "lookup", 0, 2, **asked),
        handoff(2, 1, 0, "lookup", 10, 3, **asked),
        handoff(3, 1, 0, "lookup", 20, 4, **asked),
        handoff(4, 1, 0, "lookup", 30, 5, **other),
    ])  # fmt: skip
    settle(store)
    [finding] = found(store, "repeated_lookup")
    assert (finding["subject"], finding["count"], finding["duration_ns"], finding["saving_ns"]) == ("lookup", 3, 9 * S, 7 * S)
    assert (finding["cost_usd"], finding["saving_usd"]) == (Decimal("0.009"), Decimal("0.007"))
    assert finding["detail"] == "3 times, of which 2 asked what had been asked before."


def test_three_lookups_of_one_name_under_one_parent_are_one_too_many(store: Store, intake: Intake) -> None:
    intake.spans([handoff(1, span, 1, "lookup", span) for span in (2, 3, 4)] + [handoff(2, s, 1, "lookup", s) for s in (2, 3)])
    settle(store)
    [finding] = found(store, "repeated_lookup")
    assert (finding["count"], finding["saving_ns"]) == (3, 2 * S)


def test_content_copied_again_is_a_duplicate_with_all_that_hangs_on_it(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    same = {A.TOLLBOOK_CONTENT_DIGEST: "c1", A.TOLLBOOK_HANDOFF_SIZE: 1_000}
    intake.spans([
        handoff(1, 1, 0, "copy", 0, **same),
        handoff(1, 2, 1, "write", 0, **same),
        handoff(2, 1, 0, "copy", 5, **same),
        handoff(2, 2, 1, "transform", 5, 1),
        handoff(3, 1, 0, "copy", 9, **{**same, A.TOLLBOOK_CONTENT_DIGEST: "c2"}),
    ])  # fmt: skip
    settle(store)
    [finding] = found(store, "duplicate_copy")
    assert (finding["subject"], finding["count"], finding["bytes"], finding["saving_ns"]) == ("copy", 2, 2_000, S)
    assert finding["saving_usd"] == Decimal("0.001")
    assert "(1000.00 B)" in finding["detail"]


def test_the_same_input_to_the_same_model_is_computed_again(store: Store, intake: Intake) -> None:
    digest = {A.TOLLBOOK_KIND: "inference", A.TOLLBOOK_INFERENCE_INPUT_DIGEST: "i1"}
    wrapper = {**digest, A.GEN_AI_REQUEST_MODEL: "gpt-4o"}
    intake.spans([
        Span(1, 1, attributes=wrapper),
        chat(1, 2, 1, input=1_000, attributes=digest),
        chat(2, 1, input=2_000, start_ns=9 * S, attributes=digest),
        chat(3, 1, input=4_000, start_ns=9 * S, model="gpt-4o-mini", attributes=digest),
    ])  # fmt: skip
    settle(store)
    [finding] = found(store, "repeated_inference")
    assert (finding["subject"], finding["count"], finding["cost_usd"]) == ("gpt-4o", 2, Decimal("0.0075"))
    assert (finding["saving_usd"], finding["saving_ns"]) == (Decimal("0.005"), S)


def test_scaffolding_is_summed_by_operation_and_class(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([
        Span(9, 1, start_ns=0, duration_ns=100 * S, resource=HOST, kind="client"),
        handoff(1, 1, 0, "copy", 0, 4, **{A.TOLLBOOK_HANDOFF_SIZE: 10}),
        handoff(1, 2, 1, "copy", 1, 2, **{A.TOLLBOOK_HANDOFF_SIZE: 10}),
        handoff(1, 3, 0, "read", 10, 1, **{A.TOLLBOOK_SCAFFOLDING_CLASS: "sync"}),
        handoff(1, 4, 0, "lookup", 20, 1, **{A.TOLLBOOK_SCAFFOLDING_CLASS: "useful"}),
        handoff(1, 5, 0, "read", 30, 1),
    ])  # fmt: skip
    settle(store)
    columns = ("subject", "scaffolding_class", "count", "duration_ns", "bytes", "cost_usd", "saving_usd")
    assert [tuple(row[column] for column in columns) for row in found(store, "scaffolding")] == [
        ("copy", "copy", 2, 4 * S, 20, Decimal("0.004"), Decimal(0)),
        ("read", "sync", 1, S, 0, Decimal("0.001"), Decimal(0)),
    ]


def test_an_inference_on_data_with_a_newer_version_is_stale(store: Store, intake: Intake) -> None:
    def version(trace: int, span: int, at_s: int, event_ns: int, **more: Any) -> Span:
        return handoff(trace, span, 0, "read", at_s, **{A.TOLLBOOK_ASSET_ID: "a", A.TOLLBOOK_ASSET_EVENT_TIME: event_ns, **more})

    def inference(trace: int, at_s: int) -> Span:
        return Span(trace, 9, start_ns=at_s * S, attributes={A.TOLLBOOK_KIND: "inference", A.GEN_AI_REQUEST_MODEL: "m"})

    synced = {A.TOLLBOOK_ASSET_SYNCED_AT: NOON_NS - 3_600 * S}
    intake.spans([
        version(1, 1, 0, NOON_NS - 50 * S), inference(1, 2),
        version(2, 1, 10, NOON_NS - 10 * S), inference(2, 12),
        version(3, 1, 20, NOON_NS - 50 * S), inference(3, 22),
        version(4, 1, 30, NOON_NS - 10 * S, **synced), inference(4, 32),
    ])  # fmt: skip
    settle(store)
    [finding] = found(store, "stale_input")
    assert (finding["subject"], finding["count"]) == ("m", 2)
    assert finding["detail"] == (
        "2 inferences: 1 inputs had a newer version, 1 came from a copy last synced over an hour before."
    )
