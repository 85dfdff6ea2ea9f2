"""What must not leave the process does not: prompts and answers unless asked for, secrets, addresses and card numbers never.

It is done where spans are written, on our own thread, for spans of ours and of any other instrumentation. A value that recurs is
looked at once: what is written of it is kept. Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.counting import counts
from tollbook.secrecy import SECRET, cleaner
from tollbook.wire import Encoder, events, sized, utf8

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, Span

CONTENT_VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
MAX_TEXT: Final = 65_536
"""Characters of a value that are sent; content is cut there."""
_RULE: Final = "_tollbook_rule"
_ON: Final = frozenset(("true", "1", "yes", "on", "span_only", "event_only", "span_and_event"))

_CONTENT: Final = re.compile(
    r"gen_ai\.(?:prompt|completion|content|event)\b|gen_ai\.(?:input|output)\.messages|gen_ai\.retrieval\.(?:documents|query\.text)|gen_ai\.tool\.(?:message|call)\."
    r"|llm\.(?:input|output)_messages|llm\.(?:prompts|completions|prompt_template|function_call|tools)|(?:input|output)\.value$|embedding\.(?:text|embeddings|vector)"
    r"|retrieval\.documents|reranker\.(?:query|input_documents|output_documents)|tool\.parameters|traceloop\.(?:entity\.(?:input|output)|prompt\.template)"
    r"|ai\.(?:prompt|response\.(?:text|object|toolCalls|reasoning)|toolCall\.(?:args|result)|value|embedding|values)|(?:langfuse\.)?(?:observation|trace)\.(?:input|output)\b"
    r"|langfuse\.(?:observation|trace)\.(?:input|output)|mlflow\.span(?:Inputs|Outputs)|pydantic_ai\.all_messages|all_messages|final_result|tool_(?:arguments|response)"
    r"|model_request_parameters|request_data|response_data|http\.(?:request|response)\.body(?:$|\.content)|messaging\.message\.(?:body|payload)$|db\.query\.parameter"
)
_SECRET_NAME: Final = re.compile(
    r"authorization|cookie|passw(?:or)?d|secret|private[_.-]?key|credential|api[_.-]?key|x-amz-security-token|(?:access|auth|session|refresh)[_.-]?token(?!s)",
    re.IGNORECASE,
)
_CONTENT_MEMBERS: Final = frozenset(("content", "message", "body", "tool_calls", "prompt", "completion", "text", "role_content"))
"""Of events about a model's messages."""
_KEPT: Final = frozenset((
    A.TOLLBOOK_CONTENT_DIGEST, A.TOLLBOOK_INFERENCE_INPUT_DIGEST, A.TOLLBOOK_SCHEMA_FINGERPRINT, A.TOLLBOOK_MODEL_DIGEST,
    A.GEN_AI_RESPONSE_ID, A.GEN_AI_CONVERSATION_ID, A.TOLLBOOK_EVENT_ID, A.TOLLBOOK_ASSET_VERSION, *A.OWNER_KEYS,
    "user.id", "session.id",
))  # fmt: skip
"""Identities: what they name is said on purpose, and would be lost otherwise."""
_PROSE: Final = frozenset(("exception.message", "exception.stacktrace", "error.message"))


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds inside a route."""

    keeps: bool = True
    """Whether its spans are sent at all."""
    content: bool | None = None
    """Whether prompts and answers are sent; None as everywhere."""


Routes = Mapping[str, bool | Mapping[str, bool]]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What may leave the process."""

    content: bool = False
    """Prompts, answers and other content."""
    redacts: bool = True
    """Whether secrets, e-mail addresses and card numbers are taken out."""
    custom: tuple["str | re.Pattern[str]", ...] = ()
    """Further patterns to take out."""
    routes: Mapping[str, Rule] = field(default_factory=dict)
    """By path, such as `/chat` or `/admin/*`, or by name of a span."""

    @classmethod
    def of(
        cls,
        content: bool | None = None,
        redact: "bool | Iterable[str | re.Pattern[str]]" = True,
        routes: Routes | None = None,
    ) -> "Privacy":
        """By what `configure` is told, and the environment where it is told nothing."""
        if content is None:
            content = os.environ.get(CONTENT_VARIABLE, "").strip().lower() in _ON
        custom = () if isinstance(redact, bool) else tuple(redact)
        cleaner(custom)  # a pattern that is none is the caller's fault, now rather than later
        return cls(content, redact is not False, custom, {route: _rule(said) for route, said in (routes or {}).items()})


def _rule(said: bool | Mapping[str, bool]) -> Rule:
    if isinstance(said, bool):
        return Rule(keeps=said)
    unknown = said.keys() - {"content"}
    if unknown:
        raise ValueError(f"a route has no switch {', '.join(sorted(unknown))}: give true, false or a mapping with `content`")
    return Rule(content=said.get("content"))


def begin(routes: Mapping[str, Rule], span: "Span", parent_context: Context | None) -> None:
    """Note on a span that starts which route it is in: that of the span around it, else its own."""
    rule = getattr(get_current_span(parent_context), _RULE, None) or _found(routes, span)
    if rule is not None:
        setattr(span, _RULE, rule)
        setattr(span._attributes, _RULE, rule)  # of a span that has ended, the SDK hands on a copy with the same attributes


