"""Bills: what providers charged, read from their own exports, kept line by line, and set against the ledger. See README.md."""

from tollbook_attribution.bills.load import AS_THEY_ARE, PERIOD, Brought, Loaded, Options, lines_read, load
from tollbook_attribution.bills.problems import BillError, Problem
from tollbook_attribution.bills.reconcile import Reconciled, reconcile, reconcile_all
from tollbook_attribution.bills.undo import Undone, undo

__all__ = [
    "AS_THEY_ARE",
    "PERIOD",
    "BillError",
    "Brought",
    "Loaded",
    "Options",
    "Problem",
    "Reconciled",
    "Undone",
    "lines_read",
    "load",
    "reconcile",
    "reconcile_all",
    "undo",
]
