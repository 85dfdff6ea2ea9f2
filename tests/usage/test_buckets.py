"""Rows that stand for many calls: pages of providers' usage APIs."""

import json
from decimal import Decimal

import pytest
from tollbook_attribution import engine
from tollbook_schema.store import Store
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage import load

from tests.usage.conftest import COLUMNS, FILE_OF_ONE, Take

CALLS = (
    "timestamp=start_time,end_time=end_time,input_tokens=input_tokens,output_tokens=output_tokens,"
    "cache_read_tokens=input_cached_tokens,calls=num_model_requests,model=model"
)


def page(calls: int, *, read: int, cached: int, written: int, user: str = "u1", cursor: str = "a") -> str:
    result = {"input_tokens": read, "output_tokens": written, "input_cached_tokens": cached, "num_model_requests": calls}
    own = {**result, "model": "gpt-4o-2024-08-06", "user_id": user}
    bucket = {"object": "bucket", "start_time": 1795176000, "end_time": 1795179600, "results": [own]}
    return json.dumps({"object": "page", "data": [bucket], "has_more": True, "next_page": cursor})


def spans(store: Store) -> dict[str, object]:
    return store.query("SELECT count() AS calls, sum(input_tokens) AS read, sum(output_tokens) AS written FROM spans")[0]


def test_a_bucket_becomes_calls_of_average_size_and_grows(store: Store, take: Take) -> None:
    first = take(page(5, read=1003, cached=800, written=501), CALLS, "provider=openai")
    assert (first.rows, first.new_calls) == (1, 5)
    assert take(page(5, read=1003, cached=800, written=501, cursor="b"), CALLS, "provider=openai").new_calls == 0
    assert take(page(8, read=1603, cached=800, written=801), CALLS, "provider=openai").new_calls == 3
    assert take(page(1, read=10, cached=0, written=2, user="u2"), CALLS, "provider=openai").new_calls == 1
    assert spans(store) == {"calls": 9, "read": 1613, "written": 803}
    # The same bucket in another form: its words are the same, whatever their order.
    table = "user_id,model,num_model_requests,input_tokens,output_tokens,input_cached_tokens,end_time,start_time,project\n"
    assert take(f"{table}u1,gpt-4o-2024-08-06,8,1603,801,800,1795179600,1795176000,\n", CALLS, "provider=openai").new_calls == 0
    with pytest.raises(
        BadQuestionError, match=r"line 1: tells of less .*: 8 calls then and 7 now, 1603 input tokens then and 900"
    ):
        take(page(7, read=900, cached=800, written=801), CALLS, "provider=openai")
    with pytest.raises(BadQuestionError, match=r"a later import counted on from this one: first tollbook import undo [0-9]+"):
        load.undo(store, load.imports(store)[-1].import_id)
    # Calls that nobody counted, which no price of long inputs is chosen for, and seven that the provider says the cost of.
    many = "t,m,i,o\n2026-11-20T12:00:00Z,claude-sonnet-4-5,1500000,500\n"
    take(many, "timestamp=t,uncached_input_tokens=i,output_tokens=o,model=m", "provider=anthropic,calls=many")
    costs = "t,e,m,c,n,i\n2026-11-20T12:00:00Z,2026-11-20T12:30:00Z,gpt-4o,0.1234567,7,1000\n2026-11-21,,gpt-4o,0,0,0\n"
    told = "timestamp=t,end_time=e,model=m,cost=c,calls=n,input_tokens=i"
    assert take(costs, told, "provider=openrouter").new_calls == 7
    settled = engine.settle(store)
    # 813 fresh input tokens at $2.50, 800 cached at $1.25 and 803 output tokens at $10; 1,500,000 at $3 and 500 at $15 a million
    assert (settled.calls, settled.amount_usd) == (17, Decimal("0.0110625") + Decimal("4.5075") + Decimal("0.1234567"))
    bases = "SELECT basis, count() AS calls, uniqExact(toMinute(start_time)) AS minutes FROM calls GROUP BY basis ORDER BY calls"
    assert [(row["basis"], row["calls"], row["minutes"]) for row in store.query(bases)] == [
        ("computed", 1, 1),
        ("provider", 7, 7),
        ("estimated", 9, 9),
    ]
    # What was imported last is taken back, and as many calls of the same hour come in its place: it is to be settled again.
    last = load.imports(store)[0].import_id
    assert load.undo(store, last).new_calls == 7
    with pytest.raises(BadQuestionError, match=f"there is no import {last}"):
        load.undo(store, last)
    assert take(costs, told, "provider=openrouter").new_calls == 7
    assert [hour.window.hour for hour in engine.windows_to_settle(store)] == [12]


def test_what_cannot_stand_for_many_calls_is_refused(take: Take) -> None:
    wrong = {"1000001": "is more than 1000000 calls in one row", "-1": "is negative", "2.5": "is no whole number"}
    for calls, reason in wrong.items():
        with pytest.raises(BadQuestionError, match=f"line 2, column n: '{calls}' {reason}"):
            take(f"t,i,o,n\n2026-11-20,10,2,{calls}\n", f"{COLUMNS},calls=n")
    with pytest.raises(BadQuestionError, match="request_id is of one call"):
        take(FILE_OF_ONE, f"{COLUMNS},calls=i,request_id=o")
