"""Bills: what providers charged, read from their own exports, kept line by line, and set against the ledger. See README.md."""

from tollbook_attribution.bills.load import Brought, Loaded, Options, load
from tollbook_attribution.bills.problems import BillError, Problem

__all__ = ["BillError", "Brought", "Loaded", "Options", "Problem", "load"]
