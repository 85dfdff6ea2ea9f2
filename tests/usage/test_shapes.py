"""Shapes that usage files come in: packed, in other encodings, as documents, with the provider's own counts inside."""

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import engine
from tollbook_schema.store import Store
from tollbook_ui.periods import BadQuestionError

from tests.usage.conftest import COLUMNS, FILE_OF_ONE, Take
from tests.usage.test_import import SPANS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OPENAI = {
    "prompt_tokens": 1117,
    "completion_tokens": 46,
    "total_tokens": 1163,
    "prompt_tokens_details": {"cached_tokens": 1024},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
ANTHROPIC = {"input_tokens": 12, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 2000, "output_tokens": 7}
GEMINI = {"promptTokenCount": 100, "candidatesTokenCount": 20, "thoughtsTokenCount": 50, "totalTokenCount": 170}


def zipped(*members: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for member in members:
            archive.writestr(member, FILE_OF_ONE)
    return content.getvalue()


def test_packed_files_and_those_of_spreadsheets_are_the_same_calls(take: Take) -> None:
    assert take(FILE_OF_ONE).new_calls == 1
    plain = FILE_OF_ONE.encode()
    for content in (
        zstd.compress(plain),
        lzma.compress(plain),
        bz2.compress(plain),
        zipped("calls.csv"),
        FILE_OF_ONE.encode("utf-16"),
    ):
        assert (take(content).rows, take(content).new_calls) == (1, 0)
    assert take(f"sep=;\r\n{FILE_OF_ONE.replace(',', ';')}{FILE_OF_ONE.replace(',', ';')}").rows == 2  # a header again is no row


def test_blank_lines_are_no_rows_and_lines_keep_their_numbers(take: Take) -> None:
    text = '\n\nt,i,o,x\n2026-11-20T12:00:00Z,10,2,"a\n\nb"\n\n \r\n2026-11-20T12:00:01Z,4,1,\n'
    assert take(text).rows == 2
    assert take(gzip.compress(text.encode()), only=["x=a\n\nb"], dry_run=True).rows == 1
    with pytest.raises(BadQuestionError, match="line 9, column i: '-4' is negative"):
        take(text.replace(",4,", ",-4,"))
    with pytest.raises(BadQuestionError, match="line 9: has fewer than 4 cells"):
        take(text.replace(",1,", ",1"))


def test_what_cannot_be_unpacked_is_refused_for_good(take: Take) -> None:
    wrong = {
        "ended before": zstd.compress(FILE_OF_ONE.encode() * 1000)[:-9],
        "is not a zip file": b"PK\x03\x04junk",
        "holds 2 files": zipped("a", "b"),
        "is a workbook": zipped("[Content_Types].xml"),
    }
    for reason, content in wrong.items():
        with pytest.raises(BadQuestionError, match=f"calls.*{reason}[\\s\\S]*nothing of the file was taken; the same file"):
            take(content)


def test_a_providers_own_counts_say_themselves_what_holds_what(store: Store, take: Take) -> None:
    def record(provider: str, model: str, usage: Any) -> dict[str, Any]:
        return {"at": "2026-11-20T12:00:00Z", "provider": provider, "response": {"model": model, "content": usage}}

    lines = [
        record("openai", "gpt-4o", [{"usage": OPENAI}]),
        record("anthropic", "claude-sonnet-4-5", [{"usage": ANTHROPIC}]),
        record("gcp.vertex_ai", "gemini-2.5-flash", json.dumps([{"usage": GEMINI}])),
    ]
    columns = "timestamp=at,provider=provider,model=response.model,usage=response.content.0.usage"
    take("\n".join(json.dumps(line) for line in lines), columns, "")
    assert engine.settle(store).calls == 3
    costs = {row["provider"]: row["cost_usd"] for row in store.query("SELECT provider, cost_usd FROM calls")}
    # gemini-2.5-flash: 100 at $0.30 and 70, thoughts beside the answer, at $2.50 a million
    assert costs == {"openai": Decimal("0.0019725"), "anthropic": Decimal("0.001866"), "gcp.vertex_ai": Decimal("0.000205")}
    for usage, reason in (({"prompt_tokens": -5}, "holds a negative count"), ({"tokens": 2**63}, "holds an absurd count")):
        with pytest.raises(BadQuestionError, match=f"line 1, column response.content.0.usage: .* {reason}"):
            take(json.dumps(record("openai", "gpt-4o", [{"usage": usage}])), columns, "")


def test_json_in_a_cell_is_read_by_paths(store: Store, take: Take) -> None:
    content = io.StringIO()
    csv.writer(content).writerows([["t", "body"], ["2026-11-20T12:00:00Z", json.dumps({"u": {"in": 5}, "text": 'a,\n"b"'})]])
    take(content.getvalue(), "timestamp=t,input_tokens=body.u.in")
    assert [row["input_tokens"] for row in store.query(SPANS)] == [5]


def test_a_long_prompt_in_a_cell_is_no_problem(take: Take) -> None:
    header, row = FILE_OF_ONE.split("\n")[:2]
    assert take(f"prompt,{header}\n{'a' * 300_000},{row}\n").new_calls == 1
    assert csv.field_size_limit() < 300_000, "as it was before"


def test_documents_are_taken_apart_and_lines_of_theirs_named(store: Store, take: Take) -> None:
    pages = [
        {
            "object": "page",
            "data": [{"t": 1795176000, "results": [{"i": 3, "o": 1}, {"i": 4, "o": 2}]}, {"t": 1795179600, "results": []}],
        },
        {"object": "page", "data": [{"t": 1795179600, "results": [{"i": 5, "o": 1}]}]},
    ]
    assert take("\n".join(json.dumps(page, indent=1) for page in pages)).new_calls == 3
    assert [row["input_tokens"] for row in store.query(SPANS)] == [3, 4, 5]
    assert take(json.dumps(pages)).new_calls == 0
    assert take(json.dumps({"data": [], "has_more": False})).rows == 0
    pages[1]["data"][0]["results"][0]["o"] = -1  # type: ignore[index]
    with pytest.raises(BadQuestionError, match="calls, line 29, column o: '-1' is negative"):
        take("\n".join(json.dumps(page, indent=1) for page in pages))
    with pytest.raises(BadQuestionError, match="calls, line 2, column 16: is no JSON"):
        take('{\n"data":[{"t":1}')


def test_reasoning_beside_the_output_is_added(store: Store, take: Take) -> None:
    take("t,i,v,r\n2026-11-20T12:00:00Z,10,5,50\n", "timestamp=t,input_tokens=i,visible_output_tokens=v,reasoning_tokens=r")
    assert [(row["output_tokens"], row["reasoning_tokens"]) for row in store.query(SPANS)] == [(55, 50)]
    with pytest.raises(BadQuestionError, match="or visible_output_tokens, not both"):
        take(FILE_OF_ONE, f"{COLUMNS},visible_output_tokens=o")
