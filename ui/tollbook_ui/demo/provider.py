"""A stand-in for a chat provider, with OpenAI's wire format: it answers at once, the same every time, from no model.

What it says of tokens follows a rule, not a tokenizer: four bytes of prompt are a token, and, as the real provider
documents it, a prompt's beginning that was seen before is read from the cache in steps of 128 tokens from 1,024 on.
Its spans and their money carry `tollbook.simulated`.
"""

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from threading import Lock, Thread
from typing import ClassVar, TypedDict

from tollbook_ui.demo.processes import tell, wait_for_parent

BYTES_PER_TOKEN = 4
CACHE_FROM_TOKENS = 1024
CACHE_STEP_TOKENS = 128
ANSWER_TOKENS = 48

SNAPSHOTS = {"gpt-4o": "gpt-4o-2024-08-06"}
"""What the real provider names the model that answers."""


class Message(TypedDict):
    """One message of a chat, as far as the stand-in reads it."""

    role: str
    content: str


class Question(TypedDict):
    """Body of POST /v1/chat/completions, as far as the stand-in reads it."""

    model: str
    messages: list[Message]


def cached_tokens(prompt: str, earlier: str) -> int:
    """Tokens of the prompt's beginning that an earlier prompt shares, in the steps that the provider caches by."""
    pairs = zip(prompt.encode(), earlier.encode(), strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) // BYTES_PER_TOKEN
    if shared < CACHE_FROM_TOKENS:
        return 0
    return shared - (shared - CACHE_FROM_TOKENS) % CACHE_STEP_TOKENS


def completion(question: Question, prompt: str, cached: int) -> dict[str, object]:
    """The answer's body. Its text is made of the prompt's last words, so that it is plainly no model's."""
    tokens = -(-len(prompt.encode()) // BYTES_PER_TOKEN)
    text = "Simulated summary: " + " ".join(prompt.split()[-24:])
    return {
        "id": f"chatcmpl-simulated-{tokens}-{cached}",
        "object": "chat.completion",
        "created": 0,
        "model": SNAPSHOTS.get(question["model"], question["model"]),
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": tokens,
            "completion_tokens": ANSWER_TOKENS,
            "total_tokens": tokens + ANSWER_TOKENS,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


class Handler(BaseHTTPRequestHandler):
    """One connection to the stand-in."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    earlier: ClassVar[dict[str, str]] = {}
    """Last prompt of each model; what its cache remembers."""
    lock: ClassVar[Lock] = Lock()

    def do_POST(self) -> None:
        """Answer a chat."""
        question: Question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = "\n".join(message["content"] for message in question["messages"])
        with self.lock:
            cached = cached_tokens(prompt, self.earlier.get(question["model"], ""))
            self.earlier[question["model"]] = prompt
        body = json.dumps(completion(question, prompt, cached)).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: the demo's own output is all there is to read."""


def serve() -> ThreadingHTTPServer:
    """A stand-in bound to a free port of the loopback address; the caller runs it."""
    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def main() -> None:
    """Run as `python -m tollbook_ui.demo.provider`; tells its port and serves until its standard input closes."""
    server = serve()
    thread = Thread(target=server.serve_forever)
    thread.start()
    tell(port=server.server_port)
    wait_for_parent()
    server.shutdown()
    thread.join()
    server.server_close()


if __name__ == "__main__":
    main()
