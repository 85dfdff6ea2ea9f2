"""Spans on accelerators, and what these cost."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tollbook_attribution import prices
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import Span

HOST = {A.HOST_ID: "h1", A.HOST_TYPE: "gpubox"}


def on_gpu(trace: int, span: int, parent: int = 0, device: str = "GPU-1", **values: Any) -> Span:
    """A model call on an accelerator, with more attributes as a keyword."""
    more: Mapping[str, Any] = values.pop("attributes", {})
    attributes = {A.TOLLBOOK_KIND: "inference", A.HW_ID: device, A.HW_MODEL: "NVIDIA H100", **more}
    return Span(trace, span, parent, **{"resource": HOST, **values, "attributes": attributes})


def set_gpu_price(store: Store, model: str, usd_per_hour: str, **values: Any) -> None:
    """What an hour of a model of accelerator costs, since ever."""
    price = {"version": "v1", "category": "accelerator", "provider": "", "item": "gpu", "unit": "gpu_hour", "source": "test"}
    prices.add(store, [prices.Price(**{**price, "model": model, "amount": Decimal(usd_per_hour), **values})])


def set_kwh(store: Store, amount: str, item: str = "kwh", **values: Any) -> None:
    """What a kWh costs, or with `item` pue what the building takes beside."""
    common = {"version": "v1", "category": "energy", "provider": "grid", "model": "electricity", "source": "test"}
    unit = "kwh" if item == "kwh" else "ratio"
    prices.add(store, [prices.Price(**{**common, "item": item, "unit": unit, "amount": Decimal(amount), **values})])
