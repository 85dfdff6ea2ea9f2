"""The dashboard as an ASGI app, to be mounted at '/' beside the API."""

import logging
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pandas as pd  # noqa: F401 - whole before streamlit: plotly looks into one that another thread still imports
import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route
from streamlit import config

from tollbook_ui.dashboard import frame, theme
from tollbook_ui.visitors import HEADER

SCRIPT = Path(__file__).with_name("app.py")


def streamlit_app() -> st.App:
    """The one Streamlit app of this process; enter its `lifespan()` within the server's own.

    Streamlit keeps its configuration in the process, so a second app would share it: make one only.
    """
    theme.apply()
    config.set_option("server.trustedUserHeaders", {HEADER: "principal"})  # nobody resumes a session of somebody else
    for name in ("streamlit", "streamlit.web", "streamlit.runtime", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    pages = [Route(f"/{path}", _index) for _, _, path in frame.PAGES[1:]]
    return st.App(SCRIPT, routes=[Route("/", _index), Route(f"/{frame.PAGES[0][2]}", _first), *pages])


async def _first(request: Request) -> RedirectResponse:
    """The first page by its name: Streamlit knows it at / alone."""
    return RedirectResponse(request.url.replace(path="/"))


async def _index(_: Request) -> HTMLResponse:
    return HTMLResponse(index(), headers={"Cache-Control": "no-cache"})


@cache
def index() -> str:
    """Streamlit's own page, told where its server is.

    Without that, a page below '/' looks for the server below its own path first, and the browser's console shows two 404.
    """
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    told = "<head><script>window.__streamlit = { BACKEND_BASE_URL: window.location.origin + '/' }</script>"
    icon = "data:image/svg+xml," + quote(frame.ICON.read_text(encoding="utf-8"))
    return page.replace("<head>", told, 1).replace("<title>Streamlit<", "<title>Tollbook<", 1).replace("./favicon.png", icon, 1)
