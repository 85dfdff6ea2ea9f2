"""The answers of a running server, asked over its API: the same methods, the same dataclasses, the same digits."""

import http.client
import json
import shutil
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import TypeAdapter
from tollbook_schema.attributes import OWNER_COLUMNS
from tollbook_schema.store import QueryError, StoreError, StoreUnavailableError, Table

from tollbook_ui import drafts, locate
from tollbook_ui import figures as f
from tollbook_ui.answers import LAST_WEEK, MAX_SQL_ROWS
from tollbook_ui.backup import Backup
from tollbook_ui.bills.remote import RemoteBills
from tollbook_ui.budgets.remote import RemoteBudgets
from tollbook_ui.costs.remote import RemoteCosts
from tollbook_ui.dataflow.questions import RemoteData
from tollbook_ui.dialects.remote import RemoteDialects
from tollbook_ui.doctor import Doctor
from tollbook_ui.errors import UnknownTraceError
from tollbook_ui.keyring import KeyRow, KeyWish
from tollbook_ui.machines.remote import RemoteMachines
from tollbook_ui.outcomes.remote import RemoteOutcomes
from tollbook_ui.outputs.questions import RemoteOutputs
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.pricebook.remote import RemotePriceBook
from tollbook_ui.usage.questions import RemoteUsage, Sent
from tollbook_ui.weekly import Weekly

Answer = TypeVar("Answer")

PREFIX = "/api/v1"
TIMEOUT_SECONDS = 600
"""A settlement of a large store takes minutes; everything else answers within the store's own limit of 30 s."""

_ERRORS: Mapping[int, type[Exception]] = {
    400: QueryError,
    404: UnknownTraceError,
    422: BadQuestionError,
    503: StoreUnavailableError,
}


