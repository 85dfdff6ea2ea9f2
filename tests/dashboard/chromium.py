"""A tab of a browser that remembers what its console said and whom it asked."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Visit:
    """One tab."""

    page: Page
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Addresses of all requests."""

    def watch(self) -> None:
        """Starts to listen."""
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def strangers(self) -> list[str]:
        """Requests that went to another host."""
        return [url for url in self.asked if urlsplit(url).hostname not in (None, "127.0.0.1")]

    def see(self, address: str) -> str:
        """Goes to a page of the dashboard and reads it."""
        self.page.goto(address)
        return self.text()

    def text(self) -> str:
        """What a person reads once the page has settled."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
        self.page.wait_for_selector(".tb")
        self.page.wait_for_timeout(1000)
        return self.page.inner_text('[data-testid="stMain"]')
