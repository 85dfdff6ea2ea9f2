"""Attribution: turns stored spans, metrics and prices into the ledger. See README.md for the steps and their rules."""

from tollbook_attribution.engine import Settlement, settle, windows_to_settle
from tollbook_attribution.rates import set_rate

__all__ = ["Settlement", "set_rate", "settle", "windows_to_settle"]
