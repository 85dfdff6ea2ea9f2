"""Surfaces: command line, API, dashboard and report, all answering from `answers.py`."""

from importlib.metadata import version

__version__ = version("tollbook")
