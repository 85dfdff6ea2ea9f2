"""A full run, from the first span to the report and a look at every page, speaks to nobody (S15)."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.hostile import senders
from tests.hostile.corpus import NAMES
from tests.hostile.test_names import week
from tests.processes import free_port
from tests.soak.figures import Fault

CALLED = re.compile(r"sin6?_addr=.*?\"(?P<address>[^\"]+)\"|inet_addr\(\"(?P<four>[^\"]+)\"\)")
"""The address of a connect() as strace writes it."""

HERE = ("127.", "::1", "0.0.0.0", "localhost", "::ffff:127.")


@contextlib.contextmanager
def watched(data: Path, folder: Path) -> Iterator[httpx.Client]:
    """`tollbook up` with its dashboard; what it connects to is written into the folder."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "tests.hostile.audited",
        str(folder / "audit"),
        "up",
        "--data",
        str(data),
        "--port",
        str(port),
    ]
    if shutil.which("strace"):
        command = [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=connect,sendto,sendmsg",
            "-s",
            "100",
            "-o",
            str(folder / "trace"),
            *command,
        ]
    process = subprocess.Popen([*command, "--grpc-port", "0"], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False) as web:
            _until_ready(web)
            yield web
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


@pytest.mark.fault("S15", "outbound connections in a full run", "0")
def test_a_full_run_speaks_to_nobody(fault: Fault, tmp_path: Path) -> None:
    with watched(tmp_path / "data", tmp_path) as web:
        start_ns = (time.time_ns() // (3600 * 10**9) - 1) * 3600 * 10**9
        for number, kind in enumerate(("url", "link", "image"), 1):
            senders.send(web, senders.named(number, NAMES[kind], start_ns), senders.measured(NAMES[kind], start_ns))
        senders.until(web, "SELECT count() FROM spans", [(12,)])
        senders.settle(web)
        paths = ["overview", "requests", f"receipts/{1:032x}", f"reports/{week()}?format=html", "doctor", "prices", "calls"]
        answers = [web.get(f"/api/v1/{path}").status_code for path in paths]
        _until_drawn(web)
    assert answers == [200] * len(paths)
    audited = (tmp_path / "audit").read_text().splitlines() if (tmp_path / "audit").exists() else []
    traced = (tmp_path / "trace").read_text(errors="replace").splitlines() if shutil.which("strace") else []
    called = {match["address"] or match["four"] for line in traced for match in CALLED.finditer(line)}
    strangers = sorted(address for address in called if not address.startswith(HERE))
    strangers += [line for line in audited if not any(here in line for here in (*HERE, "AF_UNIX", "'/"))]
    how = f"{len(traced):,} system calls" if traced else "without strace"
    fault.found(f"{len(strangers)} connections ({how}, {len(audited)} events of Python)")
    assert strangers == []


def test_the_watch_sees_who_calls(tmp_path: Path) -> None:
    watch = "from tests.hostile.audited import write_down; write_down(Path(sys.argv[1]))"
    call = f"import sys, socket; from pathlib import Path; {watch}; socket.create_connection(('127.0.0.1', 1), 1)"
    command = [sys.executable, "-c", call, str(tmp_path / "audit")]
    subprocess.run(command, check=False, stderr=subprocess.DEVNULL, timeout=60)
    assert "socket.connect (('127.0.0.1', 1),)" in (tmp_path / "audit").read_text()


def _until_ready(web: httpx.Client) -> None:
    deadline = time.monotonic() + 120
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if web.get("/readyz").status_code == 200:
                return
        assert time.monotonic() < deadline, "it was not ready within 120 s"
        time.sleep(0.2)


def _until_drawn(web: httpx.Client) -> None:
    """Until the dashboard's own server answers in place of the page that says it is starting."""
    deadline = time.monotonic() + 60
    while "streamlit" not in web.get("/", headers={"accept": "text/html"}).text:
        assert time.monotonic() < deadline, "the dashboard did not start"
        time.sleep(0.3)
