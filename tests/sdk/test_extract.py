"""Sizes, counts, assets and tokens, taken from arguments and results."""

from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tollbook
from tollbook.answers import used
from tollbook.extract import as_asset, count_records, size_bytes
from tollbook.testing import Captured


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (b"abc", 3),
        (bytearray(5), 5),
        (memoryview(array("d", [1.0, 2.0])), 16),
        ("abc", 3),
        ("grüße", 7),
        (1024, 1024),
        (["ab", b"c"], 3),
        ({"k": "value"}, 5),
        (SimpleNamespace(nbytes=12), 12),
        ([], None),
        ([1, 2], None),
        (["ab", object()], None),
        (True, None),
        (None, None),
        (object(), None),
    ],
)
def test_a_size_is_bytes_of_payload_or_unknown(value: Any, size: int | None) -> None:
    assert size_bytes(value) == size


@pytest.mark.parametrize(
    ("value", "records"), [([1, 2], 2), ({}, 0), (7, 7), ("text", None), (b"raw", None), (True, None), (object(), None)]
)
def test_records_are_counted_where_there_are_any(value: Any, records: int | None) -> None:
    assert count_records(value) == records


def test_a_file_is_as_large_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert size_bytes(tmp_path / "f") == 5


def test_what_names_no_asset_is_none() -> None:
    assert as_asset(17) is None
    assert as_asset("s3://a") == tollbook.Asset("s3://a")


def test_values_come_from_arguments_their_defaults_and_the_result(captured: Captured) -> None:
    @tollbook.handoff("write", bytes_of="data", records_of=lambda result: result["rows"], asset_of="table")
    def store(data: bytes, table: str = "orders") -> dict[str, int]:
        return {"rows": 3}

    store(b"12345")
    attributes = captured.attributes("store")
    assert attributes["tollbook.handoff.size"] == 5
    assert attributes["tollbook.handoff.records"] == 3
    assert attributes["tollbook.asset.id"] == "orders"


def test_an_argument_that_does_not_exist_is_named_when_decorating() -> None:
    with pytest.raises(TypeError, match="no argument 'dta'"):

        @tollbook.handoff("write", bytes_of="dta")
        def store(data: bytes) -> None: ...


OPENAI = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-08-06",
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 5},
    },
}
ANTHROPIC = {
    "id": "msg_1",
    "model": "claude-sonnet-4",
    "usage": {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 7,
    },
}


def test_the_usage_of_an_answer_is_understood() -> None:
    assert used(OPENAI) == {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 60,
        "reasoning_tokens": 5,
        "response_model": "gpt-4o-2024-08-06",
        "response_id": "chatcmpl-1",
    }


def test_cached_tokens_beside_the_input_are_counted_among_it() -> None:
    assert used(ANTHROPIC) == {
        "input_tokens": 167,
        "output_tokens": 20,
        "cache_read_tokens": 60,
        "cache_write_tokens": 7,
        "response_model": "claude-sonnet-4",
        "response_id": "msg_1",
    }


def test_an_answer_without_usage_says_nothing(captured: Captured) -> None:
    @tollbook.inference("gpt-4o", usage_of="result")
    def chat(answer: Any) -> Any:
        return answer

    chat({"choices": []})
    assert not [key for key in captured.attributes("inference gpt-4o") if key.startswith("gen_ai.usage")]


def test_a_decorated_chat_reports_its_tokens(captured: Captured) -> None:
    @tollbook.inference("gpt-4o", provider="openai", operation="chat", usage_of="result")
    def chat() -> Any:
        return SimpleNamespace(id="x", model="gpt-4o-2024-08-06", usage=SimpleNamespace(prompt_tokens=3, completion_tokens=2))

    chat()
    assert captured.attributes("chat gpt-4o")["gen_ai.usage.input_tokens"] == 3
    assert captured.attributes("chat gpt-4o")["gen_ai.response.model"] == "gpt-4o-2024-08-06"
