"""What leaves the process: no content unless it is asked for, no secrets, addresses or card numbers ever, and ids as they are."""

import json
import re
import string
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode
from tollbook import secrecy
from tollbook.processor import TollbookSpanProcessor
from tollbook.redaction import MAX_TEXT, Privacy
from tollbook.secrecy import cleaner

from tests.sdk.receiver import Receiver, values

LETTERS = string.ascii_letters + string.digits
ALPHABETS = {"U": string.ascii_uppercase + "234567", "H": "0123456789abcdef", "D": string.digits}
FORMATS = {
    "OpenAI": "sk-proj-{64}", "OpenAI, old": "sk-{48}", "Anthropic": "sk-ant-api03-{93}", "AWS id": "AKIA{16U}",
    "AWS, for a while": "ASIA{16U}", "Google": "AIza{35}", "Google OAuth": "ya29.{60}", "Google client": "GOCSPX-{28}",
    "GitHub": "ghp_{36}", "GitHub app": "ghs_{36}", "GitHub, fine": "github_pat_{22}_{59}", "GitLab": "glpat-{20}",
    "GitLab runner": "glrt-{20}", "Slack bot": "xoxb-{12D}-{12D}-{24}",
    "Slack hook": "https://hooks.slack.com/services/T{8U}/B{8U}/{24}", "Slack app": "xapp-1-A{10U}-{13D}-{64H}",
    "Stripe": "sk_live_{24}", "Stripe hook": "whsec_{32}", "Twilio": "SK{32H}", "SendGrid": "SG.{22}.{43}",
    "Mailgun": "key-{32H}", "Mailchimp": "{32H}-us12", "npm": "npm_{36}", "PyPI": "pypi-AgEIcHlwaS5vcmc{70}",
    "Hugging Face": "hf_{34}", "Groq": "gsk_{52}", "xAI": "xai-{80}", "Replicate": "r8_{37}", "Perplexity": "pplx-{48}",
    "NVIDIA": "nvapi-{64}", "DigitalOcean": "dop_v1_{64H}", "Databricks": "dapi{32H}", "Vault": "hvs.{90}",
    "Shopify": "shpat_{32H}", "Square": "sq0atp-{22}", "Linear": "lin_api_{40}", "Notion": "secret_{43}", "Figma": "figd_{40}",
    "Postman": "PMAK-{24H}-{34H}", "New Relic": "NRAK-{27U}", "Grafana": "glsa_{32}_{8H}", "Sentry": "sntrys_{60}",
    "Doppler": "dp.pt.{43}", "Pinecone": "pcsk_{60}", "LangSmith": "lsv2_pt_{32H}_{10H}",
    "Langfuse": "sk-lf-{8H}-{4H}-{4H}-{4H}-{12H}", "Tavily": "tvly-{32}", "Supabase": "sbp_{40H}",
    "PlanetScale": "pscale_tkn_{43}", "Atlassian": "ATATT3{180}", "age": "AGE-SECRET-KEY-1{58U}", "Bedrock": "ABSK{110}",
    "Alibaba": "LTAI{20}", "Azure client": "abc8Q~{34}", "Telegram": "{9D}:AA{33}", "Docker": "dckr_pat_{27}",
    "Terraform": "{14}.atlasv1.{67}", "bearer": "Authorization: Bearer {40}", "basic": "authorization: basic {24}==",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJ{40}.{43}", "password": 'password="{12}"', "in JSON": '{{"api_key": "{30}"}}',
    "in an environment": "AWS_SECRET_ACCESS_KEY={40}", "database": "postgres://app:{16}@db:5432/x",
    "Redis": "redis://:{20}@cache:6379/0", "Azure storage": "AccountName=x;AccountKey={86}==",
    "signed URL": "https://x.blob.net/a?sv=2024&sig={44}", "AWS, signed": "https://b.s3.amazonaws.com/k?X-Amz-Signature={64H}",
    "query": "https://api.example.com/v1?key={32}&q=1", "cookie": "Cookie: {30}",
    "PEM": "-----BEGIN RSA PRIVATE KEY-----\n{64}\n{64}\n-----END RSA PRIVATE KEY-----",
    "OpenSSH": "-----BEGIN OPENSSH PRIVATE KEY-----\n{70}\n{70}\n",
}  # fmt: skip


def made(template: str, random: Random) -> tuple[str, list[str]]:
    """A key of that form, and the random parts of it."""
    text, parts = "", []
    for literal, size, _, _ in string.Formatter().parse(template):
        text += literal
        if size:
            part = "".join(random.choice(ALPHABETS.get(size[-1], LETTERS)) for _ in range(int(size.rstrip("UHD"))))
            if len(part) >= 12:
                parts.append(part)
            text += part
    return text, parts


