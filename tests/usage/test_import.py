"""Files of usage into the store: every row a call, once; what cannot be read is named, and nothing of such a file is taken."""

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock

import pyarrow as pa
import pytest
from pyarrow import parquet
from tollbook_attribution import engine
from tollbook_attribution.currencies import set_exchange_rate
from tollbook_schema.store import Store
from tollbook_ui import application
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage import load, undoing
from tollbook_ui.usage.mapping import Reading

from tests.conftest import emptied
from tests.usage.conftest import COLUMNS, FILE_OF_ONE, GPT_4O, Take

THREE = "t,i,o\n2026-11-20T12:00:00Z,10,2\n2026-11-20T12:00:00Z,10,2\n2026-11-20T12:00:01.5Z,4,1\n"
"""Two calls alike and one more."""

SPANS = "SELECT * FROM spans ORDER BY start_time, input_tokens"


NOON_UTC = datetime(2026, 11, 20, 12, tzinfo=UTC)


def starts(store: Store) -> list[datetime]:
    return [row["start_time"].replace(tzinfo=UTC) for row in store.query(SPANS)]


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 7, 1, hour, minute, tzinfo=UTC)


def test_a_file_taken_twice_changes_nothing_and_a_longer_one_adds_what_is_new(store: Store, take: Take) -> None:
    first = take(THREE)
    assert (first.new_calls, first.hours) == (3, 1)  # the two that are alike are two calls
    assert take(THREE).new_calls == 0
    longer = f"{THREE}2026-11-20T12:00:00Z,10.0,2\n2026-11-20T12:05:00Z,7,1\n"
    assert (take(longer).rows, take(longer).new_calls) == (5, 0)
    assert [row["input_tokens"] for row in store.query(SPANS)] == [10, 10, 10, 4, 7]
    settled = engine.settle(store)
    # 41 input tokens at $2.50 and 8 output tokens at $10 a million
    assert (settled.calls, settled.amount_usd) == (5, Decimal("0.0001825"))
    take(longer)
    assert engine.settle(store).windows == 0  # no fact came, so there is nothing to settle again


