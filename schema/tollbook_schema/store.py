"""The store: ClickHouse, embedded (chDB) or a server, through one client library.

The only module that imports clickhouse_connect, and the only one that puts SQL together; all other SQL stands in .sql files.
"""

import contextlib
import queue
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from tollbook_schema import reads, sql
from tollbook_schema.tenants import checked_tenant

if TYPE_CHECKING:
    import pandas as pd

Signal = Literal["spans", "metrics", "logs"]
SIGNALS: tuple[Signal, ...] = ("spans", "metrics", "logs")

Parameters = Mapping[str, Any]

LOADERS = 2
"""Segments loaded side by side. One INSERT decodes on one core."""

READERS = 3
"""Questions answered side by side; a connection runs its queries one after another."""

CONFINED_CONNECTIONS = 2
"""Questions of one tenant answered side by side, beside one of its people's SQL."""

CONFINED_READERS = 16
"""Tenants whose connections are kept open; the one that asked longest ago makes room for another."""

SHARED_TABLES = frozenset({"prices", "model_names", "instance_rates", "schema_migrations"})
"""Tables of no tenant that all tenants read. Any other table without a tenant is empty to them."""

MAX_READ_SECONDS = 30
MAX_READ_MEMORY_BYTES = 4 * 1024**3

PEOPLES_LIMITS: Mapping[str, Any] = {"max_memory_usage": 1024**3, "max_result_bytes": 64 * 1024**2}
"""What one question in SQL may take of a server that also takes spans in."""

SHARE_CODES = frozenset({158, 159, 241, 307, 396})
"""ClickHouse error codes that say a question wanted too much: rows, time, memory, bytes read, an answer too large."""

TRANSIENT_CODES = frozenset({159, 202, 209, 210, 225, 241, 242, 243, 252, 285, 319, 394, 425, 999})
"""ClickHouse error codes that pass: time-outs, memory, disk full, too many parts or queries, lost connections, no quorum."""

EMBEDDED_CONFIG = str(resources.files("tollbook_schema") / "embedded.xml")

LOAD_SETTINGS: Mapping[str, Any] = {
    "max_threads": 1,  # segments are loaded side by side, so threads of one only wait for each other: 6 % less CPU
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "short_circuit_function_evaluation": "disable",  # evaluated lazily, the SELECT takes 1.5 times the CPU
}


class StoreError(Exception):
    """The store did not do what was asked."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached or cannot write at present; trying again later helps."""


class ShareError(StoreUnavailableError):
    """A question took more time, memory or bytes than one may; it helps to ask for less, or when the store is less busy."""


class StoreBusyError(StoreUnavailableError):
    """Another process has the data folder open; it helps to ask that process, or to stop it."""


class SchemaTooNewError(StoreError):
    """A newer release wrote this database; this one would misread it, so it must be upgraded."""


class QueryError(StoreError):
    """The question is wrong or not allowed; asking again cannot help."""


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


@dataclass(frozen=True)
class Migration:
    """One numbered file of `migrations/`."""

    number: int
    name: str


