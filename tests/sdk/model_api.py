"""A local stand-in for model APIs: it answers what it is told to, in order. All that comes of it is simulated."""

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ModelApi:
    """What to answer, and what was asked."""

    url: str
    answers: deque[Any] = field(default_factory=deque)
    """Each a JSON object; a status; bytes, alone or after their type; or, for a stream,
    a list of events, of which a pair is a name and its data."""
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    """Bodies of the requests."""
    sizes: list[int] = field(default_factory=list)
    """Their sizes in bytes."""

    def will(self, *answers: Any) -> None:
        """Answer the next requests so."""
        self.answers.extend(answers)


@contextmanager
def model_api() -> Iterator[ModelApi]:
    """Serves until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            api.sizes.append(len(body))
            api.asked.append(json.loads(body) if body[:1] == b"{" else {})
            self._answer(api.answers.popleft())

        def do_GET(self) -> None:
            self._answer(api.answers.popleft())

        def _answer(self, answer: Any) -> None:
            if isinstance(answer, int):
                return self._send(answer, b'{"error": {"message": "stand-in"}}', "application/json")
            if isinstance(answer, bytes):
                return self._send(200, answer, "application/x-jsonl")
            if isinstance(answer, tuple):
                return self._send(200, answer[1], answer[0])
            if isinstance(answer, list):
                return self._send(200, b"".join(map(_event, answer)), "text/event-stream")
            return self._send(200, json.dumps(answer).encode(), "application/json")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api = ModelApi(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _event(event: Any) -> bytes:
    if isinstance(event, tuple):
        name, data = event
        return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
    return f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()


def chat_answer(number: int = 1, choices: int = 1, **usage: Any) -> dict[str, Any]:
    """Of chat completions: 1000 tokens in, of which 600 were cached, 50 out, of which 20 were reasoning."""
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "choices": [
            {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four."}}
            for index in range(choices)
        ],
        "usage": {
            "prompt_tokens": 1000,
            "completion_tokens": 50,
            "total_tokens": 1050,
            "prompt_tokens_details": {"cached_tokens": 600},
            "completion_tokens_details": {"reasoning_tokens": 20},
            **usage,
        },
    }


def chat_chunks(number: int = 1, *, usage: bool) -> list[Any]:
    """The same, streamed in three chunks, with usage in a fourth where it is asked for."""
    head = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "gpt-4o-2024-08-06"}
    texts = [{"index": 0, "delta": {"content": text}, "finish_reason": None} for text in ("Fo", "ur")]
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    chunks: list[Any] = [{**head, "choices": [choice]} for choice in (*texts, last)]
    if usage:
        chunks.append({**head, "choices": [], "usage": chat_answer()["usage"]})
    return [*chunks, "[DONE]"]


def message(number: int = 1) -> dict[str, Any]:
    """Of Anthropic's messages: 100 tokens in, beside them 600 read from the cache and 300 written, 200 for an hour."""
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": "Four."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 100,
            "output_tokens": 7,
            "cache_read_input_tokens": 600,
            "cache_creation_input_tokens": 300,
            "cache_creation": {"ephemeral_1h_input_tokens": 200, "ephemeral_5m_input_tokens": 100},
            "server_tool_use": {"web_search_requests": 2},
            "service_tier": "standard",
        },
    }


def message_events(number: int = 1) -> list[Any]:
    """The same, streamed: what it took is told at the start, what it gave at the end."""
    whole = message(number)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Four."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    return [(event["type"], event) for event in events]
