"""Files that come as the body of a request."""

from pathlib import Path
from typing import Any, Final

from starlette.requests import Request

from tollbook_ui.periods import BadQuestionError

MAX_BYTES: Final = 8 * 1024**3
"""A month of a large company's bill, or a year of its calls, unzipped, is some GiB."""

BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}
"""What the API says of such a body."""


async def kept(request: Request, path: Path, otherwise: str = "import it in parts") -> None:
    """Writes the body of a request into a file.

    Args:
        request: whose body.
        path: of the file.
        otherwise: what to do with a file that is too large.

    Raises:
        BadQuestionError: it has more than `MAX_BYTES`.
    """
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BYTES:
                raise BadQuestionError(f"a file of more than {MAX_BYTES:,} bytes; {otherwise}")
            file.write(chunk)
