"""One week, as the report tells it: every answer about it, and why it cost more or less than the week before."""

from dataclasses import dataclass

from tollbook_ui import figures as f
from tollbook_ui.budgets.figures import Budgets
from tollbook_ui.costs.figures import Anomalies, Bridge, Caches


@dataclass(frozen=True)
class Weekly:
    """One ISO week, Monday to Monday in UTC, and the week before it to compare with."""

    week: str
    period: f.Period
    overview: f.Overview
    previous: f.Overview
    owners: f.Owners
    comparison: f.Comparison
    calls: f.Calls
    freshness: f.Freshness
    accelerators: f.Accelerators
    hotspots: f.Hotspots
    requests: f.Requests
    """The dearest ones."""
    bridge: Bridge
    """From the week before; of a week that still runs, from the same part of it."""
    budgets: Budgets
    """At the end of the week, or now."""
    caches: Caches
    anomalies: Anomalies
