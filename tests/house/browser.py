"""Brings a chromium for the browser tests where there is none; says so and carries on where none can be had.

Order: one that is installed, Debian's by apt-get (as root), Playwright's own build.
"""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
PLAYWRIGHT = ([sys.executable, "-m", "playwright", "install", "chromium"],)


def find() -> str | None:
    """The path of an installed chromium; None where there is none."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        bundled = playwright.chromium.executable_path
    return bundled if os.path.exists(bundled) else None  # noqa: PTH110 - Playwright gives a string


def install() -> None:
    """Tries each way in turn until a chromium is found."""
    ways = ([APT] if shutil.which("apt-get") and os.geteuid() == 0 else []) + [PLAYWRIGHT]
    for commands in ways:
        print("No chromium found: " + "; ".join(" ".join(command) for command in commands), flush=True)
        if all(_succeeds(command) for command in commands) and find():
            return


def _succeeds(command: list[str]) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, timeout=600, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    if not find():
        install()
    print(f"browser tests: {find() or 'no chromium could be had, so they will be skipped'}")
