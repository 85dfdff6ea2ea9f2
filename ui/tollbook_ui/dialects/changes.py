"""What two settlements of the same hours say differently. Pure."""

from decimal import Decimal, localcontext

from tollbook_ui.dialects.figures import Change, Normalization, Renormalization, Use

DIGITS = 76
NOTHING = Decimal(0)


def compared(before: Normalization, after: Normalization) -> Renormalization:
    """The difference between two settlements of the same hours."""
    with localcontext(prec=DIGITS):
        return Renormalization(
            version=after.version,
            since=after.since,
            until=after.until,
            hours=after.hours,
            outdated_hours=before.outdated_hours,
            calls_before=sum(use.calls for use in before.rows),
            calls=sum(use.calls for use in after.rows),
            tokens_before=sum(use.tokens for use in before.rows),
            tokens=sum(use.tokens for use in after.rows),
            cost_usd_before=sum((use.cost_usd for use in before.rows), NOTHING),
            cost_usd=sum((use.cost_usd for use in after.rows), NOTHING),
            rows=_changes(before, after),
        )


def _changes(before: Normalization, after: Normalization) -> tuple[Change, ...]:
    old = {_key(use): use for use in before.rows}
    new = {_key(use): use for use in after.rows}
    changes = [
        _change(old.get(key, _none(key)), new.get(key, _none(key)))
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    ]
    return tuple(sorted(changes, key=lambda c: (-abs(c.cost_usd - c.cost_usd_before), c.dialect, c.provider, c.model)))


def _key(use: Use) -> tuple[str, str, str]:
    return use.dialect, use.provider, use.model


def _none(key: tuple[str, str, str]) -> Use:
    return Use(*key, calls=0, tokens=0, cost_usd=NOTHING, unpriced_calls=0)


def _change(old: Use, new: Use) -> Change:
    return Change(
        *_key(new),
        old.calls,
        new.calls,
        old.tokens,
        new.tokens,
        old.cost_usd,
        new.cost_usd,
        old.unpriced_calls,
        new.unpriced_calls,
    )
