"""What a browser test needs: the dashboard served, a chromium, and a visit that remembers what went wrong."""

from dataclasses import dataclass, field

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
    """A page in the browser, with what its console said and which other hosts it asked."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Starts to listen."""
        own = (self.address, self.address.replace("http:", "ws:"), "data:", "blob:")
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda asked: None if asked.url.startswith(own) else self.strangers.append(asked.url))

    def text(self) -> str:
        """What a person reads once the page has settled."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_selector(".tb")
        self.page.wait_for_timeout(1000)
        return self.page.inner_text('[data-testid="stMain"]')

    def see(self, path: str) -> str:
        """Goes to a page of the dashboard and reads it."""
        self.page.goto(f"{self.address}/{path}")
        return self.text()