@pytest.mark.parametrize("prose", [False, True])
@pytest.mark.parametrize("issuer", FORMATS)
def test_no_part_of_a_secret_is_left(issuer: str, prose: bool) -> None:
    clean, random = cleaner(prose=prose), Random(issuer)
    for around in ("{}", "it failed with {} today", "url=https://h/p?x=1 then ({})", '["{}"]'):
        secret, parts = made(FORMATS[issuer], random)
        left = clean(around.replace("{}", secret))
        assert not [part for part in parts if part in left], left


@pytest.mark.parametrize(
    "text",
    [
        "gpt-4o-2024-08-06", "s3://corpus/2026/a.parquet", "chatcmpl-AbC123def456ghi789jkl012mno34",
        "0af7651916cd43dd8448eb211c80319c", "1795327200123456789", "file:///srv/docs/a%20b.pdf", "postgres:orders",
        "postgresql://db:5432/x", "max_tokens=4096 temperature=0.5", "SELECT id, token_count FROM messages WHERE id = 17",
        "sentence-transformers/all-MiniLM-L6-v2", "intake-6d4cf56db6-x7k2p", "re_ranker_with_a_long_name_v2",
        "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce", "2026-11-22T16:00:00.123456Z", "10.0.0.17:8080",
        "1234567890123", "arn:aws:s3:::bucket/key", "GET /v1/orders/4012888888881882", "tokens: 12 in, 40 out",
        "https://example.com/search?q=cats&page=2", "monkey=business keyboard: qwerty",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert cleaner()(text) == text


def test_addresses_cards_and_own_patterns_are_taken_out() -> None:
    text = "Ada <ada.l+x@example.co.uk> paid with 4111 1111 1111 1111, not 4111 1111 1111 1112; call +49 30 1234567 about T-4711"
    assert cleaner()(text) == text.replace("ada.l+x@example.co.uk", "[email]").replace("4111 1111 1111 1111", "[card]")
    left = cleaner(["phone", r"T-\d+"])(text)
    assert "1234567" not in left
    assert "T-4711" not in left
    assert "[redacted]" in left


@pytest.mark.parametrize("pattern", secrecy._formats())
def test_only_long_words_are_keys(pattern: str) -> None:
    shortest, _ = re._parser.parse(pattern).getwidth()  # type: ignore[attr-defined]
    assert shortest >= secrecy.LONG_WORD or secrecy._HAS_SPACE.search(pattern)


@pytest.mark.parametrize("space", [1, 40, 80])
def test_a_secret_far_inside_of_long_text_is_found(space: int) -> None:
    before, after = "the answer to 12 questions: as follows, x = y. " * 90, " and so on, in section 4.2: see there" * 90
    for told in (
        "password{}= hunter2xyz",
        "Bearer{}abc123def456ghi7",
        '"api_key"{}:"zzzzzzzzzz"',
        "a{}" + KEY,
        "1{}4111 1111 1111 1111",
    ):
        for prose in (False, True):
            cleaned = cleaner(prose=prose)(f"{before} {told.format(' ' * space)} {after}")
            assert cleaned.startswith(before)
            assert cleaned.endswith(after)
            assert re.search(r"hunter|abc123|zzzz|sk-ant|4111", cleaned) is None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


CANARY = "the canary sings at midnight"
KEY = "sk-ant-api03-" + "a1B2" * 20


def sent(receiver: Receiver, make: Any, **privacy: Any) -> dict[str, Span]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(TollbookSpanProcessor(receiver.endpoint, privacy=Privacy.of(**privacy)))
    try:
        make(provider.get_tracer("opentelemetry.instrumentation.other"))
        assert provider.force_flush()
    finally:
        provider.shutdown()
    return receiver.spans


def told(tracer: Any) -> None:
    """A span with content and secrets wherever one can be put, as other instrumentations make them."""
    attributes = {
        "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 3, "gen_ai.response.id": "chatcmpl-" + "Ab1" * 10,
        "gen_ai.input.messages": json.dumps([{"role": "user", "content": f"{CANARY} {KEY}"}]), "gen_ai.prompt.0.content": CANARY,
        "llm.input_messages.0.message.content": CANARY, "traceloop.entity.input": CANARY, "input.value": CANARY,
        "ai.prompt.messages": CANARY, "langfuse.observation.input": CANARY, "mlflow.spanInputs": CANARY,
        "gen_ai.tool.call.arguments": CANARY, "http.request.body.content": CANARY,
        "url.full": f"https://api.example.com/v1?key={KEY}", "http.request.header.authorization": ("Bearer x7" * 3,),
        "db.query.text": "SELECT 1 WHERE mail = 'bob@example.com'", "notes": (f"a {KEY}", "fine"), "user.id": "bob@example.com",
        "flag": True,
    }  # fmt: skip
    with tracer.start_as_current_span(f"call {KEY}", attributes=attributes) as span:
        span.add_event("gen_ai.user.message", {"content": CANARY, "role": "user"})
        span.add_event("gen_ai.choice", {"message": CANARY, "finish_reason": "stop"})
        span.add_event("exception", {"exception.message": f"401 for {KEY}", "exception.type": "AuthError"})
        span.set_status(Status(StatusCode.ERROR, f"AuthError: {KEY} of bob@example.com"))


def test_content_and_secrets_of_any_instrumentation_stay_here_by_default(receiver: Receiver) -> None:
    (span,) = sent(receiver, told).values()
    everything = b"".join(body.SerializeToString() for body in receiver.traces)
    assert CANARY.encode() not in everything
    assert KEY.encode() not in everything
    said = values(span.attributes)
    assert said == {
        "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 3, "gen_ai.response.id": "chatcmpl-" + "Ab1" * 10,
        "url.full": "https://api.example.com/v1?key=[secret]", "http.request.header.authorization": "[secret]",
        "db.query.text": "SELECT 1 WHERE mail = '[email]'", "notes": ["a [secret]", "fine"], "user.id": "bob@example.com",
        "flag": True, "tollbook.cpu.time": said["tollbook.cpu.time"],
    }  # fmt: skip
    assert span.status.message == "AuthError: [secret] of [email]"
    assert [values(event.attributes) for event in span.events] == [
        {"role": "user"}, {"finish_reason": "stop"}, {"exception.message": "401 for [secret]", "exception.type": "AuthError"},
    ]  # fmt: skip


def test_content_that_is_asked_for_is_sent_without_its_secrets(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    (span,) = sent(receiver, told).values()
    assert json.loads(values(span.attributes)["gen_ai.input.messages"])[0]["content"] == f"{CANARY} [secret]"
    assert values(span.events[0].attributes)["content"] == CANARY
    assert KEY.encode() not in b"".join(body.SerializeToString() for body in receiver.traces)


def test_a_route_may_have_content_or_none_at_all(receiver: Receiver) -> None:
    def serve(tracer: Any) -> None:
        for path in ("/health", "/chat", "/other"):
            served = tracer.start_as_current_span(f"GET {path}", kind=SpanKind.SERVER, attributes={"url.path": path})
            with served, tracer.start_as_current_span(f"inside {path}", attributes={"input.value": CANARY}):
                pass

    spans = sent(receiver, serve, routes={"/health": False, "/ch*": {"content": True}})
    assert set(spans) == {"GET /chat", "inside /chat", "GET /other", "inside /other"}
    assert values(spans["inside /chat"].attributes)["input.value"] == CANARY
    assert "input.value" not in values(spans["inside /other"].attributes)


def test_huge_text_is_cut_and_cyclic_or_odd_values_are_no_trouble(receiver: Receiver) -> None:
    def make(tracer: Any) -> None:
        tracer.start_span("s", attributes={"big": "x" * (MAX_TEXT + 5), "bytes": b"\xff", "half": "\ud800", "none": ()}).end()

    (span,) = sent(receiver, make).values()
    assert values(span.attributes)["big"] == "x" * MAX_TEXT + "… [5 characters cut]"


def test_switched_off_it_changes_nothing(receiver: Receiver) -> None:
    (span,) = sent(receiver, told, content=True, redact=False).values()
    assert KEY in values(span.attributes)["url.full"]
    assert KEY in span.status.message


@pytest.mark.parametrize("wrong", [{"redact": ["("]}, {"routes": {"/chat": {"contents": True}}}])
def test_a_wrong_setting_is_refused(wrong: Any) -> None:
    with pytest.raises(Exception, match=r"unterminated|no switch contents"):
        Privacy.of(**wrong)


def test_what_recurs_is_looked_at_once() -> None:
    from tollbook.redaction import DiscreetEncoder

    encoder, looked = DiscreetEncoder(Privacy()), []
    plain = encoder._clean
    encoder._clean = lambda text: looked.append(text) or plain(text)  # type: ignore[func-returns-value]
    provider = TracerProvider(shutdown_on_exit=False)
    for _ in range(50):
        span = provider.get_tracer("t").start_span(
            "work", attributes={"handoff.source": "staging", "peer": "mail bob@example.com"}
        )
        span.end()
        written = encoder.span(span)  # type: ignore[arg-type]
    assert sorted(looked) == ["mail bob@example.com", "staging", "work"]
    (span,) = ScopeSpans.FromString(written).spans
    assert values(span.attributes)["peer"] == "mail [email]"
