"""Calls of models by plain HTTP: a request to a path that model APIs have, with a body as they take it, is an inference.

Whoever asks: a client that nothing else instruments, such as those of Google, Mistral, Cohere, Ollama or Bedrock, or a bare
request. Of questions and answers only the names, counts and reasons are kept that `llm_answers` and `answers` know.
"""

import json
import re
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from tollbook_schema import attributes as A  # noqa: N812

from tollbook import digest
from tollbook.answers import used
from tollbook.calls import is_call
from tollbook.contexts import SPAN_KEY, get_current
from tollbook.handle import ABANDONED, Handle, Value
from tollbook.inputs import HANDLE_KEY
from tollbook.integrations.llm_answers import Chunks, field, of_answer, of_request, provider_of

MAX_BODY: Final = 256 * 1024
"""Larger bodies are not parsed: what they say is looked for in their first and last bytes."""
_EDGE: Final = 8 * 1024
_MAX_LINE: Final = 1024 * 1024
_MAX_FRAME: Final = 16 * 1024 * 1024
"""AWS sends no larger ones: what claims to be larger, or smaller than what surrounds a payload, is no frame."""
_FRAME_AROUND: Final = 16


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask a model."""

    operation: str
    provider: str
    """Who is taken for the provider where the host's name does not tell."""
    needs: tuple[str, ...] = ()
    """Members of the body without which it is something else."""
    chunks: bool = False
    """Whether answers are those of OpenAI or Anthropic."""
    streams: bool | None = None
    """Whether it always streams, where the path says so; else the body does."""
    path_names_model: bool = False


_OPENAI: Final = "openai"
_WAYS: Final[Mapping[str, tuple[tuple[str, Way], ...]]] = {
    "completions": (
        ("/chat/completions", Way("chat", _OPENAI, ("messages",), chunks=True)),
        ("/completions", Way("text_completion", _OPENAI, ("prompt",), chunks=True)),
    ),
    "responses": (("/responses", Way("chat", _OPENAI, ("model", "input"), chunks=True)),),
    "messages": (("/messages", Way("chat", "anthropic", ("model", "messages", "max_tokens"), chunks=True)),),
    "complete": (("/complete", Way("text_completion", "anthropic", ("prompt", "max_tokens_to_sample"), chunks=True)),),
    "embeddings": (
        ("/api/embeddings", Way("embeddings", "ollama", ("model", "prompt"), streams=False)),
        ("/embeddings", Way("embeddings", _OPENAI, ("input",), chunks=True, streams=False)),
    ),
    "generations": (("/images/generations", Way("image_generation", _OPENAI, ("prompt",), chunks=True)),),
    "chat": (
        ("/api/chat", Way("chat", "ollama", ("model", "messages"))),
        ("/v2/chat", Way("chat", "cohere", ("model", "messages"))),
        ("/v1/chat", Way("chat", "cohere", ("message",))),
    ),
    "generate": (("/api/generate", Way("text_completion", "ollama", ("model", "prompt"))),),
    "embed": (
        ("/api/embed", Way("embeddings", "ollama", ("model", "input"), streams=False)),
        ("/v2/embed", Way("embeddings", "cohere", ("model", "input_type"), streams=False)),
        ("/v1/embed", Way("embeddings", "cohere", ("texts",), streams=False)),
    ),
    "rerank": (("/rerank", Way("rerank", "cohere", ("query", "documents"), streams=False)),),
    "generateContent": (
        (":generateContent", Way("generate_content", "gcp.gemini", ("contents",), streams=False, path_names_model=True)),
    ),
    "streamGenerateContent": (
        (":streamGenerateContent", Way("generate_content", "gcp.gemini", ("contents",), streams=True, path_names_model=True)),
    ),
    "embedContent": ((":embedContent", Way("embeddings", "gcp.gemini", ("content",), streams=False, path_names_model=True)),),
    "batchEmbedContents": (
        (":batchEmbedContents", Way("embeddings", "gcp.gemini", ("requests",), streams=False, path_names_model=True)),
    ),
    "rawPredict": ((":rawPredict", Way("chat", "gcp.vertex_ai", ("messages",), chunks=True, path_names_model=True)),),
    "streamRawPredict": ((":streamRawPredict", Way("chat", "gcp.vertex_ai", ("messages",), chunks=True, path_names_model=True)),),
    "converse": (("/converse", Way("chat", "aws.bedrock", ("messages",), streams=False, path_names_model=True)),),
    "converse-stream": (("/converse-stream", Way("chat", "aws.bedrock", ("messages",), streams=True, path_names_model=True)),),
    "invoke": (("/invoke", Way("chat", "aws.bedrock", streams=False, path_names_model=True)),),
    "invoke-with-response-stream": (
        ("/invoke-with-response-stream", Way("chat", "aws.bedrock", streams=True, path_names_model=True)),
    ),
}
"""By the last word of a path, the ends of paths, longest first."""
_MODEL_IN_PATH: Final = re.compile(r"/model/(.+)/[^/]+$|/(?:deployments|models|tunedModels)/([^/:]+)")
_LAST_WORD: Final = re.compile(r"[^/:]*$")
_NAMED: Final = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
_STREAMED: Final = re.compile(rb'"stream"\s*:\s*true')


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a model."""

    way: Way
    streams: bool
    said: Mapping[str, Value]
    """What the span says of it."""
    name: str
    """The span's name."""
    body: bytes | None


