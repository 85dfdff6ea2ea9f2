"""What is answered while most of the server is still being imported."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message
from tollbook_ui.doors import Doors

LIGHT = """
import os
import sys
from pathlib import Path
from tollbook_schema.store import Store
from tollbook_ui import server
store = Store.open(Path(sys.argv[1]))
assert "JE_MALLOC_CONF" not in os.environ
store.close()
print(sorted({"fastapi", "jinja2", "numpy", "pandas", "pyarrow", "streamlit", "tollbook_attribution"} & sys.modules.keys()))
import pyarrow
"""


async def asked(app: ASGIApp, path: str) -> str:
    """What it answers to a GET."""
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return b"".join(message.get("body", b"") for message in said).decode()


async def doors_opened_late() -> list[str]:
    doors = Doors(PlainTextResponse("collector"))
    waiting = asyncio.create_task(asked(doors, "/api/v1/sql"))
    taken = [await asked(doors, path) for path in ("/v1/traces", "/healthz")]
    assert not waiting.done()
    doors.open(PlainTextResponse("all of it"))
    return [*taken, await waiting, await asked(doors, "/v1/traces")]


def test_spans_are_taken_at_once_and_all_else_waits_for_the_rest_of_the_server() -> None:
    assert asyncio.run(doors_opened_late()) == ["collector", "collector", "all of it", "all of it"]


def test_a_collector_starts_without_what_only_the_api_and_the_dashboard_need(tmp_path: Path) -> None:
    started = subprocess.run([sys.executable, "-c", LIGHT, str(tmp_path)], capture_output=True, text=True, timeout=90, check=True)
    assert started.stdout.strip() == "[]"
