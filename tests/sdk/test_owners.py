"""Owner keys: from a label or a request to every span below, and on to other services."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import tollbook
from opentelemetry import baggage
from opentelemetry.context import attach, detach, get_current
from opentelemetry.trace import SpanKind
from tollbook.testing import Captured


def test_a_label_reaches_every_span_inside_whoever_makes_it(captured: Captured) -> None:
    tracer = captured.provider.get_tracer("other")
    owners = tollbook.label(team="search", feature="ranking", customer="acme", project="p", environment="test")
    with owners, tracer.start_as_current_span("foreign"), tollbook.handoff("read"):
        pass
    with tracer.start_as_current_span("after"):
        pass
    said = {
        "tollbook.team": "search",
        "tollbook.feature": "ranking",
        "tollbook.customer": "acme",
        "tollbook.project": "p",
        "deployment.environment.name": "test",
    }
    assert dict(captured.attributes("foreign")).items() >= said.items()
    assert dict(captured.attributes("read")).items() >= said.items()
    assert "tollbook.team" not in captured.attributes("after")


def test_the_inner_label_wins_and_the_outer_comes_back(captured: Captured) -> None:
    with tollbook.label(team="outer"):
        with tollbook.label(team="inner", feature="f"), tollbook.handoff("read"):
            pass
        with tollbook.handoff("write"):
            pass
    assert captured.attributes("read")["tollbook.team"] == "inner"
    assert captured.attributes("write")["tollbook.team"] == "outer"
    assert "tollbook.feature" not in captured.attributes("write")


def test_what_a_span_says_of_itself_wins_over_the_label(captured: Captured) -> None:
    tracer = captured.provider.get_tracer("other")
    with tollbook.label(team="label"), tracer.start_as_current_span("s", attributes={"tollbook.team": "own"}):
        pass
    assert captured.attributes("s")["tollbook.team"] == "own"


def test_a_workflow_named_up_the_line_is_not_renamed_by_a_function(captured: Captured) -> None:
    @tollbook.request
    def helper() -> None: ...

    with tollbook.label(workflow="intake"):
        helper()
    helper_span = captured.attributes("helper")
    assert helper_span["gen_ai.workflow.name"] == "intake"


def test_only_owner_keys_are_copied_out_of_the_baggage(captured: Captured) -> None:
    token = attach(baggage.set_baggage("api.key", "secret", get_current()))
    try:
        with tollbook.label(team="search"), tollbook.handoff("read"):
            pass
    finally:
        detach(token)
    assert "secret" not in captured.named("read").to_json()


def test_labels_follow_into_threads_that_copy_the_context(captured: Captured) -> None:
    def work() -> None:
        with tollbook.handoff("read"):
            pass

    with tollbook.label(team="search"), ThreadPoolExecutor(1) as pool:
        pool.submit(copy_context().run, work).result()
    assert captured.attributes("read")["tollbook.team"] == "search"
    bare = threading.Thread(target=work)
    bare.start()
    bare.join()
    assert "tollbook.team" not in captured.spans[-1].attributes


def test_trace_and_owners_cross_to_another_service(captured: Captured) -> None:
    with tollbook.request("intake", team="documents, etc.; ü", customer="acme"):
        headers = tollbook.inject({"accept": "text/plain"})
    assert headers["accept"] == "text/plain"

    with tollbook.extract({name.title(): value for name, value in headers.items()}), tollbook.request("serve"):
        pass
    caller, served = captured.named("intake"), captured.named("serve")
    assert served.context.trace_id == caller.context.trace_id
    assert served.parent.span_id == caller.context.span_id
    assert served.kind is SpanKind.SERVER
    assert served.attributes["tollbook.team"] == "documents, etc.; ü"
    assert served.attributes["tollbook.customer"] == "acme"
    assert served.attributes["gen_ai.workflow.name"] == "serve"


def test_headers_may_be_the_byte_pairs_of_an_asgi_server(captured: Captured) -> None:
    with tollbook.request("intake"):
        headers = tollbook.inject()
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    with tollbook.extract(pairs), tollbook.handoff("read"):
        pass
    assert captured.named("read").parent.span_id == captured.named("intake").context.span_id


def test_a_server_span_that_is_there_already_stays_the_parent(captured: Captured) -> None:
    with tollbook.request("caller", team="search"):
        headers = tollbook.inject()
    server = captured.provider.get_tracer("web").start_as_current_span("GET /")
    with server, tollbook.extract(headers), tollbook.handoff("read"):
        pass
    assert captured.named("read").parent.span_id == captured.named("GET /").context.span_id
    assert captured.attributes("read")["tollbook.team"] == "search"


def test_headers_without_a_trace_change_nothing(captured: Captured) -> None:
    with tollbook.extract({"host": "example.org"}), tollbook.handoff("read"):
        pass
    assert captured.named("read").parent is None