def asked(host: str, path: str, body: Callable[[], Any]) -> Asked | None:
    """What a POST asks of a model, if it does and no span around it tells of the same.

    Args:
        host: whom it goes to.
        path: without the query.
        body: gives the body where it is there as a whole; asked only where the path may be that of a model.
    """
    ways = _ways_of(path)
    if not ways or _is_told():
        return None
    raw = _bytes(body())
    if raw is None:
        return None
    said = _parsed(raw)
    way = next((way for way in ways if all(field(said, name) is not None for name in way.needs)), None)
    if way is None or not isinstance(said, Mapping):
        return None
    model = said.get("model")
    if way.path_names_model or not isinstance(model, str):
        found = _MODEL_IN_PATH.search(path)
        model = unquote(found[1] or found[2]) if found else None
    if not model:
        return None
    streams = said.get("stream", way.provider == "ollama") is True if way.streams is None else way.streams
    attributes: dict[str, Value] = {
        A.GEN_AI_OPERATION_NAME: way.operation,
        A.GEN_AI_PROVIDER_NAME: provider_of(host, way.provider),
        **of_request({**said, "model": model}, way.operation, streams),
    }
    return Asked(way, streams, attributes, f"{way.operation} {model}", raw)


@lru_cache(512)
def _ways_of(path: str) -> tuple[Way, ...]:
    path = path.rstrip("/")
    word = _LAST_WORD.search(path)
    return tuple(way for end, way in _WAYS.get(word[0] if word else "", ()) if path.endswith(end))


def _is_told() -> bool:
    """Whether a span around tells of the call: of a client, another instrumentation or the program itself.

    Another instrumentation of the HTTP client may have made a span in between: then it is the one that our nearest handle has, or
    the processor has noted whose parent is one.
    """
    context = get_current()
    span = context.get(SPAN_KEY)
    return span is not None and (is_call(span) or is_call(getattr(context.get(HANDLE_KEY), "span", None)))


def _bytes(body: Any) -> bytes | None:
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else None


def _parsed(body: bytes) -> Any:
    if len(body) <= MAX_BODY:
        try:
            return json.loads(body)
        except ValueError:
            return None
    edges = body[:_EDGE] + body[-_EDGE:]  # with pictures in it
    said: dict[str, Any] = {name: True for name in _WORDS if b'"%s"' % name.encode() in edges}
    model = _NAMED.search(edges)
    said["model"] = model[1].decode("utf-8", "replace") if model else None
    said["stream"] = bool(_STREAMED.search(edges)) or None
    return {name: value for name, value in said.items() if value is not None}


_TAIL_USAGE: Final = re.compile(rb'"(usage|usageMetadata|meta)"\s*:\s*(?=\{)')
_WORDS: Final = sorted({name for ways in _WAYS.values() for _end, way in ways for name in way.needs})


def _tail(data: bytes) -> Any:
    """What the last bytes of a long answer say of its usage, which stands at the end of most."""
    text = data.decode("utf-8", "replace")
    said: dict[str, Any] = {}
    for found in _TAIL_USAGE.finditer(data):
        start = len(data[: found.end()].decode("utf-8", "replace"))
        try:
            said[found[1].decode()] = json.JSONDecoder().raw_decode(text[start:])[0]
        except ValueError:
            continue
    model = _NAMED.search(data)
    return {**said, "model": model[1].decode("utf-8", "replace")} if model else said


