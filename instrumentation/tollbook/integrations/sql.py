"""What a statement of SQL does with which tables, and what is said of it while its rows are read. Keeps no literal."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, ValuesView
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from types import TracebackType
from typing import Any, Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook import hosts
from tollbook.handle import INERT, Handle, Value
from tollbook.inputs import Asset
from tollbook.integrations.base import Handover, Joined
from tollbook.integrations.http import Held
from tollbook.shield import shielded

MAX_SIZED_VALUES: Final = 1000
"""Values of one statement, parameters and rows, whose bytes are added up: about 0.1 ms. Beyond, the size is not told."""
_MAX_READ_CHARACTERS: Final = 10_000
"""Of a statement: what follows, such as thousands of rows in one INSERT, is not looked at."""

_TOKEN: Final = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<literal>'(?:[^'\\]|''|\\.)*(?:'|\Z)|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))
    |(?P<name>"[^"]*"|`[^`]*`|\[\w[^\]]*\]|[^\W\d][\w$]*)
    |(?P<mark>[(),.;])""",
    re.VERBOSE | re.DOTALL,
)
_OPERATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("SELECT", "VALUES", "TABLE", "FETCH", "DESCRIBE"), "read"),
    **dict.fromkeys(("INSERT", "UPDATE", "MERGE", "REPLACE", "UPSERT", "CREATE"), "write"),
    **dict.fromkeys(("DELETE", "TRUNCATE", "DROP"), "delete"),
    **dict.fromkeys(("CALL", "EXEC", "EXECUTE"), "call"),
    "COPY": "copy",
}
_NO_TABLES: Final = frozenset({"SELECT", "LATERAL", "ONLY", "SET", "VALUES", "UNNEST", "OF", "NOWAIT", "SKIP"})
_CLAUSES: Final = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "USING"})


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement says of itself."""

    verb: str
    """Its first word, such as `SELECT`; of a `WITH`, the word that does the work."""
    operation: str | None
    """What it does with the data; none where it moves none, as `COMMIT`."""
    tables: tuple[str, ...]
    """The tables that it reads from, or writes to. Those that cannot be told for certain are left out."""


@lru_cache(1024)
def read(text: str) -> Statement:
    """Read a statement, without its literals."""
    words = list(_words(text[:_MAX_READ_CHARACTERS]))
    first = next((word for word in words if word not in "(),.;"), "").upper()
    made_here: set[str] = set()
    if first == "WITH":
        made_here = {
            _bare(words[place - 1])
            for place, word in enumerate(words)
            if word.upper() == "AS" and words[place + 1 : place + 2] == ["("]
        }
        first = _main_verb(words)
    operation = _operation(first, words)
    if operation not in {"read", None}:  # the table that is written to stands behind the verb
        words = words[[word.upper() for word in words].index(first) :]
    tables = tuple(dict.fromkeys(table for table in _tables(words, first) if table not in made_here))
    return Statement(first, operation, tables if operation else ())


def _operation(verb: str, words: Sequence[str]) -> str | None:
    """A definition moves no data, unless it fills the table."""
    upper = {word.upper() for word in words}
    if (verb in {"CREATE", "DROP"} and "TABLE" not in upper) or (verb == "CREATE" and "SELECT" not in upper):
        return None
    return _OPERATIONS.get(verb)


def _words(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text):
        if found.lastgroup in {"name", "mark"}:
            yield found.group()


def _bare(name: str) -> str:
    return name[1:-1] if name[:1] in {'"', "`", "["} else name


def _main_verb(words: Sequence[str]) -> str:
    depth = 0
    for word in words[1:]:
        depth += (word == "(") - (word == ")")
        if depth == 0 and word.upper() in _OPERATIONS:
            return word.upper()
    return "WITH"


def _tables(words: Sequence[str], verb: str) -> Iterator[str]:
    """Names behind FROM, JOIN, INTO, UPDATE and TABLE; of a statement that writes, the first of them alone: its target."""
    inside: list[bool] = [True]
    for place, word in enumerate(words):
        upper = word.upper()
        if word == "(":
            inside.append(words[place + 1 : place + 2] != [] and words[place + 1].upper() in {"SELECT", "WITH", "(", "VALUES"})
        elif word == ")" and len(inside) > 1:
            inside.pop()
        elif upper in _CLAUSES and inside[-1] and not _is_no_clause(words, place, verb):
            yield from _listed(words, place + 1, several=upper == "FROM")
            if _OPERATIONS.get(verb) not in {"read", None}:
                return


def _is_no_clause(words: Sequence[str], place: int, verb: str) -> bool:
    """`IS DISTINCT FROM`, `FOR UPDATE`, `DO UPDATE`, `JOIN … USING (…)`."""
    before, word = words[place - 1].upper() if place else "", words[place].upper()
    return (
        (before == "DISTINCT" and word == "FROM")
        or (word == "UPDATE" and before in {"FOR", "DO", "ON", "KEY"})
        or (word == "USING" and verb not in {"MERGE", "DELETE"})
        or (word == "INTO" and verb == "SELECT")
    )  # fmt: skip


def _listed(words: Sequence[str], place: int, several: bool) -> Iterator[str]:
    """The table that is named here, and further ones behind commas."""
    while place < len(words):
        while place < len(words) and words[place].upper() in {"IF", "NOT", "EXISTS", "ONLY", "OR", "IGNORE"}:
            place += 1
        parts: list[str] = []
        while place < len(words) and words[place] not in "(),;":
            parts.append(_bare(words[place]))
            place += 1
            if words[place : place + 1] != ["."]:
                break
            place += 1
        called = words[place : place + 1] == ["("] and several
        if parts and not called and parts[0].upper() not in _NO_TABLES:
            yield ".".join(parts)
        while place < len(words) and words[place] not in "(),;" and words[place].upper() not in _CLAUSES | _ENDS:
            place += 1  # an alias
        if not several or words[place : place + 1] != [","]:
            return
        place += 1


_ENDS: Final = frozenset(
    {"WHERE", "GROUP", "ORDER", "LIMIT", "HAVING", "UNION", "LEFT", "RIGHT", "INNER", "CROSS", "FULL", "ON", "SET"}
)


def size_bytes(values: Iterable[Any]) -> int | None:
    """Bytes of parameters or of a row's values: text in UTF-8, numbers and moments 8, a truth value 1, NULL none."""
    total = 0
    for value in values:
        kind = type(value)
        if kind is str:
            total += len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
        elif kind is int or kind is float or isinstance(value, datetime | date | time):
            total += 8
        elif kind is bool:
            total += 1
        elif isinstance(value, bytes | bytearray):
            total += len(value)
        elif isinstance(value, memoryview):
            total += value.nbytes
        elif isinstance(value, Decimal):
            total += len(str(value))
        elif value is not None:
            return None
    return total


