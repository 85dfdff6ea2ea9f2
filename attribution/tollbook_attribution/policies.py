"""Who bears what nobody used or what is everybody's, and how concurrent requests share an accelerator: dated, per tenant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tollbook_schema import sql
from tollbook_schema.store import Reads, Store
from tollbook_schema.tenants import DEFAULT_TENANT, checked_tenant

from tollbook_attribution.rates import SINCE_EVER

BORNE: Mapping[str, str] = {
    "none": "nobody bears it and no cause is told: it stays unattributed",
    "separate": "nobody bears it: lines of its own, by cause",
    "by-node": "the requests that used the machine bear it, by what they cost there",
    "by-cluster": "the requests that used the cluster bear it, by what they cost there",
    "by-use": "all requests bear it, by the time they used",
}

METHODS: Mapping[str, Mapping[str, str]] = {
    "idle": BORNE,
    "shared": BORNE,
    "accelerator": {
        "equal": "each instant of a device is shared equally by the requests that hold it",
        "by-tokens": "... by their tokens, where all of a device tell them; else equally",
        "by-items": "... by the items in their batches, where all of a device tell them; else equally",
    },
    "energy": {
        "included": "what an accelerator's rate pays for has its power in it; energy is priced only where there is no rate",
        "apart": "rates are for hardware alone: power is paid beside them, by the price of a kWh",
    },
}
"""Methods by subject, and what each does."""

DEFAULTS: Mapping[str, str] = {"idle": "separate", "shared": "separate", "accelerator": "equal", "energy": "included"}
"""What holds where a tenant has set nothing."""

COLUMNS = ("tenant", "subject", "method", "valid_from", "source", "set_at")


@dataclass(frozen=True)
class Policy:
    """One rule of one tenant, from a moment on."""

    tenant: str
    subject: str
    method: str
    valid_from: datetime
    source: str
    set_at: datetime | None
    """None where nobody set it."""


def set_policy(
    store: Store,
    subject: str,
    method: str,
    *,
    tenant: str = DEFAULT_TENANT,
    valid_from: datetime | None = None,
    source: str = "set by the user",
) -> Policy:
    """Adds a rule that holds from the hour of `valid_from` on (None: since ever). Nothing is overwritten.

    Hours already settled keep their result until they are settled again, with `settle(store, since=…)`.

    Raises:
        ValueError: there is no such subject, method or name of a tenant.
    """
    methods = METHODS.get(subject)
    if methods is None:
        raise ValueError(f"a policy is about {', '.join(METHODS)}, not {subject!r}")
    if method not in methods:
        raise ValueError(f"{subject} goes {', '.join(methods)}, not {method!r}")
    start = (valid_from or SINCE_EVER).astimezone(UTC)
    policy = Policy(checked_tenant(tenant), subject, method, start, source, datetime.now(UTC))
    store.insert("policies", [tuple(getattr(policy, name) for name in COLUMNS)], COLUMNS)
    return policy


def policies(store: Reads, tenant: str | None = None) -> tuple[Policy, ...]:
    """Every rule that was set, of a tenant or of all, the one that begins last first. Defaults are not listed."""
    rows = store.query(sql.text("tollbook_attribution", "queries/policies.sql"), {"tenant": tenant or ""})
    return tuple(
        Policy(**{**row, "valid_from": row["valid_from"].replace(tzinfo=UTC), "set_at": row["set_at"].replace(tzinfo=UTC)})
        for row in rows
    )