def _found(routes: Mapping[str, Rule], span: "Span") -> Rule | None:
    attributes: Mapping[str, Any] = span.attributes or {}
    named = [attributes.get(key) for key in ("http.route", "url.path", "http.target")]
    path = next((str(name).partition("?")[0] for name in named if name), None)
    names = [span.name, *([path] if path else []), span.name.partition(" ")[2]]
    return next((rule for route, rule in routes.items() if any(fnmatchcase(name, route) for name in names if name)), None)


def is_kept(span: Any) -> bool:
    """Whether the span's route is one whose spans are sent."""
    rule = _rule_of(span)
    return rule is None or rule.keeps


def _rule_of(span: Any) -> Rule | None:
    rule = getattr(getattr(span, "_attributes", None), _RULE, None)
    return rule if isinstance(rule, Rule) else None


class _Seen:
    """An event as it may be sent."""

    __slots__ = ("attributes", "dropped_attributes", "name", "timestamp")

    def __init__(self, event: Any, attributes: Mapping[str, Any]) -> None:
        self.name, self.timestamp = event.name, event.timestamp
        self.attributes, self.dropped_attributes = attributes, event.dropped_attributes


class DiscreetEncoder(Encoder):
    """Writes spans without what must not leave the process, and counts them."""

    def __init__(self, privacy: Privacy) -> None:
        super().__init__()
        self._privacy = privacy
        self._content = privacy.content
        self._kinds: dict[str, str] = {}
        nothing = str
        self._clean = cleaner(privacy.custom) if privacy.redacts else nothing
        self._clean_prose = cleaner(privacy.custom, prose=True) if privacy.redacts else nothing

    def span(self, span: "ReadableSpan") -> bytes:
        """One span, as a field of its scope."""
        counts.count(span, True)
        if self._privacy.routes:
            rule = _rule_of(span)
            self._content = self._privacy.content if rule is None or rule.content is None else rule.content
        return super().span(span)

    def _text(self, key: str, value: str) -> bytes:
        kind = self._kinds.get(key) or self._kind(key)
        if kind == "text":
            cleaned = self._clean(value)
            if cleaned == value and len(value) <= MAX_TEXT:
                return super()._text(key, value)
            written = self._plain(key, _cut(cleaned))
            self._remember(key, value, written)
            return written
        if kind == "kept":
            return super()._text(key, value)
        if kind == "content" and not self._content:
            return b""
        return self._plain(key, _cut(self._clean_prose(value)) if kind != "secret" else SECRET)

    def _other(self, key: str, value: Any) -> bytes:
        if isinstance(value, bool | int | float):
            return super()._other(key, value)
        cleaned = self._cleaned(key, value)
        return b"" if cleaned is None else super()._other(key, cleaned)

    def _name(self, name: str) -> bytes:
        cleaned = self._clean(name)
        written = super()._name(cleaned)
        if cleaned != name:
            self._names[name] = written
        return written

    def _described(self, span: "ReadableSpan") -> bytes:
        message = _cut(self._clean_prose(span.status.description or ""))
        return sized(b"\x7a", sized(b"\x12", utf8(message)) + bytes((0x18, span.status.status_code.value)))

    def _lists(self, span: "ReadableSpan") -> bytes:
        seen = [_Seen(event, self._of_event(event)) for event in span.events]
        return events(seen, span)

    def _of_event(self, event: Any) -> dict[str, Any]:
        about_model = event.name.startswith("gen_ai.")
        said: dict[str, Any] = {}
        for key, value in (event.attributes or {}).items():
            if about_model and not self._content and key.rpartition(".")[2] in _CONTENT_MEMBERS:
                continue
            cleaned = self._cleaned(key, value)
            if cleaned is not None:
                said[key] = cleaned
        return said

    def _cleaned(self, key: str, value: Any) -> Any:
        """A value as it may be sent; None if it may not."""
        kind = self._kinds.get(key) or self._kind(key)
        if kind == "kept" or isinstance(value, bool | int | float):
            return value
        if kind == "secret":
            return SECRET
        if kind == "content" and not self._content:
            return None
        return _walked(value, self._clean if kind == "text" else self._clean_prose, 0)

    def _kind(self, key: str) -> str:
        """Whether a key's values are content, prose, secrets, identities, or text of any other kind."""
        if key in _KEPT:
            kind = "kept"
        elif key in A.CONTENT_KEYS or _CONTENT.match(key):
            kind = "content"
        elif key in _PROSE:
            kind = "prose"
        else:
            kind = "secret" if _SECRET_NAME.search(key) else "text"
        if len(self._kinds) < 4096:
            self._kinds[key] = kind
        return kind


def _walked(value: Any, clean: Any, depth: int) -> Any:
    """The same value with all its text clean."""
    if isinstance(value, str):
        return _cut(clean(value))
    if isinstance(value, bytes) or depth > 24:
        return value if depth <= 24 else "…"
    if isinstance(value, Mapping):
        return {
            clean(str(key)): SECRET
            if isinstance(item, str) and _SECRET_NAME.search(str(key))
            else _walked(item, clean, depth + 1)
            for key, item in value.items()
        }
    return tuple(_walked(item, clean, depth + 1) for item in value) if isinstance(value, Sequence) else value


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… [{len(text) - MAX_TEXT} characters cut]"
