"""The tree keeps the shape that CONTRIBUTING.md describes."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "schema": "tollbook_schema",
    "instrumentation": "tollbook",
    "collector": "tollbook_collector",
    "attribution": "tollbook_attribution",
    "ui": "tollbook_ui",
}
FOLDERS = (*PARTS, "benchmarks", "deploy", "docs", "tests")
SOURCES = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
SQL_WORDS = re.compile(r"\b(SELECT\s.+\sFROM|INSERT INTO|CREATE TABLE|ALTER TABLE|DROP TABLE)\b", re.DOTALL)


def pyproject() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_says_what_it_holds(folder: str) -> None:
    assert len((ROOT / folder / "README.md").read_text().split()) >= 30


@pytest.mark.parametrize(("folder", "package"), PARTS.items())
def test_each_part_is_one_typed_package_and_its_folder_is_none(folder: str, package: str) -> None:
    assert (ROOT / folder / package / "py.typed").is_file()
    assert not (ROOT / folder / "__init__.py").exists(), "it would shadow another project's package"
    assert [path.parent.name for path in (ROOT / folder).glob("*/__init__.py")] == [package]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_under_600_lines_and_functions_under_80(path: Path) -> None:
    text = path.read_text()
    functions = list(_functions(text))
    assert len(text.splitlines()) < 600 or not functions, "a module of nothing but data may be longer"
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= 80]
    assert not long


def test_the_shield_is_the_only_blind_except() -> None:
    blind = [path.name for path in SOURCES if re.search(r"except( BaseException| Exception)?( as \w+)?:", path.read_text())]
    assert blind in ([], ["shield.py"])


PUT_SQL_TOGETHER = ("store.py", "connections.py", "cluster.py", "reads.py")
"""The modules that hold words of SQL: those that complete statements from .sql files, and the one that reads people's."""


def test_sql_stands_in_sql_files() -> None:
    offenders = {
        f"{path.relative_to(ROOT)}: {text[:60]!r}"
        for path in SOURCES
        if path.name not in PUT_SQL_TOGETHER
        for text in _strings(path.read_text())
        if SQL_WORDS.search(text)
    }
    assert not offenders


def test_every_sql_file_opens_with_its_question() -> None:
    files = [path for part in PARTS for path in (ROOT / part).rglob("*.sql")]
    assert files
    assert [str(path) for path in files if not path.read_text().startswith("-- ")] == []


def test_nothing_is_left_to_do_in_the_sources() -> None:
    marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|XXX)\b")
    assert [str(path) for path in SOURCES if marks.search(path.read_text())] == []


@pytest.mark.parametrize("name", ["build", "light", "dashboard", "all", "dev"])
def test_requirements_are_exact_hashed_and_name_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pins = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert pins
    assert all("==" in pin for pin in pins)
    assert text.count("\\\n    --hash=sha256:") >= len(pins)
    assert "://" not in text


def test_requirements_hold_everything_that_pyproject_asks_for() -> None:
    project = pyproject()["project"]
    assert isinstance(project, dict)
    asked = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        asked += extra
    names = {re.split(r"[\[<>=~! ]", requirement)[0].lower() for requirement in asked} - {"tollbook"}
    pinned = {line.split("==")[0] for line in (ROOT / "requirements" / "all.txt").read_text().splitlines() if "==" in line}
    assert names <= pinned


def _functions(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _strings(text: str) -> Iterator[str]:
    """Every string of a module that is neither a docstring nor an example in the API's documentation."""
    nodes = list(ast.walk(ast.parse(text)))
    quoted = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for keyword in (node for node in nodes if isinstance(node, ast.keyword) and node.arg == "examples"):
        quoted |= {id(node) for node in ast.walk(keyword.value)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quoted:
            yield node.value
