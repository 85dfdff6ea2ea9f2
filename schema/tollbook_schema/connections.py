"""Connections to the store, lent to one thread at a time: to read, or to one node. What goes wrong on them is named here."""

import contextlib
import queue
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tollbook_schema import cluster, driver, reads, sql
from tollbook_schema.servers import AddressError, without_password

if TYPE_CHECKING:
    import pandas as pd

Parameters = Mapping[str, Any]

SHARE_CODES = frozenset({158, 159, 241, 307, 396})
"""ClickHouse error codes that say a question wanted too much: rows, time, memory, bytes read, an answer too large."""

TRANSIENT_CODES = frozenset({159, 202, 209, 210, 225, 241, 242, 243, 252, 279, 285, 319, 394, 425, 999})
"""ClickHouse error codes that pass: time-outs, memory, disk full, too many parts or queries, lost connections, no quorum."""

MACHINE_CODES = frozenset({
    74, 75, 76, 77, 87, 88, 95, 96, 107, 172, 173, 198, 203, 204, 214, 226, 228, 236, 239, 240, 246, 272,
    273, 294, 298, 384, 400, 402, 411, 424, 439, 445, 458, 463, 531, 566, 586, 641, 740, 749, 762, 777, 778, 1020,
})  # fmt: skip
"""ClickHouse error codes of its machine: files that cannot be opened, read or written, or are damaged; no more threads."""

STD_EXCEPTION = 1001
"""ClickHouse's error code of what the C++ library throws, whatever it is about."""

ITS_MACHINES = re.compile(r"filesystem[ _]error|system_error|bad_alloc|thread constructor|Too many open files|No space left")
"""What such an error says where it is the machine's."""

OPERATORS_CODES = frozenset({16, 60, 81, 115, 164, 192, 193, 194, 279, 291, 392, 497, 516})
"""ClickHouse error codes of a load that are the operator's to mend: no such table or setting, no right, wrong password."""

OVER_HTTP = re.compile(r"^Received ClickHouse exception, code: \d+, server response: | \(for url \S+\)$")
"""What the client adds to an error."""

ITS_SETTINGS = re.compile(r"\bSETTINGS\b[^()]*\Z")
"""The settings that a statement ends with."""


class StoreError(Exception):
    """The store did not do what was asked."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached or cannot write at present; trying again later helps."""


class ShareError(StoreUnavailableError):
    """A question took more time, memory or bytes than one may; it helps to ask for less, or when the store is less busy."""


class DiskFailedError(StoreUnavailableError):
    """The disk under the embedded database failed a write; what it wrote may be damaged, and opening it anew sets that aside."""


class StoreBusyError(StoreUnavailableError):
    """Another process has the data folder open; it helps to ask that process, or to stop it."""


class SchemaTooNewError(StoreError):
    """A newer release wrote this database; this one would misread it, so it must be upgraded."""


class QueryError(StoreError):
    """The question is wrong or not allowed; asking again cannot help."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        """ClickHouse's number of the error, where it is one of ClickHouse's."""


@dataclass(frozen=True)
class Table:
    """An answer: column names, their ClickHouse types, and rows in that order."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool = False
    """Whether there were more rows than were asked for."""

    def dicts(self) -> list[dict[str, Any]]:
        """The rows as dictionaries by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Pool:
    """Connections lent to one thread at a time, each made when it is first needed, and again where its server was lost."""

    def __init__(self, connect: Callable[[], "driver.Client"], size: int) -> None:
        self._connect = connect
        self._size = size
        self._idle: queue.LifoQueue[driver.Client | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    @contextlib.contextmanager
    def client(self) -> Iterator["driver.Client"]:
        """A connection for as long as the block; what fails in it is one of the errors above."""
        client = self._idle.get()
        try:
            with errors_named():
                client = client or self._connect()
                yield client
        except StoreUnavailableError as error:
            if client is not None and isinstance(error.__cause__, driver.OperationalError):
                client.close()
                client = None
            raise
        finally:
            self._idle.put(client)

    def close(self) -> None:
        """Closes what nobody has borrowed."""
        with contextlib.suppress(queue.Empty):
            while True:
                client = self._idle.get_nowait()
                if client is not None:
                    client.close()


class Node:
    """One database with its own rows: embedded, a server, or one node of a cluster. Safe to use from several threads."""

    def __init__(self, pool: Pool, clustered: bool) -> None:
        self._pool = pool
        self._clustered = clustered

    def command(
        self,
        statement: str,
        parameters: Parameters | None = None,
        filters: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Runs one of our own statements on the rows of this node, as `Store.command`.

        Args:
            statement: with or without settings of its own at its end.
            parameters: values that it binds.
            filters: by table, the condition of the rows that it sees; all rows of other tables.
            settings: numbers, instead of the statement's own.
        """
        added = [f"{name} = {value:d}" for name, value in (settings or {}).items()]
        if filters:
            added.append(f"additional_table_filters = {mapped(filters)}")
        if added:
            following = "," if ITS_SETTINGS.search(statement) else "\nSETTINGS"
            statement = f"{statement}{following} {', '.join(added)}"
        with self._pool.client() as client:
            client.command(self._here(statement), parameters=dict(parameters or {}))

    def query(self, question: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """Rows of one of our own SELECTs: derived ones of this node, facts of all. As `Store.query`."""
        with self._pool.client() as client:
            return answer(client, self._here(question), parameters).dicts()

    def query_about(self, question: str, parameters: Parameters, keys: bytes, structure: str) -> list[dict[str, Any]]:
        """As `query`, with a table `asked` of that structure from bytes as RowBinary has them. Not of an embedded database."""
        asked = driver.ExternalData(data=keys, file_name="asked", fmt="RowBinary", structure=structure)
        with self._pool.client() as client:
            result = client.query(self._here(question), parameters=dict(parameters), external_data=asked)
            return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def send(self, table: str, columns: Sequence[str], rows: bytes) -> None:
        """Adds rows to this node's part of a table, from bytes as RowBinary has them. Raises as `command` does."""
        with self._pool.client() as client:
            client.raw_insert(self._here(table), columns, rows, fmt="RowBinary")

    def close(self) -> None:
        """Closes its connections."""
        self._pool.close()

    def _here(self, statement: str) -> str:
        return cluster.at_one_node(statement) if self._clustered else statement


class Reader:
    """Connections that only read: some for our own questions, some for people's SQL."""

    def __init__(self, own: Pool, people: Pool, *, of_tenant: bool = False) -> None:
        self._own = own
        self._people = people
        self._of_tenant = of_tenant
        self._engine: reads.Engine | None = None

    def query(self, question: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """As `Reads.query`."""
        return self.table(question, parameters).dicts()

    def table(self, question: str, parameters: Parameters | None = None) -> Table:
        """As `Reads.table`."""
        with self._own.client() as client:
            return answer(client, question, parameters)

    def frame(self, question: str, parameters: Parameters | None = None) -> "pd.DataFrame":
        """As `Reads.frame`."""
        with self._own.client() as client:
            return client.query_df(question, parameters=dict(parameters or {}))

    def written(self, question: str, parameters: Parameters, form: str) -> bytes:
        """As `Reads.written`."""
        with self._own.client() as client:
            return client.raw_query(question, parameters=dict(parameters), fmt=form)

    def read(self, statement: str, parameters: Parameters | None = None, max_rows: int = 10_000) -> Table:
        """As `Reads.read`."""
        try:
            question = self._worded(statement)
            reads.check(question, self._known(), of_tenant=self._of_tenant)
        except reads.NotAQuestionError as error:
            raise QueryError(f"refused: {error}") from error
        try:
            return self._answer(question, parameters, max_rows)
        except ShareError as error:
            raise QueryError(f"that takes more than its share: {error}") from error

    def _worded(self, statement: str) -> str:
        """The statement as the engine's own parser writes it; nothing is run, and of several statements none is taken."""
        plain = statement.strip().rstrip("; \t\r\n")
        if not plain:
            raise reads.NotAQuestionError("nothing was asked")
        try:
            with self._people.client() as client:
                ((worded,),) = answer(client, "SELECT formatQuery({statement:String})", {"statement": plain}).rows
        except QueryError as error:
            raise QueryError(str(error).partition(": In scope SELECT formatQuery(")[0]) from error
        return str(worded)

    def _answer(self, question: str, parameters: Parameters | None, max_rows: int) -> Table:
        with self._people.client() as client:
            if question.lstrip("(")[:4] in ("SELE", "WITH"):
                # a constant would count against `max_result_bytes` once, however many rows repeat it
                limited = f"SELECT * APPLY(materialize) FROM (\n{question}\n) LIMIT {max_rows + 1:d}"  # noqa: S608 - checked
                table = answer(client, limited, parameters)
                names = tuple(name.removeprefix("materialize(").removesuffix(")") for name in table.columns)
                table = replace(table, columns=names)
                if not table.columns:
                    table = _empty(client, question, parameters)
            else:
                table = _described(client, question)
        return Table(table.columns, table.types, table.rows[:max_rows], truncated=len(table.rows) > max_rows)

    def close(self) -> None:
        """Closes its connections."""
        self._people.close()
        self._own.close()

    def _known(self) -> reads.Engine:
        if self._engine is None:
            (known,) = self.query(sql.text("tollbook_schema", "engine.sql"))
            self._engine = reads.Engine(**{name: frozenset(names) for name, names in known.items()})
        return self._engine


@contextlib.contextmanager
def errors_named() -> Iterator[None]:
    """Turns what the client library raises into one of the errors above."""
    try:
        yield
    except AddressError as error:
        raise StoreUnavailableError(str(error)) from error
    except driver.ClickHouseError as error:
        raise _named(error) from error


def _named(error: "driver.ClickHouseError") -> StoreError:
    """The error in the engine's own words, embedded or over HTTP."""
    message = OVER_HTTP.sub("", without_password(re.sub(r"\s+", " ", str(error)).strip())).removeprefix("Code: ")
    code = getattr(error, "code", None)
    if "EmbeddedServer" in message or "Cannot lock file" in message:
        return StoreBusyError("the data folder is open in another process")
    if code in SHARE_CODES:
        return ShareError(message)
    if isinstance(error, driver.OperationalError) or code is None or code in TRANSIENT_CODES or code in MACHINE_CODES:
        return StoreUnavailableError(message)
    if code == STD_EXCEPTION and ITS_MACHINES.search(message):
        return StoreUnavailableError(message)
    return QueryError(message, code)


def mapped(values: Mapping[str, str]) -> str:
    """A map as ClickHouse reads a setting of that type."""
    return "{" + ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in values.items()) + "}"


def quoted(value: str) -> str:
    """A text as it stands in SQL."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def answer(client: "driver.Client", question: str, parameters: Parameters | None = None) -> Table:
    """What a SELECT says on that connection."""
    result = client.query(question, parameters=dict(parameters or {}))
    types = tuple(column_type.name for column_type in result.column_types)
    return Table(tuple(result.column_names), types, [tuple(row) for row in result.result_rows])


def _empty(client: "driver.Client", question: str, parameters: Parameters | None) -> Table:
    """The columns of an answer without rows, which the embedded engine does not name."""
    described = answer(client, f"DESCRIBE TABLE (\n{question}\n)", parameters).dicts()
    return Table(tuple(column["name"] for column in described), tuple(column["type"] for column in described), [])


def _described(client: "driver.Client", question: str) -> Table:
    """Answer of SHOW, DESCRIBE, EXPLAIN and EXISTS, which cannot stand in a subquery; every value is text."""
    answer = client.raw_query(question, fmt="TabSeparatedRawWithNames").decode(errors="replace")
    names, *rows = answer.rstrip("\n").split("\n")
    columns = tuple(names.split("\t"))
    return Table(columns, ("String",) * len(columns), [tuple(row.split("\t")) for row in rows])
