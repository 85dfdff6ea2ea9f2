"""Bills of a running server: the same methods as `Bills`, asked over its API. Files are sent as the body of a request."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from tollbook_attribution import bills
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui.bills import figures as f
from tollbook_ui.bills.questions import ALL
from tollbook_ui.periods import BadQuestionError

Answer = TypeVar("Answer")


class Get(Protocol):
    """Asks the server for an answer of a kind."""

    def __call__(self, kind: type[Answer], path: str, asked: Mapping[str, Any] | None = None) -> Answer:
        """The answer."""


class Ask(Protocol):
    """Tells the server something, for an answer of a kind."""

    def __call__(
        self, kind: type[Answer], path: str, asked: Mapping[str, Any], body: object | None, method: str | None = None
    ) -> Answer:
        """The answer."""


class Upload(Protocol):
    """Sends a file to the server."""

    def __call__(
        self, kind: type[Answer], path: str, asked: Mapping[str, Any], file: Path, sent: Callable[[int, int], None] | None
    ) -> Answer:
        """The answer."""


class Save(Protocol):
    """Has the server write an answer, which is kept as a file."""

    def __call__(self, path: str, asked: Mapping[str, Any], file: Path) -> int:
        """Bytes of the answer."""


class RemoteBills:
    """As `Bills`."""

    def __init__(self, get: Get, ask: Ask, upload: Upload, save: Save) -> None:
        self._get = get
        self._ask = ask
        self._upload = upload
        self._save = save

    def take(
        self,
        paths: Sequence[Path],
        options: bills.Options = bills.AS_THEY_ARE,
        names: Sequence[str] = (),
        sent: Callable[[int, int], None] | None = None,
    ) -> f.Taken:
        """As `Bills.take`; the files go to the server, which `sent` is told of: bytes by now, and in all."""
        asked = asdict(options)
        with _one_file(paths) as (file, name):
            return self._upload(f.Taken, "/bills/imports", {**asked, "name": names[0] if names else name}, file, sent)

    def undo(self, import_id: int, tenant: str = DEFAULT_TENANT) -> f.Undone:
        """As `Bills.undo`."""
        return self._ask(f.Undone, f"/bills/imports/{import_id}", {"tenant": tenant}, None, "DELETE")

    def periods(self, provider: str = "", period: str = "", limit: int = ALL) -> tuple[f.Period, ...]:
        """As `Bills.periods`."""
        return self._get(tuple[f.Period, ...], "/bills", {"provider": provider, "period": period, "limit": limit})

    def show(self, provider: str = "", period: str = "", limit: int = ALL) -> f.Bill:
        """As `Bills.show`."""
        return self._get(f.Bill, "/bills/charges", {"provider": provider, "period": period, "limit": limit})

    def reconcile(self, tenant: str = DEFAULT_TENANT, cost: str | None = None) -> bool:
        """As `Bills.reconcile`."""
        return self._ask(dict[str, bool], "/bills/reconcile", {"tenant": tenant, "cost": cost}, {})["changed"]

    def reconciliation(self, provider: str = "", period: str = "", limit: int = 100) -> f.Reconciliation:
        """As `Bills.reconciliation`."""
        asked = {"provider": provider, "period": period, "limit": limit}
        return self._get(f.Reconciliation, "/bills/reconciliation", asked)

    def export(self, file: Path, since: datetime | None, until: datetime | None, form: str = "csv") -> int:
        """As `Bills.export`."""
        times = {"since": since and since.isoformat(), "until": until and until.isoformat()}
        return self._save("/bills/focus", {**times, "format": form}, file)

    def mappings(self) -> tuple[f.Mapping, ...]:
        """As `Bills.mappings`."""
        return self._get(tuple[f.Mapping, ...], "/bills/mappings")

    def map(self, wish: f.NewMapping) -> f.Mapping:
        """As `Bills.map`."""
        return self._ask(f.Mapping, "/bills/mappings", {}, asdict(wish))

    def unmap(self, mapping_id: str, tenant: str = DEFAULT_TENANT) -> f.Mapping:
        """As `Bills.unmap`."""
        return self._ask(f.Mapping, f"/bills/mappings/{quote(mapping_id, safe='')}", {"tenant": tenant}, None, "DELETE")


@contextmanager
def _one_file(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """The file, or all files in one archive; what is in a folder keeps its name."""
    if len(paths) == 1 and paths[0].is_file():
        yield paths[0], paths[0].name
        return
    with tempfile.TemporaryDirectory(prefix="tollbook-bill-") as folder:
        packed = Path(folder) / "bills.zip"
        try:
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
                for path in paths:
                    inside = sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else [path]
                    for file in inside:
                        archive.write(file, file.name if file is path else str(file.relative_to(path)))
        except OSError as error:
            raise BadQuestionError(f"{error.filename}: cannot be read: {error.strerror}") from error
        yield packed, "the files"
