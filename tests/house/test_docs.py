"""What the documents say can be typed, parsed and followed."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from tollbook_schema import registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in ("node_modules", "results") for part in path.relative_to(ROOT).parts)
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)[^)]*\)")
SHELL = ("sh", "bash", "console", "shell")
TOLLBOOK = str(Path(sys.executable).parent / "tollbook")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, *languages: str) -> list[str]:
    return [text for language, text in BLOCK.findall(path.read_text()) if language in languages]


def test_the_pages_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/decisions/README.md"} <= {name(page) for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_blocks_parse(page: Path) -> None:
    for text in blocks(page, "python"):
        ast.parse(text)
    for text in blocks(page, "toml"):
        tomllib.loads(text)
    for text in blocks(page, "yaml"):
        yaml.safe_load(text)
    for text in blocks(page, "json"):
        json.loads(text)
    for text in blocks(page, *SHELL):
        subprocess.run(["bash", "-n"], input=text, text=True, check=True, capture_output=True)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_make_targets_that_pages_name_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", page.read_text()))
    for text in blocks(page, *SHELL):
        named |= set(re.findall(r"^make ([a-z]+)", text, re.MULTILINE))
    assert named <= targets


def test_commands_that_pages_name_exist() -> None:
    named: set[str] = set()
    for page in PAGES:
        named |= set(re.findall(r"`tollbook ([a-z]+)", page.read_text()))
        for text in blocks(page, *SHELL):
            named |= set(re.findall(r"^(?:\S*/)?tollbook ([a-z]+)", text, re.MULTILINE))
    assert {"up", "ingest", "receipt", "sql"} <= named
    commands = re.findall(r"^\W*([a-z]+) {2,}\w", _run(TOLLBOOK, "--help").stdout, re.MULTILINE)
    assert named <= set(commands)


def test_the_first_example_runs_as_it_stands(tmp_path: Path) -> None:
    example = tmp_path / "example.py"
    example.write_text(blocks(ROOT / "README.md", "python")[0])
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    done = subprocess.run(
        [sys.executable, str(example)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_attribute_that_contributing_adds_is_one_the_registry_takes(tmp_path: Path) -> None:
    (text,) = blocks(ROOT / "CONTRIBUTING.md", "yaml")
    (entry,) = yaml.safe_load(text)
    known = {attribute.key: attribute for attribute in registry.load().attributes}
    assert entry["key"] not in known, "the example must be an attribute that does not exist yet"
    assert entry["annotations"]["tollbook"]["column"] not in {attribute.column for attribute in known.values()}


def test_decisions_are_numbered_without_gaps_and_say_what_they_cost() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]} ")
        assert {"**Decided.**", "**Why.**", "**What it costs.**"} <= set(re.findall(r"^\*\*[^*]+\*\*", text, re.MULTILINE))
        assert f"]({page.name})" in index


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = os.environ | {"COLUMNS": "120", "NO_COLOR": "1"} | environment
    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