class Reads(Protocol):
    """What answers questions: a `Store`, or one tenant's share of it (`Store.of`)."""

    def query(self, question: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """Rows of one of our own SELECTs as dictionaries, values bound by the server (`{name:Type}`).

        Raises:
            QueryError: the SELECT is wrong.
            StoreUnavailableError: the store cannot answer at present.
        """

    def table(self, question: str, parameters: Parameters | None = None) -> Table:
        """Answer of one of our own SELECTs with column names and types. Raises as `query` does."""

    def frame(self, question: str, parameters: Parameters | None = None) -> "pd.DataFrame":
        """Answer of one of our own SELECTs as a pandas frame. Raises as `query` does."""

    def read(self, statement: str, parameters: Parameters | None = None, max_rows: int = 10_000) -> Table:
        """Answer to a person's SQL: one statement that only reads, within time, memory and `max_rows`.

        Raises:
            QueryError: it is no question, it is wrong, or it needs more than its share; the message says which.
        """


class Store:
    """One database, opened once per process. Safe to use from several threads.

    Writers, readers and loaders have connections of their own, because an embedded connection runs one query at a time.
    """

    @classmethod
    def open(cls, data: Path | None = None, url: str | None = None) -> "Store":
        """Opens the embedded database in `data`, or the server at `url` (`http://user:password@host:8123/database`).

        Raises:
            StoreBusyError: another process has the data folder open.
            StoreUnavailableError: the folder cannot be written or the server cannot be reached.
        """
        if (data is None) == (url is None):
            raise ValueError("open a data folder or a server, one of the two")
        return cls(data, url)

    def __init__(self, data: Path | None, url: str | None) -> None:
        self._path = None if data is None else data.resolve() / "clickhouse"
        self._url = url
        self._closed = False
        if self._path is not None:
            try:
                self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise StoreUnavailableError(f"cannot use the data folder {data}: {error.strerror}") from error
        with _errors_named():
            self._writers = _Pool([self._connect()])
        self._loaders = _Pool([])
        self._confined: OrderedDict[str, _Reader] = OrderedDict()
        self._confining = threading.Lock()
        with _errors_named():
            self._loaders.fill(self._connect() for _ in range(LOADERS))
            self._reader = _Reader(self._connections(READERS), self._connections(1, PEOPLES_LIMITS))

    @property
    def embedded(self) -> bool:
        """Whether the database runs in this process."""
        return self._path is not None

    @property
    def place(self) -> str:
        """Where the data is, for people; a server's password is left out."""
        return str(self._path) if self._path else re.sub(r"//[^@/]*@", "//", self._url or "")

    def migrate(self) -> None:
        """Brings the tables to this release's shape: the numbered migrations not yet run, then the vocabulary's columns.

        Raises:
            SchemaTooNewError: the database has migrations that this release does not know.
        """
        known = migrations()
        self.command(_text("migrations/0000_versions.sql"))
        done = {int(row["number"]) for row in self.query(_text("migrations/done.sql"))}
        newest = max((migration.number for migration in known), default=0)
        if done and max(done) > newest:
            raise SchemaTooNewError(
                f"the database in {self.place} has schema {max(done)}, this release knows up to {newest}; upgrade Tollbook"
            )
        for migration in known:
            if migration.number not in done:
                self._run_script(_text(f"migrations/{migration.name}"))
                self.command(_text("migrations/mark_done.sql"), {"number": migration.number, "name": migration.name})
        self._run_script(_text("generated/columns.sql"))

    def query(self, question: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """As `Reads.query`, over all tenants."""
        return self._reader.query(question, parameters)

    def table(self, question: str, parameters: Parameters | None = None) -> Table:
        """As `Reads.table`, over all tenants."""
        return self._reader.table(question, parameters)

    def frame(self, question: str, parameters: Parameters | None = None) -> "pd.DataFrame":
        """As `Reads.frame`, over all tenants."""
        return self._reader.frame(question, parameters)

    def read(self, statement: str, parameters: Parameters | None = None, max_rows: int = 10_000) -> Table:
        """As `Reads.read`, over all tenants."""
        return self._reader.read(statement, parameters, max_rows)

    def of(self, tenant: str | None) -> Reads:
        """The share of one tenant, which no question can look beyond; the whole store for None.

        ClickHouse itself keeps to it: every scan of a table has the tenant's condition added, on a connection that cannot change
        its settings.

        Raises:
            ValueError: that is no name of a tenant.
        """
        if tenant is None:
            return self
        with self._confining:
            reader = self._confined.pop(checked_tenant(tenant), None) or self._confined_to(tenant)
            self._confined[tenant] = reader  # the one used last stands last
            if len(self._confined) > CONFINED_READERS:
                self._confined.popitem(last=False)  # its connections go when their last question is answered
            return reader

    def command(self, statement: str, parameters: Parameters | None = None) -> None:
        """Runs one of our own statements that returns nothing. Raises as `query` does."""
        with self._writers.client() as client:
            client.command(statement, parameters=dict(parameters or {}))

    def insert(self, table: str, rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> None:
        """Adds rows, values in the order of `columns`. Raises as `query` does."""
        if rows:
            with self._writers.client() as client:
                client.insert(table, rows, column_names=list(columns))

    def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
        """Loads one segment of OTLP export requests by one INSERT; a segment whose token was loaded before changes nothing.

        Args:
            signal: table to load into.
            segment: file of concatenated export requests, which ClickHouse decodes itself.
            token: identity of the segment's content.
            received_at: when the segment was opened; the same at every try, because it decides the partition.

        Raises:
            StoreUnavailableError: trying again later helps.
            StoreError: the segment holds what the table cannot take.
        """
        statement = _text(f"generated/insert_{signal}.sql")
        settings = {**LOAD_SETTINGS, **self._format_schema(signal), "insert_deduplication_token": token}
        structure = _quoted(_text(f"generated/{signal}.structure").strip())
        parameters = {"received_at": received_at}
        with self._loaders.client() as client:
            if self.embedded:
                source = f"file({_quoted(str(segment.resolve()))}, 'ProtobufSingle', {structure})"
                statement = f"{statement.replace('/*SOURCE*/', source)}\nSETTINGS {_settings(settings)}"
                client.command(statement, parameters=parameters)
            else:
                statement = f"{statement.replace('/*SOURCE*/', f'input({structure})')}\nSETTINGS {_settings(settings)}"
                _post(client, statement, parameters, segment)

    def ping(self) -> bool:
        """Whether the store answers."""
        try:
            return self.query("SELECT 1 AS one") == [{"one": 1}]
        except StoreError:
            return False

    def close(self) -> None:
        """Closes all connections. An embedded path can be opened again afterwards, by this process or another."""
        if not self._closed:
            self._closed = True
            for reader in (*self._confined.values(), self._reader):
                reader.close()
            for pool in (self._loaders, self._writers):
                pool.close()

    def _connect(self) -> Client:
        if self._path is not None:
            return clickhouse_connect.get_client(
                interface="chdb", path=str(self._path), chdb_options={"config-file": EMBEDDED_CONFIG}
            )
        return clickhouse_connect.get_client(dsn=self._url, autogenerate_session_id=False, send_receive_timeout=600)

    def _confined_to(self, tenant: str) -> "_Reader":
        """Raises QueryError before `migrate`, when there is nothing to confine."""
        tables = {row["name"]: row["owned"] for row in self.query(_text("owned_tables.sql"))}
        conditions = {
            name: f"tenant = '{tenant}'" if owned else "0" for name, owned in tables.items() if name not in SHARED_TABLES
        }
        limits = {"additional_table_filters": _mapped(conditions)}
        with _errors_named():
            people = self._connections(1, {**PEOPLES_LIMITS, **limits})
            return _Reader(self._connections(CONFINED_CONNECTIONS, limits), people, of_tenant=True)

    def _connections(self, number: int, limits: Mapping[str, Any] | None = None) -> "_Pool":
        """Connections that cannot write, nor change what limits them."""
        limits = {
            "max_execution_time": MAX_READ_SECONDS,
            "max_memory_usage": MAX_READ_MEMORY_BYTES,
            **(limits or {}),
            "readonly": 1,  # last: it closes all settings
        }
        return _Pool([self._limited(limits) for _ in range(number)])

    def _limited(self, limits: Mapping[str, Any]) -> Client:
        client = self._connect()
        for name, value in limits.items():
            if self.embedded:
                client.command(f"SET {name} = {value}")
            else:
                client.set_client_setting(name, value)
        return client

    def _format_schema(self, signal: Signal) -> Mapping[str, str]:
        """The embedded engine reads the file; given the text, it would write a copy into the working directory."""
        name = f"generated/{signal}.proto"
        if self.embedded:
            return {"format_schema": f"{resources.files('tollbook_schema') / name}:Export"}
        text = " ".join(line.strip() for line in _text(name).splitlines() if not line.startswith("//"))
        return {"format_schema_source": "string", "format_schema_message_name": "Export", "format_schema": text}

    def _run_script(self, script: str) -> None:
        for statement in sql.statements(script):
            self.command(statement)


class _Reader:
    """Connections that only read: some for our own questions, some for people's SQL."""

    def __init__(self, own: "_Pool", people: "_Pool", *, of_tenant: bool = False) -> None:
        self._own = own
        self._people = people
        self._of_tenant = of_tenant
        self._engine: reads.Engine | None = None

    def query(self, question: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        return self.table(question, parameters).dicts()

    def table(self, question: str, parameters: Parameters | None = None) -> Table:
        with self._own.client() as client:
            return _table(client, question, parameters)

    def frame(self, question: str, parameters: Parameters | None = None) -> "pd.DataFrame":
        with self._own.client() as client:
            return client.query_df(question, parameters=dict(parameters or {}))

    def read(self, statement: str, parameters: Parameters | None = None, max_rows: int = 10_000) -> Table:
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
                ((worded,),) = _table(client, "SELECT formatQuery({statement:String})", {"statement": plain}).rows
        except QueryError as error:
            raise QueryError(str(error).partition(": In scope SELECT formatQuery(")[0]) from error
        return str(worded)

    def _answer(self, question: str, parameters: Parameters | None, max_rows: int) -> Table:
        with self._people.client() as client:
            if question.lstrip("(")[:4] in ("SELE", "WITH"):
                # a constant would count against `max_result_bytes` once, however many rows repeat it
                limited = f"SELECT * APPLY(materialize) FROM (\n{question}\n) LIMIT {max_rows + 1:d}"  # noqa: S608 - checked
                table = _table(client, limited, parameters)
                names = tuple(name.removeprefix("materialize(").removesuffix(")") for name in table.columns)
                table = replace(table, columns=names)
                if not table.columns:
                    table = _empty(client, question, parameters)
            else:
                table = _described(client, question)
        return Table(table.columns, table.types, table.rows[:max_rows], truncated=len(table.rows) > max_rows)

    def close(self) -> None:
        self._people.close()
        self._own.close()

    def _known(self) -> reads.Engine:
        if self._engine is None:
            (known,) = self.query(_text("engine.sql"))
            self._engine = reads.Engine(**{name: frozenset(names) for name, names in known.items()})
        return self._engine


class _Pool:
    """Connections lent to one thread at a time."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._all: list[Client] = []
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self.fill(clients)

    def fill(self, clients: Iterator[Client] | Sequence[Client]) -> None:
        for client in clients:
            self._all.append(client)
            self._idle.put(client)

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        client = self._idle.get()
        try:
            with _errors_named():
                yield client
        finally:
            self._idle.put(client)

    def close(self) -> None:
        for client in self._all:
            client.close()


def migrations() -> tuple[Migration, ...]:
    """The numbered files of `migrations/`, in order."""
    names = (file.name for file in (resources.files("tollbook_schema") / "migrations").iterdir())
    numbered = (re.fullmatch(r"(\d{4})_\w+\.sql", name) for name in names)
    found = (Migration(int(match[1]), match[0]) for match in numbered if match)
    return tuple(sorted((m for m in found if m.number > 0), key=lambda migration: migration.number))


@contextlib.contextmanager
def _errors_named() -> Iterator[None]:
    try:
        yield
    except ClickHouseError as error:
        raise _named(error) from error


def _named(error: ClickHouseError) -> StoreError:
    message = re.sub(r"\s+", " ", str(error)).removeprefix("Code: ").strip()
    code = getattr(error, "code", None)
    if "EmbeddedServer" in message or "Cannot lock file" in message:
        return StoreBusyError("the data folder is open in another process")
    if code in SHARE_CODES:
        return ShareError(message)
    if isinstance(error, OperationalError) or code is None or code in TRANSIENT_CODES:
        return StoreUnavailableError(message)
    return QueryError(message)


def _table(client: Client, question: str, parameters: Parameters | None) -> Table:
    result = client.query(question, parameters=dict(parameters or {}))
    types = tuple(column_type.name for column_type in result.column_types)
    return Table(tuple(result.column_names), types, [tuple(row) for row in result.result_rows])


def _empty(client: Client, question: str, parameters: Parameters | None) -> Table:
    """The columns of an answer without rows, which the embedded engine does not name."""
    described = _table(client, f"DESCRIBE TABLE (\n{question}\n)", parameters).dicts()
    return Table(tuple(column["name"] for column in described), tuple(column["type"] for column in described), [])


def _described(client: Client, question: str) -> Table:
    """Answer of SHOW, DESCRIBE, EXPLAIN and EXISTS, which cannot stand in a subquery; every value is text."""
    answer = client.raw_query(question, fmt="TabSeparatedRawWithNames").decode(errors="replace")
    names, *rows = answer.rstrip("\n").split("\n")
    columns = tuple(names.split("\t"))
    return Table(columns, ("String",) * len(columns), [tuple(row.split("\t")) for row in rows])


def _post(client: Client, statement: str, parameters: Parameters, segment: Path) -> None:
    client.command(f"{statement}\nFORMAT ProtobufSingle", parameters=dict(parameters), data=segment.read_bytes())


def _text(name: str) -> str:
    return sql.text("tollbook_schema", name)


def _mapped(values: Mapping[str, str]) -> str:
    """A map as ClickHouse reads a setting of that type."""
    return "{" + ", ".join(f"{_quoted(key)}: {_quoted(value)}" for key, value in values.items()) + "}"


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_quoted(str(value))}" for name, value in settings.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
