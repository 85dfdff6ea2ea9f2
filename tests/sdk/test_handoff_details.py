"""What a handoff says beyond its bytes: both ends, its fields, its content's digest, what it waited for."""

import time
from collections import namedtuple
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
import pytest
import tollbook
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from tollbook import runtime
from tollbook.fields import fingerprint
from tollbook.places import network_class
from tollbook.testing import Captured


@dataclass
class Order:
    id: int
    total: float
    note: str | None = None


Pair = namedtuple("Pair", "a b")


class Model:
    """As pydantic's models are."""

    model_fields: ClassVar = {"id": type("Field", (), {"annotation": int}), "total": type("Field", (), {"annotation": float})}


def test_everything_of_a_handoff_is_taken_from_arguments_and_result(captured: Captured) -> None:
    @tollbook.handoff(
        "call", destination="scoring", source_region="eu-west-1", destination_region="us-east-1", bytes_of="body",
        wire_of=lambda result: result["sent"], schema_of="rows", content_of="body", event_id_of="key",
    )  # fmt: skip
    def send(body: bytes, rows: list[dict[str, Any]], key: int) -> dict[str, int]:
        tollbook.current().waited(0.25).waited(0.5)
        return {"sent": 190}

    send(b"x" * 100, [{"id": 1}], 17)
    said = captured.attributes("send")
    assert {key.removeprefix("tollbook."): said[key] for key in said if "handoff." in key or key == "tollbook.event.id"} == {
        "handoff.operation": "call", "handoff.destination": "scoring", "handoff.source.region": "eu-west-1",
        "handoff.destination.region": "us-east-1", "handoff.network": "cross_region", "handoff.size": 100,
        "handoff.wire.size": 190,
        "handoff.wait.duration": 750_000_000, "event.id": "17",
    }  # fmt: skip
    assert said["tollbook.schema.fingerprint"] == fingerprint({"id": 2})
    assert len(said["tollbook.content.digest"]) == 32


@pytest.mark.parametrize(
    ("source", "destination", "network"),
    [
        (("eu-west-1", "a"), ("eu-west-1", "a"), "same_zone"),
        (("eu-west-1", "a"), ("eu-west-1", "b"), "cross_zone"),
        (("eu-west-1", "a"), ("eu-west-1", None), None),
        (("eu-west-1", None), ("us-gov-east-1", None), "cross_region"),
        (("europe-west4", None), ("us-central1", None), "cross_region"),
        (("westeurope", None), ("eastus2", None), "cross_region"),
        (("eu-west-1", None), ("europe-west4", None), None),
        (("here", None), (None, None), None),
        (("site 7", None), ("site 8", None), None),
    ],
)
def test_a_boundary_has_a_class_only_where_it_is_certain(
    source: tuple[str | None, str | None], destination: tuple[str | None, str | None], network: str | None
) -> None:
    assert network_class(source, destination) == network


def test_the_own_region_is_the_end_that_nobody_names(captured: Captured) -> None:
    provider = TracerProvider(
        resource=Resource({"cloud.region": "eu-west-1", "cloud.availability_zone": "eu-west-1a"}), shutdown_on_exit=False
    )
    runtime.use(provider)
    for operation, ends in (
        ("read", {"source_zone": "eu-west-1b", "source_region": "eu-west-1"}),
        ("write", {"destination_region": "us-east-1"}),
    ):
        with tollbook.handoff(operation) as span:
            span.between(**ends)
            expected = "cross_zone" if operation == "read" else "cross_region"
            assert span.span.attributes["tollbook.handoff.network"] == expected
    with tollbook.handoff("read", network="private_link", source_region="us-east-1") as span:
        assert span.span.attributes["tollbook.handoff.network"] == "private_link"


def test_a_schema_is_names_and_types_in_whatever_order() -> None:
    known = fingerprint({"id": 1, "total": 2.0})
    assert known == fingerprint({"total": 9.5, "id": 0})
    assert known == fingerprint([{"id": 1, "total": 2.0}, {"id": 2, "total": 3.0}])
    assert known == fingerprint(Model())
    assert known != fingerprint({"id": "1", "total": 2.0})
    assert known != fingerprint({"id": 1, "sum": 2.0})
    assert fingerprint({"a": {"b": 1}}) != fingerprint({"a": {"b": "1"}})
    assert fingerprint({"a": [1, 2]}) == fingerprint({"a": [3]}) != fingerprint({"a": ["x"]})


def test_declared_fields_are_the_schema_whatever_they_hold() -> None:
    assert fingerprint(Order(1, 2.0)) == fingerprint(Order(1, 2.0, "note")) == fingerprint(Order)
    frame = pd.DataFrame({"id": [1], "total": [2.0]})
    assert fingerprint(frame) == fingerprint(frame[["total", "id"]]) != fingerprint(frame.astype({"id": "float64"}))
    assert fingerprint(Pair(1, 2)) == fingerprint(Pair("x", "y"))


@pytest.mark.parametrize("value", [None, 1, "text", b"bytes", [], {}, [1, 2], object()])
def test_what_has_no_fields_has_no_schema(value: Any) -> None:
    assert fingerprint(value) is None


def test_huge_and_cyclic_data_is_looked_at_for_a_moment_only() -> None:
    cyclic: dict[str, Any] = {"a": 1}
    cyclic["self"] = cyclic
    assert fingerprint(cyclic)
    began = time.thread_time()
    assert fingerprint([{"id": number} for number in range(1_000_000)][:500_000]) == fingerprint({"id": 1})
    assert fingerprint({f"column {number}": number for number in range(100_000)})
    assert time.thread_time() - began < 1.5
