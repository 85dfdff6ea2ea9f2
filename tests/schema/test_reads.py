"""What a person may ask the store, and what is refused."""

import pytest
from tollbook_schema.store import QueryError, Store


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("", "nothing was asked"),
        (" ; ", "nothing was asked"),
        ("DROP TABLE spans", "DROP is not a question"),
        ("INSERT INTO spans (name) VALUES ('x')", "INSERT is not a question"),
        ("SET readonly = 0", "SET is not a question"),
        ("USE system", "USE is not a question"),
        ("KILL QUERY WHERE 1", "KILL is not a question"),
        ("SYSTEM SHUTDOWN", "SYSTEM is not a question"),
        ("-- SELECT\nTRUNCATE TABLE spans", "TRUNCATE is not a question"),
        ("SELECT 1; DROP TABLE spans", "one statement at a time"),
        ("SELECT 1) ; DROP TABLE spans ; SELECT (1", "one statement at a time"),
        ("SELECT 1 INTO OUTFILE '/tmp/tollbook-outfile'", "INTO OUTFILE writes a file"),
        ("SELECT 1 INTO/**/OUTFILE '/tmp/tollbook-outfile'", "INTO OUTFILE writes a file"),
        ("SELECT 1 `INTO` OUTFILE '/tmp/tollbook-outfile'", "Syntax error"),
        ("SELECT * FROM file('/etc/hostname')", "file() reaches outside"),
        ("SELECT * FROM FILE /* x */ ('/etc/hostname')", "file() reaches outside"),
        ("SELECT * FROM `url`('http://127.0.0.1:1')", "url() reaches outside"),
        ("SELECT * FROM \"s3\"('http://127.0.0.1:1/a')", "s3() reaches outside"),
        ("SELECT * FROM remote('127.0.0.1', system.one)", "remote() reaches outside"),
        ("SELECT * FROM executable('ls', 'TSV', 'a String')", "executable() reaches outside"),
        ("SELECT * FROM python('x')", "python() reaches outside"),
        ("SELECT file('/etc/hostname')", "file() reaches outside"),
        ("SELECT sleep(3)", "sleep() reaches outside"),
        ("SELECT 'open", "a quotation mark ' is not closed"),
        ("SELECT 1 SETTINGS readonly = 0", "SETTINGS readonly could lift a limit"),
        ("SELECT nothing_here", "Unknown expression"),
    ],
)
def test_anything_but_a_read_is_refused_with_a_reason(store: Store, statement: str, reason: str) -> None:
    with pytest.raises(QueryError) as refused:
        store.read(statement)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT 1", [(1,)]),
        ("select 'a;b' -- ; DROP\n;", [("a;b",)]),
        ("WITH 2 AS x SELECT x", [(2,)]),
        ("(SELECT 3)", [(3,)]),
        ("SELECT $tag$; INTO OUTFILE$tag$", [("; INTO OUTFILE",)]),
        ("SELECT 'it''s' AS `file`", [("it's",)]),
        ("SELECT number FROM numbers(2)", [(0,), (1,)]),
        ("EXISTS TABLE spans", [("1",)]),
    ],
)
def test_questions_are_answered(store: Store, statement: str, rows: list[tuple[object, ...]]) -> None:
    assert store.read(statement).rows == rows


def test_tables_are_shown_and_described(store: Store) -> None:
    assert ("spans",) in store.read("SHOW TABLES").rows
    assert store.read("DESCRIBE TABLE spans").rows[1][:2] == ("trace_id", "FixedString(16)")


def test_more_rows_than_asked_for_are_cut_and_said_so(store: Store) -> None:
    answer = store.read("SELECT number FROM numbers(100)", max_rows=3)
    assert (len(answer.rows), answer.truncated) == (3, True)


@pytest.mark.parametrize("text", ["a\\b", "x\n\ty", "q'uote", "nul\0x", "\\", "{x:String}", "\\N", "", "ünï🚀"])
def test_values_are_bound_as_they_are(store: Store, text: str) -> None:
    assert store.query("SELECT {text:String} AS text", {"text": text}) == [{"text": text}]