def test_a_file_that_is_stored_in_pieces_is_the_same_calls(store: Store, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = "".join(f"2026-11-20T12:00:0{row % 7}Z,{row % 5},1,{f'r{row % 40}' if row % 3 else ''}\n" for row in range(90))
    text, columns = f"t,i,o,r\n{whole}", f"{COLUMNS},request_id=r"
    assert take(text, columns).new_calls == 30 + 40  # of two rows with one request_id, one call
    known = [(row["trace_id"], row["span_id"]) for row in store.query(SPANS)]
    monkeypatch.setattr(load, "PIECE_ROWS", 8)
    again = take(text.replace(",1,r", ",2,r"), columns, again=True)
    assert (again.rows, again.new_calls, again.differing_rows) == (90, 0, 60)
    emptied(store)
    assert take(text, columns).new_calls == 70
    assert sorted((row["trace_id"], row["span_id"]) for row in store.query(SPANS)) == sorted(known)


def test_a_day_without_calls_is_no_call(store: Store, take: Take) -> None:
    text = "t,m,i,o\n2026-11-19,,,\n2026-11-20,gpt-4o,10,2\n2026-11-21,,,\n"
    columns = f"{COLUMNS},model=m"
    assert take(text, columns, "provider=openai").new_calls == 1
    with pytest.raises(BadQuestionError, match=r"line 3, column m: is missing"):
        take("t,m,i,o\n2026-11-19,,,\n2026-11-20,,10,2\n", columns, "provider=openai")


def test_a_request_id_makes_a_call_the_same_in_every_file(store: Store, take: Take) -> None:
    take("id,t,i,o\nr1,2026-11-20T12:00:00Z,10,2\nr2,2026-11-20T12:00:00Z,10,2\n", f"{COLUMNS},request_id=id")
    again = take("o,i,id,t\n2,10,r2,2026-11-20T12:00:00Z\n3,11,r3,2026-11-20T12:00:00Z\n", f"{COLUMNS},request_id=id")
    assert (again.rows, again.new_calls, again.differing_rows) == (2, 1, 0)
    corrected = take("o,i,id,t\n2,10,r2,2026-11-20T12:00:00Z\n9,11,r3,2026-11-20T12:00:00Z\n", f"{COLUMNS},request_id=id")
    assert (corrected.rows, corrected.new_calls, corrected.differing_rows) == (2, 0, 1)


def test_a_call_is_the_same_in_every_format_order_and_writing(store: Store, take: Take, tmp_path: Path) -> None:
    columns = f"{COLUMNS},cost=c,batch=b"
    assert take(THREE.replace("\n", ",0.10,True\n").replace("t,i,o,0.10,True", "t,i,o,c,b"), columns).new_calls == 3
    rows = [{"b": True, "c": 0.1, "o": 1, "i": 4, "t": "2026-11-20T13:00:01.5+01:00"}]
    rows += [{"b": True, "c": 1e-1, "o": "2", "i": 10.0, "t": 1795176000}] * 2
    assert take("\n".join(map(json.dumps, rows)), columns).new_calls == 0
    assert take(gzip.compress(json.dumps(rows, indent=1).encode()), columns).new_calls == 0
    noon = NOON_UTC.replace(tzinfo=None)
    table = {"t": [noon.replace(second=1, microsecond=500_000), noon, noon], "i": [4, 10, 10], "o": [1.0, 2.0, 2.0]}
    parquet.write_table(pa.table({**table, "c": [Decimal("0.10")] * 3, "b": [True] * 3}), tmp_path / "calls.parquet")
    assert take(tmp_path / "calls.parquet", columns).new_calls == 0


def test_the_same_bytes_under_another_mapping_are_asked_about(store: Store, take: Take) -> None:
    take(THREE)
    with pytest.raises(BadQuestionError, match=r"imported on .* with another mapping") as asked:
        take(THREE, constants="provider=openai,model=gpt-4o-mini")
    assert "--set provider=openai,model=gpt-4o" in str(asked.value)
    assert take(THREE, constants="provider=openai,model=gpt-4o-mini", again=True).new_calls == 3
    assert [(known.rows, known.new_calls) for known in load.imports(store)] == [(3, 3), (3, 3)]


def test_a_dry_run_reads_and_takes_nothing(store: Store, take: Take) -> None:
    looked = take(THREE, dry_run=True)
    assert (looked.rows, looked.new_calls, looked.stored) == (3, 0, False)
    assert looked.first_rows[0].fields["input_tokens"] == "10"
    assert store.query("SELECT count() AS n FROM spans UNION ALL SELECT count() FROM usage_rows") == [{"n": 0}, {"n": 0}]


def test_times_are_read_in_the_zone_that_is_declared(store: Store, take: Take) -> None:
    rows = [
        "2026-07-01 12:00",
        "2026-07-01T12:00:00+00:00",
        "2026-07-01 12:00:00 UTC",
        "1782900000",
        "1782900000000",
        "1782900000.5",
    ]
    take("t,i,o\n" + "".join(f"{row},1,1\n" for row in rows), reading=Reading("Europe/Berlin"))
    half = datetime(2026, 7, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert starts(store) == [at(10), at(10), at(10), half, at(12), at(12)]


WRITTEN = (
    "01.07.2026 12:00", "1/7/2026 12:00 PM", "2026-7-1 12:00", "2026/07/01 12:00", "20260701T120000", "1 Jul 2026 12:00 GMT",
    "Wed, 01 Jul 2026 12:00:00 +0000", "July 1, 2026, 12:00 PM", "01/Jul/2026:12:00:00 +0000", "Wed Jul  1 12:00:00 UTC 2026",
    "2026-07-01T12:00:00Z[UTC]", "2026-07-01 12:00:00.25 +0000 UTC", "2026-07-01T12:00:00,5", "1782907200,75", "13/07/2026",
)  # fmt: skip


def test_times_are_read_as_people_and_programs_write_them(store: Store, take: Take) -> None:
    """What the file proves once, that the day stands first, holds for all of it."""
    take("t;i;o\n" + "".join(f"{text};1;1\n" for text in WRITTEN))
    noon = at(12)
    half, quarter, most = (noon.replace(microsecond=part) for part in (500_000, 250_000, 750_000))
    assert starts(store) == [*[noon] * 11, quarter, half, most, noon.replace(day=13, hour=0)]
    # A call is the same however its time is written.
    assert take("t;i;o\n46204,5;7;1\n", reading=Reading("Europe/Berlin", "excel")).new_calls == 1
    assert take("t,i,o\n7/1/2026 6:00,7,1\n", reading=Reading("America/New_York", dates="month-first")).new_calls == 0
    assert starts(store).count(at(10)) == 1


def test_times_may_count_from_a_start(store: Store, take: Take) -> None:
    take("t,i,o\n0,1,1\n1500,1,1\n", reading=Reading(epoch=at(12), time_unit="ms"))
    assert starts(store) == [at(12), datetime(2026, 7, 1, 12, 0, 1, 500_000, tzinfo=UTC)]


def test_json_lines_are_read_by_paths(store: Store, take: Take) -> None:
    lines = """{"at": "2026-11-20T12:00:00Z", "usage": {"prompt": 12, "details": {"cached": 8}, "out": "3"}, "team": "search"}

{"at": 1795176000, "usage": {"prompt": 12, "out": null}, "team": null, "note": "a \\"b\\" {"}
"""
    columns = "timestamp=at,input_tokens=usage.prompt,cache_read_tokens=usage.details.cached,output_tokens=usage.out,team=team"
    assert take(lines, columns).new_calls == 2
    rows = store.query(SPANS)
    assert [(row["input_tokens"], row["cache_read_tokens"], row["output_tokens"], row["team"]) for row in rows] == [
        (12, 8, 3, "search"),
        (12, None, None, ""),
    ]


def test_an_array_of_json_is_read_element_by_element(store: Store, take: Take) -> None:
    calls = [
        {
            "timestamp": "2026-11-20 12:00:00+01",
            "input": {"inputTokenCount": 10, "note": "[{"},
            "output": {"outputTokenCount": 2},
        },
        {"timestamp": "2026-11-20T11:00:00.123456Z", "input": {"inputTokenCount": 4}, "output": {"outputTokenCount": 1}},
    ]
    columns = "timestamp=timestamp,input_tokens=input.inputTokenCount,output_tokens=output.outputTokenCount"
    assert take(json.dumps(calls, indent=2), columns).new_calls == 2
    assert take(gzip.compress(json.dumps(calls).encode()), columns, again=True).new_calls == 0
    assert starts(store) == [NOON_UTC.replace(hour=11), NOON_UTC.replace(hour=11, microsecond=123_456)]


def test_parquet_is_read_with_the_types_it_has(store: Store, take: Take, tmp_path: Path) -> None:
    moment = at(12).replace(tzinfo=None, microsecond=250_000)
    columns = {
        "t": pa.array([moment, moment], pa.timestamp("us")),
        "zoned": pa.array([moment, moment], pa.timestamp("us", tz="Asia/Tokyo")),
        "i": [5, None],
        "o": [6.0, 7.0],
        "model name": ["gpt-4o", "gpt-4o"],
        "nested": [{"a": {"i": 1}}, {"a": {"i": 2}}],
        "bytes": [b"1", b"2"],
    }
    parquet.write_table(pa.table(columns), tmp_path / "calls.parquet")
    naive = f"{COLUMNS},model=model name"
    take(tmp_path / "calls.parquet", naive, "provider=openai", Reading("Europe/Berlin"))
    zoned = naive.replace("timestamp=t", "timestamp=zoned")
    take(tmp_path / "calls.parquet", zoned, "provider=openai", Reading("Europe/Berlin"), again=True)
    ten = datetime(2026, 7, 1, 10, 0, 0, 250_000, tzinfo=UTC)
    assert starts(store) == [ten, ten, ten.replace(hour=12), ten.replace(hour=12)]
    assert {(row["input_tokens"], row["output_tokens"]) for row in store.query(SPANS)} == {(5, 6), (None, 7)}
    with pytest.raises(BadQuestionError, match="holds neither text, numbers nor times"):
        take(tmp_path / "calls.parquet", naive.replace("=i", "=bytes"), "provider=openai", again=True)
    looked = take(tmp_path / "calls.parquet", naive.replace("=i", "=nested.a.i"), "provider=openai", dry_run=True)
    assert [row.fields["input_tokens"] for row in looked.first_rows] == ["1", "2"]


def test_gzip_semicolons_a_byte_order_mark_and_quoted_lines_are_read(store: Store, take: Take) -> None:
    text = '\ufefft;note;i;o;cost\r\n2026-11-20T12:00:00Z;"two\nlines; ""quoted""";10;2;0.25\r\n\r\n'
    assert take(gzip.compress(text.encode()), f"{COLUMNS},cost=cost").new_calls == 1
    ((attributes,),) = ((row["attributes"],) for row in store.query(SPANS))
    assert (Decimal(attributes["gen_ai.usage.cost.amount"]), attributes["gen_ai.usage.cost.currency"]) == (Decimal("0.25"), "USD")


def test_a_cost_in_a_currency_without_a_rate_is_warned_of(store: Store, take: Take) -> None:
    """Every currency once, by its first row without one; what is no currency is refused."""
    rows = "t,i,o,c,k\n2026-11-20,1,1,1,usd\n2026-11-20,1,1,,yen\n\n2026-11-20,1,1,2,eur\n2026-11-21,1,1,2,EUR\n"
    rows += "2026-11-20,1,1,3,JPY\n"
    columns = f"{COLUMNS},cost=c,currency=k"
    set_exchange_rate(store, "JPY", "0.0065", date(2026, 11, 20), now=datetime.now(UTC))
    warned = (
        "calls, line 5, column k: EUR has no exchange rate for 2026-11-20; 2 rows in EUR without one stay unpriced until: "
        "tollbook prices rate EUR USD_PER_EUR --on 2026-11-20",
    )
    assert (take(rows, columns, dry_run=True).warnings, take(rows, columns).warnings) == (warned, warned)
    with pytest.raises(BadQuestionError, match=r"line 6, column k: 'DOLLAR' is no currency: three letters, as EUR"):
        take(rows.replace("EUR", "DOLLAR"), columns)


def test_input_counted_without_cached_tokens_gets_them_added(store: Store, take: Take) -> None:
    columns = (
        "timestamp=t,uncached_input_tokens=u,cache_read_tokens=r,cache_write_tokens=w,cache_write_1h_tokens=h,output_tokens=o"
    )
    take("t,u,r,w,h,o\n2026-11-20T12:00:00Z,5,100,20,3,7\n", columns)
    (row,) = store.query(SPANS)
    assert (row["input_tokens"], row["cache_read_tokens"], row["cache_write_tokens"]) == (128, 100, 23)


def test_a_failed_call_is_an_error_and_lasts(store: Store, take: Take) -> None:
    take("t,e,i,o,s\n2026-11-20T12:00:00Z,2026-11-20T12:00:02Z,5,0,429\n", f"{COLUMNS},end_time=e,status=s")
    (row,) = store.query(SPANS)
    assert (row["status_code"], row["duration_ns"]) == ("error", 2_000_000_000)


BAD = {
    "German decimals": ("t;i;o;c\n2026-11-20;1;2;0,5\n", "line 2, column c: '0,5' has a decimal comma"),
    "thousands": (
        't;i;o;c\n2026-11-20;"1\n";2;1\n2026-11-20;1.234;2;1\n',
        "line 4, column i: '1.234' is written with thousands separators",
    ),
    "a negative count": ("t,i,o,c\n2026-11-20,1,-2,1\n", "line 2, column o: '-2' is negative"),
    "an absurd count": ("t,i,o,c\n2026-11-20,9223372036854775808,2,1\n", "line 2, column i: '9223372036854775808' is absurd"),
    "no number": ("t,i,o,c\n2026-11-20,1,2,free\n", "line 2, column c: 'free' is no number"),
    "no time": ("t,i,o,c\n2026-11,1,2,1\n", "line 2, column t: '2026-11' is no time"),
    "no number in a count": ("t,i,o,c\n2026-11-20,NaN,2,1\n", "line 2, column i: 'NaN' is no whole number"),
    "no end": ("t,i,o,c\n2026-11-20,1,2,Infinity\n", "line 2, column c: 'Infinity' is no number"),
    "days or months": (
        "t,i,o,c\n05/11/2026,1,2,1\n05/05/2026,1,2,1\n",
        "line 2, column t: '05/11/2026' has the day or the month first",
    ),
    "days and months": (
        "t,i,o,c\n13/11/2026,1,2,1\n11/13/2026,1,2,1\n",
        "line 2, column t: '13/11/2026' has the day first, and line 3",
    ),
    "a zone by its letters": ("t,i,o,c\n2026-11-20 12:00:00 EST,1,2,1\n", "'2026-11-20 12:00:00 EST' is no time"),
    "no such day": ("t,i,o,c\n2026-02-30,1,2,1\n", "line 2, column t: '2026-02-30' is no time"),
    "no such hour": ("t,i,o,c\n2026-11-20 25:00:03,1,2,1\n", "line 2, column t: '2026-11-20 25:00:03' is no time"),
    "a missing time": ("t,i,o,c\n2026-11-20,1,2,1\n,1,2,1\n", "line 3, column t: is missing"),
    "relative times": ("t,i,o,c\n0,1,2,1\n", "give --epoch and --time-unit"),
    "fewer cells": ("t,i,o,c\n2026-11-20,1,2,1\n2026-11-20,1\n", "line 3: has fewer than 4 cells"),
    "fewer cells in the first row": ("t,i,o,c\n2026-11-20,1\n", "line 2: has fewer than 4 cells"),
    "more cells": ("t,i,o,c\n2026-11-20,1,2,1\n2026-11-20,1,2,3,4\n", "line 3: has more than 4 cells"),
    "a missing column": ("t,x,o,c\n2026-11-20,1,2,1\n", "has no column 'i'; it has t, x, o, c"),
    "a doubled column": ("t,i,o,c,i\n2026-11-20,1,2,1,3\n", "has 2 columns named 'i'"),
    "nothing": ("", "is empty"),
    "no names": ("2,3,4,5\n1,2,3,4\n", "give --no-header"),
    "an array with a gap": (
        '[{"t": "2026-11-20", "i": 1, "o": 2, "c": 1},\n {"t": ]',
        "line 2: is no JSON: Expecting value, at character 8",
    ),
    "an array of other things": ("[1, 2]", "has no column 't'"),
    "an array with more after it": (
        '[{"t":"2026-11-20","i":1,"o":2,"c":1}]\n{"t":1}',
        "line 2: is more JSON after the end of the array",
    ),
    "a number that is none": ('{"t":"2026-11-20","i":NaN,"o":2,"c":1}\n', "line 1: is no JSON object: NaN is no number"),
    "an open quote": (
        't,i,o,c\n2026-11-20,1,2,1\n2026-11-20,"1,2,1\n2026-11-20,1,2,1\n',
        "line 3: opens a quote that nothing closes",
    ),
    "half a gzip": (gzip.compress(b"t,i,o,c\n" + b"2026-11-20,1,2,1\n" * 99)[:-9], "is cut off: its gzip ends in the middle"),
    "another encoding": (
        b"t,i,o,c\n2026-11-20,1,2,1\n2026-11-20,\xfc,2,1\n",
        "line 3: is no text in UTF-8: byte 0xfc at place 12",
    ),
    "old ends of lines": ("t,i,o,c\r2026-11-20,1,2,1\r", "is no CSV: "),
    "no JSON": ('{"t":"2026-11-20","i":1,"o":2,"c":1}\n\n{"t":\n', "line 3: is no JSON object"),
    "bytes": (b"t\xff\x00t", "is a binary file"),
    "half a Parquet file": (b"PAR1xxxx", "is no whole Parquet file"),
}


def test_bad_files_are_named_with_line_and_column_and_nothing_of_them_is_taken(store: Store, take: Take) -> None:
    for case, (content, reason) in BAD.items():
        with pytest.raises(BadQuestionError) as refusal:
            take(content, f"{COLUMNS},cost=c", name="calls.csv")
        assert "calls.csv" in str(refusal.value), case
        assert reason in str(refusal.value), case
    contradiction = "t,i,o,r,c\n2026-11-20,10,2,3,20\n"
    with pytest.raises(BadQuestionError, match=r"'20' and cache writes are more .* 10[\s\S]*column r: '3' are more"):
        take(contradiction, f"{COLUMNS},reasoning_tokens=r,cache_read_tokens=c")
    assert store.query("SELECT count() AS n FROM spans UNION ALL SELECT count() FROM usage_rows") == [{"n": 0}, {"n": 0}]


def test_azures_trace_costs_what_it_must(store: Store, take: Take, shared_data: Path) -> None:
    columns = "timestamp=TIMESTAMP,input_tokens=ContextTokens,output_tokens=GeneratedTokens"
    assert take(shared_data / "azure_llm_2023/AzureLLMInferenceTrace_code.csv", columns).new_calls == 8819
    settled = engine.settle(store)
    assert (settled.calls, settled.priced_calls, settled.amount_usd) == (8819, 8819, Decimal("47.608895"))


def test_mooncakes_trace_costs_what_it_must_with_its_prefixes_cached(store: Store, take: Take, shared_data: Path) -> None:
    columns = "timestamp=timestamp,input_tokens=input_length,output_tokens=output_length,prefix_blocks=hash_ids"
    reading = Reading(epoch=at(12), time_unit="ms")
    assert take(shared_data / "mooncake/synthetic_trace.jsonl", columns, GPT_4O, reading).new_calls == 3993
    tokens = "SELECT sum(input_tokens) AS input, sum(cache_read_tokens) AS cached FROM spans"
    assert store.query(tokens) == [{"input": 61_194_628, "cached": 39_852_661}]
    assert engine.settle(store).amount_usd == Decimal("109.12506375")


def test_rates_of_requests_are_no_calls(take: Take, shared_data: Path) -> None:
    file = shared_data / "servegen/language__m-small__chunk-2-trace.csv"
    with pytest.raises(BadQuestionError, match="give --no-header"):
        take(file)
    with pytest.raises(BadQuestionError, match=r"line 1, column 2: '0.08833333333333333' is no whole number"):
        take(file, "timestamp=1,input_tokens=2", reading=Reading(epoch=at(12), time_unit="s"), header=False)


def test_what_an_import_left_whose_process_ended_is_taken_back(store: Store, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows stay staged and calls stored where a process is killed; what fails in a process that goes on leaves neither."""
    left = """SELECT (SELECT count() FROM spans) AS calls, (SELECT count() FROM usage_rows) AS rows,
        (SELECT count() FROM usage_imports) AS imports"""
    queried = load._query
    take(FILE_OF_ONE)
    with monkeypatch.context() as killed:
        killed.setattr(load, "_record", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            take(THREE)
        assert store.query(left) == [{"calls": 1, "rows": 0, "imports": 1}]
        killed.setattr(undoing, "take_back", Mock())
        killed.setattr(load, "_query", lambda name: "SELECT 1" if name == "forget" else queried(name))
        with pytest.raises(KeyboardInterrupt):
            take(THREE)
    assert store.query(left) == [{"calls": 3, "rows": 3, "imports": 1}]
    monkeypatch.setattr(undoing, "ABANDONED_NS", 0)  # on a server, others may read a file for an hour
    monkeypatch.setattr(application, "settle", Mock())
    application.settle_whole_imports(store, None, None, None)  # as a server does when it starts, and before each settlement
    assert store.query(left) == [{"calls": 1, "rows": 0, "imports": 1}]


def test_a_corrected_file_comes_in_the_place_of_the_earlier_one(store: Store, take: Take) -> None:
    """What it corrects is of its name and within its period; where that is not sure, nothing is taken back."""
    first = take(THREE, name="old/calls.csv")
    corrected = THREE.replace("4,1", "5,1")
    looked = take(corrected, name="calls.csv", replace=True, dry_run=True)
    assert (len(looked.replaced), looked.stored) == (1, False)
    second = take(corrected, name="calls.csv", replace=True)
    assert (second.replaced, second.new_calls) == (looked.replaced, first.new_calls)
    assert sorted(row["input_tokens"] for row in store.query(SPANS)) == [5, 10, 10]
    assert (take(corrected, name="calls.csv", replace=True).new_calls, len(load.imports(store))) == (0, 2)
    with pytest.raises(BadQuestionError, match=r"old/calls.csv|calls.csv goes from .* beyond calls.csv"):
        take(FILE_OF_ONE, name="calls.csv", replace=True)
    with pytest.raises(BadQuestionError, match=r"has the same mapping and period, but another name"):
        take(THREE.replace("4,1", "6,1"), name="others.csv", replace=True)
    assert take(THREE, name="calls.csv", constants="provider=openai,model=gpt-4o-mini", replace=True).new_calls == 3
    assert {row["request_model"] for row in store.query(SPANS)} == {"gpt-4o-mini"}
