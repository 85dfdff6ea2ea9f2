"""The collector: takes export requests from any transport, keeps them in the spool, loads them into the store."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import grpc
from google.protobuf.message import Message
from tollbook_schema.keys import Keys
from tollbook_schema.store import Store
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_collector import export, otlp_grpc, otlp_json, sharing
from tollbook_collector.counters import Counters, Sample, page
from tollbook_collector.disk import DISK, Disk
from tollbook_collector.door import Door
from tollbook_collector.errors import UnavailableError
from tollbook_collector.export import Export
from tollbook_collector.intake import LARGE_BYTES, Intake
from tollbook_collector.loader import Loader
from tollbook_collector.settings import Settings
from tollbook_collector.signals import Signal
from tollbook_collector.spool import Spool
from tollbook_collector.tls import Tls

Encoding: TypeAlias = Literal["protobuf", "json"]

BEHIND_SECONDS = 5.0
"""Twice what a segment waits for the store while all is well."""


STUCK_SECONDS = 1.0
"""For a disk that has not come back when everything else has stopped."""


@dataclass(frozen=True)
class Health:
    """Whether the collector can take requests."""

    ready: bool
    reason: str = ""


class Collector:
    """One collector over one spool folder and one store. Made and used in one event loop."""

    def __init__(
        self,
        store: Store,
        spool_dir: Path,
        settings: Settings | None = None,
        keys: Keys | None = None,
        tls: Tls | None = None,
        *,
        disk: Disk = DISK,
    ) -> None:
        """Over a store and a spool folder. Without `keys` everybody may send; without `tls` gRPC is in the clear.

        Another `disk` plays faults under the spool.
        """
        self.settings = settings or Settings()
        self.door = Door(keys)
        self.tls = tls
        self.counters = Counters()
        self._store = store
        self._spool_dir = spool_dir
        self._disk = disk
        self._spool: Spool | None = None
        self._loader: Loader | None = None
        self._grpc: grpc.aio.Server | None = None
        self.intake = Intake(self.settings)
        self.grpc_port: int | None = None
        """Port that OTLP/gRPC listens on once started; none where it is switched off."""

    async def start(self) -> None:
        """Opens the spool, loads what an earlier run left, listens on gRPC.

        Raises:
            SpoolBusyError: another collector has the spool open.
            OSError: the spool cannot be used, or the gRPC port is taken.
        """
        self._spool = await asyncio.to_thread(Spool, self._spool_dir, self.settings, self.counters, disk=self._disk)
        self._loader = Loader(self._spool, sharing.sink(self._store), self.settings, self.counters)
        self._loader.start()
        if self.settings.grpc_port >= 0:
            try:
                self._grpc, self.grpc_port = await otlp_grpc.serve(self)
            except OSError:
                await self.stop()
                raise

    async def stop(self) -> None:
        """Takes no more, loads what is left within `stop_seconds`, closes. What is not loaded is kept for the next start."""
        deadline = time.monotonic() + self.settings.stop_seconds
        if self._grpc is not None:
            await self._grpc.stop(grace=1)
        if self._spool is not None and self._loader is not None:
            await asyncio.to_thread(self._spool.refuse, self.settings.stop_seconds / 2)
            await asyncio.to_thread(self._loader.stop, deadline)
            await asyncio.to_thread(self._spool.close, STUCK_SECONDS)
        self._grpc = self._spool = self._loader = None

    async def take(self, signal: Signal, body: bytes, encoding: Encoding, tenant: str = DEFAULT_TENANT) -> Message:
        """Keeps a tenant's export request and answers it; when this returns, its bytes are on disk.

        Raises:
            BadRequestError: sending it again cannot help.
            UnavailableError: it was not kept; sending it again helps.
        """
        if len(body) > LARGE_BYTES:
            async with self.intake.large[encoding]:
                kept = await asyncio.to_thread(_checked, signal, body, encoding)
        else:
            kept = _checked(signal, body, encoding)
        if kept.records:
            await self._append(signal, kept, tenant)
        self._count(signal, kept)
        return answer(signal, kept)

    async def health(self) -> Health:
        """Ready while the spool takes requests and the store takes segments."""
        return Health(ready=not self.trouble, reason=self.trouble)

    @property
    def trouble(self) -> str:
        """Why it cannot take requests or load them at present; empty while it can."""
        if self._spool is None or self._loader is None or self._spool.stopping:
            return "the collector is not running"
        if self._spool.trouble:
            return self._spool.trouble
        return f"the store takes nothing: {self._loader.trouble}" if self._loader.trouble else ""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While it is entered, bodies are kept and none is loaded; see `Loader.paused`."""
        with self._loader.paused() if self._loader is not None else nullcontext():
            yield

    def metrics(self) -> str:
        """Its own counters as Prometheus text."""
        spool = self._spool.samples() if self._spool is not None else []
        return page([*self.counters.samples(), *spool, *self._in_flight()])

    def _in_flight(self) -> list[Sample]:
        return [Sample("in_flight_bytes", self.intake.bytes_held), Sample("in_flight_requests", self.intake.requests)]

    @property
    def settled(self) -> bool:
        """Whether everything acknowledged is in the store."""
        return self._spool is None or self._spool.empty

    @property
    def behind(self) -> bool:
        """Whether senders are faster than the store: what came `BEHIND_SECONDS` ago is not loaded yet."""
        return self._spool is not None and self._spool.oldest_s > BEHIND_SECONDS

    async def _append(self, signal: Signal, request: Export, tenant: str) -> None:
        if self._spool is None:
            raise UnavailableError("the collector is not running")
        kept = asyncio.wrap_future(self._spool.append(signal.name, request.body, tenant=tenant, resources=request.resources))
        try:
            await asyncio.wait_for(kept, self.settings.ack_timeout_ms / 1000)
        except TimeoutError as error:
            raise UnavailableError("the disk is too slow", retry_after_s=2) from error

    def _count(self, signal: Signal, kept: Export) -> None:
        self.counters.add("requests_total", signal=signal.name)
        self.counters.add("accepted_total", kept.records, signal=signal.name)
        self.counters.add("accepted_bytes_total", len(kept.body), signal=signal.name)
        if kept.rejected:
            self.counters.add("rejected_total", kept.rejected, signal=signal.name)
        if kept.repaired:
            self.counters.add("repaired_total", kept.repaired, signal=signal.name)


def answer(signal: Signal, kept: Export) -> Message:
    """The Export…Response: empty where all was kept as it came, else a partial success that says what was not, and why."""
    response = signal.response()
    if kept.rejected or kept.repaired:
        partial = cast(Any, response).partial_success
        setattr(partial, signal.rejected_field, kept.rejected)
        partial.error_message = "; ".join(_remarks(signal, kept))
    return response


def _remarks(signal: Signal, kept: Export) -> Iterator[str]:
    if kept.rejected:
        yield f"{kept.rejected} {signal.records} can never be stored; the first: {kept.reason}"
    if kept.repaired:
        yield f"{kept.repaired} {signal.records}, resources or scopes held text that is not UTF-8; such bytes became U+FFFD"


def _checked(signal: Signal, body: bytes, encoding: Encoding) -> Export:
    """What can be kept of a request in either encoding."""
    if encoding == "protobuf":
        return export.checked(signal, body)
    otlp_json.check_values(body)
    converted = otlp_json.to_protobuf(signal, body)
    return export.checked(signal, converted.body).after(converted.rejected, converted.reason)
