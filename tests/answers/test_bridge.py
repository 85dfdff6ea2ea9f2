"""The bill bridge: causes add up to the difference, and the right one is named first."""

from collections.abc import Mapping
from decimal import Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st
from tollbook_ui.costs import bridge, changes
from tollbook_ui.costs.bridge import Calls, Effect, Line, Side
from tollbook_ui.costs.figures import Driver

D = Decimal
ITEMS = ("input", "cache_read", "cache_write", "output", "reasoning", "input_audio", "request")
PRICES = {"input": D("0.0000025"), "cache_read": D("0.00000125"), "output": D("0.00001")}


def tokens(workload: str, quantities: Mapping[str, int], model: str = "m", prices: Mapping[str, Decimal] = PRICES) -> list[Line]:
    return [
        Line((workload,), "request", "tokens", model, item, "token", D(quantity), D(quantity) * prices[item])
        for item, quantity in quantities.items()
    ]


def side(lines: list[Line], calls: Mapping[tuple[str, str], tuple[int, int]], requests: Mapping[str, int]) -> Side:
    return Side(
        lines,
        [Calls((workload,), model, all_of_them, priced) for (workload, model), (all_of_them, priced) in calls.items()],
        {(workload,): number for workload, number in requests.items()},
    )


def chat(requests: int, per_call: Mapping[str, int], prices: Mapping[str, Decimal] = PRICES, model: str = "m") -> Side:
    """One workload in which every request is one call."""
    quantities = {item: quantity * requests for item, quantity in per_call.items()}
    return side(tokens("w", quantities, model, prices), {("w", model): (requests, requests)}, {"w": requests})


