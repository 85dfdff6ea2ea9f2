"""Why cost changed between two periods, workload by workload: causes that add up to the difference, to the last digit. Pure.

Each workload is walked from what it cost before to what it costs after by changing one thing at a time, in the order of `STEPS`.
A cause is the difference between two of these sums, so nothing is left over, and what did not change has no effect. A workload
that is in one period only is new or gone as a whole. Money of no request keeps the name of where it went, such as idle.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from tollbook_ui import units

Workload = tuple[str, ...]
"""Values of the keys that workloads are told apart by."""

STEPS = ("volume", "mix", "model", "cache", "price", "coverage")
CAUSES = (*STEPS, "idle", "new", "gone", "shared", "unattributed")
"""Why cost can change.

volume: more or fewer requests. mix: what a request does: calls, tokens and time of each. model: which models answer.
cache: how much of the input is read from or written to a cache. price: what a unit costs. coverage: calls that had no price
and have one now, or the other way around. idle, shared, unattributed: money that no request caused. new, gone: workloads
that are in one of the periods only.
"""

DIGITS = 76
LAST_DIGIT = Decimal(1).scaleb(-18)
ONE, NOTHING = Decimal(1), Decimal(0)
KINDS = ("audio", "image", "video")


@dataclass(frozen=True)
class Line:
    """Lines of the ledger that differ only in their request, added up over one period."""

    workload: Workload
    allocation: str
    category: str
    model: str
    """Of tokens."""
    item: str
    unit: str
    quantity: Decimal
    amount_usd: Decimal


@dataclass(frozen=True)
class Calls:
    """Calls of a model by one workload in one period that should cost money, and how many of them have a price."""

    workload: Workload
    model: str
    calls: int
    priced: int


@dataclass(frozen=True)
class Side:
    """One of the two periods."""

    lines: Sequence[Line]
    calls: Sequence[Calls]
    requests: Mapping[Workload, int]
    """Requests by workload, those included that cost nothing known."""


@dataclass(frozen=True)
class Effect:
    """One cause at one workload; `detail` is the model, else the category."""

    workload: Workload
    cause: str
    detail: str
    amount_usd: Decimal
    said: str = ""


@dataclass
class _Model:
    """One model at one workload in one period."""

    calls: Decimal = NOTHING
    priced: Decimal = NOTHING
    items: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Quantity and amount."""

    @property
    def amount_usd(self) -> Decimal:
        return sum((amount for _, amount in self.items.values()), NOTHING)

    @property
    def known(self) -> bool:
        """Whether anything of it has a price."""
        return self.priced > 0 and bool(self.items)


