"""A stand-in for a chat provider, with OpenAI's wire format: it answers at once, the same every time, from no model.

What it says of tokens follows a rule, not a tokenizer: four bytes of prompt are a token, and, as the real provider
documents it, a prompt's beginning that was seen before is read from the cache in steps of 128 tokens from 1,024 on.
Its spans and their money carry `tollbook.simulated`.
"""

import json
from email.message import Message
from itertools import takewhile
from threading import Lock
from typing import TypedDict

from tollbook_ui.demo import loopback

BYTES_PER_TOKEN = 4
CACHE_FROM_TOKENS = 1024
CACHE_STEP_TOKENS = 128
ANSWER_TOKENS = 48

SNAPSHOTS = {"gpt-4o": "gpt-4o-2024-08-06"}
"""What the real provider names the model that answers."""


class Turn(TypedDict):
    """One message of a chat, as far as the stand-in reads it."""

    role: str
    content: str


class Question(TypedDict):
    """Body of POST /v1/chat/completions, as far as the stand-in reads it."""

    model: str
    messages: list[Turn]


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


class Provider:
    """Answers chats, and remembers the last prompt of each model: that is its cache."""

    def __init__(self) -> None:
        self._earlier: dict[str, str] = {}
        self._lock = Lock()

    def answer(self, _: Message, body: bytes) -> bytes:
        """Body of the answer to POST /v1/chat/completions."""
        question: Question = json.loads(body)
        prompt = "\n".join(message["content"] for message in question["messages"])
        with self._lock:
            cached = cached_tokens(prompt, self._earlier.get(question["model"], ""))
            self._earlier[question["model"]] = prompt
        return json.dumps(completion(question, prompt, cached)).encode()


def main() -> None:
    """Run as `python -m tollbook_ui.demo.provider`."""
    loopback.serve(Provider().answer)


if __name__ == "__main__":
    main()