def by_cause(found: tuple[Effect, ...]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for effect in found:
        sums[effect.cause] = sums.get(effect.cause, D(0)) + effect.amount_usd
    return {cause: amount for cause, amount in sums.items() if amount}


def test_what_does_not_change_has_no_effect() -> None:
    same = chat(7, {"input": 1000, "cache_read": 333, "output": 100})
    assert bridge.effects(same, same) == ()


def test_more_requests_are_volume() -> None:
    before, after = chat(100, {"input": 1000, "output": 100}), chat(140, {"input": 1000, "output": 100})
    (effect,) = bridge.effects(before, after)
    assert (effect.cause, effect.amount_usd) == ("volume", D("0.14"))  # 40 requests more, $0.0035 each
    assert effect.said == "requests 100 → 140 (+40.0%)"


def test_a_dearer_unit_is_price() -> None:
    dearer = PRICES | {"input": D("0.000003")}
    (effect,) = bridge.effects(chat(100, {"input": 1000, "output": 100}), chat(100, {"input": 1000, "output": 100}, dearer))
    assert (effect.cause, effect.amount_usd) == ("price", D("0.05"))
    assert effect.said == "a million of input $2.5000 → $3.0000 (+20.0%)"


def test_longer_calls_are_mix() -> None:
    found = bridge.effects(chat(100, {"input": 1000, "output": 100}), chat(100, {"input": 1500, "output": 100}))
    assert by_cause(found) == {"mix": D("0.125")}


def test_input_that_is_no_longer_read_from_the_cache_is_cache() -> None:
    found = bridge.effects(chat(100, {"input": 200, "cache_read": 800}), chat(100, {"input": 1000, "cache_read": 0}))
    assert by_cause(found) == {"cache": D("0.1")}  # 80,000 tokens at the difference of $1.25 a million
    assert found[0].said == "input read from cache 80.0% → 0.0%"


def test_another_model_is_model() -> None:
    cheap = {item: price / 10 for item, price in PRICES.items()}
    found = bridge.effects(chat(100, {"input": 1000}), chat(100, {"input": 1000}, cheap, "small"))
    assert by_cause(found) == {"model": D("-0.225")}


def test_a_call_that_gets_a_price_is_coverage_and_no_growth() -> None:
    unknown = side([], {("w", "m"): (100, 0)}, {"w": 100})
    found = bridge.effects(unknown, chat(100, {"input": 1000}))
    assert by_cause(found) == {"coverage": D("0.25")}
    assert found[0].said == "calls with a price 0.0% → 100.0%"


def test_a_price_that_rises_for_everybody_is_named_before_one_that_is_busier() -> None:
    dearer = [driver(f"w{at}", "price", 3) for at in range(5)]
    assert changes.first_cause([driver("busy", "volume", 4), *dearer]) == (dearer[0], 5, 15)
    few = [driver("busy", "volume", 8), *dearer]
    assert changes.first_cause(few) == (few[0], 1, 8)


def driver(workload: str, cause: str, amount_usd: int) -> Driver:
    return Driver((workload,), cause, "", D(amount_usd), "")


def test_workloads_of_one_period_are_new_or_gone() -> None:
    before, after = side(tokens("a", {"input": 1000}), {}, {"a": 1}), side(tokens("b", {"output": 1000}), {}, {"b": 1})
    found = bridge.effects(before, after)
    assert [(effect.workload, effect.cause, effect.amount_usd) for effect in found] == [
        (("b",), "new", D("0.01")),
        (("a",), "gone", D("-0.0025")),
    ]


def test_money_of_no_request_keeps_the_name_of_where_it_went() -> None:
    def idle(usd: str) -> Side:
        return Side([Line(("",), "idle", "compute", "", "cpu", "second", D(1), D(usd))], [], {})

    (effect,) = bridge.effects(idle("3"), idle("5"))
    assert (effect.cause, effect.detail, effect.amount_usd) == ("idle", "compute", D(2))


def test_machine_time_divides_into_requests_time_of_each_and_rate() -> None:
    def machine(requests: int, seconds: int, usd: str) -> Side:
        line = Line(("w",), "request", "compute", "", "cpu_time", "second", D(seconds), D(usd))
        return side([line], {}, {"w": requests})

    found = bridge.effects(machine(10, 100, "1"), machine(20, 300, "6"))
    assert by_cause(found) == {"volume": D(1), "mix": D(1), "price": D(3)}


def test_a_planted_forty_percent_of_one_workload_is_named_first() -> None:
    steady = {"search": 900, "mail": 400, "agents": 1000, "rag": 700}

    def week(agents: int) -> Side:
        requests = steady | {"agents": agents}
        lines = [line for name, many in requests.items() for line in tokens(name, {"input": 1000 * many, "output": 90 * many})]
        return side(lines, {(name, "m"): (many, many) for name, many in requests.items()}, requests)

    first = bridge.effects(week(1000), week(1400))[0]
    assert (first.workload, first.cause) == (("agents",), "volume")
    assert "+40.0%" in first.said


amounts = st.decimals(min_value=-(10**6), max_value=10**6, places=18)
quantities = st.integers(min_value=0, max_value=10**12)
workloads = st.sampled_from([("a", "x"), ("b", "x"), ("c", "")])
lines = st.builds(
    Line,
    workloads,
    st.sampled_from(["request", "request", "request", "idle", "shared", "unattributed"]),
    st.sampled_from(["tokens", "tokens", "compute", "accelerator", "transfer"]),
    st.sampled_from(["m", "n", "o"]),
    st.sampled_from(ITEMS),
    st.just("token"),
    quantities.map(D),
    amounts,
)


@st.composite
def calls(draw: st.DrawFn) -> Calls:
    many = draw(st.integers(0, 1000))
    return Calls(draw(workloads), draw(st.sampled_from(["m", "n", "o"])), many, draw(st.integers(0, many)))


sides = st.builds(
    Side, st.lists(lines, max_size=12), st.lists(calls(), max_size=6), st.dictionaries(workloads, st.integers(0, 10**6))
)


@settings(max_examples=300, deadline=None)
@given(sides, sides)
def test_causes_add_up_to_the_difference_to_the_last_digit(before: Side, after: Side) -> None:
    with localcontext(prec=100):
        change = sum((line.amount_usd for line in after.lines), D(0)) - sum((line.amount_usd for line in before.lines), D(0))
        found = bridge.effects(before, after)
        assert sum((effect.amount_usd for effect in found), D(0)) == change
        for workload in {line.workload for line in (*before.lines, *after.lines)}:
            own = [sum((line.amount_usd for line in one.lines if line.workload == workload), D(0)) for one in (before, after)]
            assert sum((effect.amount_usd for effect in found if effect.workload == workload), D(0)) == own[1] - own[0]


@settings(max_examples=100, deadline=None)
@given(sides)
def test_a_period_differs_from_itself_by_nothing(one: Side) -> None:
    assert bridge.effects(one, one) == ()


@settings(max_examples=100, deadline=None)
@given(sides, sides)
def test_there_and_back_is_where_it_began(before: Side, after: Side) -> None:
    with localcontext(prec=100):
        there, back = bridge.effects(before, after), bridge.effects(after, before)
        assert sum((effect.amount_usd for effect in (*there, *back)), D(0)) == 0
