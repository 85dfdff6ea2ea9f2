"""The store: ClickHouse, embedded (chDB), a server or a cluster of them, through one client library.

With `servers.py` and `connections.py` the only module that uses the client library, and with `cluster.py` and `connections.py`
the only one that puts SQL together; all other SQL stands in .sql files.
"""

import atexit
import gzip
import hashlib
import re
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, cast

from tollbook_schema import cluster, driver, engine, sql
from tollbook_schema.connections import (
    OPERATORS_CODES,
    DiskFailedError,
    Node,
    Parameters,
    Pool,
    QueryError,
    Reader,
    SchemaTooNewError,
    ShareError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
    Table,
    answer,
    errors_named,
    mapped,
    quoted,
)
from tollbook_schema.probe import Probe
from tollbook_schema.servers import AddressError, Servers
from tollbook_schema.tenants import checked_tenant

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DiskFailedError",
    "Node",
    "Parameters",
    "QueryError",
    "Reads",
    "SchemaTooNewError",
    "ShareError",
    "Store",
    "StoreBusyError",
    "StoreError",
    "StoreUnavailableError",
    "Table",
]

Signal = Literal["spans", "metrics", "logs"]
SIGNALS: tuple[Signal, ...] = ("spans", "metrics", "logs")

LOADERS = 2
"""Segments loaded side by side. One INSERT decodes on one core."""

NODE_CONNECTIONS = 2
"""Settlements and questions about single nodes side by side."""

READERS = 3
"""Questions answered side by side; a connection runs its queries one after another."""

CONFINED_CONNECTIONS = 2
"""Questions of one tenant answered side by side, beside one of its people's SQL."""

CONFINED_READERS = 16
"""Tenants whose connections are kept open; the one that asked longest ago makes room for another."""

SHARED_TABLES = frozenset({"exchange_rates", "instance_rates", "schema_migrations"})
"""Tables of no tenant that all tenants read. Any other table without a tenant is empty to them."""

PARTLY_SHARED_TABLES = frozenset({"prices", "discounts", "model_aliases"})
"""Tables whose rows without a tenant all tenants read, beside their own."""

MAX_READ_SECONDS = 30
MAX_READ_MEMORY_BYTES = 4 * 1024**3

PEOPLES_LIMITS: Mapping[str, Any] = {"max_memory_usage": 1024**3, "max_result_bytes": 64 * 1024**2}
"""What one question in SQL may take of a server that also takes spans in."""

UNCOMPILED: Mapping[str, Any] = {"compile_expressions": 0, "compile_aggregate_expressions": 0, "compile_sort_description": 0}
"""For questions: compiled to machine code, the fourth time each was asked took 95 ms instead of 16, and the others no less."""

TENANTS_ORDER: Mapping[str, Any] = {"optimize_move_to_prewhere": 0, "query_plan_merge_filters": 0}
"""Whose a row is, is looked at before anything that somebody wrote: else `WHERE toUInt64(name) = 1` fails on a row of another
tenant, and the error quotes it (tried on ClickHouse 26.9)."""

EMBEDDED_CONFIG = str(resources.files("tollbook_schema") / "embedded.xml")

LOAD_SETTINGS: Mapping[str, Any] = {
    "max_threads": 1,  # segments are loaded side by side, so threads of one only wait for each other: 6 % less CPU
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_block_size": 8192,  # rows computed at a time: a segment of 36 MB takes 191 MB of memory, not 374, and a tenth less CPU
    "short_circuit_function_evaluation": "disable",  # evaluated lazily, the SELECT takes 1.5 times the CPU
}

FILE_SETTINGS: Mapping[str, Any] = {
    "max_threads": 1,  # rows are numbered as they stand in the file
    "input_format_parallel_parsing": 0,
    "max_insert_threads": 1,
    "input_format_csv_skip_trailing_empty_lines": 1,
    "input_format_csv_allow_variable_number_of_columns": 0,
    "format_csv_allow_single_quotes": 0,
    "format_csv_null_representation": "",
}

SOURCE = "/*SOURCE*/"

MAX_SENT_BYTES = 2 * 1024**3
"""Of a file that is sent to a server in one piece, as its rows cannot be told apart before they are parsed."""


