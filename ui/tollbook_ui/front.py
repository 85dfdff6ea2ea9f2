"""What stands at '/': the dashboard, a page that says it is starting, or one that says what there is instead."""

import html
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tollbook_ui.api import PREFIX, nowhere

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tollbook</title>
<link rel="icon" href="data:,">{refresh}</head>
<body style="font-family: system-ui, sans-serif; max-width: 40rem; margin: 4rem auto"><h1>Tollbook</h1><p>{text}</p>
<p>The API is described at <a href="{prefix}/openapi.json">{prefix}/openapi.json</a>.</p></body></html>"""


class Front:
    """Passes on to the dashboard once it is open; takes no part in anything else."""

    def __init__(self, wanted: bool) -> None:
        self._inner: ASGIApp | None = None
        self._text = "The dashboard is starting." if wanted else "The dashboard is switched off."
        self._starting = wanted

    def open(self, inner: ASGIApp) -> None:
        """From now on requests go to `inner`."""
        self._inner, self._starting = inner, False

    def close(self, text: str) -> None:
        """From now on requests are answered with `text`."""
        self._inner, self._text, self._starting = None, text, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request or WebSocket."""
        if scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/"):
            await nowhere(Request(scope))(scope, receive, send)
        elif self._inner is not None:
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._page(Request(scope))(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1013})

    def _page(self, request: Request) -> Any:
        browsing = self._starting and "text/html" in request.headers.get("accept", "")
        if request.url.path not in ("/", "") and not browsing:
            return PlainTextResponse("there is nothing here\n", 404)
        refresh = '<meta http-equiv="refresh" content="1">' if self._starting else ""
        return HTMLResponse(PAGE.format(refresh=refresh, text=html.escape(self._text), prefix=PREFIX))
