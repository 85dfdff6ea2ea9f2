"""Servers: the addresses in a ClickHouse URL, which node of a cluster each of them is, and connections to the right one."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from tollbook_schema import driver, sql
from tollbook_schema.cluster import SETTINGS, Cluster

UNKNOWN_DATABASE = 81
CONNECT_SECONDS = 5
ANSWER_SECONDS = 600
PORTS = {"http": 8123, "https": 8443}


class AddressError(ValueError):
    """A URL of a server that cannot be, or a cluster that its servers do not know."""


@dataclass(frozen=True)
class Address:
    """One server."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Url:
    """Where the store is: `http://user:password@host:8123,other:8123/database?setting=value`."""

    scheme: str
    addresses: tuple[Address, ...]
    username: str
    password: str
    database: str
    options: tuple[tuple[str, str], ...]

    @classmethod
    def parsed(cls, text: str) -> "Url":
        """The parts of a URL.

        Raises:
            AddressError: it is none, or has parts that cannot be; the message has no password.
        """
        parts = urlsplit(text)
        if parts.scheme not in PORTS:
            raise AddressError("the URL of a ClickHouse server begins with http:// or https://")
        secrets, _, hosts = parts.netloc.rpartition("@")
        username, _, password = secrets.partition(":")
        database = unquote(parts.path.strip("/")) or "default"
        addresses = tuple(_address(host, PORTS[parts.scheme]) for host in hosts.split(","))
        options = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return cls(parts.scheme, addresses, unquote(username) or "default", unquote(password), database, options)

    def __str__(self) -> str:
        """For people: without the password, and without options, which may hold one."""
        return f"{self.scheme}://{','.join(map(str, self.addresses))}/{self.database}"

    def __repr__(self) -> str:
        return f"Url({self})"


def _address(text: str, port: int) -> Address:
    parts = SplitResult("", text, "", "", "")
    try:
        host, own_port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressError(f"{text!r} is no host and port") from error
    if not host:
        raise AddressError("the URL of a ClickHouse server names a host")
    return Address(host, own_port or port)


Prepare = Callable[["driver.Client", Cluster | None], None]


class Servers:
    """The servers behind a URL. Safe to use from several threads.

    Several addresses are the nodes of one cluster, which its name is needed for: each node says which shard it holds, and of a
    shard's replicas the first that answers is asked.
    """

    def __init__(self, url: str, cluster: str, prepare: Prepare) -> None:
        """Takes the URL apart; connects to nothing yet.

        Args:
            url: see Url.
            cluster: its name in `system.clusters`; empty for a single server.
            prepare: brings a server's tables to our shape; run on the first connection to each, once `preparing` is set.

        Raises:
            AddressError: the URL cannot be, or names several servers and no cluster.
        """
        self.url = Url.parsed(url)
        if len(self.url.addresses) > 1 and not cluster:
            raise AddressError("several servers are a cluster: set TOLLBOOK_CLICKHOUSE_CLUSTER to its name in system.clusters")
        self._cluster_name = cluster
        self._prepare = prepare
        self.preparing = False
        self._prepared: set[Address] = set()
        self._shards: dict[Address, int] = {}
        self._cluster: Cluster | None = None
        self._lock = threading.RLock()

    @property
    def clustered(self) -> bool:
        """Whether there are shards."""
        return bool(self._cluster_name)

    @property
    def shards(self) -> int:
        """How many shards there are.

        Raises:
            ClickHouseError: no server can be reached that would know.
        """
        if self.clustered and self._cluster is None:
            self.connect().close()
        return self._cluster.shards if self._cluster else 1

    def connect(self, shard: int | None = None) -> "driver.Client":
        """A connection to the first server that answers, of that shard (counted from 0) if one is named.

        Raises:
            ClickHouseError: none answers.
        """
        refusals = []
        for address in self._candidates(shard):
            try:
                client = self._connect_to(address)
            except driver.ClickHouseError as error:
                refusals.append(error)
                continue
            if shard is None or not self.clustered or self._shards[address] == shard:
                return client
            client.close()
        raise refusals[0] if refusals else AddressError(f"{self.url} names no server of shard {(shard or 0) + 1}")

    def prepare_all(self) -> None:
        """Brings the tables of every server to our shape now, and those of a server that is away when it is first met.

        Raises:
            ClickHouseError: a server cannot be reached; the others are in shape.
        """
        self.preparing = True
        self._prepared.clear()
        refusals = []
        for address in self.url.addresses:
            try:
                self._connect_to(address).close()
            except driver.ClickHouseError as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]

    def _candidates(self, shard: int | None) -> Iterator[Address]:
        """Addresses that are or may be of a shard."""
        return (address for address in self.url.addresses if shard is None or self._shards.get(address, shard) == shard)

    def _connect_to(self, address: Address) -> "driver.Client":
        try:
            client = self._client(address, self.url.database)
        except driver.ClickHouseError as error:
            if getattr(error, "code", None) != UNKNOWN_DATABASE:
                raise
            self._create_database(address)
            client = self._client(address, self.url.database)
        with self._lock:
            if self.clustered:
                self._place(client, address)
            if self.preparing and address not in self._prepared:
                self._prepare(client, self._cluster)
                self._prepared.add(address)
        return client

    def _create_database(self, address: Address) -> None:
        client = self._client(address, "")
        try:
            client.command("CREATE DATABASE IF NOT EXISTS {name:Identifier}", parameters={"name": self.url.database})
        finally:
            client.close()

    def _place(self, client: "driver.Client", address: Address) -> None:
        if address in self._shards:
            return
        found = client.query(sql.text("tollbook_schema", "queries/cluster.sql"), parameters={"name": self._cluster_name})
        if not found.result_rows:
            raise AddressError(f"{address} knows no cluster {self._cluster_name!r}; see system.clusters there")
        ((shards, replicas, own_shard, keeper),) = found.result_rows
        if not own_shard:
            raise AddressError(f"{address} is no node of the cluster {self._cluster_name!r}")
        if replicas > 1 and not keeper:
            raise AddressError(
                f"the cluster {self._cluster_name!r} has {replicas} replicas of a shard and no Keeper to keep them alike"
            )
        self._cluster = Cluster(self._cluster_name, shards, replicated=bool(keeper))
        self._shards[address] = own_shard - 1

    def _client(self, address: Address, database: str) -> "driver.Client":
        settings: dict[str, Any] = dict(SETTINGS) if self.clustered else {}
        dsn = f"{self.url.scheme}://{address}?{urlencode(self.url.options)}"
        return driver.get_client(
            dsn=dsn,
            username=self.url.username,
            password=self.url.password,
            database=database or "__default__",
            settings=settings,
            autogenerate_session_id=False,
            connect_timeout=CONNECT_SECONDS,
            send_receive_timeout=ANSWER_SECONDS,
        )


def without_password(text: str) -> str:
    """A message in which no URL has a password."""
    return re.sub(r"//[^@/\s]*@", "//", text)
