"""All that is served behind the collector's doors: the gate, the API, the place of the dashboard, and settling.

Imported while spans are taken already: FastAPI and the models of its answers take as long as the rest of a start.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp
from tollbook_collector import otlp_http
from tollbook_collector.collector import Collector
from tollbook_schema.keys import Keys
from tollbook_schema.store import Store

from tollbook_ui import answers, api, backup, doctor, intake
from tollbook_ui import gate as gates
from tollbook_ui.budgets.alerts import Alarm
from tollbook_ui.doors import OwnHostOnly
from tollbook_ui.front import Front
from tollbook_ui.gate import Entry
from tollbook_ui.keyring import Keyring
from tollbook_ui.opening import Options
from tollbook_ui.settler import Settler, Waits, settle
from tollbook_ui.usage import undoing


@dataclass(frozen=True)
class Running:
    """What runs before the rest is there."""

    collector: Collector
    keys: Keys
    token: str
    """Opens every door to the operator of this machine."""


@dataclass(frozen=True)
class Application:
    """What a server answers once all of it is there."""

    outermost: ASGIApp
    app: FastAPI
    front: Front
    settler: Settler
    """Not started yet."""


def whole(store: Store, options: Options, running: Running, stack: contextlib.ExitStack) -> Application:
    """Everything; what other modules are told of it is taken back when `stack` closes."""
    collector = running.collector
    alarm = Alarm(store, options.settings.alert_webhook)
    settler = Settler(store, options.settle_seconds, run=settle_whole_imports, behind=lambda: collector.behind, after=alarm.look)
    look = partial(intake.look, options.data / "spool", collector)
    intake.set_current(look)
    stack.callback(intake.set_current, None)
    found = answers.Answers(store)
    answers.set_current(found, options.settings.auth == "required")
    stack.callback(answers.set_current, None)
    app = api.create(
        found,
        _settling(settler),
        lambda: doctor.examine(found, options.data, settler.trouble, options.settings, look()),
        Keyring(running.keys),
    )
    app.state.backup = _backing_up(store, options.data, collector)
    outermost = _guarded(app, options, running)
    front = Front(wanted=options.dashboard)
    app.mount("/", front)
    return Application(outermost, app, front, settler)


def collecting(options: Options, running: Running) -> ASGIApp:
    """The collector's doors alone; other processes settle and answer from the same servers."""
    return _guarded(FastAPI(openapi_url=None), options, running)


def settle_whole_imports(store: Store, since: datetime | None, until: datetime | None, waits: Waits | None) -> Any:
    """Settles as `settle` does, without what imports left whose process ended within them."""
    undoing.take_back_unfinished(store)
    return settle(store, since, until, waits)


def _guarded(app: FastAPI, options: Options, running: Running) -> ASGIApp:
    """The application with the collector's routes and whoever stands before them."""
    app.router.routes[:0] = otlp_http.routes(running.collector)  # first, because most requests are theirs: 73 to 29 us each
    entry = Entry(running.keys, running.token, running.collector.counters)
    gate = gates.before(app, options.settings, options.data, entry)
    return gate if options.settings.auth == "required" else OwnHostOnly(gate, options.host)


def _settling(settler: Settler) -> api.Settle:
    async def settle_now(since: datetime | None, until: datetime | None) -> Any:
        return await asyncio.to_thread(settler.now, since, until)

    return settle_now


def _backing_up(store: Store, data: Path, collector: Collector) -> api.MakeBackup:
    async def back_up(folder: str) -> backup.Backup:
        return await asyncio.to_thread(backup.make, store, data, Path(folder), collector.paused)

    return back_up
