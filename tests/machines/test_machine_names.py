"""One machine, whatever it is called: by its id, its name, the node's name, and what is not clear stays apart."""

from decimal import Decimal

import pytest
from tollbook_attribution import set_rate, settle
from tollbook_attribution.machine_names import Told, machines
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema import machine_ids
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances
from tests.machines.devices import set_kwh

HOUR_S = 3_600
RAW = "0123456789abcdef0123456789abcdef"
RAW_AS_UUID = "01234567-89AB-CDEF-0123-456789ABCDEF"
DIGEST = machine_ids.digest(RAW)
SEEN = "SELECT host, host_name, amount_usd FROM hosts ORDER BY host"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("i-1", "web1"), ("", "web1")], {"web1": "i-1"}),
        ([("i-1", "web1"), ("i-2", "web1"), ("", "web1")], {}),
        ([("i-1", "web1.example.com"), ("", "WEB1")], {"WEB1": "i-1", "web1.example.com": "i-1"}),
        ([("i-1", "web1.a.com"), ("i-2", "web1.b.com"), ("", "web1")], {"web1.a.com": "i-1", "web1.b.com": "i-2"}),
        ([("", "web1.a.com"), ("", "web1.b.com")], {}),
        ([("", "web1.a.com"), ("", "web1")], {"web1": "web1.a.com"}),
        ([("i-1", "localhost"), ("", "localhost"), ("i-2", "10.0.0.1"), ("", "10.0.0.1")], {}),
        ([("", "pod", "node")], {"pod": "node"}),
        ([("", "pod", "node"), ("i-1", "node")], {"pod": "i-1", "node": "i-1"}),
        ([("pod", "pod", "node"), ("i-1", "node", "node")], {"pod": "i-1", "node": "i-1"}),
        ([("image", "pod", "node"), ("i-1", "node", "node")], {"image": "i-1", "pod": "i-1", "node": "i-1"}),
        ([("image", "pod-0", "node-a"), ("image", "pod-1", "node-b")], {"pod-0": "node-a", "pod-1": "node-b"}),
        ([("", "web-0", "node-a"), ("", "web-0", "node-b")], {}),
        ([("i-1", "a", "b"), ("i-1", "a", "a"), ("i-2", "b", "b")], {"a": "i-1", "b": "i-2"}),
        ([("i-1", "n", "n", "", "east"), ("", "p", "n", "", "west")], {}),
        ([("web1", "web1"), ("i-1", "web1")], {"web1": "i-1"}),
        ([(DIGEST, "web1"), (RAW, "web1"), ("", "web1")], {RAW: DIGEST, "web1": DIGEST}),
        ([(DIGEST, "pod", "node"), (RAW_AS_UUID, "node", "node")], {RAW_AS_UUID: DIGEST, "node": DIGEST, "pod": DIGEST}),
    ],
)  # fmt: skip
def test_a_name_is_of_the_one_machine_that_tells_it(told: list[tuple[str, ...]], expected: dict[str, str]) -> None:
    assert machines(Told(*one) for one in told) == expected
    assert machines(Told(*one) for one in reversed(told)) == expected


def seen(**resource: str) -> list[Point]:
    """A machine of a known type that is there for the hour, as its meter tells; it has two CPUs and draws 100 W."""
    told = {key.replace("_", "."): value for key, value in resource.items()} | {A.HOST_TYPE: "box"}
    return [
        Point(name, value, second * S, resource=told, service="collector")
        for second in range(0, HOUR_S + 1, 600)
        if second < HOUR_S
        for name, value in (("system.cpu.logical.count", 2.0), ("hw.host.power", 100.0))
    ]


def ran(trace: int, start_s: int = 0, **resource: str) -> Span:
    """A span of a minute on the machine that it names."""
    told = {key.replace("_", "."): value for key, value in resource.items()}
    return Span(trace, 1, start_ns=start_s * S, duration_ns=60 * S, resource=told)


@pytest.mark.slow
def test_a_machine_is_priced_once_however_it_is_named(store: Store, intake: Intake) -> None:
    """Four machines of $6 an hour, each seen for the hour by its meter: $6 each. A name that two have is apart.

    Of the first the collector tells the id of the machine, our SDK its digest.
    """
    set_rate(store, "box", "6", 2)
    set_kwh(store, "0.36")
    intake.points(seen(host_id=RAW, host_name="web1"))
    intake.points(seen(host_id="i-2", host_name="node-2.internal", k8s_node_name="node-2.internal"))
    intake.points([*seen(host_id="i-3", host_name="twin"), *seen(host_id="i-4", host_name="twin")])
    intake.spans([
        ran(1, host_name="web1"), ran(2, host_id=DIGEST, host_name="web1"),
        ran(3, host_name="pod-x", k8s_node_name="node-2.internal"), ran(4, k8s_node_name="node-2.internal"),
        ran(5, host_name="pod-x"),
        ran(6, host_name="twin"),
    ])  # fmt: skip
    settle(store)
    assert store.query(SEEN) == [
        {"host": DIGEST, "host_name": "web1", "amount_usd": Decimal(6)},
        {"host": "i-2", "host_name": "pod-x", "amount_usd": Decimal(6)},
        {"host": "i-3", "host_name": "twin", "amount_usd": Decimal(6)},
        {"host": "i-4", "host_name": "twin", "amount_usd": Decimal(6)},
        {"host": "twin", "host_name": "twin", "amount_usd": None},
    ]
    used = {row["host"]: (row["cost_usd"], row["request_joules"]) for row in store.query("SELECT * FROM accelerator_usage")}
    none = (Decimal(0), Decimal(0))
    assert used == {DIGEST: (Decimal("0.10"), Decimal(6000)), "i-2": (Decimal("0.15"), Decimal(9000)), "i-3": none, "i-4": none}
    assert_the_ledger_balances(store)

    intake.points(seen(host_id=RAW, host_name="web1.example.com"))
    intake.spans([ran(7, 120, host_name="WEB1.example.com")])
    settle(store)
    assert [row["host"] for row in store.query(SEEN)] == [DIGEST, "i-2", "i-3", "i-4", "twin"]
