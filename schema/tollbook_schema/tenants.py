"""Tenants: the domains between which nothing is seen. The collector names them from the sender's key, a sender never."""

import re

DEFAULT_TENANT = "default"
"""Whose everything is while no keys are asked for."""

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def checked_tenant(name: str) -> str:
    """The name, if it is one.

    Raises:
        ValueError: it is too long or holds what could be mistaken in a file name, an address or SQL.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"a tenant is named by up to 63 small letters, digits, dots, dashes and underscores, not {name[:80]!r}")
    return name
