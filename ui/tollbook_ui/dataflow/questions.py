"""Questions about data that moves and lies, asked of a store, or of a running server."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from tollbook_schema import sql
from tollbook_schema.attributes import OWNER_COLUMNS
from tollbook_schema.store import Reads, Store
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui import figures as f
from tollbook_ui import unsettled
from tollbook_ui.costs.remote import Get
from tollbook_ui.costs.remote import asked as asked_of
from tollbook_ui.dataflow.figures import (
    Access,
    Declared,
    PrincipalRow,
    Principals,
    ServiceRow,
    Services,
    Stored,
    StoredAsset,
    StoredRow,
    TransferRow,
    Transfers,
)
from tollbook_ui.dataflow.stored_files import assets, overlap
from tollbook_ui.periods import BadQuestionError, whole_hours
from tollbook_ui.usage.questions import Upload

Row = TypeVar("Row")

ANY = Access()


class Data:
    """Answers from what one asker may read."""

    def __init__(self, store: Store, reads: Reads) -> None:
        self._store = store
        self._reads = reads

    @unsettled.told
    def transfers(self, scope: f.Scope, limit: int = 1000) -> Transfers:
        """Bytes of a period by pipeline and boundary, the dearest first."""
        period, bound = _bound(scope)
        totals = self._reads.query(_query("transfer_totals"), bound)[0]
        rows = self._rows(TransferRow, "transfers", {**bound, "limit": limit}, {"network": "class", "unpriced": "without_price"})
        return Transfers(period, totals["moved_bytes"], totals["priced_bytes"], totals["known_usd"], rows)

    @unsettled.told
    def stored(self, scope: f.Scope, limit: int = 1000) -> Stored:
        """Copies of assets of a period, the dearest first."""
        period, bound = _bound(scope)
        return Stored(period, self._rows(StoredRow, "stored", {**bound, "limit": limit}, {"unpriced": "without_price"}))

    @unsettled.told
    def services(self, scope: f.Scope, limit: int = 1000) -> Services:
        """Services paid by use in a period, the dearest first."""
        period, bound = _bound(scope)
        return Services(period, self._rows(ServiceRow, "services", {**bound, "limit": limit}, {"unpriced": "without_price"}))

    @unsettled.told
    def principals(self, scope: f.Scope, access: Access = ANY, limit: int = 1000) -> Principals:
        """Who had which assets read for which models in a period, the most calls first."""
        period, bound = _bound(scope)
        return Principals(period, self._rows(PrincipalRow, "principals", {**bound, **asdict(access), "limit": limit}, {}))

    def declare(self, path: Path, name: str = "", tenant: str = DEFAULT_TENANT) -> Declared:
        """Takes a file of stored assets in; rows that are known already change nothing.

        Raises:
            BadQuestionError: a row that cannot be read or that counts a copy twice; nothing was taken.
        """
        name = name or str(path)
        given = assets(path, name)
        known = self._declared(given, tenant)
        new = [asset for asset in dict.fromkeys(given) if asset not in known]
        starts = {(asset.asset_id, asset.location, asset.held_from) for asset in new}
        staying = [asset for asset in known if (asset.asset_id, asset.location, asset.held_from) not in starts]
        for asset in new:
            if clash := next((other for other in staying if overlap(asset, other)), None):
                raise BadQuestionError(
                    f"{name}: {asset.asset_id!r} in {asset.location!r} from {asset.held_from:%Y-%m-%d %H:%M} on "
                    f"is held already since {clash.held_from:%Y-%m-%d %H:%M}; give that row an until first"
                )
        columns = ["tenant", *(field.name for field in fields(StoredAsset)), "recorded_at"]
        now = datetime.now(UTC)
        self._store.insert("stored_assets", [[tenant, *asdict(asset).values(), now] for asset in new], columns)
        return Declared(name, len(given), len(new))

    def _declared(self, given: list[StoredAsset], tenant: str) -> set[StoredAsset]:
        asked = {"tenant": tenant, "assets": sorted({asset.asset_id for asset in given})}
        return {
            StoredAsset(**{key: _utc(value) for key, value in row.items()})
            for row in self._store.query(_query("declared"), asked)
        }

    def _rows(self, row: Callable[..., Row], query: str, bound: Mapping[str, Any], named: Mapping[str, str]) -> tuple[Row, ...]:
        names = {column: name for name, column in named.items()}
        found = self._reads.query(_query(query), bound)
        return tuple(row(**{names.get(column, column): _utc(value) for column, value in values.items()}) for values in found)


class RemoteData:
    """The same of a running server."""

    def __init__(self, get: Get, upload: Upload) -> None:
        self._get = get
        self._upload = upload

    def transfers(self, scope: f.Scope, limit: int = 1000) -> Transfers:
        """As `Data.transfers`."""
        return self._get(Transfers, "/transfers", {**asked_of(scope), "limit": limit})

    def stored(self, scope: f.Scope, limit: int = 1000) -> Stored:
        """As `Data.stored`."""
        return self._get(Stored, "/storage", {**asked_of(scope), "limit": limit})

    def services(self, scope: f.Scope, limit: int = 1000) -> Services:
        """As `Data.services`."""
        return self._get(Services, "/services", {**asked_of(scope), "limit": limit})

    def principals(self, scope: f.Scope, access: Access = ANY, limit: int = 1000) -> Principals:
        """As `Data.principals`."""
        return self._get(Principals, "/principals", {**asked_of(scope), **asdict(access), "limit": limit})

    def declare(self, path: Path, name: str = "", tenant: str = DEFAULT_TENANT) -> Declared:
        """As `Data.declare`."""
        return self._upload(Declared, "/storage/imports", {"name": name or str(path), "tenant": tenant}, path, None)


def _bound(scope: f.Scope) -> tuple[f.Period, dict[str, Any]]:
    period = whole_hours(scope.since, scope.until, datetime.now(UTC))
    bound = {"since": period.since, "until": period.until, "service": scope.service}
    return period, {**bound, **{key: getattr(scope, key) for key in OWNER_COLUMNS}}


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _query(name: str) -> str:
    return sql.text("tollbook_ui", f"dataflow/queries/{name}.sql")
