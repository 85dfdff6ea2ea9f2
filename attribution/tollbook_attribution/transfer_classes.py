"""How people spell the class of boundary that bytes cross, and what Tollbook calls it. Pure."""

import re
from collections.abc import Mapping, Sequence

SPELLINGS: Mapping[str, Sequence[str]] = {
    "in_process": ("in_process", "in_memory", "same_process"),
    "local_disk": ("local_disk",),
    "loopback": ("loopback", "localhost", "same_host", "same_machine", "same_node"),
    "same_zone": ("same_zone", "same_az", "in_zone", "in_az", "intra_zone", "intra_az", "within_zone", "within_az", "zonal"),
    "cross_zone": (
        "cross_zone", "cross_az", "inter_zone", "inter_az", "across_zones", "across_azs", "multi_az", "cross_availability_zone",
        "inter_availability_zone", "different_zone", "different_az",
    ),
    "cross_region": (
        "cross_region", "inter_region", "across_regions", "multi_region", "region_to_region", "different_region", "cross_geo",
    ),
    "private_link": (
        "private_link", "aws_private_link", "azure_private_link", "private_endpoint", "private_service_connect", "psc",
        "vpc_endpoint", "vpce", "interface_endpoint",
    ),
    "nat": ("nat", "nat_gateway", "nat_gw", "cloud_nat"),
    "internet": (
        "internet", "public_internet", "egress", "internet_egress", "internet_out", "data_transfer_out",
    ),
    "internet_in": ("internet_in", "internet_ingress", "ingress", "data_transfer_in"),
}  # fmt: skip
"""Each class, and its spellings; hyphens, blanks and capitals do not matter."""


def _bare(spelling: str) -> str:
    return re.sub("[^a-z0-9]", "", spelling.lower())


CLASS_OF: Mapping[str, str] = {_bare(spelling): name for name, spellings in SPELLINGS.items() for spelling in spellings}
"""The class of each spelling, in small letters and digits alone."""


def named(spelling: str) -> str:
    """The class that is meant, or the word itself where none is."""
    return CLASS_OF.get(_bare(spelling), spelling)


def parameters() -> Mapping[str, Sequence[str]]:
    """What the step that reads declared classes binds."""
    return {"transfer_spellings": list(CLASS_OF), "transfer_classes": list(CLASS_OF.values())}
