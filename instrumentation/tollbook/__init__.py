"""Tollbook's SDK: what each AI request costs, how old its data is, how much of it is glue.

    import tollbook

    tollbook.configure(service_name="intake", team="documents")

    @tollbook.request("document-intake")
    def intake(path): ...

Importing this takes a few milliseconds beyond OpenTelemetry's API; the rest comes when `configure` is called.
"""

from typing import TYPE_CHECKING, Any

from tollbook.api import asset, handoff, inference, request, usage
from tollbook.carriers import extract, inject
from tollbook.configuration import configure, flush, shutdown
from tollbook.handle import Handle, current
from tollbook.inputs import Asset
from tollbook.integrations import auto
from tollbook.owners import label
from tollbook.scoring import score

if TYPE_CHECKING:
    from tollbook.processor import TollbookSpanProcessor

__all__ = [
    "Asset",
    "Handle",
    "TollbookSpanProcessor",
    "asset",
    "auto",
    "configure",
    "current",
    "extract",
    "flush",
    "handoff",
    "inference",
    "inject",
    "label",
    "request",
    "score",
    "shutdown",
    "usage",
]


def __getattr__(name: str) -> Any:
    """What brings the OpenTelemetry SDK with it, and so is imported when it is asked for."""
    if name == "TollbookSpanProcessor":
        from tollbook.processor import TollbookSpanProcessor  # noqa: PLC0415

        return TollbookSpanProcessor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
