"""Is this SQL nothing but a question? Pure: text in, verdict out.

The store answers people on a connection with `readonly=1`. That stops writes, but not `INTO OUTFILE`, `KILL`, `USE` or table
functions such as `python()` and `s3()` (tried on ClickHouse 26.9), so what a person sends is read token by token first.
"""

import re
from collections.abc import Iterator

QUESTIONS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"})

TENANTS_QUESTIONS = frozenset({"SELECT", "WITH", "DESCRIBE", "DESC"})

SAFE_TABLE_FUNCTIONS = frozenset(
    {
        "format",
        "generate_series",
        "generateseries",
        "null",
        "numbers",
        "numbers_mt",
        "primes",
        "values",
        "view",
        "zeros",
        "zeros_mt",
    }
)
"""Table functions that reach nothing outside the query; every other one is refused."""

REACHING_FUNCTIONS = frozenset({"catboostevaluate", "getsetting", "getserversetting", "file", "sleep", "sleepeachrow"})
"""Ordinary functions that read files or settings, or hold a connection."""

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)
    | (?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<string>'(?:[^'\\]|\\.|'')*')
    | (?P<quoted>"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
    | (?P<word>[^\W\d]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class NotAQuestionError(ValueError):
    """The statement would do more than read; the message says which part."""


def check(statement: str, table_functions: frozenset[str], closed_databases: frozenset[str] | None = None) -> str:
    """The statement without its closing semicolon, if it only reads.

    Args:
        statement: one SQL statement as a person wrote it.
        table_functions: lower-case names of the table functions that the engine knows.
        closed_databases: of the databases that a tenant must not see, their names; a tenant asks with SELECT only, as other
            questions tell of tables as a whole. None for an operator, who sees all.

    Raises:
        NotAQuestionError: it is empty, more than one statement, no question, writes a file or reaches outside the database.
    """
    tokens = list(_tokens(statement))
    while tokens and tokens[-1][1] == ";":
        tokens.pop()
    if not tokens:
        raise NotAQuestionError("nothing was asked")
    words = [word for _, word in tokens]
    if ";" in words:
        raise NotAQuestionError("one statement at a time")
    questions = QUESTIONS if closed_databases is None else TENANTS_QUESTIONS
    if words[0].upper() not in questions and words[0] != "(":
        raise NotAQuestionError(f"{words[0].upper()} is not a question; only {', '.join(sorted(questions))} are answered")
    closed = {name.lower() for name in closed_databases or ()}
    for (kind, word), (_, following), (_, third) in zip(tokens, tokens[1:], [*tokens[2:], ("end", "")], strict=False):
        _check_run(kind, word.lower(), following.lower(), third, table_functions)
        if following == "." and kind in ("word", "quoted") and word.lower() in closed:
            raise NotAQuestionError(f"the database {word} is not yours to read")
    return statement.rstrip().rstrip(";").rstrip()


def _check_run(kind: str, word: str, following: str, third: str, table_functions: frozenset[str]) -> None:
    if kind == "word" and word == "into" and following == "outfile":
        raise NotAQuestionError("INTO OUTFILE writes a file")
    if kind == "word" and word == "settings" and third == "=":
        raise NotAQuestionError(f"SETTINGS {following} could lift a limit")
    if kind in ("word", "quoted") and following == "(":
        reaching = word in table_functions and word not in SAFE_TABLE_FUNCTIONS
        if reaching or word in REACHING_FUNCTIONS:
            raise NotAQuestionError(f"{word}() reaches outside the database")


def _tokens(statement: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(statement):
        kind = match.lastgroup or "sign"
        if kind == "space":
            continue
        text = match.group()
        if kind == "sign" and text in "'\"`":
            raise NotAQuestionError(f"a quotation mark {text} is not closed")
        yield kind, text[1:-1] if kind == "quoted" else text
