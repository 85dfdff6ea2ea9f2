"""Names that mean harm are stored as they are and shown as text: API, CSV, report, pages, terminal, metrics (S9, P4)."""

import contextlib
import csv
import io
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Dialog, sync_playwright
from tollbook_ui.cli import app
from typer.main import get_command
from typer.testing import CliRunner

from tests.dashboard.chromium import FLAGS, Visit
from tests.dashboard.conftest import PAGES
from tests.hostile import requests, senders
from tests.hostile.corpus import HOSTILE_KEYS, NAMES, SCRIPT
from tests.house import browser as house
from tests.served import Served, served
from tests.soak.figures import Fault

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What makes a terminal do something, or turns what it shows around; line feed and tab are layout."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "section", "footer", "div", "span", "b",
    "i", "p", "h1", "h2", "h3", "ul", "li", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "pre", "code",
    "small", "svg", "g", "path", "defs", "use", "text", "tspan", "rect", "clippath", "line", "metadata", "rdf:rdf",
    "cc:work", "dc:type", "dc:format", "dc:title",
}  # fmt: skip
"""All that a report is made of."""


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with one settled request for each name."""
    with served(tmp_path_factory.mktemp("named"), "--dashboard") as server, client(server) as web:
        start_ns = (time.time_ns() // (3600 * 10**9) - 1) * 3600 * 10**9
        for number, name in enumerate(NAMES.values(), 1):
            at_ns = start_ns + number * 10**9
            senders.send(web, senders.named(number, name, at_ns), senders.measured(name, at_ns), senders.said(name, at_ns))
        senders.until(web, "SELECT (SELECT count() FROM spans), (SELECT count() FROM logs)", [(4 * len(NAMES), len(NAMES))])
        senders.settle(web)
        yield server


@pytest.fixture
def web(named: Served) -> Iterator[httpx.Client]:
    with client(named) as found:
        yield found


def client(server: Served) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=120, trust_env=False)


@pytest.mark.fault("S9", "hostile names, stored", "each as it was sent")
def test_names_are_stored_as_they_were_sent(fault: Fault, web: httpx.Client) -> None:
    columns = ("service_name", "name", "team", "workflow", "request_model", "status_message", "events.name[1]", "scope_name")
    row = ", ".join(f"groupUniqArray({column})" for column in columns)
    (found,) = senders.ask(web, f"SELECT {row} FROM spans WHERE tollbook_kind = 'request' OR request_model != ''")
    assert found[2] is not None
    stored = {column: set(values) for column, values in zip(columns, found, strict=True)}
    names = set(NAMES.values())
    wrong = {column: sorted(names - values)[:3] for column, values in stored.items() if names - values}
    attributes = senders.ask(web, "SELECT attributes FROM spans WHERE tollbook_kind = 'request' ORDER BY start_time")
    kept = sum(own.get(name) == name for (own,), name in zip(attributes, NAMES.values(), strict=True))
    fault.found(f"{len(names)} names, {len(wrong)} columns of {len(columns)} changed one; {kept} keys kept")
    assert wrong == {}
    assert kept == len(names)


def needed(operation: dict[str, Any]) -> list[str]:
    """Parameters of the query that a route does not answer without."""
    return [found["name"] for found in operation.get("parameters", ()) if found["in"] == "query" and found["required"]]


@pytest.mark.fault("S9", "hostile names, API and CSV", "JSON and CSV whole, 0 cells run as a formula")
def test_the_api_answers_with_names_as_data(fault: Fault, web: httpx.Client) -> None:
    openapi = web.get("/api/v1/openapi.json").json()
    paths = [path for path, operations in openapi["paths"].items() if "get" in operations and not needed(operations["get"])]
    asked, formulas, seen = 0, [], set()
    for path in paths:
        for trace in range(1, len(NAMES) + 1, 1 if fault.soak else 12) if "{trace_id}" in path else [1]:
            address = path.format(trace_id=f"{trace:032x}", span_id=f"{trace * 10 + 1:016x}", week=week())
            answer = web.get(address)
            assert answer.status_code == 200, f"{address}: {answer.text[:300]}"
            asked += 1
            if "json" in answer.headers["content-type"]:  # the bill's export is a file of its own
                seen |= strings(answer.json())
            if any(parameter["name"] == "format" for parameter in openapi["paths"][path]["get"].get("parameters", ())):
                rows = list(csv.reader(io.StringIO(web.get(address, params={"format": "csv"}).text, newline="")))
                formulas += [
                    cell for row in rows for cell in row if cell.startswith(FORMULA) and not re.fullmatch(r"-?[\d.]+", cell)
                ]
                assert len({len(row) for row in rows}) == 1, f"{address}: rows of different lengths"
    missing = [kind for kind, name in NAMES.items() if name not in seen]
    fault.found(f"{asked} answers, {len(formulas)} formulas, {len(missing)} names missing")
    assert formulas == []
    assert missing == []


@pytest.mark.fault("S9", "hostile names, report", "0 tags, 0 requests, 0 dialogs")
def test_the_report_shows_names_as_text(fault: Fault, web: httpx.Client) -> None:
    html = web.get(f"/api/v1/reports/{week()}", params={"format": "html"})
    assert html.status_code == 200, html.text
    markdown = web.get(f"/api/v1/reports/{week()}", params={"format": "md"}).text
    page, rendered = Tags(html.text), Tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
    strange = {tag for tag in page.names if tag not in TAGS} | {name for name in page.attributes if name.startswith("on")}
    links = [
        link
        for link in [*page.links, *rendered.links]
        if not link.startswith("#") and not re.fullmatch(r"tollbook-[\w-]+\.svg", link)
    ]
    scripts = [tag for tag in rendered.names if tag in ("script", "svg", "iframe", "style")]
    fault.found(f"{len(page.names):,} tags, {len(strange)} strange, {len(links)} links out, {len(scripts)} scripts")
    assert (strange, links, scripts) == (set(), [], [])
    assert "alert(" in page.text


@pytest.mark.fault("S9", "hostile names, command line", "0 escape sequences reach the terminal")
def test_no_escape_sequence_reaches_the_terminal(fault: Fault, named: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLBOOK_DATA", str(named.data))
    reading = {option.command for option in requests.options(get_command(app)) if option.name == "shape"} - {("settle",)}
    runs, escaped = 0, []
    for number, command in enumerate(sorted(reading)):
        arguments = {"receipt": [f"{9:032x}"], "sql": ["SELECT name, attributes, name AS `\x1b[31m` FROM spans"]}.get(
            command[0], []
        )
        for shape in ("table", "json") if fault.soak or number % 4 == 0 else ("table",):
            result = CliRunner().invoke(app, [*command, *arguments, "--format", shape])
            assert result.exit_code in (0, 1) or "Missing" in result.output, f"{command}: {result.output}"
            runs += 1
            escaped += [f"{command} {shape}: {found!r}" for found in set(CONTROLS.findall(result.output.replace("\r\n", "\n")))]
    runs += 1
    escaped += CONTROLS.findall(on_a_terminal(named, "sql", "SELECT name FROM spans", "--format", "csv").replace("\r\n", "\n"))
    wrong = CliRunner().invoke(app, ["receipt", "\x1b[31m"]), CliRunner().invoke(app, ["sql", "SELECT '\x1b[31m' + x"])
    escaped += [found for result in wrong for found in CONTROLS.findall(result.output)]
    fault.found(f"{runs} outputs, {len(escaped)} escape sequences")
    assert escaped == []


@pytest.mark.fault("S9", "hostile names, /metrics", "every line is one sample of ours")
def test_the_metrics_page_has_no_line_of_a_strangers_making(fault: Fault, web: httpx.Client) -> None:
    web.post("/v1/traces", content=b"x", headers={"content-type": 'evil"} 1 evil{a="', "content-encoding": 'x"} 1'})
    lines = web.get("/metrics").text.splitlines()
    sample = re.compile(r'(# (HELP|TYPE) )?tollbook_[a-z_]+(\{[a-z_]+="[\w.-]*"(,[a-z_]+="[\w.-]*")*\})?( .+)')
    strange = [line for line in lines if not sample.fullmatch(line)]
    fault.found(f"{len(lines)} lines, {len(strange)} strange")
    assert strange == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = house.find()
    if chromium is None:
        pytest.skip("no chromium found")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        found.close()


@pytest.mark.browser
@pytest.mark.fault("S9", "hostile names, pages in a chromium", "0 dialogs, 0 requests to others, every page drawn")
def test_no_page_obeys_a_name(fault: Fault, browser: Browser, named: Served, web: httpx.Client, tmp_path: Path) -> None:
    kinds = list(NAMES) if fault.soak else ["image", "streamlit", "template"]
    traces = [f"requests?trace_id={list(NAMES).index(kind) + 1:032x}" for kind in kinds]
    report = tmp_path / "report.html"
    report.write_bytes(web.get(f"/api/v1/reports/{week()}", params={"format": "html"}).content)
    visit, dialogs = Visit(browser.new_page()), []
    visit.watch()

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    visit.page.on("dialog", refuse)
    undrawn = []
    for name in [*(page if page != "overview" else "" for page in PAGES), *traces, f"?team={SCRIPT}"]:
        text = visit.see(f"{named.url}/{name}")
        undrawn += [name] if "Traceback" in text else []
    visit.page.goto(report.as_uri())
    strangers = [url for url in visit.strangers() if not url.startswith(("file:", "data:", "blob:"))]
    visit.page.close()
    pages = f"{len(PAGES) + len(traces) + 2} pages, {len(undrawn)} not drawn"
    fault.found(f"{pages}, {len(dialogs)} dialogs, {len(strangers)} requests to others")
    assert (dialogs, strangers, undrawn) == ([], [], [])
    assert [error for error in visit.errors if "Content Security Policy" not in error] == []


@pytest.mark.fault("S9", "hostile attribute keys", "each kept apart, as data")
def test_keys_that_mean_something_elsewhere_are_only_keys(fault: Fault, web: httpx.Client) -> None:
    request = senders.named(900, "keys", time.time_ns())
    spans = request.resource_spans[0].scope_spans[0].spans
    del spans[1:]
    del spans[0].attributes[:]
    spans[0].attributes.extend(senders.attributes({key: f"value of {number}" for number, key in enumerate(HOSTILE_KEYS)}))
    senders.send(web, request)
    stored = f"SELECT attributes FROM spans WHERE trace_id = unhex('{900:032x}')"
    senders.until(web, f"SELECT count() FROM ({stored})", [(1,)])
    ((kept,),) = senders.ask(web, stored)
    span = web.get(f"/api/v1/requests/{900:032x}/spans/{9001:016x}").json()
    lost = [key[:20] for number, key in enumerate(HOSTILE_KEYS) if kept.get(key) != f"value of {number}"]
    fault.found(f"{len(HOSTILE_KEYS)} keys, {len(lost)} lost or changed")
    assert lost == []
    assert span["attributes"] == kept


@pytest.mark.fault(
    "P4", "invalid UTF-8 in a name, a key, a value", "bad bytes become U+FFFD, the span and those beside it are kept"
)
def test_bytes_that_are_no_text_cost_themselves_only(fault: Fault, web: httpx.Client) -> None:
    good = senders.named(950, "beside", time.time_ns())
    for number, mark in enumerate((b"NAME", b"AKEY", b"AVAL"), 951):
        bad = senders.named(number, "bad", time.time_ns())
        del bad.resource_spans[0].scope_spans[0].spans[1:]
        span = bad.resource_spans[0].scope_spans[0].spans[0]
        span.name = "NAME"
        span.attributes.extend(senders.attributes({"AKEY": "AVAL"}))
        bad.resource_spans.extend(good.resource_spans)
        answer = senders.post(web, "/v1/traces", bad.SerializeToString().replace(mark, b"\xff\xfe\xc0\x80"))
        assert answer.status_code == 200, answer.content
    senders.until(web, f"SELECT uniqExact(span_id) FROM spans WHERE trace_id = unhex('{950:032x}')", [(4,)])
    rows = senders.ask(
        web,
        f"SELECT name, attributes FROM spans WHERE lower(hex(trace_id)) BETWEEN '{951:032x}' AND '{953:032x}' ORDER BY trace_id",
    )
    found = [
        (name, {key: value for key, value in own.items() if key not in ("bad", "list.bad", "map.bad")}) for name, own in rows
    ]
    replaced = "\ufffd" * 4
    fault.found(f"{len(found)} of 3 kept, {sum(replaced in str(row) for row in found)} with U+FFFD for each bad byte")
    assert found == [(replaced, {"AKEY": "AVAL"}), ("NAME", {replaced: "AVAL"}), ("NAME", {"AKEY": replaced})]


def on_a_terminal(server: Served, *words: str) -> str:
    """What a command writes to a terminal, which a pipe would get byte by byte."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tollbook_ui.cli", *words, "--data", str(server.data)]
    with subprocess.Popen(command, stdout=theirs, env=os.environ | {"TERM": "dumb"}) as process:
        os.close(theirs)
        written = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while piece := os.read(ours, 65536):
                written += piece
    os.close(ours)
    assert process.returncode == 0
    return written.decode()


class Tags(HTMLParser):
    """Tags, attributes and links of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action", "srcset")]

    def handle_data(self, data: str) -> None:
        self.text += data


def strings(thing: Any) -> set[str]:
    """All strings in an answer."""
    if isinstance(thing, str):
        return {thing}
    items = [*thing.keys(), *thing.values()] if isinstance(thing, dict) else thing if isinstance(thing, list) else []
    return set().union(*(strings(item) for item in items)) if items else set()


def week() -> str:
    """The ISO week of the names."""
    return time.strftime("%G-W%V", time.gmtime((time.time() // 3600 - 1) * 3600))
