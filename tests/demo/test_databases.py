"""The intake's databases."""

from pathlib import Path

import pytest
from tollbook_ui.demo.databases import Index, Policies, Policy


def test_a_customer_has_a_policy(tmp_path: Path) -> None:
    Policies.make(tmp_path / "policies")
    policies = Policies(tmp_path / "policies")
    assert policies.of("globex") == Policy("customer documents", 365)
    policies.close()


def test_an_unknown_customer_is_an_error(tmp_path: Path) -> None:
    Policies.make(tmp_path / "policies")
    policies = Policies(tmp_path / "policies")
    with pytest.raises(KeyError, match="nobody"):
        policies.of("nobody")
    policies.close()


def test_the_index_says_how_many_bytes_it_took(tmp_path: Path) -> None:
    index = Index(tmp_path / "index")
    assert index.add("a.txt", "txt", Policy("keep", 1), b"hello") == 5 + 3 + 4 + 5
    index.close()


def test_a_binary_document_is_indexed_without_its_content(tmp_path: Path) -> None:
    index = Index(tmp_path / "index")
    assert index.add("a.bin", "elf", Policy("keep", 1), b"\x7fELF\0\0") == 5 + 3 + 4
    index.close()
