"""The digest of a machine's id that our SDK tells as `host.id`, by which one who tells the id itself is known. Pure."""

import hashlib

DIGEST_LENGTH = 32
"""Characters of a digest, in hexadecimal."""


def digest(machine_id: str) -> str:
    """What stands for a machine's id, which is not to be shown as it is."""
    return hashlib.blake2b(machine_id.encode(), key=b"tollbook host.id", digest_size=DIGEST_LENGTH // 2).hexdigest()


def digest_of_spelling(host_id: str) -> str:
    """The digest of an id as others spell it: in capitals, or as a UUID with hyphens."""
    return digest(host_id.strip().lower().replace("-", ""))
