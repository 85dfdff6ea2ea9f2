"""True calls, and the spans that SDKs, frameworks, agents and gateways tell of them: any nesting has the same total."""

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from tests.attribution.facts import MS, S, Span, chat

MODELS = {"gpt-4o": "gpt-4o-2024-08-06", "gpt-4o-mini": "gpt-4o-mini-2024-07-18"}
CALL_NS = 20 * S
GATEWAY_TRACES = 1_000


@dataclass(frozen=True)
class TrueCall:
    """What the provider did once."""

    model: str
    input: int
    output: int
    cached: int
    """Of the input, read from the cache."""


@dataclass(frozen=True)
class Told:
    """How the spans around one call tell of it."""

    call: TrueCall
    names_answer: bool
    wrappers: int
    """Frameworks around the SDK, one around the other."""
    between: int
    """Spans without usage under each wrapper."""
    gateway: str
    """'', 'below' in the same trace, or 'apart' in a trace of its own."""
    half: bool
    """The request has a span of its own before that of the stream."""
    inner: bool
    """The HTTP request is told as a call without usage below."""


@dataclass(frozen=True)
class Tree:
    """An agent that sums up what is below it."""

    parts: "list[Told | Tree]"
    sums: bool
    """Whether it tells of tokens, or is a span as any other."""
    lost: bool = False
    """Whether the span between it and its parts was lost."""


calls = st.builds(
    TrueCall,
    model=st.sampled_from(sorted(MODELS)),
    input=st.integers(1_000, 9_000),
    output=st.integers(1, 500),
    cached=st.sampled_from([0, 512]),
)


@st.composite
def told(draw: st.DrawFn) -> Told:
    """A call and the spans around it."""
    names_answer = draw(st.booleans())
    return Told(
        call=draw(calls),
        names_answer=names_answer,
        wrappers=draw(st.sampled_from([0, 0, 1, 2])),
        between=draw(st.sampled_from([0, 1])),
        gateway=draw(st.sampled_from(["", "below", "apart"] if names_answer else ["", "below"])),
        half=draw(st.booleans()),
        inner=draw(st.booleans()),
    )


parts = st.recursive(
    told(),
    lambda below: st.builds(Tree, parts=st.lists(below, min_size=1, max_size=4), sums=st.booleans(), lost=st.booleans()),
    max_leaves=8,
)


@dataclass
class Teller:
    """Makes spans of one trace, one call after the other."""

    trace: int
    spans: list[Span] = field(default_factory=list)
    now_ns: int = 0
    last_id: int = 0

    def tell(self, part: Told | Tree, parent: int = 0) -> list[TrueCall]:
        """Adds the spans of a part below a parent; returns its true calls."""
        return self._tree(part, parent) if isinstance(part, Tree) else [self._call(part, parent)]

    def _add(self, span: Span, duration_ns: int) -> int:
        self.last_id += 1
        self.spans.append(replace(span, trace=self.trace, span=self.last_id, start_ns=self.now_ns, duration_ns=duration_ns))
        return self.last_id

    def _tree(self, tree: Tree, parent: int) -> list[TrueCall]:
        place = len(self.spans)
        above = self._add(Span(0, 0, parent, name="agent", scope="framework"), S)
        self.last_id += tree.lost
        below = [call for part in tree.parts for call in self.tell(part, above + tree.lost)]
        if tree.sums:
            usage: dict[str, Any] = {"input": sum(call.input for call in below), "output": sum(call.output for call in below)}
            agent = chat(0, 0, parent, operation="invoke_agent", model=None, scope="framework", **usage)
            first = self.spans[place]
            self.spans[place] = replace(
                agent, trace=self.trace, span=above, start_ns=first.start_ns, duration_ns=self.now_ns - first.start_ns
            )
        return below

    def _call(self, told: Told, parent: int) -> TrueCall:
        call, answer = told.call, f"answer-{self.trace}-{self.last_id}"
        usage: dict[str, Any] = {"model": call.model, "input": call.input, "output": call.output}
        for number in range(told.wrappers):
            parent = self._add(chat(0, 0, parent, scope=f"framework {number}", **usage), CALL_NS)
            for _ in range(told.between):
                parent = self._add(Span(0, 0, parent), CALL_NS)
        if told.half:
            self._add(chat(0, 0, parent, model=call.model, scope="sdk", name="stream request"), MS)
        named = {"response_id": answer} if told.names_answer else {}
        sdk = chat(
            0,
            0,
            parent,
            scope="sdk",
            name="chat stream",
            response_model=MODELS[call.model],
            cache_read=call.cached,
            **usage,
            **named,
        )
        inside = self._add(sdk, CALL_NS)
        if told.inner:
            self._add(chat(0, 0, inside, model=call.model, scope="http"), CALL_NS)
        if told.gateway:
            at = inside if told.gateway == "below" else 0
            self._add(chat(0, 0, at, scope="proxy", service="gateway", kind="server", **usage, **named), CALL_NS)
            if told.gateway == "apart":
                self.spans[-1].trace = GATEWAY_TRACES * self.trace + self.last_id
        self.now_ns += CALL_NS + S
        return call
