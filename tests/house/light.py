"""What plain `pip install tollbook` must hold, run by `make light` in an environment that holds nothing else.

Standard library only: there is no pytest in that environment.
"""

import importlib
import pkgutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

HEAVY = {
    "chdb", "chdb-core", "clickhouse-connect", "fastapi", "grpcio", "matplotlib", "numpy", "onnxruntime", "pandas",
    "plotly", "pydantic", "streamlit", "typer", "uvicorn",
}  # fmt: skip
IMPORT_RUNS = 7
IMPORT_LIMIT_MS = 250.0
"""CPU time, which a busy machine does not stretch much. `make bench` measures the 100 ms that are promised."""


def main() -> None:
    """Raises AssertionError where plain `tollbook` is not light, or does not work."""
    installed = {distribution.metadata["Name"].lower() for distribution in distributions()}
    assert not installed & HEAVY, f"heavy packages came with plain tollbook: {sorted(installed & HEAVY)}"
    tollbook = importlib.import_module("tollbook")
    assert "light" in str(tollbook.__file__), f"not the installed wheel: {tollbook.__file__}"
    found = (module.name for module in pkgutil.walk_packages(tollbook.__path__, "tollbook."))
    modules = [name for name in found if name != "tollbook.pytest_plugin"]  # pytest itself imports that one
    for name in modules:
        importlib.import_module(name)
    command = subprocess.run([Path(sys.executable).parent / "tollbook", "up"], capture_output=True, text=True, check=False)
    assert command.returncode == 1, "without the server's packages the command cannot have worked"
    assert command.stderr.startswith("Only Tollbook's SDK is installed"), command.stderr
    size_mb = sum(path.stat().st_size for path in Path(sys.prefix, "lib").rglob("*") if path.is_file()) / 1e6
    import_ms = min(_import_ms() for _ in range(IMPORT_RUNS))
    assert import_ms < IMPORT_LIMIT_MS, f"import tollbook takes {import_ms:.0f} ms of CPU time"
    print(
        f"light: {len(installed)} packages, {size_mb:.0f} MB with pip, {len(modules) + 1} modules imported, "
        f"`import tollbook` {import_ms:.0f} ms of CPU time (least of {IMPORT_RUNS})"
    )


def _import_ms() -> float:
    code = "import time; t = time.process_time(); import tollbook; print((time.process_time() - t) * 1000)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
