"""The programs that ours is compared with, each in exact versions in an environment of its own under `.tools/peers`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal, TypeAlias

PeerName: TypeAlias = Literal[
    "rotel", "phoenix", "mlflow", "openlit", "traceloop", "logfire", "langfuse", "phoenix_otel", "mlflow_tracing"
]

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".tools" / "peers"
REQUIREMENTS = Path(__file__).with_name("requirements")
PACKAGES: dict[PeerName, str] = {
    "rotel": "rotel",
    "phoenix": "arize-phoenix",
    "mlflow": "mlflow",
    "openlit": "openlit",
    "traceloop": "traceloop-sdk",
    "logfire": "logfire",
    "langfuse": "langfuse",
    "phoenix_otel": "arize-phoenix-otel",
    "mlflow_tracing": "mlflow-tracing",
}
INSTALL_SECONDS = 600


class PeerMissingError(Exception):
    """A peer cannot be installed here. Its figures are missing; nothing is won against it."""


def environment(name: PeerName) -> Path:
    """Folder of a peer's environment, installed at the first use.

    Raises:
        PeerMissingError: it cannot be installed.
    """
    folder = ENVIRONMENTS / name
    requirements = REQUIREMENTS / f"{name}.txt"
    stamp = folder / ".installed"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run("-m", "venv", str(folder), python=sys.executable)
        _install(folder, requirements)
        stamp.write_text(requirements.read_text())
    return folder


def version(name: PeerName) -> str:
    """The version that is compared with, as pinned."""
    pins = (REQUIREMENTS / f"{name}.txt").read_text().splitlines()
    return next(pin.split("==")[1].split()[0] for pin in pins if pin.startswith(f"{PACKAGES[name]}=="))


def rotel_agent() -> Path:
    """The program that rotel's package brings.

    Raises:
        PeerMissingError: it cannot be installed.
    """
    found = list(environment("rotel").glob("lib/python*/site-packages/rotel/rotel-agent"))
    if not found:
        raise PeerMissingError("rotel brings no program for this machine")
    return found[0]


def _install(folder: Path, requirements: Path) -> None:
    """By uv, and by pip where uv cannot reach a package index that pip is set up for; as the Makefile does."""
    exact = ["--quiet", "--require-hashes", "-r", str(requirements)]
    python = str(folder / "bin" / "python")
    try:
        _run("-m", "uv", "pip", "install", "--python", python, *exact, python=sys.executable)
    except PeerMissingError:
        _run("-m", "pip", "install", *exact, python=python)


def _run(*arguments: str, python: str) -> None:
    settings = os.environ | {"UV_SYSTEM_CERTS": "1", "UV_NO_PROGRESS": "1"}
    try:
        done = subprocess.run(
            [python, *arguments], env=settings, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissingError(str(error)) from error
    if done.returncode:
        raise PeerMissingError(done.stderr.strip()[-300:])
