"""A small hour of work with amounts that can be worked out by hand: gpt-4o costs $2.50 per million tokens in, $10 out."""

from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812

from tests.attribution.facts import MS, NOON, Intake, S, Span, chat

HOUR_NS = 3_600 * S
NOON_NS = int(NOON.timestamp()) * S
BOX = {A.HOST_ID: "h1", A.HOST_TYPE: "box"}

ANSWER = f"{1:032x}"
"""A request with a priced call: 1000 x $0.0000025 + 500 x $0.00001 = $0.0075, an input one hour old, and CPU time."""

STAND_IN = f"{2:032x}"
"""A request whose call a stand-in answered: 100 x $0.0000025 + 10 x $0.00001 = $0.00035, simulated."""

UNPRICED = f"{3:032x}"
"""A request whose model nobody prices, and that names no owner."""

LOCAL, REMOTE = f"{4:032x}", f"{5:032x}"
"""The same model in the service's own process, and in another service behind a call."""


def fill(intake: Intake) -> None:
    """Stores the hour, without settling it."""
    set_rate(intake.store, "box", "0.36", 2)
    intake.spans([*_answer(), *_stand_in(), *_unpriced(), *_classified()])


def fill_and_settle(intake: Intake) -> None:
    """Stores and settles the hour."""
    fill(intake)
    settle(intake.store)


def _answer() -> list[Span]:
    owned = {A.TOLLBOOK_TEAM: "search", A.GEN_AI_WORKFLOW_NAME: "answers"}
    used = {A.TOLLBOOK_CPU_TIME: 50 * MS, A.TOLLBOOK_KIND: "request"}
    read = {
        A.TOLLBOOK_KIND: "handoff",
        A.TOLLBOOK_HANDOFF_OPERATION: "read",
        A.TOLLBOOK_HANDOFF_SIZE: 2048,
        A.TOLLBOOK_SCAFFOLDING_CLASS: "copy",
        A.TOLLBOOK_ASSET_ID: "s3://corpus/a",
        A.TOLLBOOK_ASSET_EVENT_TIME: NOON_NS + 20 * MS - HOUR_NS,
    }
    return [
        Span(1, 11, 0, "answer", 0, 200 * MS, service="api", resource=BOX, attributes=owned | used),
        Span(1, 12, 11, "read corpus", 5 * MS, 10 * MS, service="api", resource=BOX, attributes=owned | read),
        chat(
            1,
            13,
            11,
            input=1000,
            output=500,
            start_ns=20 * MS,
            duration_ns=150 * MS,
            service="api",
            resource=BOX,
            attributes=owned,
        ),
    ]


def _stand_in() -> list[Span]:
    owned = {A.TOLLBOOK_TEAM: "search", A.GEN_AI_WORKFLOW_NAME: "chats", A.TOLLBOOK_SIMULATED: True}
    return [chat(2, 21, input=100, output=10, start_ns=S, duration_ns=80 * MS, service="api", attributes=owned)]


def _unpriced() -> list[Span]:
    return [chat(3, 31, model="house-model-9", provider="house", input=10, output=5, start_ns=2 * S, duration_ns=S)]


def _classified() -> list[Span]:
    owned = {A.TOLLBOOK_TEAM: "intake"}
    model = {A.TOLLBOOK_KIND: "inference", A.GEN_AI_REQUEST_MODEL: "magika", A.TOLLBOOK_INFERENCE_LOCATION: "in_process"}
    local, remote = owned | {A.GEN_AI_WORKFLOW_NAME: "local"}, owned | {A.GEN_AI_WORKFLOW_NAME: "remote"}
    call = {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "call", A.TOLLBOOK_HANDOFF_SIZE: 4096}
    return [
        Span(4, 41, 0, "classify", 3 * S, 10 * MS, service="intake", attributes=local | {A.TOLLBOOK_KIND: "request"}),
        Span(4, 42, 41, "magika", 3 * S + MS, 8 * MS, service="intake", attributes=local | model),
        Span(5, 51, 0, "classify", 4 * S, 30 * MS, service="intake", attributes=remote | {A.TOLLBOOK_KIND: "request"}),
        Span(5, 52, 51, "POST /classify", 4 * S + MS, 25 * MS, kind="client", service="intake", attributes=remote | call),
        Span(5, 53, 52, "magika", 4 * S + 5 * MS, 8 * MS, service="models", attributes=remote | model),
    ]