class RemoteAnswers:
    """Answers from the server at `url`. Raises as `Answers` does, and `StoreUnavailableError` where it cannot be reached."""

    def __init__(self, url: str, token: str = "", trust: ssl.SSLContext | None = None) -> None:
        """From the server at an address, with the operator's token; over TLS if `trust` says whom to believe."""
        self.url = url
        self.trust = trust
        self.headers = {"authorization": f"Bearer {token}"} if token else {}
        handlers = [urllib.request.HTTPSHandler(context=trust)] if trust else []
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)  # the server is on this machine

    @classmethod
    def at(cls, server: locate.Server) -> "RemoteAnswers":
        """From a server as it wrote itself down."""
        return cls(server.url, server.token, trusting(server) if server.cert else None)

    def overview(self, scope: f.Scope = LAST_WEEK) -> f.Overview:
        """As `Answers.overview`."""
        return self._get(f.Overview, "/overview", _asked(scope))

    def requests(self, scope: f.Scope = LAST_WEEK, limit: int = 50, offset: int = 0, order: str = "newest") -> f.Requests:
        """As `Answers.requests`."""
        return self._get(f.Requests, "/requests", {**_asked(scope), "limit": limit, "offset": offset, "order": order})

    def request(self, trace_id: str, tenant: str | None = None) -> f.RequestView:
        """As `Answers.request`."""
        return self._get(f.RequestView, f"/requests/{_quoted(trace_id)}", {"tenant": tenant})

    def same_data(self, trace_id: str, tenant: str | None = None) -> dict[str, str]:
        """As `Answers.same_data`."""
        return self._get(dict[str, str], f"/requests/{_quoted(trace_id)}/same_data", {"tenant": tenant})

    def receipt(self, trace_id: str, tenant: str | None = None) -> f.Receipt:
        """As `Answers.receipt`."""
        return self._get(f.Receipt, f"/receipts/{_quoted(trace_id)}", {"tenant": tenant})

    def freshness(self, scope: f.Scope = LAST_WEEK) -> f.Freshness:
        """As `Answers.freshness`."""
        return self._get(f.Freshness, "/freshness", _asked(scope))

    def accelerators(self, scope: f.Scope = LAST_WEEK) -> f.Accelerators:
        """As `Answers.accelerators`."""
        return self._get(f.Accelerators, "/accelerators", _asked(scope))

    def hotspots(self, scope: f.Scope = LAST_WEEK, limit: int = 50) -> f.Hotspots:
        """As `Answers.hotspots`."""
        return self._get(f.Hotspots, "/hotspots", {**_asked(scope), "limit": limit})

    def findings(self, scope: f.Scope = LAST_WEEK, limit: int = 50) -> tuple[f.Finding, ...]:
        """As `Answers.findings`."""
        return self._get(tuple[f.Finding, ...], "/findings", {**_asked(scope), "limit": limit})

    def owners(self, scope: f.Scope = LAST_WEEK, by: Sequence[str] = ("team",)) -> f.Owners:
        """As `Answers.owners`."""
        return self._get(f.Owners, "/owners", {**_asked(scope), "by": ",".join(by)})

    def coverage(self, scope: f.Scope = LAST_WEEK) -> f.Coverage:
        """As `Answers.coverage`."""
        return self._get(f.Coverage, "/coverage", _asked(scope))

    def calls(self, scope: f.Scope = LAST_WEEK) -> f.Calls:
        """As `Answers.calls`."""
        return self._get(f.Calls, "/calls", _asked(scope))

    def comparison(self, scope: f.Scope = LAST_WEEK) -> f.Comparison:
        """As `Answers.comparison`."""
        return self._get(f.Comparison, "/workflows", _asked(scope))

    def weekly(self, week: str, scope: f.Scope = LAST_WEEK) -> Weekly:
        """As `Answers.weekly`."""
        return self._get(Weekly, f"/reports/{_quoted(week)}", _asked(scope))

    def hosts(self, scope: f.Scope = LAST_WEEK) -> tuple[f.Host, ...]:
        """As `Answers.hosts`."""
        return self._get(tuple[f.Host, ...], "/hosts", _asked(scope))

    def rates(self) -> tuple[f.Rate, ...]:
        """As `Answers.rates`."""
        return self._get(tuple[f.Rate, ...], "/rates")

    def extent(self) -> f.Extent:
        """As `Answers.extent`."""
        return self._get(f.Extent, "/extent")

    def sql(self, statement: str, max_rows: int = MAX_SQL_ROWS) -> Table:
        """As `Answers.sql`, but times are text."""
        table = self._ask(Table, "/sql", {}, {"query": statement, "max_rows": max_rows})
        money = [
            index
            for index, kind in enumerate(table.types)
            if "Decimal(" in kind and not kind.startswith(("Array", "Map", "Tuple"))
        ]
        return replace(table, rows=[_with_decimals(row, money) for row in table.rows]) if money else table

    @property
    def data(self) -> RemoteData:
        """As `Answers.data`."""
        return RemoteData(self._get, self._upload)

    @property
    def outputs(self) -> RemoteOutputs:
        """As `Answers.outputs`."""
        return RemoteOutputs(self._get)

    @property
    def usage(self) -> RemoteUsage:
        """As `Answers.usage`."""
        return RemoteUsage(self._get, self._ask, self._upload)

    @property
    def pricebook(self) -> RemotePriceBook:
        """As `Answers.pricebook`."""
        return RemotePriceBook(self._ask)

    @property
    def budgets(self) -> RemoteBudgets:
        """As `Answers.budgets`."""
        return RemoteBudgets(self._ask)

    @property
    def dialects(self) -> RemoteDialects:
        """As `Answers.dialects`."""
        return RemoteDialects(self._get)

    @property
    def machines(self) -> RemoteMachines:
        """As `Answers.machines`."""
        return RemoteMachines(self._ask)

    @property
    def bills(self) -> RemoteBills:
        """As `Answers.bills`."""
        return RemoteBills(self._get, self._ask, self._upload, self._save)

    @property
    def outcomes(self) -> RemoteOutcomes:
        """As `Answers.outcomes`."""
        return RemoteOutcomes(self._ask)

    @property
    def costs(self) -> RemoteCosts:
        """As `Answers.costs`."""
        return RemoteCosts(self._get)

    def unsettled_hours(self) -> int:
        """As `Answers.unsettled_hours`, of all times."""
        return self._get(dict[str, int], "/unsettled")["hours"]

    def settle(self, since: datetime | None = None, until: datetime | None = None) -> Any:
        """Settles now; the summary as an object."""
        times = {"since": since and since.isoformat(), "until": until and until.isoformat()}
        return self._ask(dict[str, Any], "/settle", {}, times)

    def set_rate(self, rate: "f.NewRate") -> str:
        """Adds an instance rate; its id."""
        return self._ask(dict[str, str], "/rates", {}, asdict(rate))["rate_id"]

    def keys(self) -> tuple[KeyRow, ...]:
        """Every key there ever was, newest first."""
        return self._get(tuple[KeyRow, ...], "/keys")

    def create_key(self, wish: KeyWish) -> str:
        """Makes a key; the whole of it, for the only time."""
        return self._ask(dict[str, str], "/keys", {}, asdict(wish))["key"]

    def revoke_key(self, key_id: str) -> KeyRow:
        """Ends a key at once."""
        return self._ask(KeyRow, f"/keys/{_quoted(key_id)}", {}, None, "DELETE")

    def backup(self, folder: Path) -> Backup:
        """Has the server copy its data into a folder of its machine."""
        return self._ask(Backup, "/backup", {}, {"folder": str(folder.absolute())})

    def doctor(self, _data: Path) -> Doctor:
        """What the server found when it examined itself."""
        return self._get(Doctor, "/doctor")

    def _get(self, kind: type[Answer], path: str, asked: Mapping[str, Any] | None = None) -> Answer:
        return self._ask(kind, path, asked or {}, None)

    def _ask(
        self, kind: type[Answer], path: str, asked: Mapping[str, Any], body: object | None, method: str | None = None
    ) -> Answer:
        query = urllib.parse.urlencode({key: value for key, value in asked.items() if value is not None}, doseq=True)
        data = None if body is None else json.dumps(body, default=str).encode()
        request = urllib.request.Request(  # noqa: S310 - the address was written down by our own server
            f"{self.url}{PREFIX}{path}?{query}", data, {"content-type": "application/json", **self.headers}, method=method
        )
        return self._answered(kind, request)

    def _upload(self, kind: type[Answer], path: str, asked: Mapping[str, Any], file: Path, sent: Sent | None) -> Answer:
        query = urllib.parse.urlencode({key: value for key, value in asked.items() if value is not None}, doseq=True)
        size = file.stat().st_size
        headers = {"content-type": "application/octet-stream", "content-length": str(size), **self.headers}
        with file.open("rb") as content:
            request = urllib.request.Request(  # noqa: S310 - the address was written down by our own server
                f"{self.url}{PREFIX}{path}?{query}", _Told(content, size, sent), headers, method="POST"
            )
            return self._answered(kind, request)

    def _save(self, path: str, asked: Mapping[str, Any], file: Path) -> int:
        query = urllib.parse.urlencode({key: value for key, value in asked.items() if value is not None}, doseq=True)
        request = urllib.request.Request(f"{self.url}{PREFIX}{path}?{query}", headers=self.headers)  # noqa: S310 - our own server
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response, drafts.written(file) as kept:
                shutil.copyfileobj(response, kept)
                return kept.tell()
        except urllib.error.HTTPError as error:
            raise _named(error) from error
        except (urllib.error.URLError, http.client.HTTPException) as error:
            raise self._silent(error) from error

    def _answered(self, kind: type[Answer], request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return TypeAdapter(kind).validate_json(response.read())
        except urllib.error.HTTPError as error:
            raise _named(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(error) from error

    def _silent(self, error: Exception) -> StoreUnavailableError:
        return StoreUnavailableError(f"the server at {self.url} does not answer, or not to the end: {error}")


class _Told:
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], size: int, told: Sent | None) -> None:
        self._file = file
        self._size = size
        self._told = told

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk = self._file.read(size)
        if self._told:
            self._told(self._file.tell(), self._size)
        return chunk


def trusting(server: locate.Server) -> ssl.SSLContext:
    """Trust in one certificate, the one that the server of this machine serves with, under whatever name it is reached."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(server.cert)
    if server.client_key:
        context.load_cert_chain(server.cert, server.client_key)
    return context


def _asked(scope: f.Scope) -> dict[str, Any]:
    times = {"since": scope.since and scope.since.isoformat(), "until": scope.until and scope.until.isoformat()}
    return {**times, "service": scope.service, **{key: getattr(scope, key) for key in OWNER_COLUMNS}}


def _with_decimals(row: tuple[Any, ...], columns: Sequence[int]) -> tuple[Any, ...]:
    return tuple(Decimal(item) if index in columns and isinstance(item, str) else item for index, item in enumerate(row))


def _quoted(part: str) -> str:
    return urllib.parse.quote(part, safe="")


def _named(error: urllib.error.HTTPError) -> Exception:
    """The error that the same question to a store in this process would have raised."""
    try:
        detail = str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"the server answered {error.code}"
    return _ERRORS.get(error.code, StoreError)(detail)
