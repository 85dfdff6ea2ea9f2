"""Settings in variables of the environment: each sets a field of a dataclass, by a prefix and its name in capitals. Pure."""

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, Final

_SERVICE: Final = re.compile(r"\w+_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)")
_ADDRESS: Final = re.compile(r"(?:tcp|udp|sctp)://")


class SettingsError(Exception):
    """A setting that does not exist or has a value that cannot be: its owner's fault, and nothing starts with it."""


def read(
    kind: type, prefix: str, given: Mapping[str, str], *, least: Mapping[str, int], beside: Collection[str] = ()
) -> dict[str, Any]:
    """What variables set of a dataclass, by the names of its fields, which are text or whole numbers.

    Kubernetes tells every container of the services around it; one called `tollbook` gives it TOLLBOOK_PORT=tcp://10.0.0.9:4318
    and TOLLBOOK_SERVICE_HOST. These are nobody's settings.

    Args:
        kind: the dataclass, with a default for each field.
        prefix: how its variables begin.
        given: the environment.
        least: the smallest number that fields may have, by their names; of others 0. A port has at most 65535.
        beside: variables of others that begin like this; those whose names end in _ are prefixes.

    Raises:
        SettingsError: a variable names no field, or holds no number, or none that can be, where one is due.
    """
    known = {prefix + field.name.upper(): field.name for field in fields(kind)}
    others = tuple(name for name in beside if name.endswith("_"))
    values: dict[str, Any] = {}
    for variable, text in sorted(given.items()):
        if not variable.startswith(prefix) or variable.startswith(others):
            continue
        if variable in beside or _is_of_services(variable, text):
            continue
        if variable not in known:
            nearest = difflib.get_close_matches(variable, [*known, *beside], n=1, cutoff=0)
            raise SettingsError(f"there is no setting {variable}; nearest is {nearest[0]}")
        name = known[variable]
        is_text = isinstance(getattr(kind, name), str)
        values[name] = text if is_text else _number(variable, text, least.get(name, 0))
    return values


def _is_of_services(variable: str, text: str) -> bool:
    return bool(_SERVICE.fullmatch(variable) or (variable.endswith("_PORT") and _ADDRESS.match(text)))


def _number(variable: str, text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise SettingsError(f"{variable} must be a whole number, not {text!r}") from error
    if number < least:
        raise SettingsError(f"{variable} must be {least} or more, not {text!r}")
    if variable.endswith("_PORT") and number > 65_535:
        raise SettingsError(f"{variable} must be 65535 or less, not {text!r}")
    return number
