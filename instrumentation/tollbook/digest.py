"""Keyed digests: they find the same content again, and tell nobody without the key what it was."""

import os
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1024 * 1024
"""Larger content gets no digest: a MiB takes about a millisecond, and it is the caller's."""

KEY_VARIABLE: Final = "TOLLBOOK_DIGEST_KEY"
_HEX_DIGITS: Final = 32


def digest(parts: Iterable[Any]) -> str:
    """Digest of text and buffers, 32 hex digits. Same parts and same key give the same digest, on every machine."""
    import hashlib  # noqa: PLC0415 - 5 ms, for OpenSSL

    made = hashlib.blake2b(key=key(), digest_size=_HEX_DIGITS // 2)
    for part in parts:
        data = part.encode(errors="surrogatepass") if isinstance(part, str) else memoryview(part).cast("B")
        made.update(len(data).to_bytes(8, "little"))  # so that ("ab", "c") and ("a", "bc") differ
        made.update(data)
    return made.hexdigest()


@cache
def key() -> bytes:
    """The installation's key: `TOLLBOOK_DIGEST_KEY`, else a random one kept in the user's data folder.

    Machines that shall find each other's content need the same `TOLLBOOK_DIGEST_KEY`. Where nothing can be kept, the
    key lasts as long as the process.
    """
    import hashlib  # noqa: PLC0415
    import secrets  # noqa: PLC0415

    given = os.environ.get(KEY_VARIABLE)
    if given:
        return hashlib.blake2b(given.encode()).digest()
    path = _data_folder() / "digest.key"
    try:
        return _kept(path)
    except OSError:
        return secrets.token_bytes(64)


def _kept(path: "Path") -> bytes:
    import secrets  # noqa: PLC0415

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(64))
        try:
            os.link(fresh, path)  # only the first of several processes succeeds, and nobody reads half a key
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    kept = path.read_bytes()
    if len(kept) != 64:
        raise OSError(f"{path} holds {len(kept)} bytes, not a key of 64")
    return kept


def _data_folder() -> "Path":
    from pathlib import Path  # noqa: PLC0415 - 3 ms

    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tollbook"
