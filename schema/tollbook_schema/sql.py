"""SQL files of the packages: read once, split into statements."""

import re
from functools import cache
from importlib import resources

_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_END = re.compile(r";[ \t]*$", re.MULTILINE)


@cache
def text(package: str, name: str) -> str:
    """The SQL file `name` of `package`, such as `text("tollbook_ui", "queries/overview.sql")`.

    Raises:
        FileNotFoundError: the package has no such file.
    """
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def statements(script: str) -> tuple[str, ...]:
    """The statements of a script. A statement ends with `;` at the end of a line; lines that are comments are left out."""
    bare = _COMMENT.sub("", script)
    return tuple(part.strip() for part in _END.split(bare) if part.strip())
