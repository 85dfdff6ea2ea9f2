"""The server's application as `tollbook up` puts it together, with its gate, in this process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from tollbook_collector import otlp_http
from tollbook_collector.collector import Collector
from tollbook_schema.keys import Keys
from tollbook_schema.store import Store
from tollbook_ui import api, doctor, gate
from tollbook_ui.answers import Answers
from tollbook_ui.front import Front
from tollbook_ui.gate import Entry, Gate
from tollbook_ui.keyring import Keyring
from tollbook_ui.settings import Settings
from tollbook_ui.settler import Settler
from tollbook_ui.visitors import HEADER

OPERATOR_TOKEN = "the operator's own"


@dataclass(frozen=True)
class Guarded:
    """An application behind its gate."""

    app: FastAPI
    gate: Gate
    keys: Keys
    collector: Collector

    def client(self, key: str = "", **options: Any) -> TestClient:
        """Somebody who comes with a key, or without."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return TestClient(self.gate, **{"base_url": "http://localhost", "headers": headers, "follow_redirects": False, **options})

    def key(self, *scopes: str, tenant: str | None = None) -> str:
        """A new key."""
        return self.keys.create("test", tenant, scopes)


def guarded(store: Store, data: Path, **settings: Any) -> Guarded:
    """The application, with the settings that are not the default."""
    keys, found = Keys(store, data / "keys.json"), Answers(store)
    collector = Collector(store, data / "spool", keys=keys)
    settler = Settler(store, 0)

    async def settle(since: Any, until: Any) -> Any:
        return settler.now(since, until)

    app = api.create(found, settle, lambda: doctor.examine(found, data), Keyring(keys))
    app.router.routes.extend(otlp_http.routes(collector))
    set_ = Settings(**{"auth": "required", **settings})
    before = gate.before(app, set_, data, Entry(keys, OPERATOR_TOKEN, collector.counters))
    front = Front(wanted=True)
    front.open(dashboard())
    app.mount("/", front)
    return Guarded(app, before, keys, collector)


def dashboard() -> Starlette:
    """Stands in for Streamlit: says who the gate says looks, over HTTP and over a WebSocket."""

    async def page(request: Any) -> PlainTextResponse:
        return PlainTextResponse(", ".join(request.headers.getlist(HEADER)))

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        async for said in websocket.iter_text():
            await websocket.send_text(f"{said}: {websocket.headers.get(HEADER)}")

    return Starlette(routes=[WebSocketRoute("/_stcore/stream", stream), Route("/{path:path}", page)])