@dataclass
class _Work:
    """One workload in one period."""

    requests: int = 0
    models: dict[str, _Model] = field(default_factory=lambda: defaultdict(_Model))
    others: dict[tuple[str, ...], tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Quantity and amount by category, model, item and unit."""
    apart: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """Money of no request, by allocation and category."""

    @property
    def at_work(self) -> bool:
        return bool(self.requests or self.models or self.others)

    @property
    def calls(self) -> Decimal:
        return sum((model.calls for model in self.models.values()), NOTHING)


def effects(before: Side, after: Side) -> tuple[Effect, ...]:
    """Every cause at every workload that is not zero, the largest first; they add up to the difference, to the last digit."""
    with localcontext(prec=DIGITS):
        then, now = _works(before), _works(after)
        found = [effect for workload in sorted({*then, *now}) for effect in _of(workload, then.get(workload), now.get(workload))]
        return tuple(sorted(found, key=lambda effect: (-abs(effect.amount_usd), effect.workload, effect.cause, effect.detail)))


def _works(side: Side) -> dict[Workload, _Work]:
    works: dict[Workload, _Work] = defaultdict(_Work)
    called = {(calls.workload, calls.model) for calls in side.calls if calls.priced}
    for workload, requests in side.requests.items():
        works[workload].requests += requests
    for calls in side.calls:
        model = works[calls.workload].models[calls.model]
        model.calls += calls.calls
        model.priced += calls.priced
    for line in side.lines:
        _book(works[line.workload], line, (line.workload, line.model) in called)
    return works


def _book(work: _Work, line: Line, called: bool) -> None:
    worth = (line.quantity, line.amount_usd)
    if line.allocation != "request":
        place = (line.allocation, line.category)
        work.apart[place] = work.apart.get(place, NOTHING) + line.amount_usd
    elif line.category == "tokens" and called:
        items = work.models[line.model].items
        items[line.item] = _added(items.get(line.item), worth)
    else:
        key = (line.category, line.model, line.item, line.unit)
        work.others[key] = _added(work.others.get(key), worth)


def _added(some: tuple[Decimal, Decimal] | None, more: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
    return more if some is None else (some[0] + more[0], some[1] + more[1])


def _of(workload: Workload, then: _Work | None, now: _Work | None) -> Iterable[Effect]:
    then, now = then or _Work(), now or _Work()
    yield from _apart(workload, then, now)
    if not then.at_work or not now.at_work:
        yield from _whole(workload, then, now)
        return
    steps = [*_models(then, now), *_others(then, now)]
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for detail, changes in steps:
        for cause, amount in changes:
            sums[cause, detail] += amount
    for (cause, detail), amount in sums.items():
        if amount:
            yield Effect(workload, cause, detail, amount, _said(cause, detail, then, now))


def _apart(workload: Workload, then: _Work, now: _Work) -> Iterable[Effect]:
    for allocation, category in sorted({*then.apart, *now.apart}):
        change = now.apart.get((allocation, category), NOTHING) - then.apart.get((allocation, category), NOTHING)
        if change:
            cause = allocation if allocation in CAUSES else "unattributed"
            yield Effect(workload, cause, category if category != cause else "", change)


def _whole(workload: Workload, then: _Work, now: _Work) -> Iterable[Effect]:
    """A workload that is in one of the periods only, by model and category."""
    for cause, work, sign in (("new", now, 1), ("gone", then, -1)):
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for name, model in work.models.items():
            sums[name] += model.amount_usd
        for key, (_, amount) in work.others.items():
            sums[key[0]] += amount
        for detail, amount in sums.items():
            if amount:
                yield Effect(workload, cause, detail, sign * amount, _said(cause, detail, then, now))


def _models(then: _Work, now: _Work) -> Iterable[tuple[str, list[tuple[str, Decimal]]]]:
    for name in sorted({*then.models, *now.models}):
        old, new = then.models.get(name, _Model()), now.models.get(name, _Model())
        sums = [old.amount_usd, *(_Walk(then, now, old, new).sums()), new.amount_usd]
        causes = ("volume", "mix", "model", "mix", "cache", "price", "coverage")
        yield name, [(cause, sums[step + 1] - sums[step]) for step, cause in enumerate(causes)]


@dataclass
class _Walk:
    """From what a model cost a workload before to what it costs after, one step at a time.

    Requests, calls of each, the model's share of them, tokens of each, how much of the input is cached, prices; and last, how
    many calls have a price at all.
    """

    then: _Work
    now: _Work
    old: _Model
    new: _Model

    def sums(self) -> list[Decimal]:
        """What it would cost after each step but the last."""
        requests = (_requests(self.then), _requests(self.now))
        each = self._calls_of_each(requests)
        share = self._shares()
        covered = _covered(self.old if self.old.calls else self.new)
        old, new = self._known()
        worth = (_Tokens.of(old, old, old), _Tokens.of(new, old, old), _Tokens.of(new, new, old), _Tokens.of(new, new, new))
        walk = (
            (requests[1], each[0], share[0], worth[0]),
            (requests[1], each[1], share[0], worth[0]),
            (requests[1], each[1], share[1], worth[0]),
            (requests[1], each[1], share[1], worth[1]),
            (requests[1], each[1], share[1], worth[2]),
            (requests[1], each[1], share[1], worth[3]),
        )
        return [(many * calls * part * covered * worth).quantize(LAST_DIGIT) for many, calls, part, worth in walk]

    def _calls_of_each(self, requests: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
        return self.then.calls / requests[0], self.now.calls / requests[1]

    def _shares(self) -> tuple[Decimal, Decimal]:
        """Of all calls of the workload; where a period has none, that of the other one."""
        before = self.old.calls / self.then.calls if self.then.calls else None
        after = self.new.calls / self.now.calls if self.now.calls else None
        return _either(before, after), _either(after, before)

    def _known(self) -> tuple[_Model, _Model]:
        """What is known of the calls in each period; of one that has none with a price, what is known of the other."""
        return (self.old if self.old.known else self.new), (self.new if self.new.known else self.old)


class _Tokens:
    """What one call with a price costs: how many tokens it takes, how they are divided, what each costs."""

    @staticmethod
    def of(size: _Model, split: _Model, price: _Model) -> Decimal:
        families: dict[str, Decimal] = defaultdict(Decimal)
        for item, (quantity, _) in size.items.items():
            families[family(item)] += quantity
        return sum((_cost_of(name, quantity, split, price, size) for name, quantity in families.items()), NOTHING) / (
            size.priced or ONE
        )


def _cost_of(name: str, quantity: Decimal, split: _Model, price: _Model, size: _Model) -> Decimal:
    """What so many tokens of a family cost; how a family is divided that the split does not know, is as in `size`."""
    for parts in (_parts(name, split), _parts(name, size)):
        if whole := sum(parts.values(), NOTHING):
            return sum((quantity * part / whole * _price(item, (price, split, size)) for item, part in parts.items()), NOTHING)
    return sum((size.items[item][1] for item in _parts(name, size)), NOTHING)


def _parts(name: str, model: _Model) -> dict[str, Decimal]:
    return {item: quantity for item, (quantity, _) in model.items.items() if family(item) == name}


def _price(item: str, known: Iterable[_Model]) -> Decimal:
    """Of one unit, from the first period that used any."""
    for model in known:
        quantity, amount = model.items.get(item, (NOTHING, NOTHING))
        if quantity:
            return amount / quantity
    return NOTHING


def family(item: str) -> str:
    """Tokens that a cache divides among them: input, read and written, each kind of input apart. All else is its own family."""
    if not item.startswith(("input", "cache_")):
        return item
    return next((f"input_{kind}" for kind in KINDS if item.endswith(kind)), "input")


def _covered(model: _Model) -> Decimal:
    return model.priced / model.calls if model.calls else ONE


def _requests(work: _Work) -> Decimal:
    return Decimal(work.requests or 1)


def _either(first: Decimal | None, second: Decimal | None) -> Decimal:
    return first if first is not None else second if second is not None else NOTHING


def _others(then: _Work, now: _Work) -> Iterable[tuple[str, list[tuple[str, Decimal]]]]:
    """All but tokens: requests, how much of it each takes, what a unit costs."""
    grown = _requests(now) / _requests(then)
    for key in sorted({*then.others, *now.others}):
        quantity, old = then.others.get(key, (NOTHING, NOTHING))
        quantity_now, new = now.others.get(key, (NOTHING, NOTHING))
        more = (old * grown).quantize(LAST_DIGIT)
        same_price = (old / quantity * quantity_now).quantize(LAST_DIGIT) if quantity and quantity_now else new
        yield key[0], [("volume", more - old), ("mix", same_price - more), ("price", new - same_price)]


def _said(cause: str, detail: str, then: _Work, now: _Work) -> str:
    """The cause in words, with the figures that moved."""
    if cause == "volume":
        return f"requests {then.requests:,} → {now.requests:,}{_percent(Decimal(then.requests), Decimal(now.requests))}"
    old, new = then.models.get(detail, _Model()), now.models.get(detail, _Model())
    both = old.known and new.known
    words = {
        "model": lambda: f"share of calls {_share(old.calls, then.calls)} → {_share(new.calls, now.calls)}",
        "cache": lambda: f"input read from cache {_cached(old)} → {_cached(new)}",
        "coverage": lambda: f"calls with a price {_share(old.priced, old.calls)} → {_share(new.priced, new.calls)}",
        "price": lambda: _prices(old, new) if both else "",
        "mix": lambda: f"{_each(then)} → {_each(now)} calls each, {_of_call(old)} → {_of_call(new)} tokens a call",
    }
    return words[cause]() if cause in words and detail in {*then.models, *now.models} else ""


def _each(work: _Work) -> str:
    return f"{work.calls / _requests(work):.2f}"


def _of_call(model: _Model) -> str:
    return f"{_tokens(model):,.0f}" if model.known else "unknown"


def _percent(before: Decimal, after: Decimal) -> str:
    return f" ({units.growth(after / before - 1)})" if before else ""


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole * 100:.1f}%" if whole else "none"


def _cached(model: _Model) -> str:
    parts = _parts("input", model)
    return _share(parts.get("cache_read", NOTHING), sum(parts.values(), NOTHING))


def _tokens(model: _Model) -> Decimal:
    return sum((quantity for quantity, _ in model.items.values()), NOTHING) / (model.priced or ONE)


def _prices(old: _Model, new: _Model) -> str:
    """The item whose price moved most money."""
    moved = {
        item: (_price(item, (old,)), _price(item, (new,)), new.items[item][0])
        for item in {*old.items} & {*new.items}
        if old.items[item][0] and new.items[item][0]
    }
    if not moved:
        return ""
    item, (before, after, _) = max(moved.items(), key=lambda entry: (abs(entry[1][1] - entry[1][0]) * entry[1][2], entry[0]))
    million = Decimal(1_000_000)
    return f"a million of {item} ${before * million:,.4f} → ${after * million:,.4f}{_percent(before, after)}"