@dataclass(frozen=True)
class FileSource:
    """A file that ClickHouse reads."""

    path: Path
    """Without `*`, `?`, braces and colons, which would name several files or one in an archive."""
    format: str
    structure: str
    gzip: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def opened(self) -> IO[bytes]:
        """Its bytes, unzipped."""
        return cast("IO[bytes]", gzip.open(self.path)) if self.gzip else self.path.open("rb")


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

    def written(self, question: str, parameters: Parameters, form: str) -> bytes:
        """Answer of one of our own SELECTs in a format of ClickHouse's, such as CSV or Parquet. Raises as `query` does."""

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
    def open(cls, data: Path | None = None, url: str | None = None, cluster: str = "", *, wait: bool = True) -> "Store":
        """Opens the embedded database in `data`, or the server at `url` (`http://user:password@host:8123/database`).

        Args:
            data: folder of the embedded database.
            url: of a server, or of all nodes of a cluster (`http://user:password@host:8123,host:8123/database`).
            cluster: name of the cluster that these nodes are.
            wait: raise where the server cannot be reached; else it is reached when it is needed.

        Raises:
            StoreBusyError: another process has the data folder open.
            StoreUnavailableError: the folder cannot be written or the server cannot be reached.
            QueryError: the URL cannot be.
        """
        if (data is None) == (url is None):
            raise ValueError("open a data folder or a server, one of the two")
        store = cls(data, url, cluster)
        if wait or store.embedded:
            with store._writers.client():
                pass
        return store

    def __init__(self, data: Path | None, url: str | None, cluster: str) -> None:
        self._path = None if data is None else data.resolve() / "clickhouse"
        self._servers = _servers(url, cluster, self._shape) if url is not None else None
        self._closed = False
        if self._path is not None:
            try:
                self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise StoreUnavailableError(f"cannot use the data folder {data}: {error.strerror}") from error
        self._probe = None if self._path is None else Probe(self._path)
        self._opening = threading.Lock()
        self._connecting = threading.Lock()
        self._writers = Pool(self._connect, 1)
        self._loaders: dict[int, Pool] = {}
        self._nodes: dict[int, Node] = {}
        self._confined: OrderedDict[str, Reader] = OrderedDict()
        self._confining = threading.Lock()
        self._reader = Reader(self._connections(READERS), self._connections(1, PEOPLES_LIMITS))

    @property
    def embedded(self) -> bool:
        """Whether the database runs in this process."""
        return self._path is not None

    @property
    def place(self) -> str:
        """Where the data is, for people; a server's password is left out."""
        return str(self._servers.url if self._servers else self._path)

    @property
    def shards(self) -> int:
        """How many nodes share the facts; 1 where there is no cluster. Raises StoreUnavailableError where none can be asked."""
        with errors_named():
            return self._servers.shards if self._servers else 1

    def migrate(self) -> None:
        """Brings the tables to this release's shape: the numbered migrations not yet run, then the vocabulary's columns.

        Raises:
            SchemaTooNewError: the database has migrations that this release does not know.
        """
        if self._servers is None:
            with self._writers.client() as client:
                self._shape(client, None)
        else:
            with errors_named():
                self._servers.prepare_all()

    def _shape(self, client: "driver.Client", nodes: "cluster.Cluster | None") -> None:
        known = migrations()
        client.command(_text("migrations/0000_versions.sql"))
        done = {int(row["number"]) for row in answer(client, _text("migrations/done.sql")).dicts()}
        newest = max((migration.number for migration in known), default=0)
        if done and max(done) > newest:
            raise SchemaTooNewError(
                f"the database in {self.place} has schema {max(done)}, this release knows up to {newest}; upgrade Tollbook"
            )
        scripts = {migration: sql.statements(_text(f"migrations/{migration.name}")) for migration in known}
        stored = cluster.stored_tables(statement for script in scripts.values() for statement in script)
        for migration in known:
            if migration.number not in done:
                _run_all(client, scripts[migration], stored, nodes)
                client.command(_text("migrations/mark_done.sql"), {"number": migration.number, "name": migration.name})
        _run_all(client, sql.statements(_text("generated/columns.sql")), stored, nodes)

    def query(self, question: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """As `Reads.query`, over all tenants."""
        return self._reader.query(question, parameters)

    def table(self, question: str, parameters: Parameters | None = None) -> Table:
        """As `Reads.table`, over all tenants."""
        return self._reader.table(question, parameters)

    def frame(self, question: str, parameters: Parameters | None = None) -> "pd.DataFrame":
        """As `Reads.frame`, over all tenants."""
        return self._reader.frame(question, parameters)

    def written(self, question: str, parameters: Parameters, form: str) -> bytes:
        """As `Reads.written`, over all tenants."""
        return self._reader.written(question, parameters, form)

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

    def reading(self) -> "Store":
        """The store that reads files of this machine: this one where it is embedded, else an embedded one without data.

        A server does not see this machine's files, and only ClickHouse reads what they hold fast and to the last digit.
        """
        return self if self.embedded else _beside()

    def told_of_file(self, question: str, parameters: Parameters) -> list[dict[str, Any]]:
        """What one of our own questions answers about a file, such as its columns; `query` may not read files."""
        with self._writers.client() as client:
            return answer(client, question, parameters).dicts()

    def take(self, source: "Store", table: str, question: str, parameters: Parameters) -> None:
        """Adds to a table what one of our own SELECTs answers: columns in the order of the table's. Raises as `query` does.

        Args:
            source: the store that answers it; this one, or the one that reads files for it.
            table: where the rows go.
            question: the SELECT.
            parameters: its values.
        """
        if source is self:
            self.command(f"INSERT INTO {table}\n{question}", parameters)
            return
        with source._writers.client() as client:
            rows = client.raw_query(question, parameters=dict(parameters), fmt="Native")
        with self._writers.client() as client:
            client.raw_insert(table, insert_block=rows, fmt="Native")

    def node(self, key: str) -> Node:
        """The node that the rows of this key belong to, whatever it is the key of; always the same one."""
        shards = self.shards
        return self.shard(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % shards)

    def shard(self, number: int) -> Node:
        """A node by the number of its shard, from 0 on."""
        with self._opening:
            if number not in self._nodes:
                self._nodes[number] = Node(Pool(lambda: self._connect(number), NODE_CONNECTIONS), self._clustered)
            return self._nodes[number]

    def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
        """Loads one segment of OTLP export requests by one INSERT; a segment whose token was loaded before changes nothing.

        In a cluster the token decides which node gets it.

        Args:
            signal: table to load into.
            segment: file of concatenated export requests, which ClickHouse decodes itself.
            token: identity of the segment's content.
            received_at: when the segment was opened; the same at every try, because it decides the partition.

        Raises:
            DiskFailedError: the disk failed meanwhile, so that it may not be stored.
            StoreUnavailableError: trying again later helps.
            StoreError: the segment holds what the table cannot take.
        """
        if self.embedded:
            source = f"file({quoted(str(segment.resolve()))}, 'ProtobufSingle', {_structure(signal)})"
            self.check_disk(synced=False)
            with self._loader(0).client() as client:
                client.command(self._ingest(signal, source, token), parameters={"received_at": received_at})
            self.check_disk()
        else:
            shard = int.from_bytes(hashlib.sha256(token.encode()).digest()[:8]) % self.shards
            self.load_content(signal, _content(segment), token, received_at, shard)

    def check_disk(self, *, synced: bool = True) -> None:
        """Finds out whether the embedded database's disk takes what is written. Raises as `Probe.look`."""
        if self._probe is not None:
            self._probe.look(synced=synced)

    def load_content(self, signal: Signal, content: bytes, token: str, received_at: datetime, shard: int) -> None:
        """As `load`, for a server or one node of a cluster, of what is in memory."""
        statement = self._ingest(signal, f"input({_structure(signal)})", token)
        try:
            with self._loader(shard).client() as client:
                client.command(f"{statement}\nFORMAT ProtobufSingle", parameters={"received_at": received_at}, data=content)
        except QueryError as error:
            if error.code in OPERATORS_CODES:
                raise StoreUnavailableError(f"{self.place} does not let us write: {error}") from error
            raise

    def _ingest(self, signal: Signal, source: str, token: str) -> str:
        settings = {**LOAD_SETTINGS, **self._format_schema(signal), "insert_deduplication_token": token}
        return f"{_text(f'generated/insert_{signal}.sql').replace('/*SOURCE*/', source)}\nSETTINGS {_settings(settings)}"

    def _loader(self, shard: int) -> Pool:
        with self._opening:
            if shard not in self._loaders:
                self._loaders[shard] = Pool(lambda: self._connect(shard), LOADERS)
            return self._loaders[shard]

    def load_file(self, statement: str, file: FileSource, parameters: Parameters) -> None:
        """Runs one of our own INSERT … SELECTs whose rows come from a file, in its order; it is put in the place of /*SOURCE*/.

        Raises:
            QueryError: the file is not what it should be.
            StoreUnavailableError: trying again later helps.
        """
        settings = _settings({**FILE_SETTINGS, **file.settings})
        if self.embedded:
            source = ", ".join(map(quoted, (str(file.path), file.format, file.structure, "gzip" if file.gzip else "none")))
            with self._loader(0).client() as client:
                client.command(
                    f"{statement.replace(SOURCE, f'file({source})')}\nSETTINGS {settings}", parameters=dict(parameters)
                )
            return
        bound = statement.replace(SOURCE, f"input({quoted(file.structure)})")
        bound = f"{cluster.at_one_node(bound) if self._clustered else bound}\nSETTINGS {settings}\nFORMAT {file.format}"
        with file.opened() as opened:
            content = opened.read(MAX_SENT_BYTES + 1)
        if len(content) > MAX_SENT_BYTES:
            raise QueryError(
                f"a file of more than {MAX_SENT_BYTES:,} bytes, unzipped, cannot be sent to a server at once: take it in parts"
            )
        with self._loader(0).client() as client:
            client.command(bound, parameters=dict(parameters), data=content)

    def backup(self, folder: Path) -> None:
        """Copies the embedded database into a folder that does not exist yet. Nothing may write meanwhile.

        Raises:
            StoreError: the folder cannot be written.
        """
        self.command(f"BACKUP DATABASE default TO File({quoted(str(folder.resolve()))})")

    def restore(self, folder: Path) -> None:
        """Brings a copy of a database into this one, which is embedded and has no tables yet.

        Raises:
            StoreError: the folder holds no whole copy, or there are tables.
        """
        self.command(f"RESTORE DATABASE default FROM File({quoted(str(folder.resolve()))})")

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
            for node in self._nodes.values():
                node.close()
            for pool in (*self._loaders.values(), self._writers):
                pool.close()

    @property
    def _clustered(self) -> bool:
        return self._servers is not None and self._servers.clustered

    def _connect(self, shard: int | None = None) -> "driver.Client":
        if self._servers is not None:
            return self._servers.connect(shard)
        with self._connecting, engine.brought_in_lightly():
            return driver.get_client(interface="chdb", path=str(self._path), chdb_options={"config-file": EMBEDDED_CONFIG})

    def _confined_to(self, tenant: str) -> Reader:
        """Raises QueryError before `migrate`, when there is nothing to confine."""
        tables = {row["name"]: row["owned"] for row in self.query(_text("owned_tables.sql"))}
        conditions = {
            name: _share(name, tenant) if owned else "0"
            for name, owned in tables.items()
            if name.removesuffix(cluster.LOCAL) not in SHARED_TABLES
        }
        limits = {"additional_table_filters": mapped(conditions)}
        with errors_named():
            people = self._connections(1, {**PEOPLES_LIMITS, **TENANTS_ORDER, **limits})
            return Reader(self._connections(CONFINED_CONNECTIONS, limits), people, of_tenant=True)

    def _connections(self, number: int, limits: Mapping[str, Any] | None = None) -> Pool:
        """Connections that cannot write, nor change what limits them."""
        limits = {
            "max_execution_time": MAX_READ_SECONDS,
            "max_memory_usage": MAX_READ_MEMORY_BYTES,
            **UNCOMPILED,
            **(limits or {}),
            "readonly": 1,  # last: it closes all settings
        }
        return Pool(lambda: self._limited(limits), number)

    def _limited(self, limits: Mapping[str, Any]) -> "driver.Client":
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


def _share(table: str, tenant: str) -> str:
    """Which rows of a table a tenant sees."""
    if table.removesuffix(cluster.LOCAL) in PARTLY_SHARED_TABLES:
        return f"tenant IN ('', '{tenant}')"
    return f"tenant = '{tenant}'"


@cache
def _beside() -> Store:
    """One for the whole process, because an embedded engine has one folder as long as it lives."""
    folder = tempfile.TemporaryDirectory(prefix="tollbook-reading-")
    store = Store.open(Path(folder.name))
    store.migrate()
    atexit.register(folder.cleanup)
    atexit.register(store.close)  # the last one registered comes first
    return store


def migrations() -> tuple[Migration, ...]:
    """The numbered files of `migrations/`, in order."""
    names = (file.name for file in (resources.files("tollbook_schema") / "migrations").iterdir())
    numbered = (re.fullmatch(r"(\d{4})_\w+\.sql", name) for name in names)
    found = (Migration(int(match[1]), match[0]) for match in numbered if match)
    return tuple(sorted((m for m in found if m.number > 0), key=lambda migration: migration.number))


def _servers(url: str, cluster_name: str, prepare: Callable[["driver.Client", "cluster.Cluster | None"], None]) -> Servers:
    try:
        return Servers(url, cluster_name, prepare)
    except AddressError as error:
        raise QueryError(str(error)) from error


def _run_all(client: "driver.Client", script: Sequence[str], stored: frozenset[str], nodes: "cluster.Cluster | None") -> None:
    for statement in script:
        for rendered in cluster.rendered(statement, stored, nodes) if nodes else (statement,):
            client.command(rendered)


def _content(segment: Path) -> bytes:
    try:
        return segment.read_bytes()
    except OSError as error:
        raise StoreUnavailableError(f"cannot read {segment}: {error.strerror}") from error


def _structure(signal: Signal) -> str:
    return quoted(_text(f"generated/{signal}.structure").strip())


def _text(name: str) -> str:
    return sql.text("tollbook_schema", name)


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {quoted(str(value))}" for name, value in settings.items())
