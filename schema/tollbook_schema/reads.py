"""Is this SQL nothing but a question? Pure: text in, verdict out.

The store answers people on a connection with `readonly=1`. That stops writes, but not `file()` as a function, `KILL`, `USE`,
`python()`, or a look at other people's queries in `system.processes` (tried on ClickHouse 26.9). So the engine's own parser first
writes the statement out in its words (`formatQuery`, which runs nothing): without comments, here-documents and typographic
quotation marks, where a reader of ours could take one thing for another. Those words are read here, and those words are run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

QUESTIONS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "EXPLAIN", "EXISTS"})

TENANTS_QUESTIONS = frozenset({"SELECT", "WITH", "DESCRIBE"})
"""A tenant's: the others tell of tables as a whole."""

SHOWN = re.compile(r"SHOW (?:FULL )?(?:TABLES|COLUMNS|INDEXES|CREATE TABLE|CREATE VIEW)\b")
"""What may be shown: the others tell of the server and of who else asks it."""

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

CLOCKS_AND_DICE = frozenset(
    {
        "now",
        "now64",
        "nowinblock",
        "nowinblock64",
        "today",
        "yesterday",
        "curdate",
        "current_date",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "utctimestamp",
        "utc_timestamp",
        "timezone",
        "rand",
        "rand32",
        "rand64",
        "randconstant",
        "randcanonical",
        "randuniform",
        "randnormal",
        "generateuuidv4",
        "generateuuidv7",
        "arrayjoin",
        "unnest",
        "arrayshuffle",
        "arraypartialshuffle",
        "arrayrandomsample",
        "arraypartialsort",
        "arraypartialreversesort",
        "rownumberinblock",
        "rownumberinallblocks",
        "neighbor",
        "runningdifference",
        "runningdifferencestartingwithfirstvalue",
        "runningaccumulate",
        "isconstant",
        "tocolumntypename",
        "lowcardinalitykeys",
        "lowcardinalityindices",
        "version",
        "currentdatabase",
        "current_database",
        "database",
        "user",
        "schema",
    }
)
"""Functions that know more than their arguments, and that nobody is harmed by; every other one of that kind is refused."""

REACHING = frozenset({"catboostevaluate", "evalmlmethod", "globalvariable", "logtrace", "sleep", "sleepeachrow", "tid"})
"""Functions that pass for pure ones and are not."""

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<odd>--|/\*|[#$;\u2018\u2019\u201c\u201d])
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


@dataclass(frozen=True)
class Engine:
    """What the engine knows by name, in lower case."""

    table_functions: frozenset[str]
    knowing_functions: frozenset[str]
    """Functions whose answer depends on more than their arguments: files, settings, dictionaries, the network, the clock."""
    databases: frozenset[str]
    """All but the one that is asked."""

    @property
    def refused_functions(self) -> frozenset[str]:
        """Functions that nobody may call."""
        return (self.knowing_functions - CLOCKS_AND_DICE) | REACHING

    @property
    def refused_tables(self) -> frozenset[str]:
        """Table functions that nobody may call."""
        return self.table_functions - SAFE_TABLE_FUNCTIONS


def check(statement: str, engine: Engine, *, of_tenant: bool = False) -> None:
    """Lets a statement pass that only reads.

    Args:
        statement: one SQL statement as the engine's parser wrote it.
        engine: what the engine knows.
        of_tenant: whether it is asked by a tenant, who may ask less.

    Raises:
        NotAQuestionError: it is no question, writes a file, or reaches outside the database.
    """
    tokens = list(_tokens(statement))
    questions = TENANTS_QUESTIONS if of_tenant else QUESTIONS
    first = next((word for _, word in tokens if word != "("), "")
    if first not in questions:
        raise NotAQuestionError(f"{first or 'nothing'} is not a question; only {', '.join(sorted(questions))} are answered")
    if first == "SHOW" and not SHOWN.match(statement):
        raise NotAQuestionError("of the server nothing is shown but tables, columns and indexes")
    if of_tenant and ("word", "PREWHERE") in tokens:
        raise NotAQuestionError("PREWHERE would be looked at before whose rows they are; write WHERE")
    before = ("", "")
    for token, after in zip(tokens, [*tokens[1:], ("", "")], strict=True):
        _check_token(before[1], token, after, engine)
        before = token


def _check_token(before: str, token: tuple[str, str], after: tuple[str, str], engine: Engine) -> None:
    kind, word = token
    if kind not in ("word", "quoted"):
        return
    if kind == "word" and word == "INTO" and after[1] == "OUTFILE":
        raise NotAQuestionError("INTO OUTFILE writes a file")
    if kind == "word" and word == "PARALLEL" and after[1] == "WITH":
        raise NotAQuestionError("one statement at a time")
    if kind == "word" and word == "SETTINGS":
        raise NotAQuestionError(f"SETTINGS {after[1]} could lift a limit")
    _check_name(before, word, after[1], engine)


def _check_name(before: str, word: str, after: str, engine: Engine) -> None:
    name = word.lower()
    if name in engine.databases and (after == "." or before in ("FROM", "IN")):
        raise NotAQuestionError(f"the database {word} is closed")
    if "/" in word and before != "AS":
        raise NotAQuestionError(f"{word} could be a file; give a name without a slash")
    if after == "(" and name in engine.refused_tables | engine.refused_functions:
        raise NotAQuestionError(f"{word}() reaches outside the database")
    if before not in ("AS", ".") and name in engine.refused_functions:  # arrayMap(file, ['/etc/passwd']) calls it too
        raise NotAQuestionError(f"{word} is a function that reaches outside the database")


def _tokens(statement: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(statement):
        kind, text = match.lastgroup or "sign", match.group()
        if kind == "odd" or (kind == "sign" and text in "'\"`"):
            raise NotAQuestionError(f"{text} cannot be read")
        if kind != "space":
            yield kind, text[1:-1] if kind == "quoted" else text
