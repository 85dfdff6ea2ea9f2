"""Files that their owner alone can read."""

import os
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Writes a file whole or not at all, readable by its owner alone from its first byte on."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
