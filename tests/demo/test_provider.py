"""The stand-in for a chat provider, asked by the real openai client."""

import threading
from collections.abc import Iterator

import pytest
from openai import OpenAI
from tollbook_ui.demo import loopback, provider


@pytest.fixture
def client() -> Iterator[OpenAI]:
    server = loopback.bound(provider.Provider().answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none needed") as openai:
        yield openai
    server.shutdown()
    thread.join()
    server.server_close()


def ask(client: OpenAI, instructions: str, text: str) -> tuple[int, int, int]:
    answer = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "system", "content": instructions}, {"role": "user", "content": text}]
    )
    usage = answer.usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    return usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens or 0, usage.completion_tokens


def test_four_bytes_of_prompt_are_a_token(client: OpenAI) -> None:
    assert ask(client, "abcd" * 9, "wxyz" * 10) == (20, 0, 48)  # 36 + 1 + 40 = 77 bytes


def test_a_prompt_that_begins_as_the_last_one_is_read_from_the_cache(client: OpenAI) -> None:
    instructions = "abcd" * 1200
    assert ask(client, instructions, "first") == (1202, 0, 48)  # 4,800 + 1 + 5 bytes
    assert ask(client, instructions, "other") == (1202, 1152, 48)  # 1,200 tokens shared: 1,024 + 128


def test_a_short_prompt_is_never_cached(client: OpenAI) -> None:
    assert ask(client, "abcd" * 900, "first")[1] == 0
    assert ask(client, "abcd" * 900, "first")[1] == 0


def test_the_answer_says_that_it_is_simulated(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "one two three"}])
    assert answer.choices[0].message.content == "Simulated summary: one two three"
    assert answer.model == "gpt-4o-2024-08-06"