class Answer:
    """What the answer to such a request says, as its bytes are read."""

    def __init__(self, asked: Asked, handle: Handle) -> None:
        self._asked = asked
        self._handle = handle
        self._chunks = Chunks()
        self._used: dict[str, Any] = {}
        self._reads: Callable[[Answer, bytes], None] | None = None
        self._rest = b""
        self._size = 0
        self._begun = False
        self.over = False
        """Whether the answer has said that it is complete: who reads it may stop there."""

    def head(self, status: int, kind: str | None) -> None:
        """The answer begins."""
        if status >= 400:
            return
        kind = (kind or "").partition(";")[0].strip().lower()
        self._reads = _READERS.get(kind, Answer._whole)

    def take(self, data: bytes) -> None:
        """Some of its bytes, decompressed."""
        if self._reads is None or not data:
            return
        if not self._size and self._asked.streams:
            started_ns = getattr(self._handle.span, "start_time", None) or time.time_ns()
            self._handle.set(A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, max(time.time_ns() - started_ns, 0) / 1e9)
        self._size += len(data)
        self._reads(self, bytes(data))

    def finish(self, sent: int, received: int | None) -> None:
        """Tell what is known, now that no more is read.

        Args:
            sent: bytes of the question.
            received: bytes of the answer, decompressed.
        """
        self._handle.payload(input_bytes=sent or None, output_bytes=received)
        body = self._asked.body
        if body is not None and len(body) <= digest.MAX_BYTES:
            self._handle.set(A.TOLLBOOK_INFERENCE_INPUT_DIGEST, digest.digest([body]))
        if self._reads is None:
            return
        if self._reads is Answer._whole:
            self._finish_whole()
        elif self._rest:
            self._line(self._rest)
        if self._used:
            self._handle.usage(**self._used)
        said = self._chunks.said(whole=not self._asked.streams or not self._size) if self._asked.way.chunks else {}
        if self._asked.streams and not self._asked.way.chunks and not self._used.get("finish_reasons"):
            said[A.GEN_AI_RESPONSE_FINISH_REASONS] = [ABANDONED]
        self._handle.span.set_attributes(said)

    def _whole(self, data: bytes) -> None:
        self._rest = data if not self._rest else self._rest + data
        if self._size > MAX_BODY:
            self._rest = self._rest[-_EDGE:]

    def _finish_whole(self) -> None:
        if self._size > MAX_BODY:
            self._item(_tail(self._rest))
            return
        try:
            said = json.loads(self._rest)
        except ValueError:  # lines under another name, or less than all of it
            self._each_line(self._rest)
            return
        for item in said if isinstance(said, list) else [said]:
            self._item(item)

    def _each_line(self, data: bytes) -> None:
        for line in data.split(b"\n"):
            self._line(line)

    def _lines(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > _MAX_LINE:
            self._rest = b""

    def _line(self, line: bytes) -> None:
        line = line.removeprefix(b"data:").strip()
        self.over = self.over or line == b"[DONE]"
        if line[:1] == b"{" and len(line) <= _MAX_LINE and (not self._begun or _TELLING.search(line)):
            self._begun = True
            try:
                self._item(json.loads(line))
            except ValueError:  # the end of a longer line, or no JSON
                return

    def _frames(self, data: bytes) -> None:
        """AWS's event stream: length, length of headers and a checksum, 4 bytes each; headers; payload; a checksum."""
        self._rest += data
        while len(self._rest) >= 12:
            size, headers = int.from_bytes(self._rest[:4]), int.from_bytes(self._rest[4:8])
            if not _FRAME_AROUND <= size <= _MAX_FRAME:  # and where the next one begins, nobody knows
                self._reads, self._rest = Answer._nothing, b""
                return
            if len(self._rest) < size:
                break
            payload, self._rest = self._rest[12 + headers : size - 4], self._rest[size:]
            for item in _of_frame(payload):
                self._item(item)

    def _nothing(self, data: bytes) -> None:
        """Bytes that nothing can be made of."""

    def _item(self, item: Any) -> None:
        if item is None:
            return
        self.over = self.over or field(item, "type") in _LAST or field(item, "done") is True
        if self._asked.way.chunks:
            if field(item, "object") == "list" or not self._asked.streams:
                self._handle.span.set_attributes(of_answer(item))
            else:
                self._chunks.take(item)
        self._used.update(_filled(used(item), self._asked.way.chunks))


_TELLING: Final = re.compile(
    rb'"(?:usage\w*|meta|metadata|tokens|billed_units|\w+_reason|finishReason)"\s*:\s*[{"]'
    rb'|_count"\s*:|"done"\s*:\s*true|"type"\s*:\s*"(?:message_st|response\.(?:completed|incomplete|failed))'
)
"""What is in a piece of a stream that is worth parsing, beside the first: most hold a word of the answer and nothing else."""
_LAST: Final = frozenset(("message_stop", "response.completed", "response.incomplete", "response.failed"))
"""Types of events after which none comes."""
_LINES: Final = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/stream+json",
)
_READERS: Final[Mapping[str, Callable[[Answer, bytes], None]]] = {
    **dict.fromkeys(("text/event-stream", *_LINES), Answer._lines),
    "application/vnd.amazon.eventstream": Answer._frames,
}
"""By the type of the content; any other is one document."""


def _of_frame(payload: bytes) -> Iterator[Any]:
    """What an event of AWS says, which may hold an event of the model's own maker."""
    try:
        said = json.loads(payload)
        inner = said.get("bytes") if isinstance(said, Mapping) else None
        yield json.loads(b64decode(inner)) if isinstance(inner, str) else said
    except ValueError:
        return


def _filled(said: Mapping[str, Any], of_chunks: bool) -> dict[str, Any]:
    """What is told; of the answers that `Chunks` reads, only what it does not know."""
    if of_chunks:
        said = {name: said[name] for name in ("cost", "cache_read_tokens") if name in said}
    return {name: value for name, value in said.items() if value is not None and value != ()}
