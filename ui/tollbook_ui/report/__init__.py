"""The weekly report: one ISO week of the ledger, to read, to print and to compute with."""

from tollbook_ui.report.render import FORMATS, Report, Weeks, render

__all__ = ["FORMATS", "Report", "Weeks", "render"]
