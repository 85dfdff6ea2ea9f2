"""Where usage files are taken in: a store that a module of tests shares, or an empty one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tollbook_schema.store import Store
from tollbook_ui.usage import load
from tollbook_ui.usage.figures import Imported
from tollbook_ui.usage.mapping import Reading, mapping

Take = Callable[..., Imported]

COLUMNS = "timestamp=t,input_tokens=i,output_tokens=o"
FILE_OF_ONE = "t,i,o\n2026-11-20T12:00:00Z,10,2\n"
GPT_4O = "provider=openai,model=gpt-4o"


@pytest.fixture
def take(store: Store, tmp_path: Path) -> Take:
    """Takes a file, or text as a file, into an empty store."""

    def taken(
        source: str | bytes | Path,
        columns: str = COLUMNS,
        constants: str = GPT_4O,
        reading: Reading | None = None,
        *,
        only: Sequence[str] = (),
        **taking: Any,
    ) -> Imported:
        path = source if isinstance(source, Path) else tmp_path / "calls"
        if not isinstance(source, Path):
            path.write_bytes(source.encode() if isinstance(source, str) else source)
        taking.setdefault("name", path.name)
        wish = mapping([columns] if columns else [], [constants] if constants else [], reading, only)
        return load.import_usage(store, path, wish, load.Taking(**taking))

    return taken
