"""What a person may ask the store, and what is refused."""

# ruff: noqa: RUF001 - typographic quotation marks are an attack

import pytest
from tollbook_schema import sql
from tollbook_schema.reads import Engine
from tollbook_schema.store import QueryError, Store


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("", "nothing was asked"),
        (" ; ", "nothing was asked"),
        ("-- nothing", "Empty query"),
        ("DROP TABLE spans", "DROP is not a question"),
        ("INSERT INTO spans (name) VALUES ('x')", "INSERT is not a question"),
        ("SET readonly = 0", "SET is not a question"),
        ("USE system", "USE is not a question"),
        ("KILL QUERY WHERE 1", "KILL is not a question"),
        ("SYSTEM SHUTDOWN", "SYSTEM is not a question"),
        ("-- SELECT\nTRUNCATE TABLE spans", "TRUNCATE is not a question"),
        ("SELECT 1; DROP TABLE spans", "Multi-statements are not allowed"),
        ("SELECT 1) ; DROP TABLE spans ; SELECT (1", "Syntax error"),
        ("DESCRIBE TABLE spans PARALLEL WITH DROP TABLE spans", "one statement at a time"),
        ("SELECT 1 INTO OUTFILE '/tmp/tollbook-outfile'", "INTO OUTFILE writes a file"),
        ("SELECT 1 INTO/**/OUTFILE '/tmp/tollbook-outfile'", "INTO OUTFILE writes a file"),
        ("EXPLAIN AST SELECT 1 INTO OUTFILE '/tmp/tollbook-outfile'", "INTO OUTFILE writes a file"),
        ("SELECT 1 `INTO` OUTFILE '/tmp/tollbook-outfile'", "Syntax error"),
        ("SELECT * FROM file('/etc/hostname')", "file() reaches outside"),
        ("SELECT * FROM FILE /* x */ ('/etc/hostname')", "FILE() reaches outside"),
        ("SELECT * FROM `url`('http://127.0.0.1:1')", "url() reaches outside"),
        ("SELECT * FROM \"s3\"('http://127.0.0.1:1/a')", "s3() reaches outside"),
        ("SELECT * FROM remote('127.0.0.1', system.one)", "remote() reaches outside"),
        ("SELECT * FROM executable('ls', 'TSV', 'a String')", "executable() reaches outside"),
        ("SELECT * FROM python('x')", "python() reaches outside"),
        ("DESCRIBE TABLE url('http://127.0.0.1:1/a.csv')", "url() reaches outside"),
        ("SELECT file('/etc/hostname')", "file() reaches outside"),
        ("SELECT * APPLY(file) FROM (SELECT '/etc/hostname')", "file is a function that reaches outside"),
        ("SELECT arrayMap(file, ['/etc/hostname'])", "file is a function that reaches outside"),
        ("SELECT arrayMap(`file`, ['/etc/hostname'])", "file is a function that reaches outside"),
        ("SELECT /* /* */ ' */ */ file('/etc/hostname') -- '", "file() reaches outside"),
        ("SELECT ‘ ’, file('/etc/hostname'), ‘ ’", "file() reaches outside"),
        ("SELECT * FROM '/etc/hostname'", "/etc/hostname could be a file"),
        ("SELECT 1 AS `/etc/hostname` FROM spans, `/etc/hostname`", "/etc/hostname could be a file"),
        ("SELECT getSetting('max_threads')", "getSetting() reaches outside"),
        ("SELECT getSettingOrDefault('max_threads', 1)", "getSettingOrDefault() reaches outside"),
        ("SELECT dictGet('d', 'a', 1)", "dictGet() reaches outside"),
        ("SELECT AIGenerate('x')", "AIGenerate() reaches outside"),
        ("SELECT hostName()", "hostName() reaches outside"),
        ("SELECT @@version", "globalVariable() reaches outside"),
        ("SELECT sleep(3)", "sleep() reaches outside"),
        ("SELECT * FROM system.processes", "the database system is closed"),
        ("SELECT * FROM `system`.`processes`", "the database system is closed"),
        ("SELECT 1 IN system.one", "the database system is closed"),
        ("SELECT * FROM information_schema.tables", "the database information_schema is closed"),
        ("EXISTS TABLE system.one", "the database system is closed"),
        ("SHOW TABLES FROM system", "the database system is closed"),
        ("SHOW PROCESSLIST", "nothing is shown but tables"),
        ("SHOW GRANTS", "nothing is shown but tables"),
        ("SHOW SETTINGS LIKE 'max%'", "nothing is shown but tables"),
        ("SHOW CREATE USER default", "nothing is shown but tables"),
        ("SELECT 'open", "Syntax error"),
        ("SELECT 1 SETTINGS readonly = 0", "SETTINGS readonly could lift a limit"),
        ("SELECT * FROM (SELECT 1 settings `max_execution_time` = 0)", "SETTINGS max_execution_time could lift a limit"),
        ("SELECT nothing_here", "Unknown expression"),
        ("SELECT {x:Identifier}", "`x` is not set"),
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
        ('SELECT $tag$\'$tag$ AS `a/b`, "it\'s" /* /* ; */ */ FROM (SELECT 1 AS "it\'s")', [("'", 1)]),
        ("SELECT version FROM prices WHERE now() < today() AND 0", []),
        ("SELECT number FROM numbers(2)", [(0,), (1,)]),
        ("EXISTS TABLE spans", [("1",)]),
    ],
)
def test_questions_are_answered(store: Store, statement: str, rows: list[tuple[object, ...]]) -> None:
    assert store.read(statement).rows == rows


def test_the_functions_that_know_more_than_their_arguments_are_known(store: Store) -> None:
    (known,) = store.query(sql.text("tollbook_schema", "engine.sql"))
    refused = Engine(**{name: frozenset(names) for name, names in known.items()}).refused_functions
    assert refused >= {
        "file",
        "getsetting",
        "dictget",
        "joinget",
        "filesystemavailable",
        "showcertificate",
        "aiembed",
        "hascolumnintable",
    }
    assert refused & {"version", "now", "rand", "arrayjoin", "sum", "tostring", "transform", "format", "url", "tenant"} == set()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT materialize(repeat('x', 1000000)) FROM numbers(1000)",
        "SELECT groupArray(number) FROM numbers(1000000000)",
        "SELECT repeat('x', 1000000) FROM numbers(1000)",
    ],
)
def test_a_question_that_takes_too_much_is_told_so_and_not_to_come_back(store: Store, statement: str) -> None:
    with pytest.raises(QueryError, match="that takes more than its share"):
        store.read(statement)


def test_tables_are_shown_and_described(store: Store) -> None:
    assert ("spans",) in store.read("SHOW TABLES").rows
    assert store.read("DESCRIBE TABLE spans").rows[1][:2] == ("trace_id", "FixedString(16)")


def test_more_rows_than_asked_for_are_cut_and_said_so(store: Store) -> None:
    answer = store.read("SELECT number FROM numbers(100)", max_rows=3)
    assert (len(answer.rows), answer.truncated) == (3, True)


@pytest.mark.parametrize("text", ["a\\b", "x\n\ty", "q'uote", "nul\0x", "\\", "{x:String}", "\\N", "", "ünï🚀"])
def test_values_are_bound_as_they_are(store: Store, text: str) -> None:
    assert store.query("SELECT {text:String} AS text", {"text": text}) == [{"text": text}]
