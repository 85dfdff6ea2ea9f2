"""The distribution that people install holds everything that the programs read."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "tollbook": "instrumentation",
    "tollbook_attribution": "attribution",
    "tollbook_collector": "collector",
    "tollbook_schema": "schema",
    "tollbook_ui": "ui",
}
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    assert package.__file__.startswith(sys.prefix), package.__file__
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if "dashboard.pages" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ["uv", "build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable]
    _run(*build, "--out-dir", str(folder), str(ROOT))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's bin folder. What Tollbook depends on is lent by the environment of the tests."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    _run("uv", "venv", "--quiet", "--offline", "--python", sys.executable, str(folder))
    _run("uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--python", str(folder / "bin" / "python"), str(wheel))
    return folder / "bin"


def test_the_wheel_holds_the_five_packages_with_their_data_files(wheel: Path) -> None:
    in_wheel = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in in_wheel} == set(PARTS)
    tracked = subprocess.run(["git", "ls-files", *PARTS.values()], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    in_tree = {path.split("/", 1)[1] for path in tracked.splitlines() if path.split("/")[1] in PARTS}
    assert {path for path in in_tree - in_wheel if (ROOT / PARTS[path.split("/")[0]] / path).exists()} == set()
    for kind in (".yaml", ".sql", ".structure", ".proto", ".j2", "py.typed"):
        assert any(name.endswith(kind) for name in in_wheel), kind


def test_the_license_travels_with_the_wheel(wheel: Path) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())


def test_every_module_imports_from_the_installed_wheel(installed: Path, tmp_path: Path) -> None:
    _run(str(installed / "python"), "-c", IMPORT_ALL, *PARTS, cwd=tmp_path)


def test_the_installed_command_answers(installed: Path, tmp_path: Path) -> None:
    assert "demo" in _run(str(installed / "tollbook"), "--help", cwd=tmp_path)


def _run(*command: str, cwd: Path = ROOT) -> str:
    environment = os.environ | {
        "PYTHONPATH": sysconfig.get_paths()["purelib"],
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout
