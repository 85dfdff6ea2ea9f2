"""A small week of work as OpenTelemetry spans and metrics: in-process, remote, chats, and names that mean harm."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812

from tests.attribution.facts import MS, NOON, Intake, Point, S, Span, chat

HOURS = 3_600 * S
DAY_NS = 24 * HOURS
HOSTILE = '<script>alert("tollbook")</script>'
HOST = {A.HOST_ID: "h1", A.HOST_NAME: "lab-1", A.HOST_TYPE: "box"}


def fill(intake: Intake, at: datetime = NOON) -> None:
    """Stores and settles the sample; its times count from `at`, the start of an hour."""
    set_rate(intake.store, "box", "0.36", 2)
    noon_ns = int(at.timestamp()) * S
    requests = [span for number in range(1, 7) for span in _intake(number, noon_ns, remote=number > 3)]
    intake.spans([*requests, *_chats(), *_hostile(noon_ns)], at)
    intake.points(list(_processor()), at)
    settle(intake.store)


def today() -> datetime:
    """A full hour not long ago."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)


def _intake(number: int, noon_ns: int, remote: bool) -> Iterator[Span]:
    """One document: a copy read, the same lookup three times, a classification in-process or behind HTTP, an index write."""
    workflow = "intake-remote" if remote else "intake"
    start = number * 10 * S
    owned = {A.TOLLBOOK_TEAM: "search", A.GEN_AI_WORKFLOW_NAME: workflow}

    def span(span: int, parent: int, name: str, begin_ms: int, long_ms: int, **values: Any) -> Span:
        attributes = {**owned, A.TOLLBOOK_CPU_TIME: long_ms * MS // 2, **values.pop("attributes", {})}
        more = {"service": "intake", "resource": HOST, **values}
        return Span(number, number * 100 + span, parent, name, start + begin_ms * MS, long_ms * MS, attributes=attributes, **more)

    root = number * 100 + 1
    yield span(1, 0, "intake document", 0, 100 if remote else 60, attributes={A.TOLLBOOK_KIND: "request"})
    yield span(2, root, "read staging", 1, 10, attributes=_handoff("copy", "copy", 50_000) | _asset(number, noon_ns))
    for turn in range(3):
        yield span(3 + turn, root, "lookup catalog", 12 + 4 * turn, 3, attributes=_handoff("lookup", "lookup", 100))
    parent = root
    if remote:
        yield span(6, root, "POST /classify", 25, 60, kind="client", attributes=_handoff("call", "glue", 51_000))
        yield span(7, number * 100 + 6, "serve /classify", 30, 50, kind="server", service="model-server")
        parent = number * 100 + 7
    model = {A.TOLLBOOK_KIND: "inference", A.GEN_AI_REQUEST_MODEL: "magika", A.GEN_AI_OPERATION_NAME: "classification"}
    where = {A.TOLLBOOK_INFERENCE_LOCATION: "remote" if remote else "in_process", A.TOLLBOOK_SCAFFOLDING_CLASS: "useful"}
    service = "model-server" if remote else "intake"
    yield span(8, parent, "classify magika", 32, 20, service=service, attributes=model | where)


def _handoff(operation: str, scaffolding: str, size: int) -> dict[str, Any]:
    return {
        A.TOLLBOOK_KIND: "handoff",
        A.TOLLBOOK_HANDOFF_OPERATION: operation,
        A.TOLLBOOK_SCAFFOLDING_CLASS: scaffolding,
        A.TOLLBOOK_HANDOFF_SIZE: size,
    }


def _asset(number: int, noon_ns: int) -> dict[str, Any]:
    return {A.TOLLBOOK_ASSET_ID: f"file:///staging/{number}.txt", A.TOLLBOOK_ASSET_EVENT_TIME: noon_ns - number * DAY_NS}


def _chats() -> Iterator[Span]:
    """One chat with a stand-in, one with a real provider, one with a model that nobody prices."""
    said = {A.TOLLBOOK_TEAM: "support", A.GEN_AI_WORKFLOW_NAME: "support-chat"}
    simulated = said | {A.TOLLBOOK_SIMULATED: True}
    yield chat(20, 2001, input=1000, output=200, start_ns=100 * S, duration_ns=800 * MS, attributes=simulated)
    yield chat(21, 2101, input=1000, output=200, start_ns=110 * S, duration_ns=900 * MS, attributes=said)
    yield chat(22, 2201, model="house-model-9", provider="house", input=10, output=5, start_ns=120 * S, duration_ns=S)


def _hostile(noon_ns: int) -> Iterator[Span]:
    """Names that would be markup if anybody forgot to escape them."""
    owned = {A.TOLLBOOK_TEAM: HOSTILE, A.GEN_AI_WORKFLOW_NAME: HOSTILE}
    yield Span(
        30, 3001, 0, HOSTILE, 130 * S, 50 * MS, service=HOSTILE, error=True, attributes=owned | {A.TOLLBOOK_KIND: "request"}
    )
    read = owned | _handoff("read", "glue", 10) | _asset(1, noon_ns) | {A.TOLLBOOK_ASSET_ID: HOSTILE}
    yield Span(30, 3002, 3001, HOSTILE, 131 * S, 5 * MS, service=HOSTILE, attributes=read)
    yield chat(30, 3003, 3001, model=HOSTILE, input=1, start_ns=131 * S + 10 * MS, duration_ns=5 * MS, attributes=owned)


def _processor() -> Iterator[Point]:
    """CPU time of the service, told every ten seconds; a fifth of one core of two."""
    for tick in range(13):
        time_ns = tick * 10 * S
        yield Point("process.cpu.time", 2.0 * tick, time_ns, cumulative=True, resource=HOST, service="intake")
        yield Point("system.cpu.logical.count", 2, time_ns, resource=HOST, service="intake")
