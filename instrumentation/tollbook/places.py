"""Regions and zones of both ends of a handoff, and the class of the boundary between them, where it is certain. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tollbook_schema import attributes as A  # noqa: N812

_PROVIDERS: Final[Mapping[str, re.Pattern[str]]] = {
    "aws": re.compile(r"[a-z]{2,3}(-[a-z]+)+-\d"),
    "gcp": re.compile(r"[a-z]+-[a-z]+\d+"),
    "azure": re.compile(r"[a-z]+\d?"),
}
"""How clouds name their regions; a name tells whose it is."""
_INCOMING: Final = frozenset(("read", "lookup"))
_OUTGOING: Final = frozenset(("write", "call", "delete"))


def between(operation: str | None, here: Mapping[str, Any], said: Mapping[str, str | None]) -> dict[str, str]:
    """Attributes of both ends.

    Args:
        operation: what is done with the data: reading, it comes here, and writing, it goes from here.
        here: attributes of the resource, with the own region and zone.
        said: region and zone of source and destination, by attribute; what is not known is None or left out.
    """
    known = {key: value for key, value in said.items() if value}
    ends = _completed(operation, here, known)
    network = network_class(
        (ends.get(A.TOLLBOOK_HANDOFF_SOURCE_REGION), ends.get(A.TOLLBOOK_HANDOFF_SOURCE_ZONE)),
        (ends.get(A.TOLLBOOK_HANDOFF_DESTINATION_REGION), ends.get(A.TOLLBOOK_HANDOFF_DESTINATION_ZONE)),
    )
    return {**known, A.TOLLBOOK_HANDOFF_NETWORK: network} if network else known


def network_class(source: tuple[str | None, str | None], destination: tuple[str | None, str | None]) -> str | None:
    """Class of the boundary between two places, each a region and a zone; None where these do not say it for certain.

    Regions of two clouds that differ are parted by the internet or by a private link: that is not certain.
    """
    (source_region, source_zone), (destination_region, destination_zone) = source, destination
    if not source_region or not destination_region:
        return None
    if source_region != destination_region:
        provider = _provider(source_region)
        return "cross_region" if provider and provider == _provider(destination_region) else None
    if not source_zone or not destination_zone:
        return None
    return "same_zone" if source_zone == destination_zone else "cross_zone"


def _completed(operation: str | None, here: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """Both ends: the one that nobody names is here, where the operation says which."""
    ends = dict(known)
    region, zone = here.get(A.CLOUD_REGION), here.get(A.CLOUD_AVAILABILITY_ZONE)
    keys = {
        **dict.fromkeys(_INCOMING, (A.TOLLBOOK_HANDOFF_DESTINATION_REGION, A.TOLLBOOK_HANDOFF_DESTINATION_ZONE)),
        **dict.fromkeys(_OUTGOING, (A.TOLLBOOK_HANDOFF_SOURCE_REGION, A.TOLLBOOK_HANDOFF_SOURCE_ZONE)),
    }.get(operation or "")
    if keys and region and ends.get(keys[0], region) == region:
        ends[keys[0]] = str(region)
        if zone:
            ends.setdefault(keys[1], str(zone))
    return ends


def _provider(region: str) -> str | None:
    return next((name for name, pattern in _PROVIDERS.items() if pattern.fullmatch(region)), None)