_age_columns: Final[dict[str, str]] = {}


def age_column(table: str, column: str) -> None:
    """Say which column of a table tells when a row came to be or was changed.

    Rows that are read with that column tell the age of the data: the oldest and the newest of them. Moments without a time
    zone are taken as UTC; whole numbers as seconds, ms, µs or ns since 1970, by their size.
    """
    _age_columns[table] = column


def moment_ns(value: Any) -> int | None:
    """A column's value as ns since 1970; none where it is no moment."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND * 1000
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number: Any = value
    unit = next((factor for limit, factor in _UNITS if abs(number) < limit), 1)
    return int(value * unit)


_UNITS: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
"""Whole numbers below the first of each are seconds, ms and µs: as such, they are moments until the year 5138."""
_MICROSECOND: Final = datetime(1970, 1, 1, 0, 0, 0, 1) - datetime(1970, 1, 1)  # noqa: DTZ001 - a span of time

_covered: ContextVar[bool] = ContextVar("tollbook_sql_covered", default=False)
"""Whether a statement is told already by a layer above."""


class Database:
    """Where statements go: what all of their spans say.

    Args:
        system: the product, such as `postgresql`.
        name: the database, or its file.
        host: the server's name or address.
        port: its port.
    """

    _SHORT: Final[Mapping[str, str]] = {"postgresql": "postgres"}

    def __init__(self, system: str, name: str, host: str | None = None, port: int | None = None) -> None:
        self.place = f"{self._SHORT.get(system, system)}:{name}" if name else self._SHORT.get(system, system)
        network = "loopback" if host and hosts.is_this_machine(host) else None
        if system == "sqlite":
            network = "in_process" if name in {":memory:", ""} else "local_disk"
        self.said: dict[str, Value | None] = {
            A.DB_SYSTEM_NAME: system,
            A.SERVER_ADDRESS: host or None,
            A.SERVER_PORT: port,
            A.TOLLBOOK_HANDOFF_NETWORK: network,
        }


Handovers = Mapping[str, Handover]


def handovers(beneath: Sequence[str]) -> Handovers:
    """Kinds of statements, beneath these scopes."""
    return {kind: Handover(kind, beneath=beneath) for kind in ("read", "write", "delete", "copy", "call")}


class Query:
    """One statement that runs, and its rows while they are read. Its span ends with the last row, or with the cursor."""

    def __init__(self, handle: Handle, statement: Statement, database: Database) -> None:
        self.handle: Final = handle
        """The handle of its span."""
        self._statement = statement
        self._database = database
        self._size: int | None = 0 if statement.operation == "read" else None  # what is written may stand in the text
        self._values = 0
        self._rows: int | None = None
        self._times: list[int] = []
        self._age: int | None = None
        self._ended = False
        self.reading = 0
        """How many of the library's fetching functions are running: a cursor may be closed inside of them."""
        self.over = False
        """Whether all rows are read, or the cursor is closed."""
        self._held = Held.on(handle.span) if isinstance(handle, Joined) else None

    @classmethod
    def begin(cls, kinds: Handovers, text: Any, database: Callable[[], Database]) -> "Query | None":
        """A statement that begins; nothing where it moves no data, is told already, or nothing is recorded."""
        with shielded("begin a statement"):
            if _covered.get():
                return None
            statement = read(_text(text))
            if statement.operation is None:
                return None
            where = database()
            reads = statement.operation == "read"
            place = A.TOLLBOOK_HANDOFF_SOURCE if reads else A.TOLLBOOK_HANDOFF_DESTINATION
            table = statement.tables[0] if len(statement.tables) == 1 else None
            said = {**where.said, place: where.place, A.DB_OPERATION_NAME: statement.verb, A.DB_COLLECTION_NAME: table}
            name = f"{statement.verb} {table}" if table else statement.verb
            handle = kinds[statement.operation].begin(name, said, measures_cpu=False)
            if handle is INERT:
                return None
            query = cls(handle, statement, where)
            for table in statement.tables:
                handle.asset(query._asset(table))
            if len(statement.tables) > 1:  # none of them is the one that the span is about
                handle.set(A.TOLLBOOK_ASSET_ID, where.place)
            return query
        return None

    def sends(self, parameters: Any, many: bool) -> None:
        """Size what goes along with it."""
        with shielded("size a statement's parameters"):
            if parameters:
                self._size = 0
            if many and not isinstance(parameters, Sequence):
                self._size = None
                return
            for row in parameters if many else [parameters or ()]:
                self._sized(row.values() if isinstance(row, Mapping) else row)

    def ran(self, description: Any, rowcount: Any) -> bool:
        """It has run; whether it has rows to be read, else its span ends."""
        with shielded("look at a statement's result"):
            if description:
                self._rows = 0
                self._find_age([str(column[0]) for column in description])
                self.handle.until_now()
                return True
            if self._statement.operation == "read":  # rows that come another way, as of a cursor that the server keeps
                self._size = None
            elif isinstance(rowcount, int) and rowcount >= 0:
                self._rows = rowcount
        self.end()
        return False

    def fetched(self, rows: Sequence[Any]) -> None:
        """Count rows that were read."""
        with shielded("count rows"):
            self._rows = (self._rows or 0) + len(rows)
            self.handle.until_now()
            for row in rows:
                if self._size is None and self._age is None:
                    return
                values = list(row.values()) if isinstance(row, Mapping) else row
                self._sized(values)
                moment = moment_ns(values[self._age]) if self._age is not None and isinstance(values, Sequence) else None
                if moment is not None:
                    self._times = [min(moment, *self._times), max(moment, *self._times)] if self._times else [moment]

    def end(self, error: BaseException | None = None) -> None:
        """Say what was moved, once."""
        if self._ended:
            return
        self._ended = True
        with shielded("end a statement"):
            if self._rows is not None:
                self.handle.records(self._rows)
            if self._size is not None and error is None:
                self.handle.bytes(self._size)
            for moment in self._times:
                self.handle.asset(self._asset(self._statement.tables[0], moment))
        self.handle.end(error)
        if self._held is not None:
            self._held.release(self.handle._left_ns)

    def ending_on_error(self) -> "_EndingOnError":
        """End the span if the block fails."""
        return _EndingOnError(self)

    def _asset(self, table: str, event_time_ns: int | None = None) -> Asset:
        return Asset(f"{self._database.place}.{table}", event_time=event_time_ns)

    def _sized(self, values: Any) -> None:
        if self._size is None:
            return
        if not isinstance(values, Sequence | ValuesView):  # a row of the application's own making
            self._size = None
            return
        self._values += len(values)
        size = size_bytes(values) if self._values <= MAX_SIZED_VALUES else None
        self._size = None if size is None else self._size + size

    def _find_age(self, columns: list[str]) -> None:
        tables = self._statement.tables
        if len(tables) == 1 and self._statement.operation == "read":
            column = _age_columns.get(tables[0]) or _age_columns.get(tables[0].rpartition(".")[2])
            self._age = columns.index(column) if column in columns else None


class _EndingOnError:
    __slots__ = ("_query",)

    def __init__(self, query: Query) -> None:
        self._query = query

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is not None:
            self._query.end(error)


class running:  # noqa: N801 - reads as a word: `with running(query):`
    """The statement runs in this block: its span is current, layers below say nothing, and an error ends it."""

    __slots__ = ("_query", "_token")

    def __init__(self, query: Query) -> None:
        self._query = query

    def __enter__(self) -> None:
        self._token = _covered.set(True)
        self._query.handle.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._query.handle.__exit__(kind, error, traceback)
        _covered.reset(self._token)
        if error is not None:
            self._query.end(error)


def _text(statement: Any) -> str:
    """A statement's text; psycopg takes bytes and objects too."""
    if isinstance(statement, str):
        return statement
    return statement.decode(errors="replace") if isinstance(statement, bytes | bytearray) else str(statement)
