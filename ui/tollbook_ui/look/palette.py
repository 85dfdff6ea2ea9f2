"""Colours: one per meaning, the same in dashboard, report and plots. Legible on light and dark ground."""

CATEGORIES = {
    "tokens": "#3f78c4",
    "compute": "#128a6b",
    "accelerator": "#8a63c9",
    "storage": "#b5862f",
    "transfer": "#cc5f43",
    "third_party": "#c7679a",
    "energy": "#d9a441",
    "shared": "#7d8a97",
    "idle": "#a9b1b9",
    "unattributed": "#c9a227",
}
"""Ledger categories."""

KINDS = {
    "request": "#5c6773",
    "inference": "#3f78c4",
    "handoff": "#d08a2e",
    "": "#a9b1b9",
}
"""Span kinds of the waterfall; '' is a span that no Tollbook decorator marked."""

INK = "#767e88"
"""Of words within a chart, which do not know the ground they stand on."""

SCAFFOLDING = "#d08a2e"
USEFUL = "#128a6b"
SERIES = tuple(CATEGORIES.values())
"""For series without a meaning of their own, in this order."""


def category(name: str) -> str:
    """Colour of a ledger category; grey for one this release does not know."""
    return CATEGORIES.get(name, "#7d8a97")


def series(index: int) -> str:
    """Colour of the n-th series."""
    return SERIES[index % len(SERIES)]
